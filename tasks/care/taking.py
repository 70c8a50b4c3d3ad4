"""What becomes of a mail that was read: a ticket, a message, a note, or nothing; and the row that says so and why.

The row's fingerprint is unique in its workspace and stands in the same transaction as the ticket: whatever dies in
between, a mail makes one ticket and is not lost.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.desk import Inlet
from models.ticket import NOTE, QUESTION, Received, Ticket
from tasks.care import attachments, belonging, limits, reaching, returned, tickets
from tasks.care.attachments import Checked, Stored
from tasks.care.belonging import Belongs
from tasks.care.by import CUSTOMER, ITSELF, MACHINE, By, Refused
from tasks.care.mail import kinds
from tasks.care.mail.parts import Attachment
from tasks.care.mail.reading import Mail
from tasks.care.tokens import Tokens
from tasks.storage import Storage
from tasks.uploads import IncomingFile, receive

OPENED, ADDED, LEFT_OUT, REFUSED = limits.OPENED, limits.ADDED, "left out", "refused"
MOST_REMARKS = 12
NO_SENDER = "It names no address that an answer could reach."
OUR_OWN = "It was sent by this desk itself; taking it would begin a loop."
RECEIPT = "It only tells that a mail was read."
NO_TICKET = "An automatic answer that belongs to no ticket."
NOT_THEIRS = "An automatic answer of somebody who takes no part in the ticket that it names."
NO_SUBJECT = "(no subject)"
FROM_AGENT = (
    "A mail from {}, the address of somebody who answers here. A mail proves nobody’s name, so this is a note and the "
    "customer was not told. Answer on this page."
)
FROM_STRANGER = (
    "{} wrote this as an answer to #{}, in which that address takes no part. So it is a ticket of its own, and nothing "
    "of the other one was told."
)
HINTED = "Put here by the mail that it answers and its sender’s address; it held no token of ours."
NO_ROOM = (
    "“{}” is left out: this workspace has no room for more files from mail. It lies in the mailbox, with its mail."
)
MORE = "… and {} more was left out."


@dataclass(frozen=True, slots=True)
class Came:
    """A mail with its files, put away before the transaction begins.

    Attributes:
        lies: what it is known by in its mailbox. over: as of `First`.
    """

    mail: Mail
    files: Sequence[Stored] = ()
    remarks: Sequence[str] = ()
    lies: str = ""
    over: int = 0


@dataclass(frozen=True, slots=True)
class First:
    """What is to be known of a mail before anything of it is stored.

    Attributes:
        known: whether it was taken before.
        over: so many mails of its sender were too many (`limits.over`), so that it must wait; 0: it is taken.
    """

    known: bool = False
    over: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it."""

    outcome: str
    reason: str = ""
    ticket_id: str | None = None


def known(session: Session, mail: Mail) -> bool:
    """Whether it was taken before; one that waits was not."""
    mine = (Received.fingerprint == mail.fingerprint, Received.outcome.not_in(limits.HELD))
    return session.scalar(select(Received.id).where(*mine)) is not None


def first(session: Session, mail: Mail, tokens: Tokens, own: str, now: int) -> First:
    """Look at a mail before anything is done with it."""
    if known(session, mail):
        return First(known=True)
    if mail.automatic in (kinds.BOUNCE, kinds.RECEIPT) or not mail.sender or _is_ours(session, mail, own):
        return First()
    if limits.is_wanted(limits.held(session, mail.fingerprint)):
        return First()
    belongs = belonging.of(session, mail, tokens)
    theirs = belongs.how == belonging.TOKEN and belongs.who == belonging.CUSTOMER
    by_token = belongs.ticket.id if belongs.ticket and theirs else ""
    opens = bool(by_token) or belongs.who == belonging.STRANGER
    return First(over=limits.over(session, mail.sender, by_token, now, opens=opens))


