"""What budgets add to the digests of many people: a line for each that matters, in a few questions for all."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import clock
from models.ledger import Budget
from tasks.books import budgets
from tasks.books.budget_bounds import Calendar
from tasks.books.budget_sums import Scope, rows
from tasks.budget import words
from tasks.budget.pace import Standing
from tasks.sections import Reader, Section

LINES = 12  # of a digest
AT_ONCE = 2_000  # budgets in one question


@dataclass(frozen=True, slots=True)
class Pressing:
    """A budget near its limit or over it."""

    id: str
    name: str
    currency: str
    standing: Standing

    @property
    def rank(self) -> tuple[int, int, str, str]:
        return -self.standing.level, -(self.standing.share or 0), self.name.lower(), self.id


def sections(session: Session, readers: Mapping[str, Sequence[Reader]]) -> dict[tuple[str, str], Section]:
    """For each reader of each workspace, without pictures."""
    found = pressing(session, clock(session), readers)
    return {
        (place, reader.account_id): Section("Budgets", "/expenses/budgets", lines(found[place], reader.amounts))
        for place in found
        for reader in readers[place]
    }


def pressing(session: Session, now: int, places: Collection[str]) -> dict[str, list[Pressing]]:
    """By workspace, the most pressing first; those without any are left out."""
    calendar, found = Calendar(now), defaultdict(list)
    for scope in _scopes(session, places):
        dues = budgets.coming(session, scope)
        for row in rows(session, calendar, scope, every=False):
            seen = budgets.standing(row, calendar, dues)
            if seen.level and row.workspace in places:
                found[row.workspace].append(Pressing(row.id, row.name, row.currency, seen))
    return {place: sorted(some, key=lambda one: one.rank) for place, some in found.items()}


def _scopes(session: Session, places: Collection[str]) -> list[Scope]:
    """A range of workspaces where hardly any others lie between; else their budgets by their ids.

    Those of people who came one after the other are such a range, and a statement with thousands of ids costs more
    than the rows that it asks for.
    """
    whole = Scope(min(places), max(places))
    mine = (Budget.workspace_id.in_(places), Budget.archived_at.is_(None))
    counts = [select(func.count()).select_from(Budget).where(*which) for which in (mine, whole.holds())]
    wanted, between = (session.scalar(asked) or 0 for asked in counts)
    if between <= 2 * wanted:
        return [whole] if wanted else []
    ids = session.execute(select(Budget.workspace_id, Budget.id).where(*mine).order_by(Budget.workspace_id)).all()
    parts = [ids[begin : begin + AT_ONCE] for begin in range(0, len(ids), AT_ONCE)]
    return [Scope(some[0][0], some[-1][0], budgets=tuple(row[1] for row in some)) for some in parts]


def lines(found: Sequence[Pressing | budgets.BudgetState], amounts: bool) -> list[str]:
    """A line for each; with sums of money for who wants them."""
    said = [words.line(one.name, one.standing, one.currency if amounts else "") for one in found[:LINES]]
    more = len(found) - LINES
    return [*said, f"{more} more on the page of the budgets."] if more > 0 else said
