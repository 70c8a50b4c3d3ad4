"""What budgets' entries add up to, in one aggregate statement for each way to add; rows, and no objects of the ORM.

Which days count differs from budget to budget: the periods that occur among them are reckoned first, and stand in the
statement as a small table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Float,
    Integer,
    String,
    and_,
    case,
    column,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
    values,
)
from sqlalchemy.orm import Session

from models.ledger import Budget, Entry
from models.workspace import Workspace
from tasks import days
from tasks.budget import periods
from tasks.budget.pace import EVIDENCE_USED, MARGIN

UNIT = 10_000  # of a column `Fixed`, whose whole numbers are reckoned with here
Bound = tuple[str, int, int, date, date]  # period, where it starts, which day it is for, its days
FEW = 8  # periods of budgets in one statement that is kept
NEAR = EVIDENCE_USED - MARGIN  # per cent: below it nothing is pending, forecast or warned of


@dataclass(frozen=True)
class Scope:
    """Which budgets: of the workspaces from `first` to `last` by their ids, and of them those in `budgets`."""

    first: str = ""
    last: str = ""
    budgets: tuple[str, ...] | None = None
    archived: bool = False  # these as well

    def holds(self) -> list[ColumnElement[bool]]:
        asked: list[ColumnElement[bool]] = [] if self.archived else [Budget.archived_at.is_(None)]
        asked += [Budget.workspace_id >= self.first] if self.first else []
        asked += [Budget.workspace_id <= self.last] if self.last else []
        return [*asked, Budget.id.in_(self.budgets)] if self.budgets is not None else asked


class Row(NamedTuple):
    """A budget and its sums; amounts in ten-thousandths, and spending above zero."""

    id: str
    workspace: str
    name: str
    category_id: str | None
    limit: int
    currency: str
    period: str
    starts: int
    rollover: bool
    since: date
    rolls_from: date | None
    brought: int
    revision: int
    zone: str
    now: int = 0
    regular: int = 0
    squares: float = 0.0
    before: int = 0


BUDGET = (
    Budget.id, Budget.workspace_id, Budget.name, Budget.category_id, type_coerce(Budget.limit, BigInteger),
    Budget.currency, Budget.period, Budget.starts, Budget.rollover, Budget.since, Budget.rolls_from,
    type_coerce(Budget.brought, BigInteger), Budget.revision, Workspace.time_zone,
)  # fmt: skip
KNOWN = len(BUDGET)
AMOUNT = type_coerce(Entry.amount, BigInteger)
OTHER = Entry.recurring_id.is_(None)  # what does not come by itself
# `transfer_id IS NULL` alone makes SQLite take the index on it, which holds nearly all entries under NULL.
COUNTS = func.coalesce(Entry.transfer_id, "") == ""


class Calendar:
    """What day it is in each time zone at one moment (epoch milliseconds); or one day for all."""

    def __init__(self, now: int = 0, today: date | None = None) -> None:
        self._now, self._today = now, today
        self._days: dict[str, date] = {}

    def day(self, zone: str) -> date:
        if zone not in self._days:
            self._days[zone] = self._today or days.today(zone, self._now)
        return self._days[zone]


def rows(session: Session, calendar: Calendar, scope: Scope, every: bool = True) -> Iterator[Row]:
    """The budgets of a scope with their sums; streams.

    Args:
        every: also those of which less than NEAR per cent are used, or that nothing was spent of.
    """
    bounds = _bounds(session, calendar, scope)
    if bounds is None:
        return
    for asked in (_plain(bounds, scope, every), _rolling(bounds, scope), _together(bounds, scope)):
        for row in session.execute(asked, execution_options={"yield_per": 1000}):
            now, regular, squares, before = row[KNOWN:]  # of nothing: None; of PostgreSQL: Decimal
            sums = (int(now or 0), int(regular or 0), float(squares or 0), int(before or 0))
            yield Row._make((*row[:KNOWN], *sums))


@dataclass(frozen=True)
class _Bounds:
    """The periods that occur among the budgets, as a table; `day` says which of them is a workspace's."""

    table: CTE
    day: ColumnElement[int]


def _bounds(session: Session, calendar: Calendar, scope: Scope) -> _Bounds | None:
    kinds = select(Budget.period, Budget.starts, Workspace.time_zone).distinct()
    kinds = kinds.join(Workspace, Workspace.id == Budget.workspace_id).where(*scope.holds())
    zones: dict[date, list[str]] = {}  # two or three days at any moment, all round the world
    found: set[tuple[str, int, date]] = set()
    for period, starts, zone in session.execute(kinds):
        zones.setdefault(calendar.day(zone), []).append(zone)
        found.add((period, starts, calendar.day(zone)))
    if not found:
        return None
    number = {day: count for count, day in enumerate(sorted(zones))}
    windows = [(*each, periods.window(*each)) for each in sorted(found)]
    data = [(period, starts, number[day], one.start, one.end) for period, starts, day, one in windows]
    table = _table(data)
    which = [(Workspace.time_zone.in_(sorted(set(zones[day]))), number[day]) for day in list(zones)[1:]]
    return _Bounds(table, case(*which, else_=number[next(iter(zones))]) if which else literal(0, Integer))


