"""Tickets that nobody takes, and those that everybody forgot: one alert for each team, or person.

It opens, or begins its next episode, only for a ticket that was not among them before; at most once in `GAP`, and only
while the team works. So a list that grows is told as a list, what was told is not told again, and nights are quiet.
Tickets come among them in the order of a moment (made, touched); the latest of these is the alert's cause.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Select, and_, case, func, not_, null, or_, select
from sqlalchemy.orm import Session

from models.alert import FIRING, Alert
from models.desk import Desk
from models.engine import again
from models.ticket import AT_WORK, NEW, Ticket
from models.workspace import CARE
from tasks.alerting import alerts
from tasks.alerting.alerts import Count, Sight
from tasks.alerting.open_alerts import Key
from tasks.care import audience, hours, neglect_words
from tasks.care.apart import TROUBLE, Apart, passing
from tasks.care.marks import Opens
from tasks.care.moves import DAY_MS
from tasks.care.since import days_ago

UNANSWERED, FORGOTTEN = "unanswered", "forgotten"  # the rules
HOUR_MS = 3_600_000
UNANSWERED_MS = HOUR_MS  # new, and nobody's, for so long
GAP = {UNANSWERED: HOUR_MS, FORGOTTEN: DAY_MS}
AT_WORK_MS = 15 * 60_000  # a team that worked within the last quarter of an hour works
DESK = "desk"  # the subject of tickets that have no team


@dataclass(frozen=True, slots=True)
class Group:
    """Tickets of one team (or, if forgotten, of one person): how many, since when the oldest and the latest."""

    workspace: str
    team: str | None
    person: str | None
    count: int
    oldest: int
    latest: int

    @property
    def key(self) -> Key:
        return self.workspace, self.person or self.team or DESK

    @property
    def cause(self) -> str:
        return f"{self.latest:015d}"  # sorts by time


@dataclass(frozen=True, slots=True)
class Before:
    """The open alert of a group, and when it was told, by the clock of the scan."""

    cause: str
    title: str
    text: str
    at: int


def unanswered(now: int, workspace: str = "") -> Select[Any]:
    """New, and nobody's, for more than an hour."""
    over = (
        Ticket.status == NEW, Ticket.assignee_id.is_(None), Ticket.created_at <= now - UNANSWERED_MS,
        or_(Ticket.source != "import", Ticket.clock_at <= now - UNANSWERED_MS),  # whose hour begins with the import
    )  # fmt: skip
    when = (func.count(), func.min(Ticket.created_at), func.max(Ticket.created_at))
    asked: Any = select(Ticket.workspace_id, Ticket.team_id, null(), *when)
    asked = asked.where(*over)
    asked = asked.where(Ticket.workspace_id == workspace) if workspace else asked
    found: Select[Any] = asked.group_by(Ticket.workspace_id, Ticket.team_id)
    return found


def forgotten(now: int, workspace: str = "") -> Select[Any]:
    """At work, and untouched for the desk's days; what is new and nobody's is in the other list."""
    team = case((Ticket.assignee_id.is_(None), Ticket.team_id), else_=None)
    over = and_(
        Ticket.status.in_(AT_WORK),
        not_(and_(Ticket.status == NEW, Ticket.assignee_id.is_(None))),
        Desk.forgotten_days > 0,
        Ticket.changed_at <= now - DAY_MS,  # for the index; no desk has fewer days
        Ticket.changed_at <= days_ago(now, Desk.forgotten_days),
    )
    when = (func.count(), func.min(Ticket.changed_at), func.max(Ticket.changed_at))
    asked = select(Ticket.workspace_id, team, Ticket.assignee_id, *when)
    asked = asked.join(Desk, Desk.workspace_id == Ticket.workspace_id).where(over)
    asked = asked.where(Ticket.workspace_id == workspace) if workspace else asked
    found: Select[Any] = asked.group_by(Ticket.workspace_id, Ticket.assignee_id, team)
    return found


LISTS = {UNANSWERED: unanswered, FORGOTTEN: forgotten}


