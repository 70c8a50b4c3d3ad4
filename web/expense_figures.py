"""Charts of money: figures for Plotly as plain data, with the same numbers as rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask import url_for

from models.ledger import Payee
from tasks import money
from tasks.books.ledger_search import NONE
from tasks.books.ledger_sums import Flow
from web import charts

NOBODY, NO_CATEGORY = "Nobody named", "Without a category"
MOST_BARS = 12
LINE: dict[str, Any] = {"type": "scatter", "mode": "lines+markers", "line": {"color": "--chart-1", "width": 3}}


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the chart macro takes."""

    figure: dict[str, Any]
    summary: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def by_category(found: Sequence[tuple[str | None, str, Decimal]], currency: str, since: date, until: date) -> Drawn:
    """Bars, the longest on top; a click leads to the entries."""
    links = [_entries(since, until, category=key or NONE, kind="" if key else "out") for key, _, _ in found]
    return _bars([(name, amount) for _, name, amount in found], links, currency, "category")


def by_payee(found: Sequence[tuple[Payee | None, Decimal]], currency: str, since: date, until: date) -> Drawn:
    links = [_entries(since, until, payee=payee.id if payee else NONE, kind="out") for payee, _ in found]
    return _bars([(payee.name if payee else NOBODY, amount) for payee, amount in found], links, currency, "payee")


def over_time(flows: Mapping[date, Flow], ends: Mapping[date, Decimal], currency: str) -> Drawn:
    """In and out of each month beside each other, and what was held at its end."""
    names = [month.strftime("%b %Y") for month in flows]
    spent, earned = ([float(getattr(flow, side)) for flow in flows.values()] for side in ("spent", "earned"))
    links = [_entries(month, last_of(month)) for month in flows]
    hover = {"hovertemplate": f"%{{y:,.2f}} {currency}<extra>%{{fullData.name}}, %{{x}}</extra>"}
    data: list[dict[str, Any]] = [
        {"type": "bar", "name": "Out", "x": names, "y": spent, "marker": {"color": "--chart-2"}, "links": links},
        {"type": "bar", "name": "In", "x": names, "y": earned, "marker": {"color": "--chart-3"}, "links": links},
    ]
    if ends:
        held = [float(ends[month]) for month in flows]
        line = {"color": "--chart-1", "width": 3}
        data.append(
            {"type": "scatter", "mode": "lines+markers", "name": "Held at the end", "x": names, "y": held, "line": line}
        )
    rows = [
        (name, money.show(flow.earned, currency), money.show(flow.spent, currency), money.show(flow.left, currency))
        + ((money.show(ends[month], currency),) if ends else ())
        for name, (month, flow) in zip(names, flows.items(), strict=True)
    ]
    columns = ("Month", "In", "Out", "Left over", *(("Held at the end",) if ends else ()))
    layout = {"barmode": "group", "yaxis": {"tickformat": ",.0f", "rangemode": "tozero"}, "xaxis": {"type": "category"}}
    return Drawn({"data": [each | hover for each in data], "layout": layout}, _trend(flows, currency), columns, rows)


def balance(ends: Mapping[date, Decimal], currency: str) -> Drawn:
    names = [month.strftime("%b %Y") for month in ends]
    hover = f"%{{y:,.2f}} {currency}<extra>%{{x}}</extra>"
    data = LINE | {"x": names, "y": [float(end) for end in ends.values()], "hovertemplate": hover}
    rows = [(name, money.show(end, currency)) for name, end in zip(names, ends.values(), strict=True)]
    layout = {"xaxis": {"type": "category"}, "yaxis": {"tickformat": ",.0f"}}
    last = f"{rows[-1][1]} now." if rows else ""
    return Drawn({"data": [data], "layout": layout}, last, ("Month", "Balance"), rows)


def last_of(month: date) -> date:
    following = month.replace(day=28).toordinal() + 4
    return date.fromordinal(date.fromordinal(following).replace(day=1).toordinal() - 1)


def _bars(found: list[tuple[str, Decimal]], links: list[str], currency: str, what: str) -> Drawn:
    shown = found[:MOST_BARS]
    # Plotly draws the first bar at the bottom; names that are alike must not become one bar, so places are numbers.
    places = list(range(len(shown)))[::-1]
    data = {
        "type": "bar", "orientation": "h", "x": [float(amount) for _, amount in shown], "y": places,
        "text": [money.show(amount, currency) for _, amount in shown], "links": links,
        **charts.beside([float(amount) for _, amount in shown]),
        "customdata": [name for name, _ in shown], "hovertemplate": "%{customdata}: %{text}<extra></extra>",
        "marker": {"color": "--chart-1"},
    }  # fmt: skip
    ticks: dict[str, Any] = {"tickmode": "array", "tickvals": places, "ticktext": [_short(name) for name, _ in shown]}
    ticks |= {"showgrid": False, "zeroline": False}
    layout: dict[str, Any] = {"yaxis": ticks, "xaxis": {"tickformat": ",.0f", "rangemode": "tozero"}}
    rows = [(name, money.show(amount, currency)) for name, amount in found]
    summary = f"{found[0][0]} is the most, {rows[0][1]}." if found else "Nothing was spent."
    return Drawn({"data": [data], "layout": layout}, summary, (what.capitalize(), "Spent"), rows)


def _short(name: str) -> str:
    """Plotly reads a few HTML tags in its texts; a name has none."""
    cut = name if len(name) <= 22 else f"{name[:21]}…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _trend(flows: Mapping[date, Flow], currency: str) -> str:
    if not any(flow.spent or flow.earned for flow in flows.values()):
        return "Nothing yet."
    month, flow = list(flows.items())[-1]
    spent, earned = money.show(flow.spent, currency), money.show(flow.earned, currency)
    return f"In {month.strftime('%B')} {spent} went out and {earned} came in so far."


def _entries(since: date, until: date, **more: str) -> str:
    given: Any = {name: text for name, text in more.items() if text}
    return url_for("entries.index", since=since.isoformat(), until=until.isoformat(), **given)
