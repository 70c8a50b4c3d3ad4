"""How a budget came to stand as it does: day by day in its period, its earlier periods, and what it leaves out."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, and_, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from models.base import total as added
from models.ledger import Entry
from tasks.books.budget_sums import COUNTS, UNIT
from tasks.books.budgets import BudgetState
from tasks.budget import periods
from tasks.budget.pace import ZERO

PERIODS = {"week": 12, "month": 12, "payday": 12, "year": 5}  # of the table of earlier ones


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier period; its share is of today's limit."""

    name: str
    start: date
    end: date
    spent: Decimal
    share: int | None


def daily(session: Session, workspace: str, one: BudgetState) -> list[tuple[date, Decimal]]:
    """What was spent until each day, from the period's first to today or to its last entry."""
    window, today = one.standing.window, one.standing.today
    spent = _counted(_days(session, workspace, one, max(window.start, one.since), window.end), lambda day: 0)
    by_day: dict[date, int] = defaultdict(int)
    for day, amount in spent:
        by_day[day] += amount
    last = max([min(today, window.last), *by_day])
    found, total = [], 0
    for count in range((last - window.start).days + 1):
        day = window.start + timedelta(count)
        total += by_day[day]
        found.append((day, Decimal(total) / UNIT))
    return found


def past(session: Session, workspace: str, one: BudgetState) -> list[Past]:
    """The periods before this one since the budget began, the latest first."""
    current = periods.index(one.period, one.starts, one.standing.window.start)
    begun = periods.index(one.period, one.starts, one.since)
    first = max(begun, current - PERIODS[one.period])
    if first >= current:
        return []
    start = max(periods.number(one.period, one.starts, first).start, one.since)

    def number(day: date) -> int:
        return periods.index(one.period, one.starts, day)

    sums: dict[int, int] = defaultdict(int)
    for day, amount in _counted(_days(session, workspace, one, start, one.standing.window.start), number):
        sums[number(day)] += amount
    return [_past(one, each, Decimal(sums[each]) / UNIT) for each in range(current - 1, first - 1, -1)]


def _past(one: BudgetState, number: int, spent: Decimal) -> Past:
    window = periods.number(one.period, one.starts, number)
    share = max(int(spent * 100 // one.limit), 0) if one.limit > ZERO else None
    return Past(periods.name(one.period, window), window.start, window.end, spent, share)


def left_out(session: Session, workspace: str, one: BudgetState) -> list[tuple[str, int]]:
    """How many entries of the period do not count because they are in another currency, by currency."""
    window = one.standing.window
    asked = select(Entry.currency, func.count()).where(*_mine(workspace, one), Entry.currency != one.currency)
    asked = asked.where(Entry.on >= max(window.start, one.since), Entry.on < window.end)
    return [(currency, count) for currency, count in session.execute(asked.group_by(Entry.currency))]


def _mine(workspace: str, one: BudgetState) -> list[Any]:
    if one.category_id is not None:
        return [Entry.workspace_id == workspace, COUNTS, Entry.category_id == one.category_id]
    return [Entry.workspace_id == workspace, COUNTS, or_(Entry.category_id.is_not(None), Entry.amount < 0)]


def _days(session: Session, workspace: str, one: BudgetState, start: date, end: date) -> list[Any]:
    spent = added(-type_coerce(Entry.amount, BigInteger))
    within = and_(Entry.currency == one.currency, Entry.on >= start, Entry.on < end)
    asked = select(Entry.on, Entry.category_id, spent).where(*_mine(workspace, one), within)
    rows = session.execute(asked.group_by(Entry.on, Entry.category_id))
    return [(day, category if one.category_id is None else None, int(amount)) for day, category, amount in rows]


def _counted(rows: list[Any], period: Any) -> list[tuple[date, int]]:
    """Without the categories in which, over a period, more came in than went out: a salary is no spending."""
    net: dict[Any, int] = defaultdict(int)
    for day, category, amount in rows:
        net[period(day), category] += amount
    return [(day, amount) for day, category, amount in rows if category is None or net[period(day), category] > 0]
