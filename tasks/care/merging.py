"""Two tickets about one thing become one: what was said moves, and the emptied one leads to the other."""

from collections.abc import Collection

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from models.ticket import (
    AT_WORK,
    CLOSED,
    DONE,
    NOTE,
    REOPENED,
    Ticket,
    TicketFile,
    TicketLink,
    TicketMessage,
    TicketTag,
)  # fmt: skip
from tasks.care import clock, copies, history, letters, notices, standing, words
from tasks.care.bonds import MOST
from tasks.care.by import By, Refused

ITSELF = "A ticket cannot be merged into itself; give another one's number."
ALREADY = "#{number} was merged before."
STILL_OPEN = "#{number}, which was still open, became a part of it"


class OtherCustomer(Refused):
    """They are of two customers, and one must not read the other's words: an agent has to say that it is meant so."""

    def __init__(self, one: Ticket, into: Ticket) -> None:
        super().__init__(
            "into",
            f"#{one.number} and #{into.number} are of different customers. If you merge them, all that was said in "
            f"#{one.number} becomes internal notes of #{into.number}, and only the customer of #{into.number} gets "
            "answers. Confirm it, or link the two instead.",
            409,
        )


def merge(
    session: Session, one: Ticket, into: Ticket, by: By, now: int, *,
    confirmed: bool = False, keep: Collection[str] = (),
) -> Ticket:  # fmt: skip
    """Move all of `one` into another ticket, which is returned; `one` is closed and leads there.

    Messages, files, tags and links move; its history and its rating stay. If they are of two customers, the messages
    arrive as internal notes, and copies do not move: neither customer gets to read the other's words. Work that was
    to be done is not lost: what was solved or closed is open again by a ticket that was not.

    Args:
        confirmed: that they may be of two customers.
        keep: of the addresses that take part in only one of them (`copies.apart`), those that go on. All others take
            part no more: a forged mail could have named them, to read the answers to the other ticket.

    Raises:
        OtherCustomer: two customers, and not confirmed. Refused: it cannot be done.
    """
    into = _end(session, into)
    if one.id == into.id:
        raise Refused("into", ITSELF)
    for each in sorted((one, into), key=lambda ticket: ticket.id):
        history.hold(session, each)
    if one.merged_into_id or into.merged_into_id:
        raise Refused("into", ALREADY.format(number=(one if one.merged_into_id else into).number))
    apart = one.customer_id != into.customer_id
    if apart and not confirmed:
        raise OtherCustomer(one, into)
    _messages(session, one, into, apart)
    _tags(session, one, into)
    _links(session, one, into)
    if not apart:
        copies.join(session, one, into, keep, by, now)
    _heard(one, into, apart)
    if one.status not in DONE and into.status in DONE:
        standing.move(session, into, REOPENED, by, now, why=STILL_OPEN.format(number=one.number))
    _close(session, one, into, by, now)
    history.note(session, into, history.MERGED, f"#{one.number}", f"#{into.number}", by, now)
    history.touched(into, by, now)
    for each in (one, into):
        words.index(session, each)
    letters.merged(session, one, into, by, now)
    return into


def _end(session: Session, ticket: Ticket) -> Ticket:
    """Where a ticket leads to: itself, or what it was merged into."""
    if ticket.merged_into_id is None:
        return ticket
    return session.scalars(select(Ticket).where(Ticket.id == ticket.merged_into_id)).one()


def _messages(session: Session, one: Ticket, into: Ticket, apart: bool) -> None:
    """What was said keeps its time and its speaker; of another customer it is for the team alone."""
    mine = select(TicketMessage).where(TicketMessage.ticket_id == one.id)
    for message in session.scalars(mine).all():
        message.ticket_id, message.version = into.id, into.version
        if apart:  # by its number alone: names are erased when their owners ask for it
            said = f"Of the customer of #{one.number}: it was {'a' if message.kind == NOTE else 'the'} "
            message.remarks = [*(message.remarks or ()), f"{said}{message.kind}."]
            message.kind, message.said_in = NOTE, message.said_in or one.number
    session.flush()
    files = update(TicketFile).where(TicketFile.ticket_id == one.id).values(ticket_id=into.id)
    session.execute(files)


def _tags(session: Session, one: Ticket, into: Ticket) -> None:
    there = set(session.scalars(select(TicketTag.name).where(TicketTag.ticket_id == into.id)))
    brought = session.scalars(select(TicketTag.name).where(TicketTag.ticket_id == one.id).order_by(TicketTag.name))
    new = [each for each in brought if each not in there][: max(MOST - len(there), 0)]
    if new:
        place = into.workspace_id
        session.execute(
            insert(TicketTag), [{"workspace_id": place, "ticket_id": into.id, "name": each} for each in new]
        )


def _links(session: Session, one: Ticket, into: Ticket) -> None:
    """What was linked to the one, or merged into it before, has to do with the other now."""
    session.execute(update(Ticket).where(Ticket.merged_into_id == one.id).values(merged_into_id=into.id))
    theirs = _linked(session, one.id) - _linked(session, into.id) - {into.id}
    session.execute(delete(TicketLink).where((TicketLink.one_id == one.id) | (TicketLink.other_id == one.id)))
    rows = [sorted((into.id, other)) for other in sorted(theirs)]
    if rows:
        place = into.workspace_id
        values = [{"workspace_id": place, "one_id": low, "other_id": high} for low, high in rows]
        session.execute(insert(TicketLink), values)


def _linked(session: Session, ticket_id: str) -> set[str]:
    asked = select(TicketLink.one_id, TicketLink.other_id)
    rows = session.execute(asked.where((TicketLink.one_id == ticket_id) | (TicketLink.other_id == ticket_id)))
    return {other for row in rows for other in row if other != ticket_id}


def _heard(one: Ticket, into: Ticket, apart: bool) -> None:
    """Who spoke last is known of both together."""
    if not apart:
        into.heard_at = max(filter(None, (one.heard_at, into.heard_at)), default=None)
        into.told_at = max(filter(None, (one.told_at, into.told_at)), default=None)


def _close(session: Session, one: Ticket, into: Ticket, by: By, now: int) -> None:
    """It is over without having been solved: its clock stands still for good, and no report counts it as late."""
    if one.status in AT_WORK:
        clock.stop(session, one, now)
    notices.over(session, one)
    one.next_mark_at = None
    before, one.status, one.closed_at, one.merged_into_id = one.status, CLOSED, now, into.id
    history.touched(one, by, now)
    history.note(session, one, history.MERGED, f"#{one.number}", f"#{into.number}", by, now)
    if before != CLOSED:
        history.note(session, one, history.STATUS, before, CLOSED, by, now)
