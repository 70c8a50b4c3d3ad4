"""When a team works: a week with its gaps, a time zone, public holidays and days of its own.

An hour is open if the clock on the wall says so: what a change of time leaves out does not exist, and what it repeats
is open twice. A shift past midnight belongs to the day on which it begins, and so do its holidays.
"""

from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.desk import Policy, Team
from tasks.days import known
from tasks.public_days import public_holidays

if TYPE_CHECKING:
    from tasks.care.working_time import WorkingTime

Span = tuple[int, int]  # minutes since midnight; the second may lie on the next day, up to 2880
Week = tuple[tuple[Span, ...], ...]  # from Monday on
DAY, WEEK = 1440, 7
YEARS_BEFORE, YEARS_AFTER = 3, 7
LEAST_YEAR, MOST_YEAR = 1971, 2200
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
OVERLAP = "{}: some hours are there twice; leave one of them out."
SPILL = "{}’s hours reach into {}’s: the time that both have counts once."
NO_HOURS = "It never works, so no deadline of its tickets ever comes. Write when it works."
NO_ZONE = "Its time zone {} is not known here, so its hours are read on the clock of UTC. Choose one from the list."
ALL_CLOSED = "All of its days of the next year are holidays or closed, so no deadline of its tickets comes."


class Hours(BaseModel):
    """A team's hours. `week` None: around the clock (but for holidays and closed days)."""

    model_config = ConfigDict(frozen=True)

    zone: str = "UTC"
    week: Week | None = None
    holidays: str = ""  # "DE" or "DE-BY"
    closed: tuple[date, ...] = ()
    lost: str = ""  # the name of its zone, where this machine has none of that name and `zone` is UTC


ALWAYS = Hours()
EVERY_HOUR: Week = (((0, DAY),),) * WEEK


def of(team: Team) -> Hours:
    """A team's row as hours."""
    zone = known(team.time_zone)
    return Hours(
        zone=zone,
        lost="" if zone == team.time_zone else team.time_zone,
        week=team.hours["week"] if team.hours else None,
        holidays=team.holidays,
        closed=tuple(date.fromisoformat(day) for day in team.closed or ()),
    )


def working_time(hours: Hours, around: int, since: int | None = None) -> "WorkingTime":
    """Some years of working time around a moment; kept, so that asking again costs nothing.

    Args:
        around: epoch milliseconds; three years before and seven after it are known.
        since: known at least from then on.
    """
    year = _year(around)
    first = year - YEARS_BEFORE if since is None else min(year - YEARS_BEFORE, _year(since) - 1)
    return _of_years(hours, max(LEAST_YEAR, first), min(MOST_YEAR, year + YEARS_AFTER))


def _year(at: int) -> int:
    bounded = min(max(at // 1000, 31_536_000), 7_258_118_400)  # 1971 … 2200: what a date can hold, and a little sense
    return datetime.fromtimestamp(bounded, UTC).year


@lru_cache(maxsize=128)
def _of_years(hours: Hours, first: int, last: int) -> "WorkingTime":
    from tasks.care.opening import open_time

    days = holidays(hours, range(first, last + 1)) | set(hours.closed)
    week = EVERY_HOUR if hours.week is None else hours.week
    return open_time(week, hours.zone, days, date(first, 1, 1), date(last, 12, 31))


def holidays(hours: Hours, years: range) -> frozenset[date]:
    """Its public holidays; none where a newer library knows that country or region no more (`problems` says so)."""
    country, _, region = hours.holidays.partition("-")
    try:
        return public_holidays(country, region, tuple(years))
    except ValueError:
        return frozenset()


def problems(hours: Hours, now: int | None = None) -> list[str]:
    """What is wrong with hours, or strange about them, in sentences for whoever set them.

    Args:
        now: to see also whether it works at all within a year.
    """
    week = EVERY_HOUR if hours.week is None else hours.week
    if not any(week):
        return [NO_HOURS]
    found = [NO_ZONE.format(hours.lost)] if hours.lost else []
    found += [OVERLAP.format(name) for name, spans in zip(WEEKDAYS, week, strict=True) if overlaps(spans)]
    if hours.week is not None:
        found += [SPILL.format(WEEKDAYS[day], WEEKDAYS[(day + 1) % WEEK]) for day in range(WEEK) if _spills(week, day)]
    country, _, region = hours.holidays.partition("-")
    try:
        public_holidays(country, region, (2026,))
    except ValueError as error:
        found.append(str(error))
    if now is not None and not working_time(hours, now).worked(now, now + 366 * 86_400_000):
        found.append(ALL_CLOSED)
    return found


def overlaps(spans: tuple[Span, ...]) -> bool:
    """Whether two spans of a day share time."""
    ordered = sorted(spans)
    return any(one[1] > other[0] for one, other in pairwise(ordered))


def _spills(week: Week, day: int) -> bool:
    after = week[(day + 1) % WEEK]
    return bool(after) and any(until - DAY > min(since for since, _ in after) for _, until in week[day])


def team_hours(session: Session, team_id: str | None, policy: Policy | None, workspace_id: str | None = None) -> Hours:
    """The hours that count for a ticket: its team's, or, without one, those of the workspace's first team.

    A policy around the clock, and a workspace without teams, count every hour. Which workspace's first team, a session
    for everyone must be told.
    """
    if policy is not None and policy.around_the_clock:
        return ALWAYS
    wanted = select(Team).where(Team.id == team_id) if team_id else first_team(workspace_id)
    team = session.scalars(wanted).first()
    return ALWAYS if team is None else of(team)


def first_team(workspace_id: str | None = None) -> Select[Team]:
    """The team that was made first: its hours hold for tickets that have none."""
    wanted = select(Team).order_by(Team.created_at, Team.id).limit(1)
    return wanted.where(Team.workspace_id == workspace_id) if workspace_id else wanted


def team_time(
    session: Session, team_id: str | None, policy: Policy | None, around: int, since: int | None = None
) -> "WorkingTime":
    """The same as working time."""
    return working_time(team_hours(session, team_id, policy), around, since)
