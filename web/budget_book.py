"""Budgets as people fill them in, on the web and in the API: read, checked, made and changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import Fixed, clock, new_id
from models.ledger import PERIODS, Budget, Category
from tasks.books import budgets, ledger
from tasks.books.budget_bounds import Calendar
from tasks.books.budget_sums import Scope, rows
from tasks.budget import periods
from tasks.handover import Refused
from web import places
from web.current import current_workspace, me
from web.given import Given

LONGEST_NAME = 80
MOST = 500  # budgets of a workspace that are not archived
FIELDS = ("name", "category", "limit", "currency", "period", "starts", "rollover", "since")
STARTS = {"week": 7, "month": 31, "year": 12, "payday": 31}
NO_CATEGORY = "There is no such category; choose one from the list, or all together."
BELOW_ZERO = "Write a limit of zero or more."
TOO_MANY = f"There are {MOST} budgets already; archive one that is not needed any more."
MOST_ROLLED = Fixed.MOST / 10  # it goes on rolling
TOO_MUCH = "What has rolled over is too much to keep; begin anew by choosing a later day."
ALL = "Everything"
JUDGED = ("category_id", "limit", "currency", "period", "starts", "rollover", "since")  # a change begins anew


@dataclass(frozen=True)
class Filled:
    """A form that is right."""

    name: str
    category_id: str | None
    limit: Decimal
    currency: str
    period: str
    starts: int
    rollover: bool
    since: date


def find(session: Session, budget_id: str) -> Budget | None:
    return session.scalars(select(Budget).where(Budget.id == budget_id)).first()


def read(session: Session, values: Mapping[str, Any], today: date) -> Filled:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    name, category = given.text("name", LONGEST_NAME), _category(session, given)
    currency, limit = given.currency("currency"), given.amount("limit")
    period = given.choice("period", PERIODS, "month")
    starts = given.number("starts", 1, STARTS.get(period, 31), 1)
    since = given.day("since", required=False)
    if limit is not None and "currency" not in given.wrong:
        _fits(given, limit, currency)
    given.done()
    named = name or (category.name if category else ALL)
    begun = since or periods.window(period, starts, today).start
    rollover = values.get("rollover") in (True, "yes", "on", "true")
    return Filled(
        named, category.id if category else None, limit or Decimal(0), currency, period, starts, rollover, begun
    )


def _category(session: Session, given: Given) -> Category | None:
    wanted = given.row("category")
    found = session.scalars(select(Category).where(Category.id == wanted)).first() if wanted else None
    if wanted and found is None:
        given.wrong["category"] = NO_CATEGORY
    return found


def _fits(given: Given, limit: Decimal, currency: str) -> None:
    if limit < 0:
        given.wrong["limit"] = BELOW_ZERO
    elif problem := ledger.fitting(limit, currency):
        given.wrong["limit"] = problem


def create(session: Session, values: Mapping[str, Any]) -> Budget:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    filled = read(session, values, places.today(session))
    there = select(func.count()).select_from(Budget).where(Budget.archived_at.is_(None))
    if (session.scalar(there) or 0) >= MOST:
        raise Refused({"": TOO_MANY})
    budget = Budget(id=new_id(), created_by=me().id, **vars(filled))
    session.add(budget)
    session.flush()
    return budget


def change(session: Session, budget: Budget, values: Mapping[str, Any]) -> None:
    """What it is judged by begins anew when it changes; a name alone changes nothing else.

    Raises:
        Refused: with a message for each field at fault.
    """
    today = places.today(session)
    filled = read(session, values, today)
    if any(getattr(budget, name) != getattr(filled, name) for name in JUDGED):
        _keep_rolled(session, budget, filled, today)
        budget.revision += 1
    for name, value in vars(filled).items():
        setattr(budget, name, value)
    session.flush()


def _keep_rolled(session: Session, budget: Budget, filled: Filled, today: date) -> None:
    """What rolled over until now was by the old limit, and stays; with other periods or sums it begins anew.

    Where the roll-over begins, or begins anew, it does so with the period of today: nobody is surprised by years.
    """
    now = max(periods.window(filled.period, filled.starts, today).start, filled.since)
    same = all(
        getattr(budget, name) == getattr(filled, name) for name in ("category_id", "currency", "period", "starts")
    )
    kept = budget.rollover and filled.rollover and same
    if kept and budget.limit == filled.limit:
        return
    brought = _rolled(session, budget.id, today) if kept else Decimal(0)
    if abs(brought) > MOST_ROLLED:
        raise Refused({"limit": TOO_MUCH})
    budget.brought = brought
    budget.rolls_from = now if filled.rollover else None


def _rolled(session: Session, budget_id: str, today: date) -> Decimal:
    """What has rolled over into the period of today."""
    place = current_workspace()
    scope = Scope(place, place, budgets=(budget_id,), archived=True)
    row = next(rows(session, Calendar(today=today), scope))
    return budgets.carried(row, periods.window(row.period, row.starts, today))


def archive(session: Session, budget: Budget) -> None:
    """It warns of nothing any more, and can be had back."""
    budget.archived_at = None if budget.archived_at else clock(session)
    session.flush()
