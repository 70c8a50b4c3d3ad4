"""A ticket's clock: what working time it has used, when it is due, and which of its marks come next.

All of it works on a Ticket that the caller holds in a session, and writes to it alone; `now` is epoch milliseconds.
A new ticket: fill it in, then `run`, then `set_policy`. A change of priority, topic or team happens inside `moving`,
because what was spent until then counts by the hours that held until then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.desk import Policy
from models.ticket import NORMAL, Ticket
from tasks.care import hours, policies

if TYPE_CHECKING:
    from tasks.care.reckoning import Clocks
    from tasks.care.working_time import WorkingTime

MINUTE = 60_000
MARKS = (50, 75, 100)  # percent of the time allowed


class Reached(NamedTuple):
    """Which mark either deadline has reached: 0, 50, 75 or 100. One that was met, or is none, is 0."""

    first: int
    solve: int


def settle(session: Session, ticket: Ticket, now: int) -> None:
    """Count what was worked until now, by the hours that hold now. Before its team or policy changes: see `moving`."""
    _fresh(ticket)
    if ticket.clock_at is not None and now > ticket.clock_at:
        ticket.spent += max(0, _time(session, ticket, now).worked(ticket.clock_at, now))
        ticket.clock_at = now


def _fresh(ticket: Ticket) -> None:
    """A row that was never written has no defaults yet."""
    for name, value in (("spent", 0), ("first_mark", 0), ("solve_mark", 0), ("priority", NORMAL)):
        if getattr(ticket, name) is None:
            setattr(ticket, name, value)


@contextmanager
def moving(session: Session, ticket: Ticket, now: int) -> Iterator[None]:
    """Around a change of priority, topic or team: its policy is found anew and its deadlines follow."""
    settle(session, ticket, now)
    yield
    set_policy(session, ticket, now)


def set_policy(session: Session, ticket: Ticket, now: int) -> None:
    """Give it the first policy that fits, and reckon. What was told is told again only for a mark not yet reached."""
    settle(session, ticket, now)
    found = policies.fitting(session, ticket.workspace_id, ticket.priority, ticket.topic_id)
    ticket.policy_id = found.id if found else None
    ticket.first_minutes = found.first_minutes if found else None
    ticket.solve_minutes = found.solve_minutes if found else None
    _arm(session, ticket, now)
    reckon(session, ticket, now)


def _arm(session: Session, ticket: Ticket, now: int) -> None:
    """Marks that were told and now lie ahead again are forgotten, so that the new deadline is told of, too."""
    there = reached(session, ticket, now)
    if ticket.answered_at is None:
        ticket.first_mark = min(ticket.first_mark, there.first)
    if ticket.solve_taken is None:
        ticket.solve_mark = min(ticket.solve_mark, there.solve)


def run(session: Session, ticket: Ticket, now: int) -> None:
    """Let the clock go (on): a new ticket, an answer of the customer, off hold, opened again. Running: no change."""
    _fresh(ticket)
    if ticket.clock_at is None:
        ticket.clock_at = now
    if ticket.solve_taken is not None:
        ticket.solve_taken = ticket.solve_in_time = None
        if ticket.answered_at is None:
            ticket.first_in_time = None
    reckon(session, ticket, now)


def stop(session: Session, ticket: Ticket, now: int) -> None:
    """Let it stand still: waiting for the customer, on hold, merged. Standing: no change."""
    settle(session, ticket, now)
    ticket.clock_at = None
    reckon(session, ticket, now)


def answered(session: Session, ticket: Ticket, now: int) -> None:
    """The first public answer was given: sets answered_at, first_taken, first_in_time. Later ones: no change."""
    if ticket.answered_at is not None:
        return
    settle(session, ticket, now)
    ticket.answered_at, ticket.first_taken = now, ticket.spent
    ticket.first_in_time = _within(ticket.spent, ticket.first_minutes)
    reckon(session, ticket, now)


def solved(session: Session, ticket: Ticket, now: int) -> None:
    """It was solved, or closed unsolved: stops, and sets solve_taken and solve_in_time. `run` takes both back.

    One that nobody answered in time before is late there, too; else its first answer stays open.
    """
    if ticket.solve_taken is not None:
        return
    settle(session, ticket, now)
    ticket.clock_at, ticket.solve_taken = None, ticket.spent
    ticket.solve_in_time = _within(ticket.spent, ticket.solve_minutes)
    if ticket.answered_at is None and _within(ticket.spent, ticket.first_minutes) is False:
        ticket.first_in_time = False
    reckon(session, ticket, now)


def _within(spent: int, minutes: int | None) -> bool | None:
    return None if minutes is None else spent <= minutes * MINUTE


def reckon(session: Session, ticket: Ticket, now: int) -> None:
    """Set first_due_at, solve_due_at and next_mark_at from what was spent. All of the above do so.

    While the clock stands still nothing is due. Once a deadline was met, its due time stays as it was.
    """
    from tasks.care import reckoning

    clocks, time = _clocks(ticket), _time(session, ticket, now)
    first, solve = (_moment(int(each[0])) for each in reckoning.dues(clocks, time))
    if ticket.answered_at is None:
        ticket.first_due_at = first
    if ticket.solve_taken is None:
        ticket.solve_due_at = solve
    ticket.next_mark_at = _moment(int(reckoning.next_marks(clocks, time)[0]))


def reached(session: Session, ticket: Ticket, now: int) -> Reached:
    """Which marks it has reached by now, told or not. In bulk: `tasks.care.clocks.standings`."""
    from tasks.care import reckoning

    first, solve = reckoning.reached(_clocks(ticket), _time(session, ticket, now), now)
    return Reached(int(first[0]), int(solve[0]))


def told(session: Session, ticket: Ticket, marks: Reached, now: int) -> None:
    """Note that these were told, and when the next one comes."""
    ticket.first_mark, ticket.solve_mark = max(ticket.first_mark, marks.first), max(ticket.solve_mark, marks.solve)
    reckon(session, ticket, now)


def recompute(session: Session, workspace_id: str, now: int, team_id: str | None = None) -> int:
    """All open tickets of a workspace, or of a team, after hours or policies changed; how many moved.

    In one transaction; `tasks.care.clocks.portion` does it in portions.
    """
    from tasks.care import clocks

    done = clocks.portion(session, workspace_id, now, team_id)
    moved = done.moved
    while done.after is not None:
        done = clocks.portion(session, workspace_id, now, team_id, done.after)
        moved += done.moved
    return moved


def _moment(at: int) -> int | None:
    return None if at < 0 else at


def _time(session: Session, ticket: Ticket, now: int) -> "WorkingTime":
    """The hours that count for it, as its team and policy are at this moment."""
    policy = session.scalars(select(Policy).where(Policy.id == ticket.policy_id)).first() if ticket.policy_id else None
    held = hours.team_hours(session, ticket.team_id, policy, ticket.workspace_id)
    return hours.working_time(held, now, ticket.clock_at)


def _clocks(ticket: Ticket) -> "Clocks":
    from tasks.care import clocks

    return clocks.gathered([ticket])
