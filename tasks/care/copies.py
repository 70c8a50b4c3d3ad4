"""Who takes part in a ticket beside its customer: their mail lands in it, and public answers go to them as well."""

from collections.abc import Iterable

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.desk import Inlet
from models.statements import changed
from models.ticket import Customer, Ticket, TicketCopy
from tasks.care import customers, history, words
from tasks.care.by import By, Refused

MOST = 10
TOO_MANY = "At most 10 others can take part in a ticket."


def took_part(session: Session, ticket: Ticket, customer: Customer, emails: Iterable[str]) -> None:
    """Those that a new ticket came with; what is no address, or our own, is left out, and so is the eleventh."""
    own = {each.lower() for each in session.scalars(select(Inlet.address))} | {customer.email}
    taken: list[str] = []
    for email in emails:
        try:
            address = customers.plain(email)
        except Refused:
            continue
        if address not in own and address not in taken and len(taken) < MOST:
            taken.append(address)
            _join(session, ticket, address)


def add_copy(session: Session, ticket: Ticket, email: str, by: By, now: int) -> bool:
    """Let somebody else take part; whether they did not yet."""
    address = customers.plain(email)
    customer = session.scalars(select(Customer).where(Customer.id == ticket.customer_id)).one()
    if address == customer.email or address in of(session, ticket.id):
        return False
    history.hold(session, ticket)
    if len(of(session, ticket.id)) >= MOST:
        raise Refused("email", TOO_MANY)
    _join(session, ticket, address)
    history.note(session, ticket, history.COPY, "", address, by, now)
    words.index(session, ticket)
    return True


def drop_copy(session: Session, ticket: Ticket, email: str, by: By, now: int) -> bool:
    """End somebody's part; whether they had one."""
    history.hold(session, ticket)
    mine = (TicketCopy.ticket_id == ticket.id, TicketCopy.email == email.strip().lower())
    if not changed(session, delete(TicketCopy).where(*mine)):
        return False
    history.note(session, ticket, history.COPY, email.strip().lower(), "", by, now)
    words.index(session, ticket)
    return True


def of(session: Session, ticket_id: str) -> list[str]:
    """Their addresses."""
    asked = select(TicketCopy.email).where(TicketCopy.ticket_id == ticket_id)
    return list(session.scalars(asked.order_by(func.lower(TicketCopy.email))))


def _join(session: Session, ticket: Ticket, address: str) -> None:
    """They are a customer as well, so that their mail and their link have somebody to belong to."""
    customers.of(session, ticket.workspace_id, address)
    session.add(TicketCopy(workspace_id=ticket.workspace_id, ticket_id=ticket.id, email=address))
