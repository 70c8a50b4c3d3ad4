"""What the form of a mailbox says, checked; and the rows it becomes."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import new_id
from models.desk import IMAP, MAILDIR, Inlet, Topic
from models.ticket import Received
from tasks.care import limits
from tasks.care.boxes import FRESH, FROM_THE_START, Door
from tasks.care.inlets import ASIDE
from web.given import CHOOSE, FILL_IN, Given
from web.inputs import Email, Form
from workers.boxes import Doors

MOST = 20
TOO_MANY = f"This desk has {MOST} mailboxes already; delete one that is not needed any more."
TAKEN = "This desk reads a mailbox of this address already."
NO_HOST = "Give the name of the server alone, such as imap.example.org."
NO_PASSWORD = "Give a password of at most 500 ASCII letters and signs."  # noqa: S105  # what is wrong with one
ANEW = "Give the password once more: it is only sent to the server, and to the user, that it was given for."
SEEN_TO = "Somebody saw to it."
NO_ADDRESS = "Mail cannot reach this address; it looks like help@example.org."
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9:](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?")
WHERE = ("host", "port", "security", "user")


class Address(Form):
    address: Email


def read(session: Session, values: Mapping[str, Any], doors: Doors, inlet: Inlet | None = None) -> dict[str, Any]:
    """The columns of a mailbox.

    Raises:
        Refused: with a sentence for each field at fault.
    """
    given = Given(values)
    kind = inlet.kind if inlet else given.choice("kind", (IMAP, MAILDIR), IMAP)
    found: dict[str, Any] = {
        "kind": kind, "address": _address(session, given, inlet), "plus": bool(values.get("plus")),
        "topic_id": _topic(session, given),
    }  # fmt: skip
    if kind == IMAP:
        found |= _server(given, doors, inlet)
    if inlet is None and (session.scalar(select(func.count()).select_from(Inlet)) or 0) >= MOST:
        given.wrong["address"] = TOO_MANY
    given.done()
    return found


def _address(session: Session, given: Given, inlet: Inlet | None) -> str:
    text = given.text("address", 254, required=True)
    try:
        address = Address.model_validate({"address": text}).address if text else ""
    except ValueError:
        given.wrong.setdefault("address", NO_ADDRESS)
        return ""
    taken = select(Inlet.id).where(Inlet.address == address, Inlet.id != (inlet.id if inlet else ""))
    if address and session.scalar(taken.limit(1)):
        given.wrong["address"] = TAKEN
    return address


def _topic(session: Session, given: Given) -> str | None:
    topic_id = given.row("topic")
    if topic_id and session.scalar(select(Topic.id).where(Topic.id == topic_id)) is None:
        given.wrong["topic"] = CHOOSE
    return topic_id or None


def _server(given: Given, doors: Doors, inlet: Inlet | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "host": given.text("host", 253, required=True).lower(), "port": given.number("port", 1, 65_535, 993),
        "security": given.choice("security", ("tls", "starttls"), "tls"), "user": given.text("user", 254, True),
        "folder": given.text("folder", 120) or "INBOX",
    }  # fmt: skip
    if found["host"] and not _HOST.fullmatch(found["host"]):
        given.wrong["host"] = NO_HOST
    if not found["user"].isascii():
        given.wrong["user"] = "Use ASCII letters and signs alone; ask the provider for such a name."
    password = str(given.values.get("password") or "")
    if password:
        if len(password) > 500 or not password.isascii() or not password.isprintable():
            given.wrong["password"] = NO_PASSWORD
        found["sealed_password"] = doors.seal(password)
    elif inlet is None:
        given.wrong["password"] = FILL_IN
    elif any(found[name] != getattr(inlet, name) for name in WHERE):  # else a new server would be told the old one's
        given.wrong["password"] = ANEW
    return found


def create(found: dict[str, Any], *, old_mail_too: bool) -> Inlet:
    start = FROM_THE_START if old_mail_too else FRESH
    return Inlet(id=new_id(), uid_validity=start if found["kind"] == IMAP else 0, **found)


def change(inlet: Inlet, found: dict[str, Any]) -> None:
    """Another mailbox behind the same row begins with what comes from now on."""
    if any(found.get(name, getattr(inlet, name)) != getattr(inlet, name) for name in ("host", "user", "folder")):
        inlet.uid_validity, inlet.last_uid, inlet.tried = FRESH, 0, None
    for name, value in found.items():
        setattr(inlet, name, value)
    inlet.failures, inlet.trouble = 0, ""


def aside(session: Session) -> dict[str, int]:
    """How many mails each mailbox put aside that nobody saw to."""
    asked = select(Received.inlet_id, func.count()).where(Received.outcome == ASIDE, Received.inlet_id.is_not(None))
    return {str(inlet): int(count) for inlet, count in session.execute(asked.group_by(Received.inlet_id))}


def held(session: Session) -> dict[tuple[str, str], int]:
    """How many mails of each mailbox wait, or were kept back, because their senders wrote too many."""
    asked = select(Received.inlet_id, Received.outcome, func.count()).where(Received.outcome.in_(limits.HELD))
    rows = session.execute(asked.group_by(Received.inlet_id, Received.outcome))
    return {(str(inlet), outcome): int(count) for inlet, outcome, count in rows if inlet}


def left_lying(session: Session, received_id: str) -> Received | None:
    """A mail that is not read as yet: put aside, kept back, or one that waits."""
    mine = (Received.id == received_id, Received.outcome.in_((ASIDE, *limits.HELD)))
    return session.scalar(select(Received).where(*mine))


def door(inlet: Inlet) -> Door:
    return Door(
        inlet.kind, inlet.workspace_id, inlet.host, inlet.port, inlet.security, inlet.user, inlet.sealed_password,
        inlet.folder, inlet.uid_validity, inlet.last_uid, inlet.checked_at or inlet.created_at,
    )  # fmt: skip
