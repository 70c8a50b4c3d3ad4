"""Everything that is written to a ticket: opened, said, changed, tagged, linked, merged.

Each of these is one deed: it holds the ticket's row until the commit, lets its version grow by one, writes down what
changed, moves the clock, makes the ticket findable and tells the customer with one mail. `now` is handed in, in epoch
milliseconds. The session is the caller's, and writes. What is refused is a `Refused`: a sentence beside its field.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import new_id
from models.ticket import ANSWER, CLOSED, NEW, NORMAL, NOTE, OPEN, QUESTION, Customer, Ticket, TicketMessage
from tasks.care import (
    assigning,
    clock,
    copies,
    customers,
    desks,
    fields,
    history,
    letters,
    moves,
    notices,
    standing,
    words,
)  # fmt: skip
from tasks.care.attachments import Stored, attach
from tasks.care.bonds import link, tag, unlink, untag
from tasks.care.by import AGENT, CUSTOMER, ITSELF, MACHINE, By, Refused
from tasks.care.copies import add_copy, drop_copy
from tasks.care.fields import change
from tasks.care.history import Since, Stale
from tasks.care.merging import OtherCustomer, merge
from tasks.care.moves import MOVES

__all__ = [
    "AGENT", "CUSTOMER", "ITSELF", "MACHINE", "MOVES", "By", "New", "OtherCustomer", "Refused", "Since", "Stale",
    "add_copy", "change", "drop_copy", "link", "merge", "open_ticket", "opened", "say", "tag", "unlink", "untag",
]  # fmt: skip
LONGEST = 200_000  # signs of a message; more of a mail is left out, and it says so
CUT = "The rest of this message was left out: it was longer than 200,000 characters."
NO_WORDS = "Write what you want to say."
MOVED = "This ticket goes on as #{number}; answer there."
QUESTIONS_MOVE = "What a customer says moves the ticket by itself; change its status apart."


@dataclass(frozen=True, slots=True)
class New:
    """A ticket to be.

    Attributes:
        email, name: the customer's. account_id: theirs, if they are signed in as a customer.
        priority: None: normal. source: web, api, mail, chat.
        files: put into storage before (`attachments.store`). copies: addresses that take part beside them.
        automatic: a machine wrote it: it is answered by people alone.
        quoted: what a mail repeated. remarks: what was left out of it, and why.
        fingerprint: of a program's or a form's key.
    """

    subject: str
    text: str
    email: str
    name: str = ""
    topic_id: str | None = None
    priority: int | None = None
    source: str = "web"
    files: Sequence[Stored] = ()
    copies: Sequence[str] = ()
    account_id: str | None = None
    automatic: bool = False
    quoted: str = ""
    remarks: Sequence[str] = ()
    fingerprint: str | None = None


def open_ticket(session: Session, new: New, by: By, now: int) -> Ticket:
    """A new ticket with its first message, its team, policy and, if the team hands them out, its agent."""
    return opened(session, new, by, now)[0]


def opened(session: Session, new: New, by: By, now: int) -> tuple[Ticket, TicketMessage]:
    """The same, with the message."""
    place = desks.place(session)
    return _open(session, place, customers.of(session, place, new.email, new.name, new.account_id), new, by, now)


def say(
    session: Session,
    ticket: Ticket,
    kind: str,
    text: str,
    by: By,
    now: int,
    *,
    source: str = "web",
    files: Sequence[Stored] = (),
    quoted: str = "",
    automatic: bool = False,
    remarks: Sequence[str] = (),
    status: str | None = None,
    expected: int | None = None,
    fingerprint: str | None = None,
) -> TicketMessage:
    """Add a question of the customer, a public answer or an internal note.

    A question of a ticket that was merged lands in the other one, and of one that was closed long ago opens a new one:
    the message's ticket_id says where it is.

    Args:
        status: what the ticket becomes with an answer or a note.
        expected: the version that the writer saw.

    Raises:
        Stale: somebody else was faster. Refused: this cannot be said now.
    """
    history.hold(session, ticket, expected)
    said = Said(kind, text, source, files, quoted, automatic, remarks, fingerprint)
    if kind == QUESTION:
        if status is not None:
            raise Refused("status", QUESTIONS_MOVE)
        return _asked(session, ticket, said, by, now)
    if by.kind == CUSTOMER or kind not in (ANSWER, NOTE):
        raise Refused("kind", "Customers ask; agents answer and take notes.", 403)
    return _told(session, ticket, said, by, now, status)


@dataclass(frozen=True, slots=True)
class Said:
    """A message to be."""

    kind: str
    text: str
    source: str
    files: Sequence[Stored] = ()
    quoted: str = ""
    automatic: bool = False
    remarks: Sequence[str] = ()
    fingerprint: str | None = None


def _open(session: Session, place: str, customer: Customer, new: New, by: By, now: int) -> tuple[Ticket, TicketMessage]:
    topic = fields.topic(session, place, new.topic_id)
    ticket = Ticket(
        id=new_id(), workspace_id=place, number=desks.next_number(session, place), subject=words.subject(new.subject),
        customer_id=customer.id, topic_id=topic and topic.id, team_id=topic and topic.team_id, source=new.source,
        priority=fields.priority(NORMAL if new.priority is None else new.priority), status=NEW, version=1,
        created_at=now, changed_at=now, heard_at=now, spent=0, first_mark=0, solve_mark=0, reopened=0, links_version=1,
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    history.note(session, ticket, history.OPENED, "", new.source, by, now)
    said = Said(QUESTION, new.text, new.source, new.files, new.quoted, new.automatic, new.remarks, new.fingerprint)
    message = _write(session, ticket, said, by, now, customer.id)
    copies.took_part(session, ticket, customer, new.copies, reads=new.source != "mail")
    clock.run(session, ticket, now)
    clock.set_policy(session, ticket, now)
    if assigning.assign(session, ticket, now):
        notices.given(session, ticket, by, now)
    words.index(session, ticket)
    if not new.automatic:
        letters.received(session, ticket, by, now)
    return ticket, message


def _asked(session: Session, ticket: Ticket, said: Said, by: By, now: int) -> TicketMessage:
    """A word of the customer, or of another who takes part."""
    speaker = by.customer_id or ticket.customer_id
    if ticket.merged_into_id:
        other = session.scalars(select(Ticket).where(Ticket.id == ticket.merged_into_id)).one()
        history.hold(session, other)
        if not customers.takes_part(session, other, speaker):
            return _again(session, ticket, said, by, now, speaker)
        ticket = other
    close_days = desks.of(session, ticket.workspace_id).close_days
    if ticket.status == CLOSED and not said.automatic and moves.too_late(ticket.closed_at, close_days, now):
        return _again(session, ticket, said, by, now, speaker)
    message = _write(session, ticket, said, by, now, speaker)
    if not said.automatic:
        before = ticket.status
        ticket.heard_at = now
        ticket.changed_at = max(ticket.changed_at, now)
        standing.move(session, ticket, moves.heard(before), by, now)
        letters.moved(session, ticket, before, by, now)
        notices.heard(session, ticket, by, now)
    words.index(session, ticket)
    return message


def _again(session: Session, before: Ticket, said: Said, by: By, now: int, speaker: str) -> TicketMessage:
    """A word to a ticket that is over begins another one, linked to it."""
    customer = session.scalars(select(Customer).where(Customer.id == speaker)).one()
    new = New(
        before.subject, said.text, customer.email, topic_id=fields.still_there(session, before.topic_id),
        priority=before.priority, source=said.source, files=said.files, automatic=said.automatic, quoted=said.quoted,
        remarks=said.remarks, fingerprint=said.fingerprint,
    )  # fmt: skip
    ticket, message = _open(session, before.workspace_id, customer, new, by, now)
    link(session, ticket, before, ITSELF, now)
    return message


def _told(session: Session, ticket: Ticket, said: Said, by: By, now: int, status: str | None) -> TicketMessage:
    """An answer or a note of an agent, with the status it brings."""
    if ticket.merged_into_id and said.kind == ANSWER:
        number = session.scalar(select(Ticket.number).where(Ticket.id == ticket.merged_into_id))
        raise Refused("text", MOVED.format(number=number))
    before = ticket.status
    if status is None and before == NEW and said.kind == ANSWER:
        status = OPEN
    if problem := moves.problem(by.kind, before, status or before):
        raise Refused("status", problem)
    message = _write(session, ticket, said, by, now, None)
    history.touched(ticket, by, now)
    notices.seen(session, ticket, by)
    if said.kind == ANSWER:
        ticket.told_at = now
        notices.answered(session, ticket)
        if by.kind == AGENT:
            clock.answered(session, ticket, now)
    standing.move(session, ticket, status or before, by, now)
    words.index(session, ticket)
    if said.kind == ANSWER:
        letters.answered(session, ticket, message, before, by, now)
    else:
        letters.moved(session, ticket, before, by, now)
    return message


def _write(session: Session, ticket: Ticket, said: Said, by: By, now: int, customer_id: str | None) -> TicketMessage:
    """The message's row, and its files'."""
    text = words.plain(said.text)
    if not text and not said.files and said.kind != QUESTION:
        raise Refused("text", NO_WORDS)
    remarks = [*said.remarks, *([CUT] if len(text) > LONGEST else [])]
    message = TicketMessage(
        id=new_id(), workspace_id=ticket.workspace_id, ticket_id=ticket.id, kind=said.kind, account_id=by.account_id,
        customer_id=customer_id, text=text[:LONGEST], quoted=words.plain(said.quoted)[:LONGEST],
        automatic=said.automatic, source=said.source[:10], remarks=remarks or None, fingerprint=said.fingerprint,
        version=ticket.version, at=now,
    )  # fmt: skip
    session.add(message)
    session.flush()
    if said.files:
        attach(session, message, said.files)
    return message
