"""What the pages of teams show: whether somebody works now, the next days without work, who is in it, the week."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.account import Account
from models.desk import Absence, Team, TeamMember, Topic
from models.ticket import AT_WORK, STOPPED, Ticket
from tasks.care import amounts, hours, week
from tasks.care.hours import WEEKDAYS, Hours
from tasks.days import today
from tasks.public_days import named_holidays

MOST = 1_000  # open tickets are counted so far
NEXT = 8
MINUTES = 1440


@dataclass(frozen=True)
class Bar:
    """A stretch of a day in a picture, in percent of it."""

    left: float
    width: float


@dataclass(frozen=True)
class Member:
    """Somebody in a team."""

    id: str
    name: str
    lead: bool
    takes: bool
    away: bool


@dataclass(frozen=True)
class FreeDay:
    """A day on which nothing begins."""

    on: date
    name: str


def picture(held: Hours) -> list[tuple[str, str, list[Bar]]]:
    """For each weekday its name, its hours in words, and its bars."""
    spans = held.week or hours.EVERY_HOUR
    drawn = week.bars(held.week)
    return [
        (name, week.day_words(spans[day]), [_bar(*span) for span in drawn[day]]) for day, name in enumerate(WEEKDAYS)
    ]


def _bar(since: int, until: int) -> Bar:
    return Bar(round(since / MINUTES * 100, 3), round((until - since) / MINUTES * 100, 3))


def state(held: Hours, now: int) -> str:
    """ "Works now, until 17:00." or "Works again tomorrow at 09:00."."""
    works, until = hours.working_time(held, now).state(now)
    when = amounts.moment(until, held.zone, now) if until is not None else ""
    if works:
        return f"Works now, until {when.removeprefix('today at ')}." if when else "Works now."
    return f"Works again {when}." if when else "Does not work in the next years."


def free_days(held: Hours, now: int) -> list[FreeDay]:
    """The next public holidays and days of its own."""
    first = today(held.zone, now)
    country, _, region = held.holidays.partition("-")
    try:
        known = dict(named_holidays(country, region, (first.year, first.year + 1)))
    except ValueError:  # a newer library knows that region no more; the page says so
        known = {}
    known |= {day: known.get(day, "Closed") for day in held.closed}
    coming = sorted((day, name) for day, name in known.items() if day >= first)
    return [FreeDay(day, name) for day, name in coming[:NEXT]]


def members(session: Session, team_id: str, now: int) -> list[Member]:
    """By name; who is away today says so."""
    asked = select(TeamMember, Account.name).join(Account, Account.id == TeamMember.account_id)
    rows = session.execute(asked.where(TeamMember.team_id == team_id).order_by(Account.name, Account.id)).all()
    gone = away(session, [row.account_id for row, _name in rows], now)
    return [Member(row.account_id, name, row.lead, row.takes, row.account_id in gone) for row, name in rows]


def away(session: Session, accounts: list[str], now: int) -> set[str]:
    """Who of them is absent today (by UTC's day, give or take: what assigns asks the team's own)."""
    day = today("UTC", now)
    asked = select(Absence.account_id).where(Absence.account_id.in_(accounts), Absence.first <= day)
    return set(session.scalars(asked.where(Absence.last >= day)))


def counts(session: Session) -> dict[str, int]:
    """How many members each team has."""
    asked = select(TeamMember.team_id, func.count()).group_by(TeamMember.team_id)
    return {row[0]: row[1] for row in session.execute(asked)}


def leads(session: Session) -> set[str]:
    """Teams that have a lead."""
    return set(session.scalars(select(TeamMember.team_id).where(TeamMember.lead.is_(True))))


def open_tickets(session: Session, team_id: str) -> int:
    """At most `MOST`."""
    mine = select(Ticket.id).where(Ticket.team_id == team_id, Ticket.status.in_((*AT_WORK, *STOPPED))).limit(MOST)
    return session.scalar(select(func.count()).select_from(mine.subquery())) or 0


def topics(session: Session, team_id: str) -> list[str]:
    """The names of what it answers."""
    mine = select(Topic.name).where(Topic.team_id == team_id, Topic.archived.is_(False))
    return list(session.scalars(mine.order_by(Topic.name)))


def first_id(session: Session) -> str:
    """The team whose hours hold for tickets without one."""
    found = session.scalars(hours.first_team()).first()
    return found.id if isinstance(found, Team) else ""
