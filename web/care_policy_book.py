"""Policies as people fill them in, and what a ticket of now would get by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock, new_id
from models.desk import Policy, Team, Topic
from models.ticket import HIGH, LOW, NORMAL, URGENT
from tasks.care import amounts, hours, policies
from tasks.handover import Refused
from web.given import CHOOSE, Given

LONGEST_NAME, MOST = 120, 100
MOST_HOURS = 2_000
PRIORITIES = {URGENT: "Urgent", HIGH: "High", NORMAL: "Normal", LOW: "Low"}
NO_NUMBER = "Write a whole number of hours, up to {}, and of minutes, up to 59; nothing for no deadline."
NO_TIME = "Nothing can be done in no time; leave both empty for no deadline."
SOONER = "The solution would be due before the first answer."
TOO_MANY = f"There are {MOST} policies already; delete one that is not needed any more."
NO_TEAM_HOURS = "This team never works, so this never comes. Set its hours."


@dataclass(frozen=True)
class Filled:
    """A form that is right."""

    name: str
    priority: int | None
    topic_id: str | None
    first_minutes: int | None
    solve_minutes: int | None
    around_the_clock: bool


def find(session: Session, policy_id: str) -> Policy | None:
    return session.scalars(select(Policy).where(Policy.id == policy_id)).first()


def read(session: Session, values: Mapping[str, Any]) -> Filled:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    name = given.text("name", LONGEST_NAME, required=True)
    priority = given.choice("priority", ("any", *map(str, PRIORITIES)), "any")
    topic_id = given.row("topic")
    if topic_id and session.scalars(select(Topic.id).where(Topic.id == topic_id)).first() is None:
        given.wrong["topic"] = CHOOSE
    first, solve = _minutes(given, "first"), _minutes(given, "solve")
    if first is not None and solve is not None and solve < first and "solve" not in given.wrong:
        given.wrong["solve"] = SOONER
    given.done()
    around = values.get("around") == "yes"
    return Filled(name, None if priority == "any" else int(priority), topic_id or None, first, solve, around)


def _minutes(given: Given, name: str) -> int | None:
    """From two fields, hours and minutes; None where both are empty."""
    texts = [str(given.values.get(f"{name}_{unit}") or "").strip() for unit in ("hours", "minutes")]
    if not any(texts):
        return None
    if not all(not text or (text.isascii() and text.isdigit() and len(text) < 6) for text in texts):
        given.wrong[name] = NO_NUMBER.format(f"{MOST_HOURS:,}")
        return None
    whole, rest = (int(text or 0) for text in texts)
    if whole > MOST_HOURS or rest > 59:
        given.wrong[name] = NO_NUMBER.format(f"{MOST_HOURS:,}")
    elif not whole and not rest:
        given.wrong[name] = NO_TIME
    return whole * 60 + rest


def create(session: Session, filled: Filled) -> Policy:
    """Behind those that there are, but before the first that fits all of its tickets and others, too."""
    others = policies.ordered(session)
    if len(others) >= MOST:
        raise Refused({"": TOO_MANY})
    made = Policy(id=new_id(), created_at=clock(session))
    change(made, filled)
    place = next((place for place, other in enumerate(others) if _covers(other, made, wider=True)), len(others))
    session.add(made)
    number([*others[:place], made, *others[place:]])
    return made


def _covers(other: Policy, policy: Policy, wider: bool = False) -> bool:
    """Whether one fits whatever the other fits; `wider`: and something else as well."""
    same = (other.priority, other.topic_id) == (policy.priority, policy.topic_id)
    fits = other.priority in (None, policy.priority) and other.topic_id in (None, policy.topic_id)
    return fits and not (wider and same)


def change(policy: Policy, filled: Filled) -> None:
    policy.name, policy.priority, policy.topic_id = filled.name, filled.priority, filled.topic_id
    policy.first_minutes, policy.solve_minutes = filled.first_minutes, filled.solve_minutes
    policy.around_the_clock = filled.around_the_clock


def number(ordered: Sequence[Policy]) -> None:
    for place, policy in enumerate(ordered):
        policy.position = place


def move(session: Session, policy: Policy, up: bool) -> None:
    """One place towards the beginning or the end."""
    ordered = list(policies.ordered(session))
    here = ordered.index(policy)
    there = min(max(here + (-1 if up else 1), 0), len(ordered) - 1)
    ordered.insert(there, ordered.pop(here))
    number(ordered)


def shown(policy: Policy) -> dict[str, Any]:
    """A policy as its form has it."""
    return {
        "name": policy.name, "priority": "any" if policy.priority is None else str(policy.priority),
        "topic": policy.topic_id or "", "around": "yes" if policy.around_the_clock else "",
        **_fields("first", policy.first_minutes), **_fields("solve", policy.solve_minutes),
    }  # fmt: skip


def _fields(name: str, minutes: int | None) -> dict[str, str]:
    if minutes is None:
        return {f"{name}_hours": "", f"{name}_minutes": ""}
    return {f"{name}_hours": str(minutes // 60), f"{name}_minutes": str(minutes % 60) if minutes % 60 else ""}


def shadowed(ordered: Sequence[Policy]) -> dict[str, str]:
    """Policies that no ticket ever gets, because one before them fits whatever they fit: its name by their ids."""
    found: dict[str, str] = {}
    for place, policy in enumerate(ordered):
        for other in ordered[:place]:
            if _covers(other, policy):
                found.setdefault(policy.id, other.name)
    return found


@dataclass(frozen=True)
class Trial:
    """What a ticket of now would get."""

    policy: str
    lines: list[tuple[str, str]]
    hours: str


def trial(session: Session, priority: int, topic_id: str, now: int) -> Trial:
    """Of a priority and a topic; its team is the topic's, else hours are those of the first team."""
    topic = session.scalars(select(Topic).where(Topic.id == topic_id)).first() if topic_id else None
    policy = policies.fitting(session, None, priority, topic.id if topic else None)
    if policy is None:
        return Trial("", [], "")
    team_id = topic.team_id if topic else None
    held = hours.team_hours(session, team_id, policy)
    lines = [
        ("First answer", _due(held, policy.first_minutes, now)), ("Solution", _due(held, policy.solve_minutes, now)),
    ]  # fmt: skip
    return Trial(policy.name, lines, _whose(session, team_id, policy, held))


def _due(held: hours.Hours, minutes: int | None, now: int) -> str:
    if minutes is None:
        return "no deadline"
    due = hours.working_time(held, now).due(now, minutes * 60_000)
    if due is None:
        return NO_TEAM_HOURS
    return f"{amounts.moment(due, held.zone, now)}, after {amounts.minutes(minutes)} of work"


def _whose(session: Session, team_id: str | None, policy: Policy, held: hours.Hours) -> str:
    zone = held.zone.replace("_", " ")
    if policy.around_the_clock:
        return "Counted around the clock; the times are those of UTC."
    wanted = select(Team).where(Team.id == team_id) if team_id else hours.first_team()
    team = session.scalars(wanted).first()
    if not isinstance(team, Team):
        return "There is no team yet, so every hour counts; the times are those of UTC."
    return f"Counted in the hours of {team.name}, on the clock of {zone}."
