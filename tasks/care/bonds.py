"""Tags of tickets, and links from one to another."""

from typing import cast

from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import Session

from models.statements import changed
from models.ticket import Ticket, TicketLink, TicketTag
from tasks.care import history, words
from tasks.care.by import By, Refused

LONGEST, MOST = 40, 20
NO_TAG = "Write a tag of at most 40 letters."
TOO_MANY = "A ticket has at most 20 tags; take one off first."
ITSELF = "A ticket cannot be linked to itself; give another one's number."


def name(tag: str) -> str:
    """A tag as it is kept: lower case, single blanks, without the # that people type."""
    found = " ".join("".join(sign if sign.isprintable() else " " for sign in tag).lower().split()).lstrip("# ").strip()
    if not found or len(found) > LONGEST or "," in found:
        raise Refused("tag", NO_TAG)
    return found


def tag(session: Session, ticket: Ticket, tag: str, by: By, now: int) -> bool:
    """Put a tag on; whether it was not there yet."""
    wanted = name(tag)
    history.hold(session, ticket)
    there = set(session.scalars(select(TicketTag.name).where(TicketTag.ticket_id == ticket.id)))
    if wanted in there:
        return False
    if len(there) >= MOST:
        raise Refused("tag", TOO_MANY)
    session.add(TicketTag(workspace_id=ticket.workspace_id, ticket_id=ticket.id, name=wanted))
    _noted(session, ticket, "", wanted, by, now)
    return True


def untag(session: Session, ticket: Ticket, tag: str, by: By, now: int) -> bool:
    """Take a tag off; whether it was there."""
    wanted = name(tag)
    history.hold(session, ticket)
    mine = (TicketTag.ticket_id == ticket.id, TicketTag.name == wanted)
    if not changed(session, delete(TicketTag).where(*mine)):
        return False
    _noted(session, ticket, wanted, "", by, now)
    return True


def _noted(session: Session, ticket: Ticket, before: str, after: str, by: By, now: int) -> None:
    history.note(session, ticket, history.TAG, before, after, by, now)
    history.touched(ticket, by, now)
    words.index(session, ticket)


def link(session: Session, one: Ticket, other: Ticket, by: By, now: int) -> bool:
    """Say that two tickets have to do with each other; whether nobody said so yet."""
    if one.id == other.id:
        raise Refused("link", ITSELF)
    if one.workspace_id != other.workspace_id:
        raise RuntimeError("tickets of two workspaces are never linked")
    for each in sorted((one, other), key=lambda ticket: ticket.id):
        history.hold(session, each)
    low, high = sorted((one.id, other.id))
    asked = select(func.count()).where(TicketLink.one_id == low, TicketLink.other_id == high)
    if session.scalar(asked):
        return False
    session.add(TicketLink(workspace_id=one.workspace_id, one_id=low, other_id=high))
    for mine, theirs in ((one, other), (other, one)):
        history.note(session, mine, history.LINKED, "", f"#{theirs.number}", by, now)
    return True


def unlink(session: Session, one: Ticket, other: Ticket, by: By, now: int) -> bool:
    """Take that back; whether it was said."""
    for each in sorted((one, other), key=lambda ticket: ticket.id):
        history.hold(session, each)
    low, high = sorted((one.id, other.id))
    if not changed(session, delete(TicketLink).where(TicketLink.one_id == low, TicketLink.other_id == high)):
        return False
    for mine, theirs in ((one, other), (other, one)):
        history.note(session, mine, history.UNLINKED, f"#{theirs.number}", "", by, now)
    return True


def linked(session: Session, ticket_id: str) -> list[Ticket]:
    """The tickets that one is linked to, by number."""
    one, other = TicketLink.one_id, TicketLink.other_id
    ids = list(session.scalars(select(other).where(one == ticket_id)))
    ids += session.scalars(select(one).where(other == ticket_id))
    if not ids:
        return []
    # By ids alone: a link never leaves its workspace, and SQLite, told of that, would go through all of its tickets.
    table = cast(Table, Ticket.__table__)
    asked = select(table).where(table.c.id.in_(ids)).order_by(table.c.number)
    return list(session.scalars(select(Ticket).from_statement(asked)))
