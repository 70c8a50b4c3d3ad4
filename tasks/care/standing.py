"""A ticket's status and its clock: they move together."""

from sqlalchemy.orm import Session

from models.ticket import AT_WORK, CLOSED, DONE, SOLVED, STOPPED, Ticket
from tasks.care import clock, history, notices
from tasks.care.by import By


def move(session: Session, ticket: Ticket, status: str, by: By, now: int, why: str = "") -> bool:
    """Set the status, whoever may; whether it is another one. `moves.problem` says who may."""
    before = ticket.status
    if status == before:
        return False
    ticket.status = status
    history.note(session, ticket, history.STATUS, before, status, by, now, why)
    if before in DONE and status not in DONE:
        ticket.reopened += 1
        ticket.solved_at = ticket.closed_at = None
        ticket.solve_mark = min(ticket.solve_mark, 75)  # one that is over is told again
        clock.run(session, ticket, now)  # also before it stands still again: what was solved is not any more
    if status in AT_WORK:
        clock.run(session, ticket, now)
    elif status in STOPPED:
        clock.stop(session, ticket, now)
    else:
        _over(session, ticket, before, now)
    return True


def _over(session: Session, ticket: Ticket, before: str, now: int) -> None:
    notices.over(session, ticket)
    if before not in DONE:
        clock.solved(session, ticket, now)
        ticket.solved_at = now
    if ticket.status == CLOSED:
        ticket.closed_at = now
    elif ticket.status == SOLVED:
        ticket.closed_at = None
