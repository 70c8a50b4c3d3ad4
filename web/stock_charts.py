"""Figures of stock for Plotly, and the same numbers for those who read them. Nothing is asked here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tasks.money import quantity
from web import charts

Figure = dict[str, Any]
NOTHING = Decimal(0)
IN, OUT = "Came in", "Went out"
MOST_ROWS = 400  # of a table under a drawing


@dataclass(slots=True)
class Chart:
    """A drawing with its words."""

    figure: Figure
    summary: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)


def history(moves: Iterable[tuple[date, str, Decimal]], now: Decimal, first: date, today: date) -> Chart | None:
    """What was on hand at the end of each day, with what came in and went out.

    Args:
        moves: day, kind and sum of what moved, from `first` on. A count counts to the side that it corrected.
        now: what is on hand now; the past is reckoned back from it.
    """
    came: dict[date, Decimal] = {}
    went: dict[date, Decimal] = {}
    for day, kind, moved in moves:
        if kind != "transfer":
            side = came if moved > 0 else went
            side[day] = side.get(day, NOTHING) + moved
    if not came and not went:
        return None
    last = max(today, *came, *went)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    left, levels = now, {}
    for day in reversed(days):
        levels[day] = left
        left -= came.get(day, NOTHING) + went.get(day, NOTHING)
    busy = [day for day in days if day in came or day in went]
    low, high = min(levels.values()), max(levels.values())
    summary = f"{quantity(now)} on hand now; between {quantity(low)} and {quantity(high)} since {first:%-d %b %Y}."
    rows = [
        [f"{day:%-d %b %Y}", quantity(came.get(day, NOTHING)), quantity(-went.get(day, NOTHING)), quantity(levels[day])]
        for day in reversed(busy)
    ]
    return Chart(_drawn(days, levels, came, went), summary, ["Day", IN, OUT, "On hand"], rows[:MOST_ROWS])


def bars(
    names: Sequence[str], values: Sequence[float], told: Sequence[str], title: str, links: Sequence[str]
) -> Figure:
    """Lying bars, the first one on top; each leads to its product."""
    trace = {
        "type": "bar", "orientation": "h", "y": list(range(len(names))), "x": list(values), "text": list(told),
        "hovertemplate": "%{customdata}: %{text}<extra></extra>", "customdata": list(names), "links": list(links),
        "marker": {"color": "--chart-1"}, **charts.beside(values),
    }  # fmt: skip
    axis = {
        "tickvals": list(range(len(names))),
        "ticktext": [_short(name) for name in names],
        "range": [max(len(names), 6) - 0.5, -0.5],
    }
    layout = {"xaxis": {"title": {"text": title}}, "yaxis": axis | {"automargin": True}, "showlegend": False}
    return {"data": [trace], "layout": layout}


def _drawn(
    days: list[date], levels: dict[date, Decimal], came: dict[date, Decimal], went: dict[date, Decimal]
) -> Figure:
    line = {
        "type": "scatter", "mode": "lines", "name": "On hand", "x": [day.isoformat() for day in days],
        "y": [float(levels[day]) for day in days], "line": {"shape": "hv", "color": "--chart-1", "width": 2},
    }  # fmt: skip
    sides = [_side(IN, came, "--chart-2"), _side(OUT, went, "--chart-3")]
    layout = {"barmode": "relative", "bargap": 0.1, "yaxis": {"title": {"text": "Quantity"}}, "hovermode": "x unified"}
    return {"data": [*sides, line], "layout": layout}


def _side(name: str, moved: dict[date, Decimal], color: str) -> Figure:
    days = sorted(moved)
    values = [float(moved[day]) for day in days]
    return {
        "type": "bar", "name": name, "x": [day.isoformat() for day in days], "y": values, "marker": {"color": color}
    }  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= 32 else f"{name[:31]}…"
