"""A budget's burn-down for Plotly: what is left day by day, the even pace, and where it likely ends."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tasks import money
from tasks.books.budgets import BudgetState
from tasks.budget import words
from tasks.budget.pace import Forecast

LEFT, EVEN, AHEAD = "--chart-1", "--chart-quiet", "--chart-2"


@dataclass(frozen=True)
class Drawn:
    """What the chart's macro takes."""

    figure: dict[str, Any]
    summary: str
    columns: list[str]
    rows: list[list[str]]


def burn_down(one: BudgetState, days: list[tuple[date, Decimal]]) -> Drawn:
    """Each day's value is that of its evening; the first point is the morning of the first day."""
    seen = one.standing
    known = [(day, spent) for day, spent in days if day <= seen.today]
    x = [_before(seen.window.start), *(day.isoformat() for day, _ in known)]
    left = [seen.limit, *(seen.limit - spent for _, spent in known)]
    ends = [_before(seen.window.start), seen.window.last.isoformat()]
    hover = f"%{{y:,.2f}} {one.currency}<extra>%{{x|%-d %b}}</extra>"
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": ends, "y": [float(seen.limit), 0], "name": "Even pace",
         "line": {"color": EVEN, "dash": "dash", "width": 1.5}, "hoverinfo": "skip"},
        *(_ahead(one, seen.forecast) if seen.forecast and seen.days_left else []),
        {"type": "scatter", "mode": "lines+markers" if len(x) < 40 else "lines", "x": x,
         "y": [float(each) for each in left],
         "name": "Left", "line": {"color": LEFT, "width": 3, "shape": "hv"}, "marker": {"size": 5},
         "hovertemplate": hover},
    ]  # fmt: skip
    layout = {"yaxis": {"tickformat": ",~f", "rangemode": "tozero"}, "xaxis": {"type": "date"}, "hovermode": "x"}
    rows = [[f"{day:%-d %B}", money.show(spent, one.currency), money.show(seen.limit - spent, one.currency)]
            for day, spent in days]  # fmt: skip
    return Drawn({"data": data, "layout": layout}, summary(one), ["Day", "Spent by then", "Left"], rows)


def _ahead(one: BudgetState, ends: Forecast) -> list[dict[str, Any]]:
    seen = one.standing
    x = [seen.today.isoformat(), seen.window.last.isoformat()]
    edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    now, high, low, middle = (float(seen.limit - each) for each in (seen.spent, ends.low, ends.high, ends.end))
    return [
        {**edge, "y": [now, high]},
        {**edge, "y": [now, low], "fill": "tonexty", "opacity": 0.2, "name": "Four times in five",
         "fillcolor": "rgba(190, 110, 40, 0.18)", "showlegend": True},
        {"type": "scatter", "mode": "lines", "x": x, "y": [now, middle], "name": "Likely from here",
         "line": {"color": AHEAD, "dash": "dot", "width": 2}, "hoverinfo": "skip"},
    ]  # fmt: skip


def _before(day: date) -> str:
    return (day - timedelta(1)).isoformat()


def summary(one: BudgetState) -> str:
    """The chart in a sentence or two."""
    seen = one.standing
    used = f"{words.percent(seen.share)} of it" if seen.share is not None else money.show(seen.spent, one.currency)
    said = f"{used} is used on day {seen.days_gone} of {seen.window.days}; at an even pace {seen.even} % would be."
    return f"{said} {ending(one)}".strip()


def ending(one: BudgetState) -> str:
    """Where it likely ends, in money; nothing on the last day, and before a third of the period is gone."""
    seen = one.standing
    if seen.forecast is None or not seen.days_left:
        return ""
    low, high = (money.show(max(end, Decimal(0)), one.currency) for end in (seen.forecast.low, seen.forecast.high))
    span = f"at {low}" if low == high else f"between {low} and {high}"
    return f"With what is known to come, it will likely end {span}."
