"""A desk to look around in: its tickets are played through the same deeds as real ones, on a clock of the last weeks.

It is known by its ids, which begin with `MARK`, and its customers by their addresses; so it goes as a whole. Nobody is
written to: the letters of the past are taken out before they could leave.
"""

import secrets
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import Select, Table, delete, select, union_all
from sqlalchemy.orm import Session

from models.alert import Alert
from models.delivery import Delivery
from models.desk import ROTATE, Article, Desk, Policy, Team, TeamMember, Topic
from models.session import touch
from models.ticket import ANSWER, CLOSED, NOTE, QUESTION, Customer, Ticket, TicketTag
from models.workspace import CARE, Workspace
from tasks.care import clock, desks, notices, ratings, tickets
from tasks.care.by import AGENT, CUSTOMER, ITSELF, By, Refused
from tasks.days import at_local

FILE = Path(__file__).with_name("sample_desk.toml")
DOMAIN, MARK = "sample.example.org", "sample"
TEAM = "Shop team (sample)"
HOUR, MINUTE = 3_600_000, 60_000
NOT_EMPTY = "There are tickets here already; the sample is for an empty desk."
TAKEN = "There is a team or a topic with the name of the sample's here already: “{}”. Rename it first."


@dataclass(frozen=True, slots=True)
class Step:
    """What happens `after` hours since the ticket was opened: a message, a rating, its closing."""

    after: float
    what: str
    text: str = ""
    status: str = ""
    score: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """A ticket: opened `days` ago at an hour of the clock, or so many minutes ago; `mine`: given to who made it."""

    who: str
    topic: str
    subject: str
    text: str
    days: int = 0
    hour: float = 0.0
    minutes: int = 0
    priority: int = 3
    source: str = "web"
    mine: bool = True
    steps: list[Step] = field(default_factory=list)


@cache
def _written() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text("utf-8"))


def stories() -> list[Story]:
    """As they stand in the file."""
    return TypeAdapter(list[Story]).validate_python(_written()["tickets"])


def present(session: Session) -> bool:
    """Whether the session's workspace has (some of) a sample. Asked on every page: one question, by indexes alone."""
    found = union_all(*_signs(session.info["workspace"])).limit(1)
    return session.connection().execute(found).first() is not None


def _signs(place: str) -> list[Select[str]]:
    """What is left of a sample. The tables themselves are asked: each names its workspace, but for tickets of its
    customers, which SQLite would look for among all of the workspace."""
    tables = [cast(Table, table.__table__).c for table in (Team, Topic, Article, Policy)]
    signs = [select(t.id).where(t.workspace_id == place, t.id >= MARK, t.id < f"{MARK}~") for t in tables]
    customer, ticket, tag = (cast(Table, table.__table__).c for table in (Customer, Ticket, TicketTag))
    theirs = select(customer.id).where(customer.workspace_id == place, customer.email.in_(_addresses()))
    marked = select(tag.name).where(tag.ticket_id == ticket.id, tag.name == MARK).exists()
    signs.append(select(ticket.id).where(ticket.customer_id.in_(theirs), marked))
    return [select(sign.limit(1).subquery().c.id) for sign in signs]


@cache
def _addresses() -> tuple[str, ...]:
    return tuple(sorted({_address(story.who) for story in stories()}))


def _address(who: str) -> str:
    return f"{who.lower().replace(' ', '.')}@{DOMAIN}"


def fill(session: Session, workspace_id: str, account_id: str, now: int) -> int:
    """Write the sample for somebody, who leads its team and has most of its tickets; how many tickets there are.

    Raises:
        Refused: there are tickets, or things with the sample's names, here already.
    """
    if session.scalar(select(Ticket.id).limit(1)) is not None or present(session):
        raise Refused("sample", NOT_EMPTY)
    zone = session.scalars(select(Workspace.time_zone).where(Workspace.id == workspace_id)).one()
    desks.of(session, workspace_id)
    team = _team(session, workspace_id, account_id, zone)
    topics = _topics(session, workspace_id, team)
    _rules(session, workspace_id, topics, account_id, now)
    played = sorted(((_begins(story, zone, now), story) for story in stories()), key=lambda each: each[0])
    made = [_play(session, story, topics, account_id, begun, now) for begun, story in played]
    session.execute(delete(Delivery).where(Delivery.ticket_id.in_([ticket.id for ticket in made])))
    return len(made)


def _id() -> str:
    """Not to be guessed either; it sorts behind all others."""
    return f"{MARK}{secrets.token_hex(11)}"


def _team(session: Session, place: str, account_id: str, zone: str) -> Team:
    _free(session, Team, TEAM)
    team = Team(
        id=_id(), workspace_id=place, name=TEAM, time_zone=zone, hours={"week": _written()["team"]["week"]},
        assigns=ROTATE,
    )  # fmt: skip
    session.add(team)
    session.flush()
    session.add(TeamMember(workspace_id=place, team_id=team.id, account_id=account_id, lead=True, takes=False))
    return team


