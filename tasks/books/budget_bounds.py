"""The periods that occur among many budgets, as a small table in front of a statement that sums their entries."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    Integer,
    case,
    func,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import Session

from models.ledger import PERIODS, Budget
from models.workspace import Workspace
from tasks import days
from tasks.budget import periods

FEW = 8  # periods of a statement that is compiled once and kept
KINDS = {period: number * 1000 for number, period in enumerate(PERIODS, 1)}
Bound = tuple[int, date, date]  # its number, its first day, the first day after it


class Calendar:
    """What day it is in each time zone at one moment (epoch milliseconds); or one day for all."""

    def __init__(self, now: int = 0, today: date | None = None) -> None:
        self._now, self._today = now, today
        self._days: dict[str, date] = {}

    def day(self, zone: str) -> date:
        if zone not in self._days:
            self._days[zone] = self._today or days.today(zone, self._now)
        return self._days[zone]


@dataclass(frozen=True)
class Bounds:
    """The table, with a row for each kind of period, where it starts and the day it is: one whole `number`.

    A single number, because a database guesses well how many rows join by one column, and badly by three.
    """

    table: CTE
    number: ColumnElement[int]  # of a budget in its workspace


def bounds(session: Session, calendar: Calendar, *which: ColumnElement[bool]) -> Bounds | None:
    """Those of the budgets for which `which` holds; None where there are none."""
    kinds = select(Budget.period, Budget.starts, Workspace.time_zone).distinct()
    kinds = kinds.join(Workspace, Workspace.id == Budget.workspace_id).where(*which)
    zones: dict[date, set[str]] = {}  # two or three days at any moment, all round the world
    found: set[tuple[str, int, date]] = set()
    for period, starts, zone in session.execute(kinds):
        zones.setdefault(calendar.day(zone), set()).add(zone)
        found.add((period, starts, calendar.day(zone)))
    if not found:
        return None
    at = {day: number for number, day in enumerate(sorted(zones))}
    windows = [(KINDS[each[0]] + each[1] * 10 + at[each[2]], periods.window(*each)) for each in sorted(found)]
    table = _table([(number, one.start, one.end) for number, one in windows], session.get_bind().dialect.name)
    return Bounds(table, _number(zones, at))


def _number(zones: dict[date, set[str]], at: dict[date, int]) -> ColumnElement[int]:
    first, *others = sorted(zones)
    number = case(KINDS, value=Budget.period, else_=0) + Budget.starts * 10
    if not others:
        return number + at[first]
    return number + case(*[(Workspace.time_zone.in_(sorted(zones[day])), at[day]) for day in others], else_=at[first])


def _table(rows: list[Bound], dialect: str) -> CTE:
    """To compile a statement with hundreds of parameters takes as long as to sum a quarter of a million entries.

    So few rows are made up to FEW, for a statement that is compiled once and kept; of many, whole numbers and days
    are written out.
    """
    if len(rows) > FEW:
        return text(_written(rows, dialect)).columns(number=Integer, start=Date, until=Date).cte("bounds")
    padded = [*rows, *[(-1, *rows[0][1:])] * (FEW - len(rows))]  # no budget has that number
    parts = [
        select(
            literal(number, Integer).label("number"), literal(start, Date).label("start"),
            literal(until, Date).label("until"),
        )
        for number, start, until in padded
    ]  # fmt: skip
    return union_all(*parts).cte("bounds")


def _written(rows: list[Bound], dialect: str) -> str:
    if dialect in ("sqlite", "postgresql"):  # which plan for one list in no time, and for 200 SELECTs in 20 ms
        words = ", ".join(f"({number:d}, date('{start}'), date('{until}'))" for number, start, until in rows)
        return f"SELECT column1 AS number, column2 AS start, column3 AS until FROM (VALUES {words}) AS listed"  # noqa: S608
    nowhere = " FROM SYSIBM.SYSDUMMY1" if dialect == "ibm_db_sa" else ""
    one = "SELECT {:d} AS number, date('{}') AS start, date('{}') AS until" + nowhere
    return " UNION ALL ".join(one.format(*row) for row in rows)


def counted(found: Bounds, since: ColumnElement[date], *which: ColumnElement[bool]) -> CTE:
    """The budgets with the days that count for them: from `since` until their period ends."""
    at = found.table.c
    asked = select(
        Budget.id, Budget.workspace_id, Budget.category_id, Budget.currency, at.start, at.until, since.label("since")
    )
    asked = asked.join(Workspace, Workspace.id == Budget.workspace_id)
    asked = asked.join(found.table, at.number == found.number).where(*which)
    made = asked.cte("counted")
    # Reckoned first, or SQLite looks for the days once for each entry.
    for dialect in ("sqlite", "postgresql"):
        made = made.prefix_with("MATERIALIZED", dialect=dialect)
    return made


def since(found: Bounds, rolls: bool | None) -> ColumnElement[date]:
    """From which day on entries count: in the period, and where it rolls over before it. None: either, as it says."""
    start = found.table.c.start
    begun = case((Budget.since > start, Budget.since), else_=start)
    all_ = func.coalesce(Budget.rolls_from, Budget.since)
    return begun if rolls is False else all_ if rolls else case((Budget.rollover.is_(True), all_), else_=begun)
