"""The desk week by week as a PNG for mails: on its own light ground, so that it reads in dark mode too."""

import io
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tasks.care.report_asked import Span
from tasks.care.report_sums import Part
from tasks.care.report_words import percent

GROUND, INK, QUIET, GRID = "#fffdf9", "#25283d", "#5b5f78", "#e4ddcf"
OPENED, SOLVED, OPEN = "#3d4596", "#00745a", "#b5541c"
DOTS = 150


def weeks(span: Span, parts: Sequence[Part]) -> bytes:
    """Opened and solved as bars, what was open at each week's end as a line, and how much was answered in time."""
    figure = Figure(figsize=(6, 3.2), dpi=DOTS, facecolor=GROUND, layout="constrained")
    axes = figure.add_subplot()
    axes.set_facecolor(GROUND)
    at = range(len(parts))
    axes.bar([x - 0.2 for x in at], [part.opened for part in parts], 0.38, color=OPENED, label="opened")
    axes.bar([x + 0.2 for x in at], [part.solved for part in parts], 0.38, color=SOLVED, label="solved")
    axes.plot(at, [part.backlog for part in parts], color=OPEN, linewidth=2.2, marker="o", label="open at its end")
    names = [f"{day:%-d %b}\n{percent(part.first.share)}" for day, part in zip(span.starts, parts, strict=True)]
    axes.set_xticks(list(at), names)
    _dress(axes)
    axes.set_xlabel("week from, and first answers in time", color=QUIET, fontsize=9)
    axes.set_title("Tickets, week by week", loc="left", color=INK, fontsize=12, fontweight="bold")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8.5, frameon=False, labelcolor=INK)
    out = io.BytesIO()
    figure.savefig(out, format="png", facecolor=GROUND, metadata={"Software": None})
    return out.getvalue()


def _dress(axes: Axes) -> None:
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET, labelsize=9, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def words(span: Span, parts: Sequence[Part]) -> str:
    """The picture for those who do not see it."""
    told = "; ".join(
        f"week from {day:%-d %b} {part.opened:,}, {part.solved:,}, {part.backlog:,}"
        for day, part in zip(span.starts, parts, strict=True)
    )
    return f"Tickets opened, solved, and open at the week's end: {told}."[:500]
