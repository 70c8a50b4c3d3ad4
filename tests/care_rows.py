"""A row of every table of customer care, for the tests of export and erasure."""

import io
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models import ticket_search
from models.base import Base, new_id
from models.desk import Absence, Article, Inlet, Policy, Team, TeamMember, Topic
from models.ticket import (
    Customer,
    Presence,
    Rating,
    Received,
    Ticket,
    TicketCopy,
    TicketEvent,
    TicketFile,
    TicketLink,
    TicketMessage,
    TicketTag,
)
from tasks.care import desks
from tasks.storage import Storage
from tests.conftest import Person

FILE = b"what a customer sent"
DAY = date(2026, 3, 1)


def with_care(session: Session, storage: Storage, person: Person, secret: str, sealed: str) -> None:
    """A desk with all that it has, and two tickets of one customer."""
    here = {"workspace_id": person.workspace_id}
    team, topic, customer, inlet = (new_id() for _ in range(4))
    desk = desks.of(session, person.workspace_id)
    number, desk.next_number = desk.next_number, desk.next_number + 2
    for row in (*_desk(person, here, team, topic, inlet, secret, sealed), _customer(customer, here, secret)):
        session.add(row)
        session.flush()
    tickets = sorted(new_id() for _ in range(2))
    for at, ticket in enumerate(tickets):
        about = {"customer_id": customer, "topic_id": topic, "team_id": team, "assignee_id": person.account_id}
        session.add(Ticket(id=ticket, number=number + at, subject=secret, source="web", status="new", **about, **here))
        session.flush()
        ticket_search.index(session, ticket, person.workspace_id, secret)
    for row in _of_ticket(person, here, tickets, customer, storage, secret):
        session.add(row)
        session.flush()
    known = {"fingerprint": new_id(), "message_id": new_id(), "sender": f"{customer}@example.org"}
    session.add(Received(inlet_id=inlet, subject=secret, outcome="opened", **known, **here))


def _desk(
    person: Person, here: dict[str, str], team: str, topic: str, inlet: str, secret: str, sealed: str
) -> list[Base]:
    days = {"first": DAY, "last": DAY}
    return [
        Team(id=team, name=f"Team {team}", time_zone="UTC", closed=["2026-12-24"], **here),
        TeamMember(team_id=team, account_id=person.account_id, lead=True, **here),
        Absence(id=new_id(), account_id=person.account_id, **days, **here),
        Topic(id=topic, name=f"Lamps {topic}", team_id=team, **here),
        Policy(id=new_id(), name=secret, topic_id=topic, first_minutes=60, **here),
        Inlet(id=inlet, kind="imap", address=f"{inlet}@example.org", sealed_password=sealed, **here),
        Article(id=new_id(), title=secret, body=secret, topic_id=topic, written_by=person.account_id, **here),
    ]


def _customer(customer: str, here: dict[str, str], secret: str) -> Customer:
    return Customer(id=customer, email=f"{customer}@example.org", name=secret, **here)


def _of_ticket(
    person: Person, here: dict[str, str], tickets: list[str], customer: str, storage: Storage, secret: str
) -> list[Base]:
    message, (one, other) = new_id(), tickets
    of: dict[str, Any] = {"ticket_id": one, **here}
    key, size = storage.put(io.BytesIO(FILE))
    about = {"name": "lamp.txt", "media_type": "text/plain", "size": size, "sha256": "0" * 64, "key": key}
    return [
        TicketMessage(id=message, kind="question", customer_id=customer, text=secret, source="web", version=1, **of),
        TicketFile(id=new_id(), message_id=message, **about, **of),
        TicketEvent(id=new_id(), what="opened", after="web", account_id=person.account_id, version=1, **of),
        TicketTag(name="lamp", **of),
        TicketLink(one_id=one, other_id=other, **here),
        TicketCopy(email=f"yan-{one}@example.org", **of),
        Presence(account_id=person.account_id, **of),
        Rating(score=3, words=secret, **of),
    ]
