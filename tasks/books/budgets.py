"""How budgets stand: for the scan, the pages, the dashboard, the API and the digest, all from here.

`states` is for whoever shows a workspace's budgets; `sights` streams what is near its limit to the scan.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, select, type_coerce
from sqlalchemy.orm import Session

from models.ledger import Budget, Category, Purse, Recurring
from models.workspace import Workspace
from tasks.alerting.alerts import Sight
from tasks.books import recurrence
from tasks.books.budget_bounds import Calendar
from tasks.books.budget_sums import UNIT, Row, Scope, rows
from tasks.budget import pace, periods, words
from tasks.budget.pace import PENDING, Spending, Standing
from tasks.budget.periods import Window

AREA = "expenses"
RULE = "budget"
Kind = tuple[str, str | None, str]  # workspace, category (None: all), currency


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget and how it stands today. `limit` is that of every period; `standing.limit` has what rolled over."""

    id: str
    name: str
    category_id: str | None
    category: str
    currency: str
    period: str
    starts: int
    rollover: bool
    limit: Decimal
    since: date
    standing: Standing

    @property
    def period_name(self) -> str:
        return periods.name(self.period, self.standing.window)

    @property
    def words(self) -> words.Words:
        return words.told(self.name, self.period, self.standing)


@dataclass(frozen=True, slots=True)
class Due:
    """What comes by itself, from its next day on."""

    amount: int
    first: date
    every: str
    steps: int
    since: date
    last: date | None

    def within(self, end: date) -> int:
        """What it takes until a day, which is not counted."""
        last = min(end - timedelta(1), self.last or end)
        return -self.amount * sum(1 for _ in recurrence.following(self.first, self.every, self.steps, self.since, last))


def states(
    session: Session, workspace: str, today: date, *, archived: bool = False, near: bool = False
) -> list[BudgetState]:
    """The budgets of a workspace, the most pressing first; all, or those `near` their limit."""
    scope = Scope(workspace, workspace, archived=archived)
    return _states(session, Calendar(today=today), scope, not near)


def state(session: Session, workspace: str, today: date, budget_id: str) -> BudgetState | None:
    """One of them, also when it is archived; None: there is no such budget here."""
    scope = Scope(workspace, workspace, budgets=(budget_id,), archived=True)
    return next(iter(_states(session, Calendar(today=today), scope)), None)


def _states(session: Session, calendar: Calendar, scope: Scope, every: bool = True) -> list[BudgetState]:
    summed = list(rows(session, calendar, scope, every))
    if not summed:
        return []
    names = {one.id: one.name for one in session.execute(select(Category.id, Category.name))}
    dues = coming(session, scope)
    found = [
        BudgetState(
            id=row.id, name=row.name, category_id=row.category_id, category=names.get(row.category_id or "", ""),
            currency=row.currency, period=row.period, starts=row.starts, rollover=row.rollover,
            limit=_money(row.limit), since=row.since, standing=standing(row, calendar, dues),
        )
        for row in summed
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.standing.level, -(one.standing.share or 0), one.name.lower(), one.id))


def sights(session: Session, calendar: Calendar, scope: Scope, every: bool = False) -> Iterator[Sight]:
    """What the scan sees, streamed; of those far from their limit, and with all their words, only with `every`."""
    dues = coming(session, scope)
    for row in rows(session, calendar, scope, every):
        yield sight(row, standing(row, calendar, dues), every)


def sight(row: Row, seen: Standing, said: bool = True) -> Sight:
    """A budget as the alerts' engine takes it. What is not yet to be `said` has its title alone, if anything.

    A scan makes thousands of these and settles few, and words are half of their price. What changes nothing but the
    text, such as a range by a little, waits until the title changes.
    """
    level, period = seen.level, seen.window.start.isoformat()
    told = words.told(row.name, row.period, seen, not said) if level or said else words.NOTHING
    return Sight(
        row.workspace, row.id, level, level > PENDING, seen.clear, period, str(row.revision),
        told.title, told.text, f"/expenses/budgets/{row.id}", told.end,
    )  # fmt: skip


def standing(row: Row, calendar: Calendar, dues: dict[Kind, list[Due]]) -> Standing:
    """Its sums reckoned."""
    today = calendar.day(row.zone)
    window = periods.window(row.period, row.starts, today)
    due = _due(dues, row, window) if dues else 0
    spent = Spending(_money(row.now), _money(row.regular), row.squares, _money(row.before), _money(due))
    return pace.reckon(window, today, _money(row.limit), carried(row, window), spent)


def carried(row: Row, window: Window) -> Decimal:
    """What rolled over from the periods before this one."""
    if not row.rollover:
        return pace.ZERO
    since = row.rolls_from or row.since
    before = periods.index(row.period, row.starts, window.start) - periods.index(row.period, row.starts, since)
    return _money(row.brought + row.limit * max(before, 0) - row.before)


def coming(session: Session, scope: Scope) -> dict[Kind, list[Due]]:
    """What comes by itself in the scope's workspaces."""
    asked = select(
        Recurring.workspace_id, Recurring.category_id, Purse.currency, type_coerce(Recurring.amount, BigInteger),
        Recurring.first_on, Recurring.every, Recurring.steps, Recurring.next_on, Recurring.last_on,
    ).join(Purse, Purse.id == Recurring.purse_id)  # fmt: skip
    asked = asked.where(Recurring.paused.is_(False), Recurring.next_on.is_not(None))
    asked = asked.where(Recurring.workspace_id >= scope.first) if scope.first else asked
    asked = asked.where(Recurring.workspace_id <= scope.last) if scope.last else asked
    if scope.budgets is not None:
        asked = asked.where(Recurring.workspace_id.in_(select(Budget.workspace_id).where(*scope.holds())))
    found: dict[Kind, list[Due]] = defaultdict(list)
    for row in session.execute(asked):
        (workspace, category, currency), rest = row[:3], tuple[Any, ...](row[3:])
        found[workspace, category, currency].append(due := Due(*rest))
        if category is not None:
            found[workspace, None, currency].append(due)
    return found


def _due(dues: dict[Kind, list[Due]], row: Row, window: Window) -> int:
    """Of all together only what goes: a salary that comes is no refund."""
    mine = dues.get((row.workspace, row.category_id, row.currency), ())
    return sum(due.within(window.end) for due in mine if due.since < window.end and (row.category_id or due.amount < 0))


def _money(whole: int) -> Decimal:
    return Decimal(whole) / UNIT


def today_of(session: Session, workspace: str, now: int) -> date:
    """What day it is in a workspace."""
    zone = session.scalar(select(Workspace.time_zone).where(Workspace.id == workspace)) or "UTC"
    return Calendar(now).day(zone)