def put_away(mail: Mail, storage: Storage, room: int) -> Came:
    """Its files checked as all uploads are, and stored; a sentence for each of the others.

    Args:
        room: bytes that its workspace still takes from mail.
    """
    if not mail.files:
        return Came(mail, (), mail.remarks)
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        files = [_written(Path(folder) / str(number), each) for number, each in enumerate(mail.files)]
        taken, refused = attachments.sort_out(files)
    taken, left = _within(taken, room)
    remarks = [*mail.remarks, *refused, *left]
    if len(remarks) > MOST_REMARKS:
        remarks = [*remarks[: MOST_REMARKS - 1], MORE.format(len(remarks) - MOST_REMARKS + 1)]
    return Came(mail, attachments.store(storage, taken), remarks)


def _within(files: Sequence[Checked], room: int) -> tuple[list[Checked], list[str]]:
    """Those that there is room for, and a sentence for each of the others."""
    kept: list[Checked] = []
    left: list[str] = []
    for each in files:
        if each.size <= room:
            kept.append(each)
            room -= each.size
        else:
            left.append(NO_ROOM.format(each.name))
    return kept, left


def _written(path: Path, file: Attachment) -> IncomingFile:
    path.write_bytes(file.data)
    return receive(path, file.name)


def take(session: Session, inlet: Inlet, came: Came, tokens: Tokens, own: str, now: int) -> Outcome:
    """Do what a mail wants, and write down what became of it. In a session of the inlet's workspace.

    Args:
        own: the address that our mail is sent from.
    """
    before = limits.held(session, came.mail.fingerprint)
    try:
        with session.begin_nested():  # what is refused halfway leaves nothing behind
            found = _decide(session, inlet, came, tokens, own, now, before)
    except Refused as error:
        found = Outcome(REFUSED, str(error))
    again = (before.data or {}).get("again", 0) if before else 0
    held = {"lies": came.lies, "again": again} if found.outcome in limits.HELD else None
    write_down(session, inlet, came.mail, found, now, came.remarks, more=held)
    return found


def bare(mail: Mail) -> Mail:
    """What can be written down of a mail that the database refused."""
    return replace(mail, message_id="", sender=mail.sender.encode("ascii", "replace").decode(), subject="", text="")


