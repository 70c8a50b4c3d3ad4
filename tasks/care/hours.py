"""When a team works: a week with its gaps, a time zone, public holidays and days of its own.

An hour is open if the clock on the wall says so: what a change of time leaves out does not exist, and what it repeats
is open twice. A shift past midnight belongs to the day on which it begins, and so do its holidays.
"""

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.desk import Policy, Team

if TYPE_CHECKING:
    from tasks.care.working_time import WorkingTime

Span = tuple[int, int]  # minutes since midnight; the second may lie on the next day, up to 2880
Week = tuple[tuple[Span, ...], ...]  # from Monday on


class Hours(BaseModel):
    """A team's hours. `week` None: around the clock (but for holidays and closed days)."""

    model_config = ConfigDict(frozen=True)

    zone: str = "UTC"
    week: Week | None = None
    holidays: str = ""  # "DE" or "DE-BY"
    closed: tuple[date, ...] = ()


ALWAYS = Hours()


def of(team: Team) -> Hours:
    """A team's row as hours."""
    return Hours(
        zone=team.time_zone,
        week=team.hours["week"] if team.hours else None,
        holidays=team.holidays,
        closed=tuple(team.closed or ()),
    )


def working_time(hours: Hours, around: int, since: int | None = None) -> "WorkingTime":
    """Some years of working time around a moment; kept, so that asking again costs nothing.

    Args:
        around: epoch milliseconds; three years before and seven after it are known.
        since: known at least from then on.
    """
    raise NotImplementedError


def problems(hours: Hours) -> list[str]:
    """What is wrong with hours, or strange about them, in sentences for whoever set them."""
    raise NotImplementedError


def team_hours(session: Session, team_id: str | None, policy: Policy | None) -> Hours:
    """The hours that count for a ticket: its team's, or, without one, those of the workspace's first team.

    A policy around the clock, and a workspace without teams, count every hour.
    """
    raise NotImplementedError


def team_time(
    session: Session, team_id: str | None, policy: Policy | None, around: int, since: int | None = None
) -> "WorkingTime":
    """The same as working time."""
    return working_time(team_hours(session, team_id, policy), around, since)
