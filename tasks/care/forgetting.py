"""The end of what a desk knows of a person: their name and address when they close their account, or all of it when
they ask the desk itself.

Whoever closes an account stays in others' desks as a customer without a name or address. What they wrote stays: it is
the correspondence of that desk, which erases it when they ask there (`forget`). See ADR 31.
"""

from dataclasses import dataclass

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from models.delivery import Delivery
from models.ticket import Customer, Received, Ticket, TicketCopy, TicketEvent, TicketFile
from tasks.care import words
from tasks.care.customers import NOWHERE
from tasks.context import Context

AT_ONCE = 100
UNSEEN = {"synchronize_session": False}


def forget_customer(ctx: Context, account_id: str, email: str) -> None:
    """Take a person's name and address out of all desks, a few tickets at a time."""
    theirs = or_(Customer.account_id == account_id, Customer.email == email)
    with ctx.read_everything() as session:
        ids = list(session.scalars(select(Customer.id).where(theirs)))
        taken = select(TicketCopy.ticket_id).where(TicketCopy.email == email)
        tickets = list(session.scalars(select(Ticket.id).where(or_(Ticket.customer_id.in_(ids), Ticket.id.in_(taken)))))
    with ctx.write_everything() as session:
        for customer in ids:
            nobody = {"email": f"{customer}{NOWHERE}", "name": "", "account_id": None}
            session.execute(update(Customer).where(Customer.id == customer).values(**nobody), execution_options=UNSEEN)
        _forget_address(session, email)
    for start in range(0, len(tickets), AT_ONCE):
        with ctx.write_everything() as session:
            for ticket in session.scalars(select(Ticket).where(Ticket.id.in_(tickets[start : start + AT_ONCE]))):
                words.index(session, ticket)


@dataclass(frozen=True, slots=True)
class Gone:
    """How many tickets went, and the keys of their files: to be deleted from storage after the commit."""

    tickets: int
    keys: list[str]


def forget(session: Session, email: str) -> Gone | None:
    """Erase a customer of this session's workspace with all their tickets; None where there is no such one."""
    customer = session.scalar(select(Customer).where(Customer.email == email))
    if customer is None:
        return None
    mine = select(Ticket.id).where(Ticket.customer_id == customer.id)
    keys = list(session.scalars(select(TicketFile.key).where(TicketFile.ticket_id.in_(mine))))
    count = session.scalar(select(func.count()).select_from(mine.subquery())) or 0
    _delete_mails(session, mine)
    session.execute(delete(Ticket).where(Ticket.customer_id == customer.id), execution_options=UNSEEN)
    session.execute(delete(Customer).where(Customer.id == customer.id), execution_options=UNSEEN)
    _forget_address(session, email)
    return Gone(count, keys)


def _delete_mails(session: Session, tickets: Select[str]) -> None:
    """The letters about these tickets, which nothing points to."""
    session.execute(delete(Delivery).where(Delivery.ticket_id.in_(tickets)), execution_options=UNSEEN)


def _forget_address(session: Session, email: str) -> None:
    """Where an address stands by itself: who took part, whose mail was read, what the history says of both."""
    session.execute(delete(TicketCopy).where(TicketCopy.email == email), execution_options=UNSEEN)
    blank = {"sender": "", "subject": "", "data": None}
    session.execute(update(Received).where(Received.sender == email).values(**blank), execution_options=UNSEEN)
    for column in (TicketEvent.before, TicketEvent.after):
        session.execute(update(TicketEvent).where(column == email).values({column: ""}), execution_options=UNSEEN)
