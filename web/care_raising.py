"""A ticket raised for somebody, by an agent's form or by a program: read, checked, and written once."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.ticket import Customer, Ticket, TicketMessage
from tasks.care import tickets
from tasks.care.attachments import Stored
from tasks.care.tickets import AGENT, By, New
from tasks.handover import Refused
from web import people
from web.care_customer import Words
from web.care_filter import NUMBER_OF
from web.current import current_workspace, me
from web.inputs import Email, _plain
from workers.enqueue import KeyConflict

Priority = Literal["urgent", "high", "normal", "low"]


def _name(text: str) -> str:
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if len(line) > 120:
        raise ValueError("Write at most 120 characters.")
    return line


class Raising(Words):
    """Whose ticket it is, and what it says."""

    email: Email
    name: Annotated[str, AfterValidator(_name)] = ""
    priority: Priority = "normal"


def read(given: Mapping[str, object]) -> Raising:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    plain = {name: text.replace("\0", "") if isinstance(text, str) else text for name, text in given.items()}
    try:
        return Raising.model_validate(plain)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        raise Refused({str(each["loc"][0]): _plain(each["type"], each["msg"]) for each in wrong}) from error


def raise_once(
    session: Session, asked: Raising, *, source: str, files: Sequence[Stored] = (), key: str | None = None
) -> tuple[Ticket, bool]:
    """The ticket, and whether it was made now: the same key again gives the one that was made with it.

    Raises:
        KeyConflict: the key stands for another ticket.
        tasks.care.tickets.Refused: a topic that is gone, an address that is none.
    """
    mark = fingerprint(key)
    if mark and (known := known_by(session, mark)):
        return _same(session, known, asked), False
    new = New(
        asked.subject, asked.text, asked.email, asked.name, asked.topic_id or None, NUMBER_OF[asked.priority], source,
        files, fingerprint=mark,
    )  # fmt: skip
    return tickets.open_ticket(session, new, By(AGENT, account_id=me().id), clock(session)), True


def fingerprint(key: str | None) -> str | None:
    """What a message is known by that came with a key; of this workspace alone."""
    return hashlib.sha256(f"{current_workspace()} {key}".encode()).hexdigest() if key else None


def known_by(session: Session, mark: str) -> TicketMessage | None:
    """The message that came with this key before. Whoever sends the same beside us waits here."""
    people.one_at_a_time(session, current_workspace())
    return session.scalars(select(TicketMessage).where(TicketMessage.fingerprint == mark).limit(1)).first()


def _same(session: Session, known: TicketMessage, asked: Raising) -> Ticket:
    ticket = session.scalars(select(Ticket).where(Ticket.id == known.ticket_id)).one()
    email = session.scalars(select(Customer.email).where(Customer.id == ticket.customer_id)).one()
    if (known.text, email) != (asked.text.strip(), asked.email):
        raise KeyConflict
    return ticket
