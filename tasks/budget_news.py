"""What budgets add to the digests of many people: a line for each that matters, in a few questions for all."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.ledger import Budget
from tasks import budgets
from tasks.budget import words
from tasks.budget.pace import Standing
from tasks.budget_sums import Calendar, Scope, rows
from tasks.sections import Reader, Section

LINES = 12  # of a digest
AT_ONCE = 1_000  # budgets in one question


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
    asked = select(Budget.workspace_id, Budget.id).where(Budget.workspace_id.in_(places), Budget.archived_at.is_(None))
    for some in _some(session.execute(asked.order_by(Budget.workspace_id)).all()):
        scope = Scope(some[0][0], some[-1][0], budgets=tuple(each for _, each in some))
        dues = budgets.coming(session, scope)
        for row in rows(session, calendar, scope, every=False):
            seen = budgets.standing(row, calendar, dues)
            if seen.level:
                found[row.workspace].append(Pressing(row.id, row.name, row.currency, seen))
    return {place: sorted(some, key=lambda one: one.rank) for place, some in found.items()}


def lines(found: Sequence[Pressing | budgets.BudgetState], amounts: bool) -> list[str]:
    """A line for each; with sums of money for who wants them."""
    said = [words.line(one.name, one.standing, one.currency if amounts else "") for one in found[:LINES]]
    more = len(found) - LINES
    return [*said, f"{more} more on the page of the budgets."] if more > 0 else said


def _some(found: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    walk = iter(found)
    while part := list(islice(walk, AT_ONCE)):
        yield [(row[0], row[1]) for row in part]
