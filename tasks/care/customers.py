"""Customers: found, or made, by their address; and the accounts of those who have one."""

import re

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.account import Account
from models.ticket import Customer, Ticket, TicketCopy
from models.workspace import CUSTOMER, Membership
from tasks.care.by import Refused

NOWHERE = "@invalid"  # ends the addresses of imported customers who have none
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,189}")
NO_ADDRESS = "Give a mail address like name@example.org, so that the answer finds its way."


def plain(email: str) -> str:
    """An address as it is kept: lower case.

    Raises:
        Refused: it is none.
    """
    address = email.strip().lower()
    if not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise Refused("email", NO_ADDRESS)
    return address


def of(session: Session, workspace_id: str, email: str, name: str = "", account_id: str | None = None) -> Customer:
    """The customer with this address, made if there is none yet. A name is only learned, never overwritten.

    Args:
        account_id: of somebody who is signed in as a customer here; only believed if it is one.
    """
    mine = _with_account(session, workspace_id, account_id) if account_id else None
    if mine is not None:
        return mine
    address = plain(email)
    asked = select(Customer).where(Customer.workspace_id == workspace_id, Customer.email == address)
    found = session.scalar(asked)
    if found is None:
        made = Customer(workspace_id=workspace_id, email=address, name=_line(name))
        try:
            with session.begin_nested():
                session.add(made)
        except IntegrityError:  # the same customer wrote two mails, and two workers read them
            pass
        found = session.scalars(asked).one()
    if not found.name and name:
        found.name = _line(name)
    if found.account_id is None:
        found.account_id = _account(session, workspace_id, address)
    return found


def adopt(session: Session, workspace_id: str, account_id: str) -> int:
    """Give an account the customer of its confirmed address, once it is a member as a customer; how many that were."""
    email = session.scalar(select(Account.email).where(Account.id == account_id))
    if email is None or _account(session, workspace_id, email) != account_id:
        return 0
    theirs = (Customer.workspace_id == workspace_id, Customer.email == email, Customer.account_id.is_(None))
    found = session.scalars(select(Customer).where(*theirs)).all()
    session.execute(update(Customer).where(*theirs).values(account_id=account_id))
    return len(found)


def takes_part(session: Session, ticket: Ticket, customer_id: str | None) -> bool:
    """Whether somebody is the ticket's customer or one of its copies."""
    if customer_id is None or customer_id == ticket.customer_id:
        return customer_id is not None
    copies = select(TicketCopy.email).where(TicketCopy.ticket_id == ticket.id)
    return session.scalar(select(Customer.id).where(Customer.id == customer_id, Customer.email.in_(copies))) is not None


def reads(session: Session, ticket: Ticket, customer_id: str | None) -> bool:
    """Whether somebody may read the whole ticket by a link: its customer, and copies that not only a mail named."""
    if customer_id is None or customer_id == ticket.customer_id:
        return customer_id is not None
    mine = (TicketCopy.ticket_id == ticket.id, TicketCopy.reads.is_(True))
    copies = select(TicketCopy.email).where(*mine)
    return session.scalar(select(Customer.id).where(Customer.id == customer_id, Customer.email.in_(copies))) is not None


def has_address(customer: Customer) -> bool:
    return not nowhere(customer.email)


def nowhere(email: str) -> bool:
    """Whether no mail can ever reach an address: of who was imported without one, or of a sample (RFC 2606)."""
    return email.endswith((NOWHERE, ".invalid"))


def _with_account(session: Session, workspace_id: str, account_id: str) -> Customer | None:
    """The customer that an account already is, or becomes by its confirmed address."""
    theirs = select(Customer).where(Customer.workspace_id == workspace_id, Customer.account_id == account_id)
    found = session.scalars(theirs.order_by(Customer.created_at, Customer.id)).first()
    if found is None and adopt(session, workspace_id, account_id):
        found = session.scalars(theirs).first()
    return found


def _account(session: Session, workspace_id: str, address: str) -> str | None:
    """The account whose confirmed address this is, if it is a customer here; an unconfirmed one proves nothing."""
    asked = select(Account.id).join(Membership, Membership.account_id == Account.id)
    mine = (Membership.workspace_id == workspace_id, Membership.role == CUSTOMER)
    return session.scalar(
        asked.where(*mine, func.lower(Account.email) == address, Account.confirmed_at.is_not(None)).limit(1)
    )


def _line(name: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())[:120]
