"""A ticket's fields: what may be set, what follows from it (team, agent, policy), and what is written down."""

from typing import TypedDict, Unpack

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.desk import Team, TeamMember, Topic
from models.ticket import HIGH, LOW, NEW, NORMAL, OPEN, URGENT, Ticket, TicketEvent
from models.workspace import Membership
from tasks.care import assigning, clock, history, letters, moves, notices, standing, words
from tasks.care.by import AGENT, ANSWERS, CUSTOMER, By, Refused

PRIORITIES = {URGENT: "urgent", HIGH: "high", NORMAL: "normal", LOW: "low"}
NO_TOPIC = "This topic is not there any more; choose another one."
NO_TEAM = "This team is not there any more; choose another one."
NO_AGENT = "Only somebody who answers tickets here can be given one; choose another person."
NO_PRIORITY = "Choose urgent, high, normal or low."


class Fields(TypedDict, total=False):
    """What can be changed; what is left out stays."""

    subject: str
    status: str
    priority: int
    topic_id: str | None
    team_id: str | None
    assignee_id: str | None


def change(
    session: Session, ticket: Ticket, by: By, now: int, *, expected: int | None = None, **fields: Unpack[Fields]
) -> list[TicketEvent]:
    """Set some fields; what else changes by that, too. Nothing different: nothing is written.

    A topic brings its team, a team takes the agent of another team away and may hand the ticket out anew, and
    whoever takes a new ticket opens it. A customer may set the status alone, as `MOVES` says.

    Raises:
        Stale: somebody else was faster. Refused: a field cannot be so.
    """
    if expected in (None, ticket.version) and not _differing(ticket, fields):
        return []
    history.hold(session, ticket, expected)
    wanted = _differing(ticket, fields)
    _check(session, ticket, by, wanted)
    before, made = ticket.status, list[TicketEvent]()
    notices.seen(session, ticket, by)
    if wanted.keys() & {"priority", "topic_id", "team_id"}:
        with clock.moving(session, ticket, now):
            made += _placed(session, ticket, by, now, wanted)
    if "assignee_id" in wanted and wanted["assignee_id"] != ticket.assignee_id:
        made.append(given(session, ticket, wanted["assignee_id"], by, now))
    elif "assignee_id" not in wanted:
        made += _handed_on(session, ticket, by, now, wanted)
    if "subject" in wanted:
        made.append(history.note(session, ticket, history.SUBJECT, ticket.subject, wanted["subject"], by, now))
        ticket.subject = wanted["subject"]
        words.index(session, ticket)
    standing.move(session, ticket, _status(ticket, by, wanted), by, now)
    history.touched(ticket, by, now)
    letters.moved(session, ticket, before, by, now)
    session.flush()
    return made + [each for each in _latest(session, ticket) if each not in made]


def given(session: Session, ticket: Ticket, account_id: str | None, by: By, now: int) -> TicketEvent:
    """Give a ticket to somebody, or to nobody."""
    was, ticket.assignee_id = ticket.assignee_id, account_id
    notices.given(session, ticket, by, now)
    return history.note(session, ticket, history.ASSIGNEE, was or "", account_id or "", by, now)


def topic(session: Session, workspace_id: str, topic_id: str | None) -> Topic | None:
    """The topic with this id, of this workspace."""
    if not topic_id:
        return None
    asked = select(Topic).where(Topic.id == topic_id, Topic.workspace_id == workspace_id, ~Topic.archived)
    found = session.scalar(asked)
    if found is None:
        raise Refused("topic_id", NO_TOPIC)
    return found


def still_there(session: Session, topic_id: str | None) -> str | None:
    """A topic that is not archived, or None."""
    return session.scalar(select(Topic.id).where(Topic.id == topic_id, ~Topic.archived)) if topic_id else None


def priority(number: int) -> int:
    if number not in PRIORITIES:
        raise Refused("priority", NO_PRIORITY)
    return number


