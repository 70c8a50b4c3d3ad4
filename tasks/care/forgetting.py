"""The end of what a desk knows of a person: their name and address when they close their account, or all of it when
they ask the desk itself.

Whoever closes an account stays in others' desks as a customer without a name or address. What they wrote stays: it is
the correspondence of that desk, which erases it when they ask there (`forget`). See ADR 31.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from models.ticket import Customer, Ticket, TicketFile
from tasks.care import erasing
from tasks.care.customers import NOWHERE
from tasks.context import Context
from tasks.imports.fingerprints import batched

AT_ONCE = 100
UNSEEN = {"synchronize_session": False}


def forget_customer(ctx: Context, account_id: str, email: str) -> None:
    """Take a person's name and address out of all desks, a few tickets at a time."""
    theirs = or_(Customer.account_id == account_id, Customer.email == email)
    with ctx.read_everything() as session:
        ids = list(session.scalars(select(Customer.id).where(theirs)))
        mine = set(session.scalars(select(Ticket.id).where(Ticket.customer_id.in_(ids))))
    with ctx.write_everything() as session:
        for customer in ids:
            nobody = {"email": f"{customer}{NOWHERE}", "name": "", "account_id": None, "returned": ""}
            session.execute(update(Customer).where(Customer.id == customer).values(**nobody), execution_options=UNSEEN)
        met = erasing.took_part(session, email)
        erasing.unread(session, erasing.from_them(email))
    for some in batched(sorted(mine | met), AT_ONCE):
        with ctx.write_everything() as session:
            erasing.unnamed(session, email, some)
            erasing.found_anew(session, some)


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
    who = erasing.person(session, customer)
    back = erasing.given_back(session, who)
    met, keys = erasing.elsewhere(session, who)
    mine = select(TicketFile.key).where(TicketFile.ticket_id.in_(select(Ticket.id).where(_theirs(customer))))
    keys += session.scalars(mine)
    keys += erasing.imports(session, who)
    for step in (erasing.mails, erasing.log, erasing.alerts):
        step(session, who)
    session.execute(delete(Ticket).where(_theirs(customer)), execution_options=UNSEEN)
    session.execute(delete(Customer).where(Customer.id == customer.id), execution_options=UNSEEN)
    session.expire_all()  # rows went that the session may still know
    erasing.found_anew(session, back | met)
    erasing.learned(session)
    return Gone(len(who.tickets), keys)


def _theirs(customer: Customer) -> ColumnElement[bool]:
    return Ticket.customer_id == customer.id
