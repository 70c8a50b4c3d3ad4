"""What a customer sees of a ticket and what they do to it, signed in (/care/my) or by a link (/ticket/…)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from flask import request
from markupsafe import Markup
from pydantic import AfterValidator
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.account import Account
from models.base import clock
from models.desk import Desk, Team, Topic
from models.session import Database
from models.ticket import ANSWER, NOTE, QUESTION, SOLVED, Customer, Rating, Ticket, TicketFile, TicketMessage
from models.workspace import Workspace
from tasks.care import customers, next_steps, reaching, tickets
from tasks.care.attachments import NotTaken, Stored
from tasks.care.by import CUSTOMER, By, Refused
from tasks.care.next_steps import Standing
from web import care_files, care_talk, people
from web.inputs import Form

PAGE = 50  # messages of a conversation
THANKS = "Your answer is with us."
BEGUN = (
    "This ticket was closed too long ago, so your words began a new one. A mail with its number and link is on its way."
)
LONGEST_TEXT, LONGEST_SUBJECT = 20_000, 200
Errors = dict[str, str]


def _text(given: str) -> str:
    text = given.replace("\r\n", "\n").strip()
    if not text:
        raise ValueError("Write what it is about.")
    return _not_too_long(text)


def _not_too_long(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise ValueError("Write at most 20,000 characters, or send the rest as a file.")
    return text


def _subject(given: str) -> str:
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in given).split())
    if not line:
        raise ValueError("Say in a few words what it is about.")
    if len(line) > LONGEST_SUBJECT:
        raise ValueError("Write at most 200 characters here, and the rest below.")
    return line


class Words(Form):
    """What a ticket says."""

    subject: Annotated[str, AfterValidator(_subject)]
    text: Annotated[str, AfterValidator(_text)]
    topic_id: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as its customer sees it: who said it, and its files."""

    message: TicketMessage
    who: str
    ours: bool
    files: list[TicketFile]


@dataclass(frozen=True, slots=True)
class View:
    """All that the page of a ticket shows."""

    ticket: Ticket
    desk: Desk
    customer: Customer
    standing: Standing
    said: list[Said]
    older: int  # messages before these
    pages: int
    goes_on: int | None  # the number of the ticket that it was merged into
    topic: str
    rating: Rating | None
    zone: str

    @property
    def is_theirs(self) -> bool:
        """Whether it is the customer's own, and not one that they only take part in."""
        return self.customer.id == self.ticket.customer_id

    @property
    def may_solve(self) -> bool:
        return self.is_theirs and next_steps.may_solve(self.ticket)

    def at(self, moment: int) -> Markup:
        """A moment by the clock of whoever reads, or of the desk; the zone is named."""
        when = datetime.fromtimestamp(moment / 1000, UTC).astimezone(ZoneInfo(self.zone))
        return Markup('<time datetime="{}">{}</time>').format(when.isoformat(), when.strftime("%-d %b %Y, %H:%M %Z"))