def _topics(session: Session, place: str, team: Team) -> dict[str, str]:
    """Names as the file has them, to ids."""
    found = {}
    for name in _written()["topics"]:
        called = f"{name} (sample)"
        _free(session, Topic, called)
        found[name] = _id()
        session.add(Topic(id=found[name], workspace_id=place, name=called, team_id=team.id))
    session.flush()
    return found


def _free(session: Session, table: type[Team] | type[Topic], name: str) -> None:
    if session.scalar(select(table.id).where(table.name == name)) is not None:
        raise Refused("sample", TAKEN.format(name))


def _rules(session: Session, place: str, topics: dict[str, str], account_id: str, now: int) -> None:
    """Policies behind those that are there, and articles: published where no stranger reads them yet."""
    stranger = desks.of(session, place).public
    for position, each in enumerate(_written()["policies"]):
        policy = dict(each) | {"name": f"{each['name']} (sample)", "position": 1000 + position}
        session.add(Policy(id=_id(), workspace_id=place, **policy))
    for each in _written()["articles"]:
        session.add(
            Article(
                id=_id(), workspace_id=place, title=each["title"], body=each["body"], topic_id=topics[each["topic"]],
                published=not stranger, written_by=account_id, created_at=now, changed_at=now,
            )
        )  # fmt: skip
    session.flush()


def _begins(story: Story, zone: str, now: int) -> int:
    """Never on a Saturday or Sunday, unless it began a moment ago."""
    if story.minutes:
        return now - story.minutes * MINUTE
    day = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(zone)).date() - timedelta(story.days)
    day -= timedelta(max(0, day.weekday() - 4))
    return at_local(datetime.combine(day, time(int(story.hour), round(story.hour % 1 * 60))), zone)


def _play(session: Session, story: Story, topics: dict[str, str], account_id: str, begun: int, now: int) -> Ticket:
    """One ticket's life, each step at its time."""
    me = By(AGENT, account_id=account_id)
    new = tickets.New(
        story.subject, story.text, _address(story.who), story.who, topics[story.topic], story.priority, story.source
    )  # fmt: skip
    ticket = tickets.open_ticket(session, new, By(CUSTOMER), begun)
    tickets.tag(session, ticket, MARK, ITSELF, begun)
    if story.mine:
        tickets.change(session, ticket, me, begun, assignee_id=account_id)
    for step in story.steps:
        _step(session, ticket, step, me, min(now, begun + round(step.after * HOUR)))
    notices.over(session, ticket)  # of a story nobody is told anything
    return ticket


def _step(session: Session, ticket: Ticket, step: Step, me: By, at: int) -> None:
    if step.what == QUESTION:
        tickets.say(
            session, ticket, QUESTION, step.text, By(CUSTOMER, customer_id=ticket.customer_id), at, source="mail"
        )
    elif step.what in (ANSWER, NOTE):
        tickets.say(session, ticket, step.what, step.text, me, at, status=step.status or None)
    elif step.what == "close":
        tickets.change(session, ticket, ITSELF, at, status=CLOSED)
    elif step.what == "rate":
        ratings.rate(session, ticket, step.score, step.text, at)


def _tickets() -> Select[str]:
    mine = select(Customer.id).where(Customer.email.endswith(f"@{DOMAIN}", autoescape=True))
    return select(Ticket.id).where(Ticket.customer_id.in_(mine))


def remove(session: Session, workspace_id: str, now: int) -> int:
    """Delete all of it, with what was written to its tickets since; how many tickets went.

    Tickets of others that were put into its topics stay without a topic, and are reckoned anew.
    """
    ids = list(session.scalars(_tickets()))
    session.execute(delete(Delivery).where(Delivery.ticket_id.in_(ids)))
    session.execute(delete(Alert).where(Alert.area == CARE, Alert.subject.in_([*ids, *_of(session, Team)])))
    session.execute(delete(Ticket).where(Ticket.id.in_(ids)))
    session.execute(delete(Customer).where(Customer.email.endswith(f"@{DOMAIN}", autoescape=True)))
    for table in (Article, Policy, Topic, Team):
        session.execute(delete(table).where(table.id.in_(_of(session, table))))
    for watched in (Ticket, Article, Team):
        touch(session, watched, workspace_id)
    session.expire_all()
    _again(session, workspace_id, now)
    return len(ids)


def _of(session: Session, table: Any) -> list[str]:
    return list(session.scalars(select(table.id).where(table.id.startswith(MARK))))


def _again(session: Session, workspace_id: str, now: int) -> None:
    """What is left has other hours and policies now; the numbers begin anew where nothing is left."""
    if session.scalar(select(Ticket.id).limit(1)) is not None:
        clock.recompute(session, workspace_id, now)
        return
    desk = session.scalar(select(Desk).where(Desk.workspace_id == workspace_id))
    if desk is not None:
        desk.next_number = 1
