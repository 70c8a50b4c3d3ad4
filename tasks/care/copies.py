"""Who takes part in a ticket beside its customer: their mail lands in it, and public answers go to them as well.

Whoever an agent or the customer's own page named may read all of it by a link. A mail proves nobody's name, so whom
one named gets the answers alone, until an agent lets them read (ADR 39).
"""

from collections.abc import Collection, Iterable

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models.desk import Inlet
from models.statements import changed
from models.ticket import Customer, Ticket, TicketCopy
from tasks.care import customers, history, words
from tasks.care.by import By, Refused

MOST = 10
TOO_MANY = "At most 10 others can take part in a ticket."


def took_part(session: Session, ticket: Ticket, customer: Customer, emails: Iterable[str], *, reads: bool) -> None:
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
            _join(session, ticket, address, reads=reads)


def add_copy(session: Session, ticket: Ticket, email: str, by: By, now: int) -> bool:
    """Let somebody else take part and read all of it; whether they did not yet."""
    address = customers.plain(email)
    customer = session.scalars(select(Customer).where(Customer.id == ticket.customer_id)).one()
    there = reading(session, ticket.id)
    if address == customer.email or there.get(address):
        return False
    history.hold(session, ticket)
    there = reading(session, ticket.id)
    if address in there:
        mine = (TicketCopy.ticket_id == ticket.id, TicketCopy.email == address)
        session.execute(update(TicketCopy).where(*mine).values(reads=True))
        history.note(session, ticket, history.READS, "", address, by, now)
        return True
    if len(there) >= MOST:
        raise Refused("email", TOO_MANY)
    _join(session, ticket, address, reads=True)
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


def reading(session: Session, ticket_id: str) -> dict[str, bool]:
    """The same, in the same order: and whether they may read the whole ticket."""
    asked = select(TicketCopy.email, TicketCopy.reads).where(TicketCopy.ticket_id == ticket_id)
    return {row.email: row.reads for row in session.execute(asked.order_by(func.lower(TicketCopy.email)))}


def apart(session: Session, one: Ticket, into: Ticket) -> list[str]:
    """Who takes part in only one of two tickets: merging them would let these read, or hear of, the other."""
    return sorted(set(of(session, one.id)) ^ set(of(session, into.id)))


def join(session: Session, one: Ticket, into: Ticket, keep: Collection[str], by: By, now: int) -> None:
    """Of two tickets that become one: who took part in both goes on, and of the others those alone that are kept.

    Whoever may read all only of the one of them reads neither: nobody said that they may read the other.
    """
    there, came = reading(session, into.id), reading(session, one.id)
    session.execute(delete(TicketCopy).where(TicketCopy.ticket_id == one.id))
    for email in there:
        mine = (TicketCopy.ticket_id == into.id, TicketCopy.email == email)
        if email not in came and email not in keep:
            session.execute(delete(TicketCopy).where(*mine))
            history.note(session, into, history.COPY, email, "", by, now)
        elif not came.get(email, True):
            session.execute(update(TicketCopy).where(*mine).values(reads=False))
    room = MOST - len(of(session, into.id))
    for email in [each for each in came if each not in there and each in keep][: max(room, 0)]:
        row = TicketCopy(workspace_id=into.workspace_id, ticket_id=into.id, email=email, reads=came[email])
        session.add(row)
        history.note(session, into, history.COPY, "", email, by, now)


def _join(session: Session, ticket: Ticket, address: str, *, reads: bool) -> None:
    """They are a customer as well, so that their mail and their link have somebody to belong to."""
    customers.of(session, ticket.workspace_id, address)
    session.add(TicketCopy(workspace_id=ticket.workspace_id, ticket_id=ticket.id, email=address, reads=reads))
