"""Teams as people fill them in: their hours read day by day, checked, and kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import clock, new_id
from models.desk import LEAST, NOBODY, ROTATE, Team, TeamMember
from tasks import dates
from tasks.care import hours, week
from tasks.care.hours import WEEKDAYS, Hours, Span
from tasks.handover import Refused
from web import care_people
from web.given import Given
from web.inputs import time_zones

LONGEST_NAME = 120
MOST_TEAMS, MOST_CLOSED = 100, 200
DAYS = tuple(name.lower() for name in WEEKDAYS)
ASSIGNS = {
    NOBODY: "Nobody: somebody takes them", ROTATE: "Its members in turn", LEAST: "Whoever has the fewest open ones",
}  # fmt: skip
TAKEN = "There is a team of this name already."
NO_ZONE = "Choose a time zone from the list."
NO_HOLIDAYS = "Choose a country, such as DE, or one of its regions, such as DE-BY; empty for none."
NO_HOURS = "Write the hours of at least one day, or choose around the clock."
TOO_MANY = f"There are {MOST_TEAMS} teams already; delete one that is not needed any more."
TOO_MANY_DAYS = f"Write at most {MOST_CLOSED} days; those that are over can go."
NOBODY_THERE = "Choose somebody of this desk from the list."


@dataclass(frozen=True)
class Filled:
    """A form that is right."""

    name: str
    assigns: str
    hours: Hours


def find(session: Session, team_id: str) -> Team | None:
    return session.scalars(select(Team).where(Team.id == team_id)).first()


def read(session: Session, values: Mapping[str, Any], team_id: str = "") -> Filled:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    name = given.text("name", LONGEST_NAME, required=True)
    taken = select(Team.id).where(func.lower(Team.name) == name.lower(), Team.id != team_id)
    if name and session.scalars(taken).first() is not None:
        given.wrong["name"] = TAKEN
    assigns = given.choice("assigns", ASSIGNS, NOBODY)
    filled = Filled(name, assigns, read_hours(given))
    given.done()
    return filled


def read_hours(given: Given) -> Hours:
    """What of it is wrong stands in `given.wrong` then, and is left out."""
    zone = str(given.values.get("time_zone") or "")
    if zone not in time_zones():
        given.wrong["time_zone"], zone = NO_ZONE, "UTC"
    spans = tuple(_day(given, name) for name in DAYS)
    around = given.values.get("around") == "yes"
    if not around and not any(spans) and not any(name in given.wrong for name in DAYS):
        given.wrong["monday"] = NO_HOURS
    return Hours(
        zone=zone, week=None if around else spans, holidays=_holidays(given), closed=_closed(given)
    )  # fmt: skip


def _day(given: Given, name: str) -> tuple[Span, ...]:
    text = given.text(name, week.LONGEST)
    try:
        return week.read_day(text)
    except ValueError as error:
        given.wrong[name] = str(error)
        return ()


def _holidays(given: Given) -> str:
    from tasks.public_days import countries, regions

    code = given.text("holidays", 12).upper()
    country, dash, region = code.partition("-")
    if code and (country not in countries() or (dash and region not in regions(country))):
        given.wrong["holidays"] = NO_HOLIDAYS
        return ""
    return code


def _closed(given: Given) -> tuple[date, ...]:
    """A day in each line, or with commas between them."""
    found = set()
    for text in str(given.values.get("closed") or "").replace(",", "\n").splitlines():
        if text.strip():
            try:
                found.add(dates.parse(text))
            except ValueError as error:
                given.wrong["closed"] = str(error)
    if len(found) > MOST_CLOSED:
        given.wrong["closed"] = TOO_MANY_DAYS
    return tuple(sorted(found))


def create(session: Session, filled: Filled) -> Team:
    if (session.scalar(select(func.count()).select_from(Team)) or 0) >= MOST_TEAMS:
        raise Refused({"": TOO_MANY})
    team = Team(id=new_id(), created_at=clock(session))
    change(team, filled)
    session.add(team)
    session.flush()
    return team


def change(team: Team, filled: Filled) -> bool:
    """Whether its hours are others now."""
    before = None if team.time_zone is None else hours.of(team)  # a new row has none
    team.name, team.assigns, team.time_zone = filled.name, filled.assigns, filled.hours.zone
    team.hours = None if filled.hours.week is None else {"week": [list(map(list, day)) for day in filled.hours.week]}
    team.holidays, team.closed = filled.hours.holidays, [day.isoformat() for day in filled.hours.closed] or None
    return before != filled.hours


def shown(team: Team) -> dict[str, Any]:
    """A team as its form has it."""
    held = hours.of(team)
    days = held.week or ((),) * len(DAYS)
    values: dict[str, Any] = dict(zip(DAYS, ("" if not day else week.day_words(day) for day in days), strict=True))
    return values | {
        "name": team.name, "assigns": team.assigns, "time_zone": held.zone, "holidays": held.holidays,
        "around": "yes" if held.week is None else "", "closed": "\n".join(day.isoformat() for day in held.closed),
    }  # fmt: skip


def join(session: Session, team: Team, values: Mapping[str, Any]) -> None:
    """Somebody of the desk comes into a team.

    Raises:
        Refused: nobody of this desk was chosen.
    """
    given = Given(values)
    wanted = given.row("account", required=True)
    if wanted and wanted not in dict(care_people.agents(session)):
        given.wrong["account"] = NOBODY_THERE
    given.done()
    if member(session, team.id, wanted) is None:
        session.add(TeamMember(team_id=team.id, account_id=wanted, lead=_ticked(values, "lead"), takes=True))


def set_member(row: TeamMember, values: Mapping[str, Any]) -> None:
    row.lead, row.takes = _ticked(values, "lead"), _ticked(values, "takes")


def _ticked(values: Mapping[str, Any], name: str) -> bool:
    return values.get(name) == "yes"


def member(session: Session, team_id: str, account_id: str) -> TeamMember | None:
    mine = select(TeamMember).where(TeamMember.team_id == team_id, TeamMember.account_id == account_id)
    return session.scalars(mine).first()