def view(session: Session, ticket: Ticket, customer: Customer, page: int = 1, zone: str = "") -> View:
    """The ticket as one of those who take part in it sees it: without internal notes, their files and the history.

    Args:
        page: of the conversation, from 1; the first has the latest words.
        zone: of whoever reads; the team's own if it is not known.
    """
    desk = desk_of(session, ticket.workspace_id)
    seen = (TicketMessage.ticket_id == ticket.id, TicketMessage.kind != NOTE)
    count = session.scalar(select(func.count()).select_from(TicketMessage).where(*seen)) or 0
    latest = select(TicketMessage).where(*seen).order_by(TicketMessage.at.desc(), TicketMessage.id.desc())
    found = session.scalars(latest.limit(PAGE).offset(PAGE * (page - 1))).all()
    standing = next_steps.standing(ticket, desk.close_days, clock(session))
    other = select(Ticket.number).where(Ticket.id == ticket.merged_into_id)
    topic = session.scalar(select(Topic.name).where(Topic.id == ticket.topic_id)) if ticket.topic_id else None
    return View(
        ticket, desk, customer, standing, _said(session, list(reversed(found)), customer),
        max(0, count - PAGE * page), -(-count // PAGE) or 1,
        session.scalar(other) if ticket.merged_into_id else None, topic or "",
        session.scalar(select(Rating).where(Rating.ticket_id == ticket.id)), zone or zone_of(session, ticket),
    )  # fmt: skip


def desk_of(session: Session, workspace_id: str) -> Desk:
    """The workspace's desk; before its first ticket there is none, and it is as it would be made."""
    found = session.scalar(select(Desk).where(Desk.workspace_id == workspace_id))
    if found is not None:
        return found
    name = session.scalar(select(Workspace.name).where(Workspace.id == workspace_id)) or "Help desk"
    standards = {"public": False, "close_days": 7, "forgotten_days": 3, "answers": True, "asks": True, "slug": ""}
    return Desk(workspace_id=workspace_id, name=name, signature="", next_number=1, links_version=1, **standards)


def zone_of(session: Session, ticket: Ticket) -> str:
    """Whose clock a ticket goes by: its team's, or the workspace's."""
    team = session.scalar(select(Team.time_zone).where(Team.id == ticket.team_id)) if ticket.team_id else None
    return team or session.scalar(select(Workspace.time_zone).where(Workspace.id == ticket.workspace_id)) or "UTC"


def topics(session: Session) -> list[tuple[str, str]]:
    """What a new ticket can be about, for a form's choice."""
    asked = select(Topic.id, Topic.name).where(~Topic.archived).order_by(Topic.name)
    return [("", "I do not know"), *((row.id, row.name) for row in session.execute(asked))]


def answer(database: Database, ticket: Ticket, by: By) -> Errors:
    """What the posted form says to a ticket, as a question of one who takes part; what is wrong beside its field."""
    text = request.form.get("text", "").replace("\0", "").replace("\r\n", "\n").strip()
    try:
        files = _received(database, ticket.workspace_id)
        if not text and not files:
            return {"text": "Write an answer, or choose a file."}
        _not_too_long(text)
    except NotTaken as error:
        return {error.field: str(error)}
    except ValueError as error:
        return {"text": str(error)}
    return _write(database, ticket, by, text, files)


def thanks(database: Database, before: Ticket) -> str:
    """What whoever answered is told; `before` is the ticket as it was until then."""
    with database.read(before.workspace_id) as session:
        days = desk_of(session, before.workspace_id).close_days
        return BEGUN if next_steps.is_over(before, days, clock(session)) else THANKS


def _write(database: Database, ticket: Ticket, by: By, text: str, files: Sequence[Stored]) -> Errors:
    key = fingerprint(ticket.id)
    try:
        with database.write(ticket.workspace_id) as session:
            people.one_at_a_time(session, ticket.workspace_id)
            if key and was_said(session, key):
                care_files.drop(files)
                return {}
            row = session.scalars(select(Ticket).where(Ticket.id == ticket.id)).one()
            now = clock(session)
            reaching.heard_from(session, by.customer_id, now)
            tickets.say(session, row, QUESTION, text, by, now, source="web", files=files, fingerprint=key)
    except Refused as error:
        care_files.drop(files)
        return {error.field: str(error)}
    return {}


def open_new(database: Database, workspace_id: str, words: Words, by: By, source: str = "web", **who: Any) -> int:
    """A new ticket out of the posted form; its number. A form that is sent twice makes one.

    Raises:
        NotTaken: files are not taken. Refused: something else, beside its field.
    """
    files, key = _received(database, workspace_id), fingerprint(workspace_id)
    try:
        with database.write(workspace_id) as session:
            people.one_at_a_time(session, workspace_id)
            if key and (number := was_said(session, key)):
                care_files.drop(files)
                return number
            chat = care_talk.note(workspace_id, request.form.get("chat", ""))
            new = tickets.New(
                words.subject, words.text, topic_id=words.topic_id or None, source="chat" if chat else source,
                files=files, fingerprint=key, **who,
            )  # fmt: skip
            ticket, now = tickets.open_ticket(session, new, by, clock(session)), clock(session)
            if chat:
                tickets.say(session, ticket, NOTE, chat, tickets.By(tickets.MACHINE), now, source="chat")
            return ticket.number
    except Refused:
        care_files.drop(files)
        raise


def solve(database: Database, ticket: Ticket, by: By) -> Errors:
    """The customer says that it is solved; what refuses it."""
    try:
        with database.write(ticket.workspace_id) as session:
            row = session.scalars(select(Ticket).where(Ticket.id == ticket.id)).one()
            tickets.change(session, row, by, clock(session), status=SOLVED)
    except Refused as error:
        return {"text": str(error)}
    return {}


def voice(customer: Customer, account_id: str | None = None) -> By:
    return By(CUSTOMER, account_id, customer.id)


def reader(session: Session, ticket: Ticket, customer_id: str) -> Customer | None:
    """The customer behind a link, if they take part in the ticket still, and may read all of it."""
    if not customers.reads(session, ticket, customer_id):
        return None
    return session.scalar(select(Customer).where(Customer.id == customer_id))


def fingerprint(about: str) -> str | None:
    """Of the posted form's one-time key, so that a double click counts once."""
    key = request.form.get("key", "")
    return hashlib.sha256(f"{about}:{key}".encode()).hexdigest() if 10 <= len(key) <= 60 else None


def was_said(session: Session, key: str) -> int | None:
    """The number of the ticket that a form's key stands for already."""
    asked = select(Ticket.number).join(TicketMessage, TicketMessage.ticket_id == Ticket.id)
    return session.scalars(asked.where(TicketMessage.fingerprint == key).limit(1)).first()


def _received(database: Database, workspace_id: str) -> list[Stored]:
    files = care_files.checked()
    with database.read(workspace_id) as session:
        return care_files.stored(session, workspace_id, files)


def _said(session: Session, messages: list[TicketMessage], customer: Customer) -> list[Said]:
    ids = [each.id for each in messages]
    files: dict[str, list[TicketFile]] = {each: [] for each in ids}
    for file in session.scalars(select(TicketFile).where(TicketFile.message_id.in_(ids)).order_by(TicketFile.id)):
        files[file.message_id].append(file)
    accounts = {each.account_id for each in messages if each.kind == ANSWER} - {None}
    agents = {
        row.id: row.name for row in session.execute(select(Account.id, Account.name).where(Account.id.in_(accounts)))
    }
    others = {each.customer_id for each in messages} - {None}
    names = {row.id: row.name or row.email for row in session.scalars(select(Customer).where(Customer.id.in_(others)))}
    return [Said(each, _who(each, customer, agents, names), each.kind == ANSWER, files[each.id]) for each in messages]


def _who(message: TicketMessage, customer: Customer, agents: dict[str, str], names: dict[str, str]) -> str:
    if message.kind == ANSWER:
        return agents.get(message.account_id or "", "The desk")
    return "You" if message.customer_id == customer.id else names.get(message.customer_id or "", "Somebody")
