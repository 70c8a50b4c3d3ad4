"""The queue of deliveries: which wait, what each needs to leave, and each step of one written down.

"sending" stands there before a server is spoken to, "sent" after. The end of one and the beginning of the next are
one transaction: a worker that dies leaves one mail unsure at most, and ten thousand mails are ten thousand commits.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import ColumnElement, Connection, Table, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from models.account import Link
from models.alert import Channel, Wish
from models.base import db_now
from models.delivery import QUEUED, SENDING, SENT, Bounced, Delivery, Picture
from models.engine import again
from models.session import Database
from models.statements import changed
from models.workspace import Invitation
from tasks.care import threads
from tasks.care.threads import About

LINK_MS = 30 * 60_000
INVITATION = "invitation"
CAME_BACK = (
    "Mail to this address came back before, so nothing is sent there until its owner says on their account page that "
    "it works again."
)
delivery, link_table = cast(Table, Delivery.__table__), cast(Table, Link.__table__)
invitation = cast(Table, Invitation.__table__)
d = delivery.c
# Made once: to build a statement anew takes as long as the database needs for it.
BEGIN = (
    update(delivery)
    .where(d.id == bindparam("mine"), d.state == QUEUED)
    .values(state=SENDING, attempted_at=db_now(), tries=d.tries + 1)
)
_ENDED = update(delivery).where(d.id == bindparam("mine"), d.state == SENDING)
SENT_WELL = _ENDED.values(state=SENT, reason="", sent_at=db_now())
NOT_SENT = _ENDED.values(state=bindparam("now"), reason=bindparam("why"), tries=bindparam("tried"), sent_at=None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that waits, with what stands in other tables."""

    row: Delivery
    pictures: tuple[tuple[str, str], ...]  # name, and key in storage
    version: int  # of the person's links that end mails
    bounced: bool
    sealed_url: str
    about: About | None = None  # of a mail about a ticket that is still there


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one: its new state, and why."""

    id: str
    state: str
    reason: str = ""
    tries: int = 0


def _waiting() -> tuple[ColumnElement[bool], ...]:
    """Those that may leave now."""
    return Delivery.state == QUEUED, or_(Delivery.due_at.is_(None), Delivery.due_at <= db_now())


def fell_due(session: Session) -> set[str]:
    """The workspaces with deliveries that waited for their time, which has come."""
    mine = (Delivery.state == QUEUED, Delivery.due_at <= db_now())
    return set(session.scalars(select(Delivery.workspace_id).where(*mine).distinct()))


def portion(session: Session, after: str, last: str, most: int) -> list[str]:
    """The ids of those that wait, oldest first, after one id and up to another ("": no end)."""
    asked = select(Delivery.id).where(*_waiting(), Delivery.id > after)
    asked = asked.where(Delivery.id <= last) if last else asked
    return list(session.scalars(asked.order_by(Delivery.id).limit(most)))


def edges(session: Session, after: str, size: int, most: int) -> list[str]:
    """The last id of each full portion of those that wait."""
    found: list[str] = []
    while len(found) < most:
        asked = select(Delivery.id).where(*_waiting(), Delivery.id > (found[-1] if found else after))
        edge = session.scalar(asked.order_by(Delivery.id).offset(size - 1).limit(1))
        if edge is None:
            break
        found.append(edge)
    return found


def load(session: Session, ids: Sequence[str]) -> list[Waiting]:
    """Some of them whole, in a question for each table."""
    mine = select(Delivery).where(Delivery.id.in_(ids), *_waiting()).order_by(Delivery.id)
    rows = session.scalars(mine).all()
    pictures: dict[str, list[tuple[str, str]]] = {}
    named = select(Picture.delivery_id, Picture.name, Picture.key).where(Picture.delivery_id.in_(ids))
    for picture in session.execute(named.order_by(Picture.id)):
        pictures.setdefault(picture.delivery_id, []).append((picture.name, picture.key))
    to = {row.to.lower() for row in rows}
    gone = {
        row[0]: row[1] for row in session.execute(select(Bounced.address, Bounced.at).where(Bounced.address.in_(to)))
    }
    people = {row.account_id for row in rows if row.stop}
    wishes = select(Wish.account_id, Wish.links_version).where(Wish.account_id.in_(people))
    versions = {row[0]: row[1] for row in session.execute(wishes)} if people else {}
    through = {row.channel_id for row in rows if row.channel_id}
    channels = select(Channel.id, Channel.sealed_url).where(Channel.id.in_(through), Channel.enabled)
    sealed = {row[0]: row[1] for row in session.execute(channels)} if through else {}
    tickets = threads.about(session, rows)
    return [
        Waiting(
            row,
            tuple(pictures.get(row.id, ())),
            versions.get(row.account_id or "", 1),
            row.channel_id is None and _came_back(gone.get(row.to.lower()), tickets.get(row.id)),
            sealed.get(row.channel_id or "", ""),
            tickets.get(row.id),
        )
        for row in rows
    ]


def _came_back(at: int | None, about: About | None) -> bool:
    """Whether mail to it came back, and no desk knows since then that it reaches whoever takes part in its ticket."""
    return at is not None and at > (about.reached_at if about else 0)


@again
def step(database: Database, last: Ended | None, following: Waiting | None) -> tuple[bool, str]:
    """Write down what became of one and that the next is on its way, together.

    Returns:
        Whether the next is ours (another worker may have been faster), and its link with a fresh secret, if it has one.
    """
    with database.begin() as connection:  # the ids were read in the workspace's own session
        if last:
            _settle(connection, last)
        if following is None:
            return False, ""
        if not changed(connection, BEGIN, {"mine": following.row.id}):
            return False, ""
        return True, _link(connection, following.row) if following.row.link else ""


def _settle(connection: Connection, last: Ended) -> None:
    if last.state == SENT:
        connection.execute(SENT_WELL, {"mine": last.id})
    else:
        why = {"now": last.state, "why": last.reason[:300], "tried": last.tries}
        connection.execute(NOT_SENT, {"mine": last.id, **why})


def _link(connection: Connection, row: Delivery) -> str:
    """A single-use link, made only now: its secret stands in the mail and nowhere else."""
    secret = secrets.token_urlsafe(32)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    if row.link == INVITATION:  # the mailed secret takes the place of one that nobody has seen
        i = invitation.c
        mine = (i.email == row.to, i.accepted_at.is_(None), i.workspace_id == row.workspace_id)
        connection.execute(update(invitation).where(*mine).values(secret_hash=digest))
    elif row.account_id:
        expires = connection.scalar(select(db_now() + LINK_MS))
        values = {"secret_hash": digest, "purpose": row.link, "account_id": row.account_id, "expires_at": expires}
        connection.execute(insert(link_table).values(**values, email=row.to))
    return f"/{row.link}/{secret}"


def came_back(session: Session, address: str, reason: str) -> None:
    """Nothing more is sent to this address until its owner says that it works; once more, it counts from now on."""
    found = session.get(Bounced, address.lower())
    if found is None:
        session.add(Bounced(address=address.lower(), reason=reason[:300]))
    else:
        found.reason, found.at = reason[:300], session.scalar(select(db_now())) or found.at
    session.flush()


def told_of_channel(session: Session, channel_id: str, error: str, most: int) -> None:
    """Count a channel's failures; after so many in a row it is off until its owner turns it on again."""
    if not error:
        fine = update(Channel).where(Channel.id == channel_id, Channel.failures > 0)
        session.execute(fine.values(failures=0, reason=""))
        return
    mine = update(Channel).where(Channel.id == channel_id)
    session.execute(mine.values(failures=Channel.failures + 1, reason=error[:300]))
    session.execute(mine.where(Channel.failures >= most).values(enabled=False))
