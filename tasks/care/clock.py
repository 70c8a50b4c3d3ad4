"""A ticket's clock: what working time it has used, when it is due, and which of its marks come next.

All of it works on a Ticket that the caller holds in a session, and writes to it alone; `now` is epoch milliseconds.
A new ticket: fill it in, then `run`, then `set_policy`. A change of priority, topic or team happens inside `moving`,
because what was spent until then counts by the hours that held until then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy.orm import Session

from models.ticket import Ticket

MARKS = (50, 75, 100)  # percent of the time allowed


class Reached(NamedTuple):
    """Which mark either deadline has reached: 0, 50, 75 or 100. One that was met, or is none, is 0."""

    first: int
    solve: int


def settle(session: Session, ticket: Ticket, now: int) -> None:
    """Count what was worked until now, by the hours that hold now. Before its team or policy changes: see `moving`."""
    raise NotImplementedError


@contextmanager
def moving(session: Session, ticket: Ticket, now: int) -> Iterator[None]:
    """Around a change of priority, topic or team: its policy is found anew and its deadlines follow."""
    settle(session, ticket, now)
    yield
    set_policy(session, ticket, now)


def set_policy(session: Session, ticket: Ticket, now: int) -> None:
    """Give it the first policy that fits, and reckon. What was told is told again only for a mark not yet reached."""
    raise NotImplementedError


def run(session: Session, ticket: Ticket, now: int) -> None:
    """Let the clock go (on): a new ticket, an answer of the customer, off hold, opened again. Running: no change."""
    raise NotImplementedError


def stop(session: Session, ticket: Ticket, now: int) -> None:
    """Let it stand still: waiting for the customer, on hold, merged. Standing: no change."""
    raise NotImplementedError


def answered(session: Session, ticket: Ticket, now: int) -> None:
    """The first public answer was given: sets answered_at, first_taken, first_in_time. Later ones: no change."""
    raise NotImplementedError


def solved(session: Session, ticket: Ticket, now: int) -> None:
    """It was solved, or closed unsolved: stops, and sets solve_taken and solve_in_time. `run` takes both back."""
    raise NotImplementedError


def reckon(session: Session, ticket: Ticket, now: int) -> None:
    """Set first_due_at, solve_due_at and next_mark_at from what was spent. All of the above do so."""
    raise NotImplementedError


def reached(session: Session, ticket: Ticket, now: int) -> Reached:
    """Which marks it has reached by now, told or not. In bulk: `tasks.care.clocks.standings`."""
    raise NotImplementedError


def told(session: Session, ticket: Ticket, marks: Reached, now: int) -> None:
    """Note that these were told, and when the next one comes."""
    raise NotImplementedError


def recompute(session: Session, workspace_id: str, now: int, team_id: str | None = None) -> int:
    """All open tickets of a workspace, or of a team, after hours or policies changed; how many moved.

    In one transaction; `tasks.care.clocks.portion` does it in portions.
    """
    raise NotImplementedError
