"""Writes down mails that tell news: deliveries with their pictures, and what they spend, in one transaction.

Exactly once: whoever tells somebody holds the row of their wishes, and looks again whether there is still the same to
be told. What another run told in the meantime is left out; what was not told yet is told by the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from models.alert import Notice, Wish
from models.base import new_id
from models.delivery import QUEUED, Delivery, Picture
from models.session import touch
from models.workspace import SYSTEM
from tasks.alerting import wishes
from tasks.mailing import channels
from tasks.mailing.letters import FOOTER

delivery, picture = cast(Table, Delivery.__table__), cast(Table, Picture.__table__)
notice, wish = cast(Table, Notice.__table__), cast(Table, Wish.__table__)
FEW = 10  # mails that wake the mail job of each workspace; more of them are its scan's for all workspaces
SPEND = (
    update(notice)
    .where(notice.c.move_id == bindparam("move"), notice.c.account_id == bindparam("whom"), notice.c.told_at.is_(None))
    .values(told_at=bindparam("at"), delivery_id=bindparam("mail"))
)
ADVANCE = (
    update(wish)
    .where(wish.c.account_id == bindparam("whom"), wish.c.next_due == bindparam("slot"))
    .values(next_due=bindparam("then"), last_slot=bindparam("slot"))
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture whose bytes are in storage already."""

    name: str
    alt: str
    key: str
    size: int


@dataclass(slots=True)
class Post:
    """One person's mail; without a subject there is nothing to say, and only what it spends is noted.

    Attributes:
        place: the workspace that keeps it; "": the person has none, so there is no mail.
        moves: what it tells. spent: what needs no telling any more.
        slot, then: of a digest: when it was due, and when the next one is.
    """

    account_id: str
    to: str
    place: str
    subject: str = ""
    text: str = ""
    html: str = ""
    stop: str = ""
    moves: list[str] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    slot: int | None = None
    then: int | None = None
    pictures: list[Kept] = field(default_factory=list)
    id: str = field(default_factory=new_id)

    @property
    def is_mail(self) -> bool:
        return bool(self.subject and self.place)


def post(session: Session, posts: Sequence[Post], now: int) -> list[Post]:
    """Write down those that are still to be told; returns them. `session` is of all workspaces, or of the posts' own.

    Args:
        now: the database's clock.
    """
    mine = _still_open(session, posts)
    mails = [each for each in mine if each.is_mail]
    if mails:
        rows = [_row(each, now) for each in mails]
        session.execute(insert(delivery), rows + _through_channels(session, mails, now))
    if pictures := [_picture(each, kept) for each in mails for kept in each.pictures]:
        session.execute(insert(picture), pictures)
    _spend(session, mine, now)
    _wake(session, mails)
    return mine


def _still_open(session: Session, posts: Sequence[Post]) -> list[Post]:
    accounts = [each.account_id for each in posts]
    wishes.lock(session, accounts)
    untold: dict[str, set[str]] = {account: set() for account in accounts}
    asked = select(Notice.account_id, Notice.move_id).where(Notice.account_id.in_(accounts), Notice.told_at.is_(None))
    for account, move in session.execute(asked):
        untold[account].add(move)
    slots = select(Wish.account_id, Wish.next_due).where(Wish.account_id.in_(accounts))
    due: dict[str, int | None] = {row.account_id: row.next_due for row in session.execute(slots)}
    return [
        each
        for each in posts
        if untold[each.account_id].issuperset(each.moves) and each.slot in (None, due.get(each.account_id))
    ]


def _row(each: Post, now: int, **more: str) -> dict[str, object]:
    found: dict[str, object] = {
        "id": each.id, "workspace_id": each.place, "account_id": each.account_id, "channel_id": None,
        "to_address": each.to, "subject": each.subject, "text": each.text, "html": each.html, "stop": each.stop,
        "state": QUEUED, "tries": 0, "reason": "", "fate": "", "created_at": now,
    }  # fmt: skip
    return found | more


def _through_channels(session: Session, mails: list[Post], now: int) -> list[dict[str, object]]:
    """The same words for who wants to be told elsewhere too."""
    theirs = {each.account_id: each for each in mails}
    return [
        _row(
            theirs[account], now, id=new_id(), channel_id=way.id, to_address=way.name, html="", stop="",
            text=channels.short(theirs[account].text.partition(FOOTER)[0]),  # it is ended on its page, not by a link
        )
        for account, some in channels.ways(session, list(theirs)).items()
        for way in some
    ]  # fmt: skip


def _picture(each: Post, kept: Kept) -> dict[str, object]:
    return {
        "id": new_id(), "workspace_id": each.place, "delivery_id": each.id, "name": kept.name, "alt": kept.alt[:500],
        "size": kept.size, "key": kept.key,
    }  # fmt: skip


def _spend(session: Session, mine: list[Post], now: int) -> None:
    moves = [
        {"move": move, "whom": each.account_id, "at": now, "mail": mail}
        for each in mine
        for some, mail in ((each.moves, each.id if each.is_mail else None), (each.spent, None))
        for move in some
    ]
    if moves:
        session.execute(SPEND, moves)
    slots = [{"whom": each.account_id, "slot": each.slot, "then": each.then} for each in mine if each.slot is not None]
    if slots:
        session.execute(ADVANCE, slots)


def _wake(session: Session, mails: list[Post]) -> None:
    """The mail job of each workspace, or, for many mails, its one run that looks at all of them."""
    places = {each.place for each in mails}
    for place in places if len(places) <= FEW else [SYSTEM]:
        touch(session, Delivery, place)
