"""The page of charts: how long things last, what does not sell and the money it binds, what moved week by week."""

import heapq
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from models.base import clock
from models.stock import Movement, Product
from tasks.money import quantity, show
from web import stock_charts, stock_view
from web.current import reading
from web.stock import bp
from web.stock_charts import Chart
from web.stock_view import moved

CHOICES = (4, 8, 13, 26, 52)
BARS = 16  # products in a drawing
WEEKS = 26


@bp.get("/stock/charts")
def charts() -> ResponseReturnValue:
    weeks = request.args.get("weeks", 13, type=int)
    weeks = weeks if weeks in CHOICES else 13
    with reading() as session:
        today = stock_view.house(session).today
        return render_template(
            "stock/charts.html", weeks=weeks, choices=CHOICES, cover=_cover(session),
            dead=_dead(session, today, weeks), moved=_moved(session, today),
        )  # fmt: skip


def _cover(session: Session) -> Chart | None:
    """The products that are gone first, at the rate at which they sell."""
    from tasks.inventory import stock_figures, stock_lines
    from tasks.stock import cover

    first: list[tuple[float, int, int]] = []
    seen = [stock_lines.look(session, part, clock(session)) for part in stock_figures.parts(session)]
    for number, part in enumerate(seen):
        days = cover.days(part.figures.on_hand, part.demand.daily)
        sells = (part.demand.daily > 0) & ~part.figures.discontinued
        first += [(float(days[at]), number, int(at)) for at in sells.nonzero()[0]]
        first = heapq.nsmallest(BARS, first)
    lines = [line for days, number, at in first for line in stock_lines.lines(session, seen[number], [at])]
    if not lines:
        return None
    told = [f"{round(line.cover or 0)} days" for line in lines]
    links = [url_for("stock.product", product_id=line.product_id) for line in lines]
    figure = stock_charts.bars([one.name for one in lines], [one.cover or 0 for one in lines], told, "Days", links)
    short = sum((line.cover or 0) < line.lead_days for line in lines)
    summary = (
        f"The {len(lines)} that are gone first, at the rate of the last weeks; {short} before an order would arrive."
    )
    rows = [
        [one.name, quantity(one.on_hand), f"{one.daily:.2f}", words, str(one.lead_days)]
        for one, words in zip(lines, told, strict=True)
    ]
    return Chart(figure, summary, ["Product", "On hand", "Sold a day", "Lasts", "Lead time in days"], rows)


def _dead(session: Session, today: date, weeks: int) -> Chart | None:
    """What is on hand, was here before, and was not sold since; the most money first."""
    since = today - timedelta(weeks=weeks)
    sale = (moved.product_id == Product.id, moved.kind == "sale", moved.on_day >= since, moved.quantity < 0)
    sold = exists().where(*sale)
    there = exists().where(moved.product_id == Product.id, moved.on_day < since)
    asked = select(Product.id, Product.name, Product.currency, Product.on_hand, Product.cost, Product.price)
    found = session.execute(asked.where(Product.on_hand > 0, ~sold, there)).all()
    bound = [(row.on_hand * (row.price if row.cost is None else row.cost), row) for row in found]
    if not bound:
        return None
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for money, row in bound:
        sums[row.currency] += money
    most = heapq.nlargest(BARS, bound, key=lambda each: each[0])
    told = [show(round(money, 2), row.currency) for money, row in most]
    links = [url_for("stock.product", product_id=row.id) for _, row in most]
    names, values = [row.name for _, row in most], [float(money) for money, _ in most]
    figure = stock_charts.bars(names, values, told, "Money", links)
    whole = " and ".join(show(round(money, 2), currency) for currency, money in sorted(sums.items()))
    things = "1 product binds" if len(bound) == 1 else f"{len(bound)} products bind"
    summary = f"{things} {whole}, at cost (at the price where no cost is known)."
    rows = [[row.name, quantity(row.on_hand), words] for (_, row), words in zip(most, told, strict=True)]
    return Chart(figure, summary, ["Product", "On hand", "Binds"], rows)


def _moved(session: Session, today: date) -> Chart | None:
    """How often something moved, by week and kind: quantities of different things cannot be added up."""
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    asked = select(Movement.on, Movement.kind, func.count()).where(Movement.on >= first)
    weeks: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for on, kind, count in session.execute(asked.group_by(Movement.on, Movement.kind)):
        weeks[kind][on - timedelta(days=on.weekday())] += count
    if not weeks:
        return None
    mondays = [first + timedelta(weeks=number) for number in range(WEEKS)]
    data = [
        {"type": "bar", "name": kind.capitalize(), "x": [day.isoformat() for day in mondays],
         "y": [counts[day] for day in mondays], "marker": {"color": f"--chart-{number}"}}
        for number, (kind, counts) in enumerate(sorted(weeks.items()), 1)
    ]  # fmt: skip
    layout = {"barmode": "stack", "yaxis": {"title": {"text": "Movements"}}}
    whole = sum(sum(counts.values()) for counts in weeks.values())
    columns = ["Week of", *(kind.capitalize() for kind in sorted(weeks))]
    rows = [[f"{day:%-d %b %Y}", *(str(weeks[kind][day]) for kind in sorted(weeks))] for day in reversed(mondays)]
    return Chart({"data": data, "layout": layout}, f"{whole} movements in {WEEKS} weeks.", columns, rows)
