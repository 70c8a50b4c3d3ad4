"""What else names a person who is erased from a desk: others' tickets, alerts and the mails about them, imports, the
log of read mail. All of it in the session's workspace, before the rows of the person go.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from html import escape

from sqlalchemy import ColumnElement, SQLColumnExpression, Text, delete, func, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from models.alert import Alert
from models.artifact import Upload
from models.base import db_now
from models.delivery import Delivery
from models.desk import Desk
from models.intake import Intake, IntakeLine
from models.ticket import NOTE, Customer, Received, Ticket, TicketCopy, TicketEvent, TicketFile, TicketMessage
from tasks.care import import_keys, mark_words, words
from tasks.imports.fingerprints import batched

AREA = "care"
AT_ONCE = 200
UNSEEN = {"synchronize_session": False}
SOMEBODY = "somebody who was erased"


@dataclass(frozen=True, slots=True)
class Person:
    """Whose rows go: their address, their customer and their tickets (id, number, subject)."""

    email: str
    customer_id: str
    tickets: dict[str, tuple[int, str]]


def person(session: Session, customer: Customer) -> Person:
    mine = select(Ticket.id, Ticket.number, Ticket.subject).where(Ticket.customer_id == customer.id)
    return Person(customer.email, customer.id, {row.id: (row.number, row.subject) for row in session.execute(mine)})


def elsewhere(session: Session, who: Person) -> tuple[set[str], list[str]]:
    """In others' tickets: what they said there, what was said to them before it was merged into one of those, their
    part in it, their address in its history and notes.

    Returns:
        The tickets whose words changed (`found_anew`), and the keys of files that go.
    """
    met = took_part(session, who.email) - set(who.tickets)
    numbers = [number for number, _ in who.tickets.values()]
    into = select(Ticket.merged_into_id).where(
        Ticket.customer_id == who.customer_id, Ticket.merged_into_id.is_not(None)
    )
    moved = TicketMessage.ticket_id.in_(into) & TicketMessage.said_in.in_(numbers)
    said = select(TicketMessage.id, TicketMessage.ticket_id).where(
        or_(TicketMessage.customer_id == who.customer_id, moved)
    )
    theirs = {row.id: row.ticket_id for row in session.execute(said) if row.ticket_id not in who.tickets}
    keys: list[str] = []
    for some in batched(theirs, AT_ONCE):
        keys += session.scalars(select(TicketFile.key).where(TicketFile.message_id.in_(some)))
        session.execute(delete(Delivery).where(Delivery.message_id.in_(some)), execution_options=UNSEEN)
        session.execute(delete(TicketMessage).where(TicketMessage.id.in_(some)), execution_options=UNSEEN)
    met |= set(theirs.values())
    unnamed(session, who.email, met)
    return met, keys


def took_part(session: Session, email: str) -> set[str]:
    """Take an address out of tickets where it stands by itself: who takes part, and the history; which those are."""
    met = set(session.scalars(select(TicketCopy.ticket_id).where(TicketCopy.email == email)))
    session.execute(delete(TicketCopy).where(TicketCopy.email == email), execution_options=UNSEEN)
    for column in (TicketEvent.before, TicketEvent.after):
        met |= set(session.scalars(select(TicketEvent.ticket_id).where(column == email)))
        session.execute(update(TicketEvent).where(column == email).values({column: ""}), execution_options=UNSEEN)
    return met


def unnamed(session: Session, email: str, tickets: Collection[str]) -> None:
    """Notes that the machinery took, as of a mail that came back, name an address no more."""
    for some in batched(sorted(tickets), AT_ONCE):
        mine = (TicketMessage.ticket_id.in_(some), TicketMessage.kind == NOTE, TicketMessage.account_id.is_(None))
        for message in session.scalars(select(TicketMessage).where(*mine, _names(TicketMessage.text, email))):
            message.text = _replaced(message.text, email)
    session.flush()


def given_back(session: Session, who: Person) -> set[str]:
    """What came into their tickets from those of other customers goes back there, as the notes that it became."""
    homes = select(TicketMessage.said_in).where(
        TicketMessage.ticket_id.in_(select(Ticket.id).where(Ticket.customer_id == who.customer_id)),
        TicketMessage.said_in.is_not(None),
    )
    tickets = session.execute(
        select(Ticket.id, Ticket.number).where(Ticket.number.in_(homes), Ticket.customer_id != who.customer_id)
    ).all()
    for home, number in tickets:
        for mine in batched(who.tickets, AT_ONCE):
            ids = select(TicketMessage.id).where(TicketMessage.said_in == number, TicketMessage.ticket_id.in_(mine))
            for some in batched(list(session.scalars(ids)), AT_ONCE):
                for table, key in ((TicketMessage, TicketMessage.id), (TicketFile, TicketFile.message_id)):
                    session.execute(update(table).where(key.in_(some)).values(ticket_id=home), execution_options=UNSEEN)
    return {row.id for row in tickets}


def mails(session: Session, who: Person) -> None:
    """The letters about their tickets, and those to them about others'."""
    mine = select(Ticket.id).where(Ticket.customer_id == who.customer_id)
    about = or_(Delivery.ticket_id.in_(mine), (Delivery.to == who.email) & Delivery.ticket_id.is_not(None))
    session.execute(delete(Delivery).where(about), execution_options=UNSEEN)