def _table(data: list[Bound]) -> CTE:
    """Rows as a table. Few are made up to FEW, so that one statement is compiled and kept: to compile it takes longer
    than to ask for a workspace's budgets. One with VALUES is compiled each time, but quickly, however many there are.
    """
    kinds = (("period", String(8)), ("starts", Integer()), ("day", Integer()), ("start", Date()), ("until", Date()))
    if len(data) > FEW:
        columns = [column(name, kind) for name, kind in kinds]
        return values(*columns, name="bounds").data(data).cte("bounds")
    never = ("", 0, 0, data[0][3], data[0][4])  # no budget is of this period
    rows = [
        select(*(literal(value, kind).label(name) for value, (name, kind) in zip(each, kinds, strict=True)))
        for each in [*data, *[never] * (FEW - len(data))]
    ]
    return union_all(*rows).cte("bounds")


def _budgets(bounds: _Bounds, scope: Scope, since: ColumnElement[date], *which: ColumnElement[bool]) -> CTE:
    """The budgets with the days that count for them."""
    at = bounds.table.c
    same = and_(at.period == Budget.period, at.starts == Budget.starts, at.day == bounds.day)
    asked = select(
        Budget.id, Budget.workspace_id, Budget.category_id, Budget.currency, at.start, at.until, since.label("since")
    )
    asked = asked.join(Workspace, Workspace.id == Budget.workspace_id).join(bounds.table, same)
    counted = asked.where(*scope.holds(), *which).cte("counted")
    # Reckoned first, or SQLite looks for the days once for each entry.
    for dialect in ("sqlite", "postgresql"):
        counted = counted.prefix_with("MATERIALIZED", dialect=dialect)
    return counted


def _of(counted: CTE) -> ColumnElement[bool]:
    """Which entries count for a budget."""
    return and_(
        Entry.on >= counted.c.since,
        Entry.on < counted.c.until,
        Entry.currency == counted.c.currency,
        COUNTS,
    )


def _sums(counted: CTE | None = None) -> list[ColumnElement[Any]]:
    """Spent now, of it what came by itself, the squares of the rest, and spent before `counted`'s period."""
    small = AMOUNT * literal(1 / UNIT, Float)
    now = [] if counted is None else [Entry.on >= counted.c.start]
    rest = and_(OTHER, *now)
    spent = func.sum(case((now[0], -AMOUNT)) if now else -AMOUNT)
    before = literal(0, BigInteger) if counted is None else func.sum(case((Entry.on < counted.c.start, -AMOUNT)))
    return [
        spent.label("now"),
        func.sum(case((and_(~OTHER, *now), -AMOUNT))).label("regular"),
        func.sum(case((rest, small * small))).label("squares"),
        before.label("before"),
    ]


def _asked(grouped: Any, scope: Scope) -> Any:
    """The budgets' own columns beside their sums."""
    sums = (grouped.c.now, grouped.c.regular, grouped.c.squares, grouped.c.before)
    asked: Any = select(*BUDGET, *sums).join(Workspace, Workspace.id == Budget.workspace_id)
    return asked.outerjoin(grouped, grouped.c.id == Budget.id).where(*scope.holds())


def _plain(bounds: _Bounds, scope: Scope, every: bool) -> Any:
    begun = case((Budget.since > bounds.table.c.start, Budget.since), else_=bounds.table.c.start)
    which = (Budget.category_id.is_not(None), Budget.rollover.is_(False))
    counted = _budgets(bounds, scope, begun, *which)
    of = and_(_of(counted), Entry.category_id == counted.c.category_id)
    grouped = select(counted.c.id, *_sums()).join(Entry, of).group_by(counted.c.id).subquery("spent")
    asked = _asked(grouped, scope).where(*which)
    limit = type_coerce(Budget.limit, BigInteger)
    return asked if every else asked.where(grouped.c.now * 100 >= limit * NEAR)


def _rolling(bounds: _Bounds, scope: Scope) -> Any:
    """What rolled over is of all earlier periods together: one sum, however many there were."""
    which = (Budget.category_id.is_not(None), Budget.rollover.is_(True))
    counted = _budgets(bounds, scope, func.coalesce(Budget.rolls_from, Budget.since), *which)
    of = and_(_of(counted), Entry.category_id == counted.c.category_id)
    grouped = select(counted.c.id, *_sums(counted)).join(Entry, of).group_by(counted.c.id).subquery("spent")
    return _asked(grouped, scope).where(*which)


def _together(bounds: _Bounds, scope: Scope) -> Any:
    """By category first: one in which more came in than went out (a salary) is no spending, and pays for none.

    What has no category counts where it is an expense.
    """
    start = bounds.table.c.start
    begun = case((Budget.since > start, Budget.since), else_=start)
    since = case((Budget.rollover.is_(True), func.coalesce(Budget.rolls_from, Budget.since)), else_=begun)
    counted = _budgets(bounds, scope, since, Budget.category_id.is_(None))
    mine = Entry.workspace_id == counted.c.workspace_id
    of = and_(mine, _of(counted), or_(AMOUNT < 0, Entry.category_id.is_not(None)))
    parts = select(counted.c.id, *_sums(counted)).join(Entry, of).group_by(counted.c.id, Entry.category_id)
    part = parts.subquery("part").c
    sums = [func.sum(case((part.now > 0, each))).label(each.key) for each in (part.now, part.regular, part.squares)]
    sums.append(func.sum(case((part.before > 0, part.before))).label("before"))
    grouped = select(part.id, *sums).group_by(part.id).subquery("spent")
    return _asked(grouped, scope).where(Budget.category_id.is_(None))
