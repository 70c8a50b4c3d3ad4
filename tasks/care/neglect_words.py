"""What is told of tickets that nobody takes or everybody forgot: how many, which, since when, and what to do."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.desk import Desk, Team
from models.ticket import AT_WORK, NEW, Ticket
from models.workspace import Workspace
from tasks.alerting.alerts import Sight
from tasks.care.audience import Audience
from tasks.care.letter_words import moment
from tasks.care.mark_words import short

if TYPE_CHECKING:
    from tasks.care.neglect import Group

UNANSWERED, FORGOTTEN, DESK = "unanswered", "forgotten", "desk"
END = {UNANSWERED: "Every new ticket is somebody's now", FORGOTTEN: "No ticket lies forgotten any more"}
NAMED = 3  # tickets that a text names


def title(rule: str, group: "Group") -> str:
    """“3 new tickets are nobody's”."""
    if rule == UNANSWERED:
        return "A new ticket is nobody's" if group.count == 1 else f"{group.count:,} new tickets are nobody's"
    return "A ticket lies untouched" if group.count == 1 else f"{group.count:,} tickets lie untouched"


def link(rule: str, group: "Group") -> str:
    """The list of them."""
    if rule == UNANSWERED:
        return f"/care?view=nobody&status=new&sort=oldest{_team(group.team)}"
    person = f"&assignee={group.person}" if group.person else f"&assignee=nobody{_team(group.team)}"
    return f"/care?view=all&sort=oldest{person}"


def _team(team: str | None) -> str:
    return f"&team={team}" if team else ""


def whole(session: Session, rule: str, seen: Sight, people: Audience, now: int) -> Sight:
    """A sight with its words and whom it is told to."""
    team = None if seen.subject == DESK or seen.subject in people.roles else seen.subject
    person = seen.subject if seen.subject in people.roles else None
    to = people.to(team, person)
    if person in people.away:
        to |= people.leads_of(team)
    return replace(seen, to=to, text=_text(session, rule, seen, team, now) if seen.level else "")


def _text(session: Session, rule: str, seen: Sight, team: str | None, now: int) -> str:
    mine = select(Ticket.number, Ticket.subject, Ticket.created_at, Ticket.changed_at)
    mine = mine.where(Ticket.workspace_id == seen.workspace, *_which(session, rule, seen, now))
    order = Ticket.created_at if rule == UNANSWERED else Ticket.changed_at
    rows = session.execute(mine.order_by(order, Ticket.id).limit(NAMED)).all()
    zone = _zone(session, seen.workspace, team)
    named = [f"#{row.number} {short(row.subject)} (since {moment(_at(rule, row), zone, now)})" for row in rows]
    whose = session.scalar(select(Account.name).where(Account.id == seen.subject))
    owner = f"{whose} sees to them. " if whose else ""
    do = "Take one, or hand it to somebody." if rule == UNANSWERED else "Go on with one, put it on hold, or solve it."
    return f"{owner}The oldest: {', '.join(named)}. {do}" if named else f"{owner}{do}"


def _at(rule: str, row: Any) -> int:
    return int(row.created_at if rule == UNANSWERED else row.changed_at)


def _which(session: Session, rule: str, seen: Sight, now: int) -> list[Any]:
    nobody = Ticket.assignee_id.is_(None)
    theirs = [nobody, Ticket.team_id.is_(None) if seen.subject == DESK else Ticket.team_id == seen.subject]
    if rule == UNANSWERED:
        return [*theirs, Ticket.status == NEW]
    days = session.scalar(select(Desk.forgotten_days).where(Desk.workspace_id == seen.workspace)) or 0
    over = [Ticket.status.in_(AT_WORK), Ticket.changed_at <= now - days * 86_400_000]
    if session.scalar(select(Team.id).where(Team.id == seen.subject)) or seen.subject == DESK:
        return [*over, *theirs, Ticket.status != NEW]
    return [*over, Ticket.assignee_id == seen.subject]


def _zone(session: Session, workspace: str, team: str | None) -> str:
    zone = session.scalar(select(Team.time_zone).where(Team.id == team)) if team else None
    return zone or session.scalar(select(Workspace.time_zone).where(Workspace.id == workspace)) or "UTC"
