"""How many mails of one sender are taken within an hour, and what becomes of the others: they wait, and are not lost.

From proves nothing, so mails that hold a token of ours are counted apart from those that do not: whoever writes in
somebody's name cannot use up what that person may answer. What is too much lies unread and flagged in its mailbox. It
is read again an hour later; of a flood only some wait so, and a person lets the others in, or not.
"""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.desk import Inlet
from models.ticket import Received
from tasks.care import inlets

WAITS, KEPT = "waits", "kept back"  # outcomes: read again by itself; for a person to decide
HELD = (WAITS, KEPT)
OPENED, ADDED, BY_TOKEN = "opened", "added", "By the token of our mail."  # outcomes that count, and why
HOUR_MS = 3_600_000
MOST_OPENED, MOST_ADDED = 10, 60  # of one sender in an hour; by token, of one sender in one ticket
MOST_WAITING = 30  # of one sender
MOST_AGAIN = 72  # so many hours, then a person decides
AT_ONCE = 20  # that are read again with one look
TOO_MANY = "This sender wrote {} mails within an hour. It lies unread in the mailbox and is read again an hour later."
FLOOD = "This sender wrote {} mails within an hour, and 30 more wait. It lies unread in the mailbox; you can let it in."
TOO_LONG = "It waited for three days, while its sender wrote too many mails, or it is not in the mailbox any more."


def over(session: Session, sender: str, by_token: str, now: int, *, opens: bool) -> int:
    """How many mails were too many, so that one more must wait; 0: it is taken.

    Args:
        by_token: the ticket that a token of ours brings it to, in which its sender takes part; "": none does.
        opens: whether it may open a ticket; to one that is closed for good an answer does, too.
    """
    lately = (Received.sender == sender, Received.at > now - HOUR_MS)
    if by_token:
        mine = (*lately, Received.reason == BY_TOKEN)
        there = _count(session, *mine, Received.outcome == ADDED, Received.ticket_id == by_token)
    else:
        mine = (*lately, Received.reason != BY_TOKEN)
        there = _count(session, *mine, Received.outcome.in_((ADDED, OPENED)))
    if opens and _count(session, *mine, Received.outcome == OPENED) >= MOST_OPENED:
        return MOST_OPENED
    return MOST_ADDED if there >= MOST_ADDED else 0


def waits(session: Session, sender: str, most: int, before: Received | None) -> tuple[str, str]:
    """What becomes of one too many: outcome and reason.

    Args:
        before: its row, if it waited already.
    """
    others = (Received.sender == sender, Received.outcome == WAITS)
    if before is None and _count(session, *others) >= MOST_WAITING:
        return KEPT, FLOOD.format(most)
    return WAITS, TOO_MANY.format(most)


def held(session: Session, fingerprint: str) -> Received | None:
    """The row of a mail that waits, or was kept back."""
    return session.scalar(select(Received).where(Received.fingerprint == fingerprint, Received.outcome.in_(HELD)))


def release(session: Session, inlet_id: str, now: int) -> int:
    """Let the next look read again what waited for an hour; how many those are."""
    inlet = session.scalar(select(Inlet).where(Inlet.id == inlet_id, Inlet.enabled))
    if inlet is None:
        return 0
    mine = (Received.workspace_id == inlet.workspace_id, Received.inlet_id == inlet_id, Received.outcome == WAITS)
    due = select(Received).where(*mine, Received.at <= now - HOUR_MS).order_by(Received.at, Received.id)
    found = session.scalars(due.limit(AT_ONCE)).all()
    for each in found:
        data = each.data or {}
        if data.get("again", 0) >= MOST_AGAIN:
            each.outcome, each.reason = KEPT, TOO_LONG
            continue
        each.at, each.data = now, {**data, "again": data.get("again", 0) + 1}
        inlet.tried = {**(inlet.tried or {}), str(data.get("lies", "")): 0}
    return len(found)


def let_in(session: Session, inlet: Inlet, mail: Received) -> None:
    """A person wants it, whatever the limits say: it is read with the next look."""
    mail.data = {**(mail.data or {}), "wanted": True}
    inlets.again(inlet, str(mail.data.get("lies", "")))


def is_wanted(before: Received | None) -> bool:
    return before is not None and bool((before.data or {}).get("wanted"))


def _count(session: Session, *mine: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Received).where(*mine)) or 0
