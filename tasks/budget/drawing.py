"""A budget's burn-down as a PNG for mails: on its own light ground, so that it reads in dark mode too."""

import io
from datetime import date, timedelta
from decimal import Decimal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tasks.budget.pace import Standing
from tasks.money import show

GROUND, INK, QUIET, GRID = "#fffdf9", "#25283d", "#5b5f78", "#e4ddcf"
LEFT, EVEN, AHEAD = "#3d4596", "#8a8798", "#b5541c"
DOTS = 150  # an inch: sharp on a phone, and about 25 kB


def burn_down(name: str, seen: Standing, days: list[tuple[date, Decimal]], currency: str = "") -> bytes:
    """What is left day by day, the even pace, and where it likely ends; in per cent without a currency."""
    figure = Figure(figsize=(6, 2.9), dpi=DOTS, facecolor=GROUND, layout="constrained")
    axes = figure.add_subplot()
    axes.set_facecolor(GROUND)
    scale = 1.0 if currency else 100 / float(seen.limit)
    whole = float(seen.limit) * scale
    _history(axes, seen, days, scale, whole)
    _forecast(axes, seen, scale, whole)
    _dress(axes, seen, currency, whole)
    axes.set_title(f"What is left of {_short(name)}", loc="left", color=INK, fontsize=12, fontweight="bold")
    out = io.BytesIO()
    figure.savefig(out, format="png", facecolor=GROUND, metadata={"Software": None})
    return out.getvalue()


def _history(axes: Axes, seen: Standing, days: list[tuple[date, Decimal]], scale: float, whole: float) -> None:
    known = [(day, spent) for day, spent in days if day <= seen.today]
    x = [0.0, *((day - seen.window.start).days + 1.0 for day, _ in known)]
    y = [whole, *(whole - float(spent) * scale for _, spent in known)]
    axes.plot([0, seen.window.days], [whole, 0], color=EVEN, linewidth=1.2, linestyle=(0, (4, 3)), label="Even pace")
    axes.step(x, y, where="post", color=LEFT, linewidth=2.2, label="Left")
    axes.plot(x[-1:], y[-1:], "o", color=LEFT, markersize=6)


def _forecast(axes: Axes, seen: Standing, scale: float, whole: float) -> None:
    ends = seen.forecast
    if ends is None or not seen.days_left:
        return
    today, last = seen.days_gone, seen.window.days
    now = whole - float(seen.spent) * scale
    low, middle, high = (whole - float(end) * scale for end in (ends.high, ends.end, ends.low))
    axes.fill_between([today, last], [now, low], [now, high], color=AHEAD, alpha=0.18, linewidth=0)
    axes.plot([today, last], [now, middle], color=AHEAD, linewidth=1.8, linestyle=(0, (2, 2)), label="Likely from here")


def _dress(axes: Axes, seen: Standing, currency: str, whole: float) -> None:
    axes.axhline(0, color=INK, linewidth=1)
    axes.set_xlim(0, seen.window.days)
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -whole), max(high, whole * 1.05))  # a wild forecast does not flatten all the rest
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _label(value, currency)))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _day(seen, value)))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.tick_params(colors=QUIET, labelsize=9, length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.legend(loc="upper right", fontsize=9, frameon=False, labelcolor=INK)


def _label(value: float, currency: str) -> str:
    return show(Decimal(round(value)), currency).removesuffix(".00") if currency else f"{value:.0f} %"


def _day(seen: Standing, value: float) -> str:
    return f"{seen.window.start + timedelta(round(value)):%-d %b}" if 0 <= value <= seen.window.days else ""


def _short(name: str) -> str:
    """matplotlib reads mathematics between dollar signs."""
    text = name if len(name) <= 40 else f"{name[:39]}…"
    return text.replace("$", r"\$")