def write_down(
    session: Session, inlet: Inlet, mail: Mail, found: Outcome, now: int, remarks: Sequence[str] = (),
    more: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """The row of the log of read mail; of one that was put aside, `more` says where it lies."""
    if (before := limits.held(session, mail.fingerprint)) is not None:
        session.delete(before)
        session.flush()
    session.add(
        Received(
            workspace_id=inlet.workspace_id, inlet_id=inlet.id, fingerprint=mail.fingerprint,
            message_id=belonging.hashed(mail.message_id), sender=mail.sender[:254], subject=mail.subject[:200],
            outcome=found.outcome, reason=found.reason[:300], ticket_id=found.ticket_id, at=now,
            data={"message_id": mail.message_id, "automatic": mail.automatic, "remarks": list(remarks), **(more or {})},
        )
    )  # fmt: skip
    session.flush()


def _decide(
    session: Session, inlet: Inlet, came: Came, tokens: Tokens, own: str, now: int, before: Received | None
) -> Outcome:
    mail = came.mail
    if mail.automatic == kinds.BOUNCE:
        return Outcome(*returned.take(session, mail, tokens, now))
    if not mail.sender:
        return Outcome(REFUSED, NO_SENDER)
    mine = _own(session, own)
    if _is_ours(session, mail, own):
        return Outcome(LEFT_OUT, OUR_OWN)
    if mail.automatic == kinds.RECEIPT:
        return Outcome(LEFT_OUT, RECEIPT)
    belongs = belonging.of(session, mail, tokens)
    if came.over:
        return Outcome(*limits.waits(session, mail.sender, came.over, before))
    if belongs.ticket is None:
        return _open(session, inlet, came, mine, now)
    if belongs.who == belonging.CUSTOMER:
        return _add(session, belongs.ticket, belongs, came, now)
    if mail.automatic:
        return Outcome(LEFT_OUT, NOT_THEIRS, belongs.ticket.id)
    if belongs.who == belonging.AGENT:
        return _note(session, belongs.ticket, came, now)
    return _stranger(session, inlet, belongs.ticket, came, mine, now)


def _own(session: Session, own: str) -> set[str]:
    """Our addresses: mail from them was ours."""
    return {each.lower() for each in session.scalars(select(Inlet.address))} | {own}


def _is_ours(session: Session, mail: Mail, own: str) -> bool:
    mine = _own(session, own)
    return mail.sender in mine or bool(mine & set(mail.loops))


def _open(session: Session, inlet: Inlet, came: Came, mine: set[str], now: int) -> Outcome:
    if came.mail.automatic == kinds.REPLY:
        return Outcome(LEFT_OUT, NO_TICKET)
    ticket = _opened(session, inlet, came, mine, now)
    return Outcome(OPENED, came.mail.automatic and "A machine wrote it, so it was not answered.", ticket.id)


def _opened(session: Session, inlet: Inlet, came: Came, mine: set[str], now: int) -> Ticket:
    mail = came.mail
    copies = [] if mail.automatic else [each for each in mail.copies if _base(each) not in mine]
    new = tickets.New(
        mail.subject or NO_SUBJECT, mail.text, mail.sender, mail.name, topic_id=inlet.topic_id, source="mail",
        files=came.files, copies=copies, automatic=bool(mail.automatic), quoted=mail.quoted, remarks=came.remarks,
    )  # fmt: skip
    return tickets.open_ticket(session, new, By(CUSTOMER), now)


def _base(address: str) -> str:
    """Without what a plus adds."""
    local, _, domain = address.partition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _add(session: Session, ticket: Ticket, belongs: Belongs, came: Came, now: int) -> Outcome:
    mail, hint = came.mail, belongs.how == belonging.HINT
    by = By(CUSTOMER, customer_id=belongs.customer.id if belongs.customer else None)
    if belongs.customer and not hint:
        reaching.heard(session, belongs.customer, now)
    message = tickets.say(
        session, ticket, QUESTION, mail.text, by, now, source="mail", files=came.files, quoted=mail.quoted,
        automatic=_wakes_nobody(mail, hint), remarks=[*came.remarks, *([HINTED] if hint else [])],
    )  # fmt: skip
    goes_on = message.ticket_id in (ticket.id, ticket.merged_into_id)
    outcome = ADDED if goes_on else OPENED  # a closed one goes on as another
    return Outcome(outcome, belonging.BY_HINT if hint else belonging.BY_TOKEN, message.ticket_id)


def _wakes_nobody(mail: Mail, hint: bool) -> bool:
    """A person may answer by a list or a server that marks all mail; their token shows that they mean this ticket."""
    return bool(mail.automatic) if hint else mail.automatic in kinds.ANSWERS


def _note(session: Session, ticket: Ticket, came: Came, now: int) -> Outcome:
    said = FROM_AGENT.format(came.mail.sender)
    tickets.say(
        session, ticket, NOTE, f"{said}\n\n{came.mail.text}", By(MACHINE, why="a mail"), now, source="mail",
        files=came.files, quoted=came.mail.quoted, remarks=came.remarks,
    )  # fmt: skip
    return Outcome(ADDED, "A note: it came from the address of somebody who answers here.", ticket.id)


def _stranger(session: Session, inlet: Inlet, other: Ticket, came: Came, mine: set[str], now: int) -> Outcome:
    """A token that was handed on: what it opens is for those who take part."""
    ticket = _opened(session, inlet, came, mine, now)
    tickets.link(session, ticket, other, ITSELF, now)
    tickets.say(session, ticket, NOTE, FROM_STRANGER.format(came.mail.sender, other.number), ITSELF, now, source="mail")
    return Outcome(OPENED, f"It names #{other.number}, in which its sender takes no part.", ticket.id)
