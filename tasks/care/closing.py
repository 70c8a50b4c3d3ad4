"""Solved tickets close by themselves after the desk's days without a word, and their customers are told."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.desk import Desk
from models.engine import again
from models.ticket import CLOSED, SOLVED, Ticket
from tasks.care.apart import Apart
from tasks.care.by import MACHINE, By
from tasks.care.fields import change
from tasks.care.history import Stale
from tasks.care.marks import Opens
from tasks.care.moves import DAY_MS
from tasks.care.since import days_ago

MOST = 2_000  # of one look; the next one, a minute later, goes on
AT_ONCE = 100  # tickets of one transaction, each with its mail
SILENCE = By(MACHINE, why="Solved for so long without a word")


class Over(NamedTuple):
    """A ticket that is to be closed."""

    ticket: str
    workspace: str


def look(session: Session, now: int, workspace: str = "") -> list[Over]:
    """Which are to be closed: nobody said anything since they were solved, or later."""
    least = session.scalar(select(func.min(Desk.close_days)).where(Desk.close_days > 0))
    if least is None:
        return []
    over = Ticket.changed_at <= days_ago(now, Desk.close_days)
    mine = (Ticket.status == SOLVED, Ticket.changed_at <= now - least * DAY_MS, Desk.close_days > 0, over)
    asked = select(Ticket.id, Ticket.workspace_id).join(Desk, Desk.workspace_id == Ticket.workspace_id).where(*mine)
    asked = asked.where(Ticket.workspace_id == workspace) if workspace else asked
    return [Over(*row) for row in session.execute(asked.order_by(Ticket.changed_at).limit(MOST))]


def scan(read: Opens, write: Opens, now: int, apart: Apart, workspace: str = "") -> int:
    """Close them, some in each transaction; how many."""
    with read() as session:
        over = look(session, now, workspace)
    return sum(
        sum(apart.each(part, lambda one: one.workspace, partial(_closed, write, now), 0)) for part in _parts(over)
    )


def _parts(over: list[Over]) -> Iterator[list[Over]]:
    for start in range(0, len(over), AT_ONCE):
        yield sorted(over[start : start + AT_ONCE])


@again
def _closed(write: Opens, now: int, over: Sequence[Over]) -> int:
    with write() as session:
        return sum(close(session, each.ticket, now) for each in over)


def close(session: Session, ticket_id: str, now: int) -> bool:
    """Close one, unless something came meanwhile."""
    ticket = session.scalar(select(Ticket).where(Ticket.id == ticket_id).execution_options(populate_existing=True))
    if ticket is None:
        return False
    days = session.scalar(select(Desk.close_days).where(Desk.workspace_id == ticket.workspace_id)) or 0
    if ticket.status != SOLVED or not days or ticket.changed_at > now - days * DAY_MS:
        return False
    try:
        return bool(change(session, ticket, SILENCE, now, expected=ticket.version, status=CLOSED))
    except Stale:
        return False
