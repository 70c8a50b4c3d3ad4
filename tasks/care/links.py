"""Whether what was mailed about a ticket still opens it: a version that grows ends all that was made before."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.desk import Desk
from models.statements import changed
from models.ticket import Ticket
from tasks.care import history
from tasks.care.by import By

LINKS = "links"  # what the history calls it


def version(session: Session, ticket: Ticket) -> int:
    """What the links and reply tokens made now hold. It grows when those of the ticket or of the desk are ended."""
    desk = session.scalar(select(Desk.links_version).where(Desk.workspace_id == ticket.workspace_id))
    return ticket.links_version + (desk or 1)


def opened(session: Session, ticket_id: str, made_with: int) -> Ticket | None:
    """The ticket that a signed link or token leads to, in this session's workspace; None where it was ended."""
    ticket = session.scalar(select(Ticket).where(Ticket.id == ticket_id))
    return ticket if ticket is not None and version(session, ticket) == made_with else None


def end_of_ticket(session: Session, ticket: Ticket, by: By, now: int) -> None:
    """End every link and reply token of one ticket; those that are mailed from now on work."""
    history.hold(session, ticket)
    ticket.links_version += 1
    history.note(session, ticket, LINKS, "", "ended", by, now)


def end_of_desk(session: Session, workspace_id: str) -> bool:
    """The same for all tickets of a workspace."""
    mine = update(Desk).where(Desk.workspace_id == workspace_id)
    grown = mine.values(links_version=Desk.links_version + 1).execution_options(synchronize_session=False)
    return bool(changed(session, grown))
