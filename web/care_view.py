"""All that the page of a ticket shows to the people of the desk, asked for in a few questions."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.desk import Policy, Team, Topic
from models.ticket import Customer, Rating, Ticket, TicketEvent, TicketFile, TicketMessage, TicketTag
from tasks.care import copies, reaching
from tasks.care.bonds import linked
from tasks.care.moves import MOVES, name
from web import care_clock, care_due, care_history, care_people, care_presence
from web.care_clock import Bar
from web.care_due import Due
from web.care_filter import PRIORITIES
from web.care_history import Line
from web.care_people import Desk
from web.care_presence import Somebody

PAGE, EVENTS, OTHERS = 60, 60, 6


@dataclass(frozen=True)
class Said:
    """A message, who said it, and its files."""

    message: TicketMessage
    who: str
    files: list[TicketFile]


@dataclass(frozen=True)
class Shown:
    """A ticket's page."""

    ticket: Ticket
    customer: Customer
    due: Due
    bars: list[Bar]
    clock: str
    said: list[Said]
    older: int
    page: int
    history: list[Line]
    tags: list[str]
    links: list[Ticket]
    copies: dict[str, bool]  # who takes part, and whether they may read all of it by a link
    silent: dict[str, str]  # of those, and the customer's, the addresses that no mail goes to, and why
    others: list[Ticket]
    desk: Desk
    topic: str
    team: str
    assignee: str
    rating: Rating | None
    goes_on: int | None
    present: list[Somebody] = field(default_factory=list)

    @property
    def moves(self) -> list[tuple[str, str]]:
        """What an agent may make of it."""
        return [(status, name(status)) for status in MOVES["agent"].get(self.ticket.status, ())]

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """The same, and what it is."""
        now = self.ticket.status
        return [(status, text.capitalize()) for status, text in ((now, name(now)), *self.moves)]

    @property
    def priorities(self) -> list[tuple[str, str]]:
        return [(word, word.capitalize()) for word in PRIORITIES.values()]


def shown(session: Session, ticket: Ticket, me: str, now: int, page: int = 1) -> Shown:
    """The whole page.

    Args:
        page: of the conversation, from 1; the first has the latest words.
    """
    messages, older = _messages(session, ticket.id, page)
    events = _events(session, ticket.id)
    desk = care_people.choices(session)
    customers = _customers(session, {ticket.customer_id, *(each.customer_id for each in messages)})
    ids = [ticket.assignee_id, *(each.account_id for each in messages), *care_history.accounts(events)]
    names = care_people.names(session, ids, desk.agents)
    part = copies.reading(session, ticket.id)
    policy = session.scalar(select(Policy).where(Policy.id == ticket.policy_id)) if ticket.policy_id else None
    bars, standing = care_clock.bars(session, ticket, policy, now)
    return Shown(
        ticket=ticket, customer=customers[ticket.customer_id], due=care_due.due(ticket, now), bars=bars,
        clock=standing, said=_said(session, messages, names, customers), older=older, page=page,
        history=care_history.lines(events, names), tags=tags(session, [ticket.id]).get(ticket.id, []),
        links=linked(session, ticket.id), copies=part, others=_others(session, ticket),
        silent=reaching.problems(session, ticket.workspace_id, [customers[ticket.customer_id].email, *part]),
        desk=desk, topic=_named(session, Topic, ticket.topic_id, desk.topics),
        team=_named(session, Team, ticket.team_id, desk.teams), assignee=names.get(ticket.assignee_id or "", ""),
        rating=session.scalar(select(Rating).where(Rating.ticket_id == ticket.id)) if ticket.closed_at else None,
        goes_on=session.scalar(select(Ticket.number).where(Ticket.id == ticket.merged_into_id))
        if ticket.merged_into_id
        else None,
        present=care_presence.others(session, [ticket.id], me, now),
    )  # fmt: skip


def tags(session: Session, tickets: Sequence[str]) -> dict[str, list[str]]:
    """The tags of some tickets, by ticket."""
    asked = select(TicketTag.ticket_id, TicketTag.name).where(TicketTag.ticket_id.in_(tickets))
    found: dict[str, list[str]] = {}
    for ticket_id, tag in session.execute(asked.order_by(TicketTag.name)):
        found.setdefault(ticket_id, []).append(tag)
    return found


def _messages(session: Session, ticket_id: str, page: int) -> tuple[list[TicketMessage], int]:
    """One page of what was said, oldest first, and how many came before."""
    mine = TicketMessage.ticket_id == ticket_id
    latest = select(TicketMessage).where(mine).order_by(TicketMessage.at.desc(), TicketMessage.id.desc())
    found = list(session.scalars(latest.limit(PAGE + 1).offset(PAGE * (page - 1))))
    more = len(found) > PAGE
    count = (session.scalar(select(func.count()).where(mine)) or 0) - PAGE * page if more else 0
    return list(reversed(found[:PAGE])), count


def _events(session: Session, ticket_id: str) -> list[TicketEvent]:
    latest = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id)
    return list(session.scalars(latest.order_by(TicketEvent.at.desc(), TicketEvent.id.desc()).limit(EVENTS)))


def _customers(session: Session, ids: set[str | None]) -> dict[str, Customer]:
    return {row.id: row for row in session.scalars(select(Customer).where(Customer.id.in_(ids - {None})))}


def _said(
    session: Session, messages: Sequence[TicketMessage], names: dict[str, str], customers: dict[str, Customer]
) -> list[Said]:
    files: dict[str, list[TicketFile]] = {}
    asked = select(TicketFile).where(TicketFile.message_id.in_([each.id for each in messages]))
    for file in session.scalars(asked.order_by(TicketFile.id)) if messages else ():
        files.setdefault(file.message_id, []).append(file)
    return [Said(each, _who(each, names, customers), files.get(each.id, [])) for each in messages]


def _who(message: TicketMessage, names: dict[str, str], customers: dict[str, Customer]) -> str:
    if message.customer_id in customers:
        speaker = customers[message.customer_id]
        return speaker.name or speaker.email
    return names.get(message.account_id or "", "Somebody who has left" if message.account_id else "Nightshift")


def _others(session: Session, ticket: Ticket) -> list[Ticket]:
    """What else this customer asked, newest first."""
    theirs = select(Ticket).where(Ticket.customer_id == ticket.customer_id, Ticket.id != ticket.id)
    return list(session.scalars(theirs.order_by(Ticket.created_at.desc()).limit(OTHERS)))


def _named(
    session: Session, table: type[Team] | type[Topic], row_id: str | None, offered: Sequence[tuple[str, str]]
) -> str:
    return dict(offered).get(row_id or "") or care_people.called(session, table, row_id)
