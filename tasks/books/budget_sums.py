"""What budgets' entries add up to, in one aggregate statement for each way to add; rows, and no objects of the ORM.

Which days count differs from budget to budget: the periods that occur among them are reckoned first, and stand in the
statement as a small table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Float,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from models.base import total
from models.ledger import Budget, Entry
from models.workspace import Workspace
from tasks.books.budget_bounds import Bounds, Calendar, bounds, counted, since
from tasks.budget.pace import PENDING

UNIT = 10_000  # of a column `Fixed`, whose whole numbers are reckoned with here
NEAR = PENDING  # per cent: a scan needs no more; what it warned of before and is below now, it looks at one by one


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

    @property
    def plus(self) -> Any:
        """How to add up: a scan of many with `sum`, since `total` takes a tenth longer on SQLite.

        Where that overflows, the scan looks at the workspaces one by one, and then it is `total`.
        """
        return total if self.budgets is not None or (self.first and self.first == self.last) else func.sum


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


class is_null(FunctionElement[bool]):  # noqa: N801  # reads as the SQL that it is
    """IS NULL of a column whose index SQLite shall not take: nearly all rows stand in it under NULL."""

    type = Boolean()
    inherit_cache = True


@compiles(is_null)
def _plainly(element: is_null, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.clauses, **kw)} IS NULL"


@compiles(is_null, "sqlite")
def _without_index(element: is_null, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)} IS NULL"


COUNTS = is_null(Entry.transfer_id)


def rows(session: Session, calendar: Calendar, scope: Scope, every: bool = True) -> Iterator[Row]:
    """The budgets of a scope with their sums; streams.

    Args:
        every: also those of which less than NEAR per cent are used, or that nothing was spent of.
    """
    found = bounds(session, calendar, *scope.holds())
    if found is None:
        return
    if not every and session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL work_mem = '32MB'"))  # or it sorts a scan's entries on the disk
    for asked in (_plain(found, scope, every), _rolling(found, scope), _together(found, scope, every)):
        for row in session.execute(asked):  # no cursor on the server, which PostgreSQL plans for its first rows
            now, regular, squares, before = row[KNOWN:]  # of nothing: None; of PostgreSQL: Decimal
            sums = (int(now or 0), int(regular or 0), float(squares or 0), int(before or 0))
            yield Row._make((*row[:KNOWN], *sums))


def _of(days: CTE) -> ColumnElement[bool]:
    """Which entries count for a budget."""
    return and_(
        Entry.on >= days.c.since,
        Entry.on < days.c.until,
        Entry.currency == days.c.currency,
        COUNTS,
    )


def _sums(plus: Any, days: CTE | None = None) -> list[ColumnElement[Any]]:
    """Spent now, of it what came by itself, the squares of the rest, and spent before it where `days` say."""
    small = AMOUNT * literal(1 / UNIT, Float)
    now = [] if days is None else [Entry.on >= days.c.start]
    rest = and_(OTHER, *now)
    spent = plus(case((now[0], -AMOUNT)) if now else -AMOUNT)
    before = literal(0, BigInteger) if days is None else plus(case((Entry.on < days.c.start, -AMOUNT)))
    return [
        spent.label("now"),
        plus(case((and_(~OTHER, *now), -AMOUNT))).label("regular"),
        func.sum(case((rest, small * small))).label("squares"),
        before.label("before"),
    ]


def _asked(grouped: Any, *which: ColumnElement[bool]) -> Any:
    """The budgets' own columns beside their sums."""
    sums = (grouped.c.now, grouped.c.regular, grouped.c.squares, grouped.c.before)
    asked: Any = select(*BUDGET, *sums).join(Workspace, Workspace.id == Budget.workspace_id)
    return asked.outerjoin(grouped, grouped.c.id == Budget.id).where(*which)


def _plain(found: Bounds, scope: Scope, every: bool) -> Any:
    which = (*scope.holds(), Budget.category_id.is_not(None), Budget.rollover.is_(False))
    days = counted(found, since(found, False), *which)
    of = and_(_of(days), Entry.category_id == days.c.category_id)
    grouped = select(days.c.id, *_sums(scope.plus)).join(Entry, of).group_by(days.c.id).subquery("spent")
    return _asked(grouped, *which) if every else _asked(grouped, *which, _near(grouped))


def _near(grouped: Any) -> ColumnElement[bool]:
    return cast(ColumnElement[bool], grouped.c.now * 100 >= type_coerce(Budget.limit, BigInteger) * NEAR)


def _rolling(found: Bounds, scope: Scope) -> Any:
    """What rolled over is of all earlier periods together: one sum, however many there were."""
    which = (*scope.holds(), Budget.category_id.is_not(None), Budget.rollover.is_(True))
    days = counted(found, since(found, True), *which)
    of = and_(_of(days), Entry.category_id == days.c.category_id)
    grouped = select(days.c.id, *_sums(scope.plus, days)).join(Entry, of).group_by(days.c.id).subquery("spent")
    return _asked(grouped, *which)


def _together(found: Bounds, scope: Scope, every: bool) -> Any:
    """By category first: one in which more came in than went out (a salary) is no spending, and pays for none.

    What has no category counts where it is an expense.
    """
    which = (*scope.holds(), Budget.category_id.is_(None))
    days = counted(found, since(found, None), *which)
    mine = Entry.workspace_id == days.c.workspace_id
    of = and_(mine, _of(days), or_(AMOUNT < 0, Entry.category_id.is_not(None)))
    parts = select(days.c.id, *_sums(scope.plus, days)).join(Entry, of).group_by(days.c.id, Entry.category_id)
    part = parts.subquery("part").c
    sums = [scope.plus(case((part.now > 0, each))).label(each.key) for each in (part.now, part.regular)]
    sums.append(func.sum(case((part.now > 0, part.squares))).label("squares"))
    sums.append(scope.plus(case((part.before > 0, part.before))).label("before"))
    grouped = select(part.id, *sums).group_by(part.id).subquery("spent")
    return _asked(grouped, *which) if every else _asked(grouped, *which, or_(Budget.rollover.is_(True), _near(grouped)))
