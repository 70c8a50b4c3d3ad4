"""Days of cover by product as a PNG for mails: on its own light ground, so that it reads in dark mode too."""

import io

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tasks.stock.words import Line, clip

GROUND, INK, QUIET, GRID = "#fffdf9", "#25283d", "#5b5f78", "#e4ddcf"
THERE, COMING, SHORT = "#3d4596", "#aab1f2", "#b5541c"
DOTS = 150
LONGEST = 60.0  # days: what lasts longer is no news, and would make the rest too small to see


def cover(lines: list[Line]) -> bytes:
    """A bar for each product: what is on hand, then what is on order; a mark where an order would come."""
    figure = Figure(figsize=(6, 1.1 + 0.34 * len(lines)), dpi=DOTS, facecolor=GROUND, layout="constrained")
    axes = figure.add_subplot()
    axes.set_facecolor(GROUND)
    at = range(len(lines))
    there = [min(line.cover or 0.0, LONGEST) for line in lines]
    coming = [min(line.cover_projected or 0.0, LONGEST) - here for line, here in zip(lines, there, strict=True)]
    axes.barh(at, there, color=[SHORT if line.level else THERE for line in lines], height=0.62)
    axes.barh(at, coming, left=there, color=COMING, height=0.62)
    leads = [min(float(line.lead_days), LONGEST) for line in lines]
    for colour, width in ((GROUND, 5), (INK, 2)):  # a light edge, to be seen on the bars too
        axes.plot(leads, at, "|", color=colour, markersize=13, markeredgewidth=width)
    axes.set_yticks(list(at), [_name(line.name) for line in lines])
    axes.invert_yaxis()
    axes.set_xlim(0, max(1.0, *leads, *(a + b for a, b in zip(there, coming, strict=True))) * 1.05)
    axes.set_xlabel("days of sales", color=QUIET, fontsize=9)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET, labelsize=9, length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title("What lasts the shortest", loc="left", color=INK, fontsize=12, fontweight="bold")
    marks, meanings = _legend()
    figure.legend(marks, meanings, loc="outside lower center", ncols=4, fontsize=8.5, frameon=False, labelcolor=INK)
    out = io.BytesIO()
    figure.savefig(out, format="png", facecolor=GROUND, metadata={"Software": None})
    return out.getvalue()


def _legend() -> tuple[list[Artist], list[str]]:
    """The colours that mean something, whatever the first bar has."""
    marks = [Patch(color=THERE), Patch(color=SHORT), Patch(color=COMING)]
    lead = Line2D([], [], color=INK, marker="|", linestyle="", markersize=10, markeredgewidth=2)
    return [*marks, lead], ["on hand", "on hand, to be ordered", "on order", "lead time"]


def _name(text: str) -> str:
    """matplotlib reads mathematics between dollar signs."""
    return clip(text, 28).replace("$", r"\$")


def words(lines: list[Line]) -> str:
    """The picture for those who do not see it."""
    told = (f"{clip(line.name, 40)} {int(line.cover_projected or 0)} of {line.lead_days}" for line in lines)
    return f"Days of sales that are left, and of lead time: {'; '.join(told)}."[:500]
