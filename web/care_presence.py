"""Who looks at a ticket at this moment, and who writes an answer to it: so that nobody answers twice."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.account import Account
from models.statements import changed
from models.ticket import Presence

LASTS_MS = 45_000  # after the last sign of somebody; their page tells of them more often
AGAIN_MS = 12_000  # who was seen as recently is not written again
KEPT_MS = 86_400_000


@dataclass(frozen=True)
class Somebody:
    """Somebody else on the same ticket."""

    ticket_id: str
    name: str
    writes: bool

    @property
    def words(self) -> str:
        return f"{self.name} {'is writing an answer' if self.writes else 'is looking at this'}"


def seen(session: Session, ticket_id: str, account_id: str, writes: bool, now: int) -> bool:
    """Whether it has to be written that somebody is here: not every few seconds, unless they began to write."""
    mine = (Presence.ticket_id == ticket_id, Presence.account_id == account_id)
    row = session.execute(select(Presence.writes, Presence.seen_at).where(*mine)).first()
    return row is None or row.writes != writes or now - row.seen_at > AGAIN_MS


def note(session: Session, ticket_id: str, account_id: str, writes: bool, now: int) -> None:
    """Somebody is here; two pages of theirs at once leave one row."""
    mine = (Presence.ticket_id == ticket_id, Presence.account_id == account_id)
    if changed(session, update(Presence).where(*mine).values(writes=writes, seen_at=now)):
        return
    session.execute(delete(Presence).where(Presence.seen_at < now - KEPT_MS))
    try:
        with session.begin_nested():
            session.add(Presence(ticket_id=ticket_id, account_id=account_id, writes=writes, seen_at=now))
    except IntegrityError:
        pass  # the other page was quicker


def leave(session: Session, ticket_id: str, account_id: str) -> None:
    """Somebody has closed the page."""
    session.execute(delete(Presence).where(Presence.ticket_id == ticket_id, Presence.account_id == account_id))


def others(session: Session, tickets: Iterable[str], me: str, now: int) -> list[Somebody]:
    """Who else is there, those who write first."""
    asked = select(Presence.ticket_id, Account.name, Presence.writes).join(Account, Account.id == Presence.account_id)
    asked = asked.where(Presence.ticket_id.in_(list(tickets)), Presence.account_id != me)
    asked = asked.where(Presence.seen_at > now - LASTS_MS).order_by(Presence.writes.desc(), Account.name)
    return [Somebody(*row) for row in session.execute(asked)]
