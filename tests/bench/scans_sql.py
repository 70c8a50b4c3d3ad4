"""The one aggregate query for each scan, by hand: what a good SQL author writes who needs these figures and no more.

Each in two forms. The plain one has the sums that a warning at 80 and 100 % needs, or one at the reorder level. The
whole one has all that the scan judges by: what came by itself and the squares of the rest, of which the forecast is
made; sales by week, from which the demand follows.
"""

from datetime import date, timedelta

from sqlalchemy import Connection, Engine

from tasks.budget import periods
from tasks.stock.demand import WEEKS
from tests.bench.scans_data import PERIODS

MOST = {"week": 7, "month": 28, "year": 12, "payday": 28}


def budgets(engine: Engine, today: date, whole: bool = False) -> str:
    """Spent per budget in its current period, and before it where it rolls over.

    The periods' bounds stand in the query as a table of a few hundred rows: reckoning them in SQL would be slower.
    """
    day = "CAST({} AS date)" if engine.dialect.name == "postgresql" else "{}"
    rows = [(period, starts) for period in dict.fromkeys(PERIODS) for starts in range(1, MOST[period] + 1)]
    found = [(period, starts, periods.window(period, starts, today)) for period, starts in rows]
    values = ", ".join(f"('{period}', {starts}, '{one.start}', '{one.end}')" for period, starts, one in found)
    sums = "SUM(CASE WHEN e.on_day >= n.start THEN -e.amount END), SUM(-e.amount)"
    if whole:
        at = "CASE WHEN e.on_day >= n.start AND e.recurring_id IS {} THEN {} END"
        small = "(e.amount * 0.0001) * (e.amount * 0.0001)"
        sums += f", SUM({at.format('NOT NULL', '-e.amount')}), SUM({at.format('NULL', small)})"
    which = (
        "e.workspace_id = n.workspace_id AND e.on_day >= n.since AND e.on_day < n.until"
        " AND e.currency = n.currency AND e.transfer_id IS NULL"
    )
    return f"""
    WITH bounds(period, starts, start, until) AS (VALUES {values}),
    now AS (
        SELECT b.id, b.workspace_id, b.category_id, b.currency, {day.format("p.start")} AS start,
            {day.format("p.until")} AS until,
            CASE WHEN b.rollover THEN b.since ELSE {day.format("p.start")} END AS since
        FROM budget b JOIN bounds p ON p.period = b.period AND p.starts = b.starts WHERE b.archived_at IS NULL)
    SELECT n.id, {sums} FROM now n LEFT JOIN entry e ON {which} AND e.category_id = n.category_id
    WHERE n.category_id IS NOT NULL GROUP BY n.id
    UNION ALL
    SELECT n.id, {sums} FROM now n LEFT JOIN entry e ON {which} AND (e.amount < 0 OR e.category_id IS NOT NULL)
    WHERE n.category_id IS NULL GROUP BY n.id"""


def stock(engine: Engine, today: date, whole: bool = False) -> str:
    """On hand, on order, and sold in the weeks that the cover is reckoned from."""
    starts = [(today - timedelta(days=7 * week - 1)).isoformat() for week in range(WEEKS, 0, -1)]
    weeks = [f"SUM(CASE WHEN on_day >= '{start}' THEN quantity ELSE 0 END)" for start in starts[1:]] if whole else []
    sums = ", ".join(f"{each} AS week{number}" for number, each in enumerate(["SUM(quantity)", *weeks]))
    known = ", p.reorder_level, p.lead_days, p.supplier_id, p.discontinued, p.created_at" if whole else ""
    return f"""
    SELECT p.id, p.on_hand, o.quantity, s.*{known} FROM product p
    LEFT JOIN (
        SELECT l.product_id, SUM(l.quantity - l.received) AS quantity
        FROM purchase_line l JOIN purchase u ON u.id = l.purchase_id
        WHERE u.state IN ('sent', 'partly received') GROUP BY l.product_id) o ON o.product_id = p.id
    LEFT JOIN (
        SELECT product_id, {sums} FROM movement
        WHERE kind IN ('sale', 'return') AND on_day >= '{starts[0]}' GROUP BY product_id) s ON s.product_id = p.id"""


QUERIES = {"budget": budgets, "stock": stock}


def answer(connection: Connection, words: str) -> int:
    """Ask, and fetch all of the answer: how many rows it has."""
    return len(connection.exec_driver_sql(words).fetchall())
