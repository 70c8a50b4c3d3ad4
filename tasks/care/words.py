"""A ticket's words: how what people write is kept, and by what a ticket is found."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ticket_search
from models.ticket import Customer, Ticket, TicketCopy, TicketFile, TicketMessage, TicketTag

NO_SUBJECT = "No subject"


def plain(text: str) -> str:
    """Plain text as it is kept: one kind of line ends, no signs that print nothing, no blanks at its ends."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "".join(sign for sign in lines if sign == "\n" or sign.isprintable() or sign in "\u200d\u00ad").strip()


def subject(text: str) -> str:
    """One line of at most 200 signs."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line[:200].strip() or NO_SUBJECT


def index(session: Session, ticket: Ticket) -> None:
    """Let the ticket be found by its number, subject, customer, tags, files and all that was said."""
    session.flush()
    who = session.execute(select(Customer.name, Customer.email).where(Customer.id == ticket.customer_id)).one()
    mine = TicketMessage.ticket_id == ticket.id
    said = session.scalars(select(TicketMessage.text).where(mine).order_by(TicketMessage.at, TicketMessage.id))
    more = [
        *session.scalars(select(TicketTag.name).where(TicketTag.ticket_id == ticket.id)),
        *session.scalars(select(TicketCopy.email).where(TicketCopy.ticket_id == ticket.id)),
        *session.scalars(select(TicketFile.name).where(TicketFile.ticket_id == ticket.id)),
    ]
    found = "\n".join([ticket.subject, ticket.foreign_key or "", *who, *more, *said])
    ticket_search.index(session, ticket.id, ticket.workspace_id, found)