def before(session: Session, rule: str, workspace: str = "") -> dict[Key, Before]:
    """The open alerts of a rule."""
    asked = select(Alert.workspace_id, Alert.subject, Alert.cause, Alert.title, Alert.text, Alert.data)
    asked = asked.where(Alert.rule == rule, Alert.state == FIRING)
    rows = session.execute(asked.where(Alert.workspace_id == workspace) if workspace else asked)
    return {
        (row.workspace_id, row.subject): Before(row.cause, row.title, row.text, (row.data or {}).get("at", 0))
        for row in rows
    }


def look(session: Session, rule: str, now: int, workspace: str = "") -> list[Sight]:
    """What would change an alert, without its words and whom to tell."""
    known = before(session, rule, workspace)
    found = []
    for row in session.execute(LISTS[rule](now, workspace)):
        group = Group(*row)
        seen = sight(session, rule, group, known.pop(group.key, None), now)
        if seen is not None:
            found.append(seen)
    return found + [_over(rule, key, was) for key, was in known.items()]


def sight(session: Session, rule: str, group: Group, was: Before | None, now: int) -> Sight | None:
    """What a group does to its alert; None: nothing."""
    title = neglect_words.title(rule, group)
    new = was is None or (group.cause > was.cause and now - was.at >= GAP[rule])
    if new and _works(session, group, now):
        cause, at = group.cause, now
    elif was is not None and was.title != title:
        cause, at = was.cause, was.at
    else:
        return None
    place, subject = group.key
    link = neglect_words.link(rule, group)
    return Sight(place, subject, 1, cause=cause, title=title, link=link, data={"at": at})


def _works(session: Session, group: Group, now: int) -> bool:
    held = hours.team_hours(session, group.team, None, group.workspace)
    return hours.working_time(held, now).worked(now - AT_WORK_MS, now) > 0


def _over(rule: str, key: Key, was: Before) -> Sight:
    return Sight(*key, 0, clear=True, cause=was.cause, end=neglect_words.END[rule])


def scan(read: Opens, write: Opens, now: int, apart: Apart, workspace: str = "") -> Count:
    """Look at both lists, and write the few alerts that change."""
    total = Count()
    for rule in LISTS:
        for place in sorted(_differing(read, rule, now, apart, workspace)):
            total += apart.alone(place, partial(_settled, write, rule, now, place), Count())
    return total


def _differing(read: Opens, rule: str, now: int, apart: Apart, workspace: str) -> set[str]:
    """The workspaces where an alert would change: asked for all at once and, in trouble, for each desk alone."""
    try:
        return _places(read, rule, now, workspace)
    except TROUBLE as error:
        passing(error)
    with read() as session:
        asked = select(Desk.workspace_id).order_by(Desk.workspace_id)
        desks = session.scalars(asked.where(Desk.workspace_id == workspace) if workspace else asked).all()
    parts = [apart.alone(place, partial(_places, read, rule, now, place), set[str]()) for place in desks]
    return set[str]().union(*parts)


def _places(read: Opens, rule: str, now: int, workspace: str) -> set[str]:
    with read() as session:
        return {seen.workspace for seen in look(session, rule, now, workspace)}


@again
def _settled(write: Opens, rule: str, now: int, place: str) -> Count:
    with write() as session:
        return settle(session, rule, now, place)


def settle(session: Session, rule: str, now: int, place: str) -> Count:
    """Look again at one workspace, now that nobody else judges it, and write what comes of it."""
    alerts.lock(session, [place])
    seen = look(session, rule, now, place)
    people = audience.of(session, [place], now)[place]
    whole = [neglect_words.whole(session, rule, each, people, now) for each in seen]
    return alerts.settle(session, CARE, rule, whole)


def concerned(session: Session, workspace: str) -> bool:
    """Whether such an alert is open in a workspace: then a changed ticket may end it."""
    rules = Alert.rule.in_(LISTS)
    asked = select(Alert.id).where(Alert.workspace_id == workspace, Alert.state == FIRING, rules)
    return session.scalar(asked.limit(1)) is not None