def _differing(ticket: Ticket, fields: Fields) -> Fields:
    """What would be another than it is."""
    plain = dict(fields)
    if "subject" in plain:
        plain["subject"] = words.subject(str(plain["subject"]))
    for name in ("topic_id", "team_id", "assignee_id"):
        if name in plain:
            plain[name] = plain[name] or None
    unknown = plain.keys() - Fields.__annotations__.keys()
    if unknown:
        raise TypeError(f"a ticket has no field {', '.join(sorted(unknown))} to change")
    found = {name: value for name, value in plain.items() if value != getattr(ticket, name)}
    return found  # type: ignore[return-value]


def _check(session: Session, ticket: Ticket, by: By, wanted: Fields) -> None:
    if by.kind == CUSTOMER and wanted.keys() - {"status"}:
        raise Refused("status", "Customers cannot change this.", 403)
    if ticket.merged_into_id and wanted.keys() - {"subject"}:
        raise Refused("status", "This ticket was merged into another one; change that one.")
    if problem := moves.problem(by.kind, ticket.status, wanted.get("status", ticket.status)):
        raise Refused("status", problem)
    if "priority" in wanted:
        priority(wanted["priority"])
    place = ticket.workspace_id
    topic(session, place, wanted.get("topic_id"))
    if (team := wanted.get("team_id")) and session.scalar(
        select(Team.id).where(Team.id == team, Team.workspace_id == place)
    ) is None:
        raise Refused("team_id", NO_TEAM)
    if (agent := wanted.get("assignee_id")) and not answers(session, place, agent):
        raise Refused("assignee_id", NO_AGENT)


def answers(session: Session, workspace_id: str, account_id: str) -> bool:
    """Whether somebody may be given this workspace's tickets."""
    mine = (Membership.workspace_id == workspace_id, Membership.account_id == account_id)
    return session.scalar(select(Membership.role).where(*mine)) in ANSWERS


def _placed(session: Session, ticket: Ticket, by: By, now: int, wanted: Fields) -> list[TicketEvent]:
    """Priority, topic and team; inside of `clock.moving`."""
    made = []
    if "priority" in wanted:
        was, ticket.priority = ticket.priority, wanted["priority"]
        names = PRIORITIES[was], PRIORITIES[ticket.priority]
        made.append(history.note(session, ticket, history.PRIORITY, *names, by, now))
    if "topic_id" in wanted:
        chosen = topic(session, ticket.workspace_id, wanted["topic_id"])
        names = _name(session, Topic, ticket.topic_id), chosen.name if chosen else ""
        ticket.topic_id = chosen.id if chosen else None
        made.append(history.note(session, ticket, history.TOPIC, *names, by, now))
        if chosen and chosen.team_id and "team_id" not in wanted:
            wanted["team_id"] = chosen.team_id
    if "team_id" in wanted and wanted["team_id"] != ticket.team_id:
        names = _name(session, Team, ticket.team_id), _name(session, Team, wanted["team_id"])
        ticket.team_id = wanted["team_id"]
        made.append(history.note(session, ticket, history.TEAM, *names, by, now))
    return made


def _handed_on(session: Session, ticket: Ticket, by: By, now: int, wanted: Fields) -> list[TicketEvent]:
    """In another team its agent has no part any more, and the team hands it out by its own rule."""
    if wanted.get("team_id") is None or wanted["team_id"] != ticket.team_id:
        return []
    made = []
    mine = select(TeamMember.account_id).where(TeamMember.team_id == ticket.team_id)
    if ticket.assignee_id and ticket.assignee_id not in session.scalars(mine).all():
        made.append(given(session, ticket, None, by, now))
    if ticket.assignee_id is None and assigning.assign(session, ticket, now):
        notices.given(session, ticket, by, now)
    return made


def _status(ticket: Ticket, by: By, wanted: Fields) -> str:
    takes = by.kind == AGENT and ticket.status == NEW and by.account_id and wanted.get("assignee_id") == by.account_id
    return wanted.get("status", OPEN if takes else ticket.status)


def _name(session: Session, table: type[Topic] | type[Team], row_id: str | None) -> str:
    return (session.scalar(select(table.name).where(table.id == row_id)) or "") if row_id else ""


def _latest(session: Session, ticket: Ticket) -> list[TicketEvent]:
    """All that this deed wrote down."""
    mine = (TicketEvent.ticket_id == ticket.id, TicketEvent.version == ticket.version)
    return list(session.scalars(select(TicketEvent).where(*mine).order_by(TicketEvent.id)))
