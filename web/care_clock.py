"""A ticket's deadlines as bars: how much of the time allowed was used, and what makes the clock stand still."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.desk import Policy
from models.ticket import AT_WORK, HOLD, WAITING, Ticket
from tasks.care import hours
from web import care_due
from web.care_due import FIRST, MET, MISSED, SOLUTION, Due
from web.filters import local

MINUTE_MS = 60_000
WHY = {
    WAITING: "The clock stands while the customer is waited for. It goes on when they answer.",
    HOLD: "The clock stands while the ticket is on hold. It goes on as soon as it is open again.",
}
OUTSIDE = "These are no working hours: the clock goes on {}."


@dataclass(frozen=True)
class Bar:
    """One deadline.

    Attributes:
        percent: of the time allowed that was used, at most 100.
        allowed, used: working time in words.
    """

    what: str
    percent: int
    allowed: str
    used: str
    due: Due


def bars(session: Session, ticket: Ticket, policy: Policy | None, now: int) -> tuple[list[Bar], str]:
    """The ticket's deadlines, and why its clock stands ("" while it runs)."""
    time = hours.team_time(session, ticket.team_id, policy, now, ticket.clock_at)
    spent = ticket.spent + (int(time.worked(ticket.clock_at, now)) if ticket.clock_at is not None else 0)
    given = (
        (FIRST, ticket.first_minutes, ticket.first_taken, ticket.first_in_time, ticket.first_due_at, ticket.first_mark),
        (
            SOLUTION,
            ticket.solve_minutes,
            ticket.solve_taken,
            ticket.solve_in_time,
            ticket.solve_due_at,
            ticket.solve_mark,
        ),
    )
    found = []
    for what, minutes, taken, kept, at, mark in given:
        if minutes:
            used = spent if taken is None else taken
            share = min(100, 100 * used // (minutes * MINUTE_MS))
            due = _due(ticket, what, taken, kept, at, mark, now)
            found.append(Bar(what, share, care_due.span(minutes * MINUTE_MS), care_due.span(used), due))
    opens = time.due(now, 1) if ticket.clock_at is not None and found else None
    return found, WHY.get(ticket.status, "") if found else "" or _outside(opens, now)


def _outside(opens: int | None, now: int) -> str:
    if opens is None or opens - now <= MINUTE_MS:
        return ""
    return OUTSIDE.format(local(int(opens)).strftime("on %A, %-d %B at %H:%M"))


def _due(ticket: Ticket, what: str, taken: int | None, kept: bool | None, at: int | None, mark: int, now: int) -> Due:
    done = "Answered" if what == FIRST else "Solved"
    if taken is not None and kept is not None:
        return Due(MET, f"{done} in time") if kept else Due(MISSED, f"{done} late")
    if ticket.status not in AT_WORK or at is None:
        return Due(care_due.STANDS, "Clock stands")
    return care_due.one(what, at, now, mark)
