"""What a mail about a ticket needs to leave, read for many at once: whose link, where answers go, which files."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.delivery import SENT, Delivery
from models.desk import Desk, Inlet
from models.ticket import Customer, Received, Ticket, TicketFile

EARLIER = 5  # mails of the same thread that a new one names
MOST_RECEIVED = 2000


@dataclass(frozen=True, slots=True)
class File:
    """One that was sent with a message; its bytes stand in storage under `key`."""

    name: str
    media_type: str
    size: int
    key: str


@dataclass(frozen=True, slots=True)
class About:
    """What a delivery with a ticket is about.

    Attributes:
        customer_id: of whoever gets it; "": they only take part.
        version: of the links and reply tokens made now.
        brand: the desk's name.
        inlet, plus: the mailbox that answers go to ("": none is read), and whether it has plus addresses.
        root: names the thread, the same for all of its mails.
        earlier: deliveries of it to the same address, oldest first.
        asked: the Message-ID of their last mail, if they wrote any.
        reached_at: when mail of this desk was known to reach them.
    """

    ticket_id: str
    customer_id: str
    version: int
    brand: str
    inlet: str
    plus: bool
    root: str
    earlier: tuple[str, ...]
    asked: str
    files: tuple[File, ...]
    reached_at: int = 0


def about(session: Session, rows: Sequence[Delivery]) -> dict[str, About]:
    """By delivery. Those whose ticket is gone are not in it."""
    mine = [row for row in rows if row.ticket_id]
    if not mine:
        return {}
    ids = {row.ticket_id for row in mine if row.ticket_id}
    tickets = {each.id: each for each in session.scalars(select(Ticket).where(Ticket.id.in_(ids)))}
    desks = _desks(session, {row.workspace_id for row in mine})
    inlets = _inlets(session, {row.workspace_id for row in mine})
    came, asked = _received(session, ids)
    customers, files, earlier = _customers(session, mine), _files(session, mine), _earlier(session, ids)
    made: dict[str, About] = {}
    for row in mine:
        ticket = tickets.get(row.ticket_id or "")
        if ticket is None or ticket.workspace_id != row.workspace_id:
            continue
        name, version = desks.get(row.workspace_id, ("", 1))
        inlet = _inlet(inlets[row.workspace_id], came.get(ticket.id))
        to = row.to.lower()
        before = [each for each in earlier[ticket.id, to] if each < row.id][-EARLIER:]
        customer_id, reached_at = customers.get((row.workspace_id, to), ("", 0))
        made[row.id] = About(
            ticket.id, customer_id, ticket.links_version + version, name,
            inlet.address if inlet else "", bool(inlet and inlet.plus), root(ticket.id), tuple(before),
            asked.get((ticket.id, to), ""), tuple(files[row.message_id or "", ticket.id]), reached_at,
        )  # fmt: skip
    return made


def root(ticket_id: str) -> str:
    """What stands first in the References of all mails of a ticket."""
    return hashlib.sha256(f"thread {ticket_id}".encode()).hexdigest()[:24]


def _desks(session: Session, places: set[str]) -> dict[str, tuple[str, int]]:
    asked = select(Desk.workspace_id, Desk.name, Desk.links_version).where(Desk.workspace_id.in_(places))
    return {row[0]: (row[1], row[2]) for row in session.execute(asked)}


def _inlets(session: Session, places: set[str]) -> dict[str, list[Inlet]]:
    found: dict[str, list[Inlet]] = defaultdict(list)
    asked = select(Inlet).where(Inlet.workspace_id.in_(places), Inlet.enabled)
    for each in session.scalars(asked.order_by(Inlet.created_at, Inlet.id)):
        found[each.workspace_id].append(each)
    return found


def _inlet(those: list[Inlet], came: str | None) -> Inlet | None:
    """The one that the ticket came by, or else the desk's first."""
    return next((each for each in those if each.id == came), those[0] if those else None)


def _received(session: Session, ids: set[str]) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """By which mailbox each ticket came, and the id of the last mail of each sender."""
    asked = select(Received.ticket_id, Received.inlet_id, Received.sender, Received.data)
    mine = asked.where(Received.ticket_id.in_(ids)).order_by(Received.at.desc(), Received.id.desc())
    came: dict[str, str] = {}
    last: dict[tuple[str, str], str] = {}
    for ticket_id, inlet_id, sender, data in session.execute(mine.limit(MOST_RECEIVED)):
        if inlet_id:
            came[ticket_id] = inlet_id  # the oldest is the last one here
        if message_id := (data or {}).get("message_id"):
            last.setdefault((ticket_id, sender), str(message_id))
    return came, last


def _customers(session: Session, rows: list[Delivery]) -> dict[tuple[str, str], tuple[str, int]]:
    pairs = {(row.workspace_id, row.to.lower()) for row in rows}
    asked = select(Customer.workspace_id, Customer.email, Customer.id, Customer.reached_at).where(
        Customer.workspace_id.in_({place for place, _ in pairs}), Customer.email.in_({email for _, email in pairs})
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in session.execute(asked)}


def _files(session: Session, rows: list[Delivery]) -> dict[tuple[str, str], list[File]]:
    found: dict[tuple[str, str], list[File]] = defaultdict(list)
    wanted = {row.message_id for row in rows if row.message_id}
    if wanted:
        asked = select(TicketFile).where(TicketFile.message_id.in_(wanted)).order_by(TicketFile.id)
        for each in session.scalars(asked):
            found[each.message_id, each.ticket_id].append(File(each.name, each.media_type, each.size, each.key))
    return found


def _earlier(session: Session, ids: set[str]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    asked = select(Delivery.ticket_id, Delivery.to, Delivery.id)
    sent = asked.where(Delivery.ticket_id.in_(ids), Delivery.state == SENT, Delivery.channel_id.is_(None))
    for ticket_id, to, delivery_id in session.execute(sent.order_by(Delivery.id)):
        found[str(ticket_id), to.lower()].append(delivery_id)
    return found
