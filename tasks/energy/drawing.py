"""Load with its forecast, and energy by hour and day, as PNG: on their own light ground, so that they read in the dark.

Made of a result, so that a run's files, the digest and the page show the same numbers.
"""

import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from tasks.energy.result import EnergyResult

GROUND, INK, QUIET, GRID = "#fffdf9", "#25283d", "#5b5f78", "#e4ddcf"
USED, AHEAD, WRONG, GAP = "#3d4596", "#b5541c", "#a3122a", "#efe9dd"
WARMTH = LinearSegmentedColormap.from_list("house", ["#fffdf9", "#f3d9a4", "#d9873f", "#8f2d2d"])
DOTS = 150
SHOWN = 7 * 24  # steps of the past beside the forecast
LOAD, HOURS = "Load and forecast", "Energy by hour and day"


def fan(result: EnergyResult) -> bytes:
    """What was used lately, and what comes with its 80 and 95 % intervals; anomalies in their own colour."""
    zone = ZoneInfo(result.zone)
    figure = Figure(figsize=(7, 3.1), dpi=DOTS, facecolor=GROUND, layout="constrained")
    axes = figure.add_subplot()
    times, values = result.charts.load_times[-SHOWN:], result.charts.load[-SHOWN:]
    _intervals(axes, result)
    axes.plot([_utc(at) for at in times], [np.nan if v is None else v for v in values], color=USED, linewidth=1.5)
    _anomalies(axes, result, times)
    _dress(axes, f"{result.unit} an hour" if result.horizon == "hour" else f"{result.unit} a {result.horizon}")
    locator = AutoDateLocator(minticks=3, maxticks=8, tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))
    axes.set_title(_short(result.name or "Electricity"), loc="left", color=INK, fontsize=12, fontweight="bold")
    return _png(figure)


def _intervals(axes: Axes, result: EnergyResult) -> None:
    if not result.forecast:
        return
    at = np.array([_when(datetime.fromisoformat(step.time)) for step in result.forecast])
    low, high = [step.lower_95 for step in result.forecast], [step.upper_95 for step in result.forecast]
    axes.fill_between(at, low, high, color=AHEAD, alpha=0.16, linewidth=0, label="95 of 100 times in here")
    low, high = [step.lower_80 for step in result.forecast], [step.upper_80 for step in result.forecast]
    axes.fill_between(at, low, high, color=AHEAD, alpha=0.26, linewidth=0, label="80 of 100")
    axes.plot(at, [step.mean for step in result.forecast], color=AHEAD, linewidth=1.7, label="Forecast")
    axes.legend(loc="upper left", ncols=3, fontsize=8.5, frameon=False, labelcolor=INK)
    _, top = axes.get_ylim()
    axes.set_ylim(top=top * 1.12)


def _anomalies(axes: Axes, result: EnergyResult, times: list[int]) -> None:
    if not times:
        return
    first, last = _utc(times[0]), _utc(times[-1])
    for one in result.anomalies:
        start = _when(datetime.fromisoformat(one.start))
        end = _when(datetime.fromisoformat(one.end)) if one.end else last
        if end > first and start < last:
            axes.axvspan(max(start, first), min(end, last), color=WRONG, alpha=0.13, linewidth=0)


def heat(result: EnergyResult) -> bytes:
    """Energy by hour and day: a glance tells when it is used."""
    charts = result.charts
    table = np.array([[np.nan if value is None else value for value in row] for row in charts.heat], dtype=float)
    figure = Figure(figsize=(7, 1.2 + 0.075 * max(len(table), 14)), dpi=DOTS, facecolor=GROUND, layout="constrained")
    axes = figure.add_subplot()
    axes.set_facecolor(GAP)
    drawn = axes.imshow(table, aspect="auto", cmap=WARMTH, interpolation="nearest")
    bar = figure.colorbar(drawn, ax=axes, pad=0.01)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=QUIET, labelsize=8, length=0)
    bar.set_label(f"{result.unit} an hour", color=QUIET, fontsize=9)
    axes.set_xticks(range(0, 24, 3), [f"{hour:02}:00" for hour in range(0, 24, 3)])
    every = max(1, len(table) // 6)
    rows = range(0, len(table), every)
    axes.set_yticks(list(rows), [f"{date.fromisoformat(charts.heat_days[row]):%a %-d %b}" for row in rows])
    axes.tick_params(colors=QUIET, labelsize=9, length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title("By hour and day", loc="left", color=INK, fontsize=12, fontweight="bold")
    return _png(figure)


def _dress(axes: Axes, label: str) -> None:
    axes.set_facecolor(GROUND)
    axes.set_ylabel(label, color=QUIET, fontsize=9)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    axes.tick_params(colors=QUIET, labelsize=9, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _utc(at: int) -> float:
    return _when(datetime.fromtimestamp(at, UTC))


def _when(at: datetime) -> float:
    """A moment as matplotlib's axes count them."""
    return float(date2num(at.astimezone(UTC)))


def _short(name: str) -> str:
    """matplotlib reads mathematics between dollar signs."""
    text = name if len(name) <= 50 else f"{name[:49]}…"
    return text.replace("$", r"\$")


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", facecolor=GROUND, metadata={"Software": None})
    return out.getvalue()


def alt(result: EnergyResult) -> str:
    """The load's picture for those who do not see it."""
    values = [value for value in result.charts.load[-SHOWN:] if value is not None]
    said = f"Electricity of {result.name or 'a meter'}: "
    if values:
        said += f"between {min(values):.3g} and {max(values):.3g} {result.unit} a {result.horizon} lately"
    if result.forecast:
        mean = [step.mean for step in result.forecast]
        said += f"; the forecast lies between {min(mean):.3g} and {max(mean):.3g} {result.unit}"
    return f"{said}."[:500]