def log(session: Session, who: Person) -> None:
    """Of the mail that was read: theirs, and all that landed in their tickets."""
    mine = select(Ticket.id).where(Ticket.customer_id == who.customer_id)
    unread(session, or_(from_them(who.email), Received.ticket_id.in_(mine)))


def unread(session: Session, which: ColumnElement[bool]) -> None:
    """Of mail that was read only that it was, and what became of it."""
    blank = {"sender": "", "subject": "", "reason": "", "data": None}
    session.execute(update(Received).where(which).values(**blank), execution_options=UNSEEN)


def from_them(email: str) -> ColumnElement[bool]:
    """Mail of an address, and such that told of it."""
    return or_(Received.sender == email, _names(Received.reason, email))


def alerts(session: Session, who: Person) -> None:
    """Alerts about their tickets; and in lists of several, and in mails of all of them, their subjects."""
    for some in batched(who.tickets, AT_ONCE):
        mine = (Alert.area == AREA, Alert.subject.in_(some))
        session.execute(delete(Alert).where(*mine), execution_options=UNSEEN)
    for some in batched(_named(who), AT_ONCE):
        lists = select(Alert).where(
            Alert.area == AREA, or_(*(Alert.text.contains(each, autoescape=True) for each in some))
        )
        for alert in session.scalars(lists):
            alert.text = _without(alert.text, some)
        told = or_(Delivery.stop != "", Delivery.channel_id.is_not(None)) & Delivery.ticket_id.is_(None)
        naming = or_(
            *(column.contains(each, autoescape=True) for each in some for column in (Delivery.subject, Delivery.text))
        )
        for mail in session.scalars(select(Delivery).where(told, naming)):
            mail.subject, mail.text = _without(mail.subject, some), _without(mail.text, some)
            mail.html = _without(mail.html, [escape(each) for each in some])
    session.flush()


def _named(who: Person) -> Iterator[str]:
    """How alerts and digests name the tickets; the longer one first."""
    for number, subject in who.tickets.values():
        yield from dict.fromkeys(f"#{number} {each}" for each in (subject, mark_words.short(subject)))


def _without(text: str, names: Iterable[str]) -> str:
    for name in names:
        text = text.replace(name, name.partition(" ")[0])
    return text


def imports(session: Session, who: Person) -> list[str]:
    """Lines of imports that are not written yet or could not be, and the files of those; the keys of these files."""
    mine = select(Intake.id).where(Intake.subject == import_keys.SUBJECT)
    naming = or_(_names(type_coerce(IntakeLine.what, Text), who.email), _names(IntakeLine.reason, who.email))
    lines = (IntakeLine.intake_id.in_(mine), naming)
    ids = list(session.scalars(select(IntakeLine.intake_id).where(*lines).distinct()))
    session.execute(delete(IntakeLine).where(*lines), execution_options=UNSEEN)
    for intake in session.scalars(select(Intake).where(Intake.id.in_(mine))):  # some first cells of each column
        intake.layout = {**(intake.layout or {}), "examples": [[] for _ in (intake.layout or {}).get("examples", ())]}
    came = select(Ticket.intake_id).where(Ticket.customer_id == who.customer_id, Ticket.intake_id.is_not(None))
    runs = select(Intake.run_id).where(or_(Intake.id.in_(ids), Intake.id.in_(came)), Intake.run_id.is_not(None))
    files = (Upload.run_id.in_(runs), Upload.deleted_at.is_(None))
    keys = list(session.scalars(select(Upload.key).where(*files)))
    session.execute(update(Upload).where(*files).values(deleted_at=db_now()), execution_options=UNSEEN)
    return keys


def learned(session: Session) -> None:
    """The assistant's next hour learns anew, without their tickets; what it tells is read from the tables anyway."""
    session.execute(update(Desk).where(Desk.indexed_at.is_not(None)).values(indexed_at=0), execution_options=UNSEEN)


def found_anew(session: Session, tickets: Collection[str]) -> None:
    """Let tickets be found by what is left of them."""
    for some in batched(sorted(tickets), AT_ONCE):
        for ticket in session.scalars(select(Ticket).where(Ticket.id.in_(some))):
            words.index(session, ticket)


def _names(column: SQLColumnExpression[str], email: str) -> ColumnElement[bool]:
    return func.lower(column).contains(email, autoescape=True)


def _replaced(text: str, email: str) -> str:
    """In whatever case it stands there."""
    low = text.lower()
    if len(low) != len(text):  # a sign whose small one is two: then all of it is small
        text = low
    while (at := low.find(email)) >= 0:
        text, low = text[:at] + SOMEBODY + text[at + len(email) :], low[:at] + SOMEBODY + low[at + len(email) :]
    return text
