"""What a desk may begin with, in one click: a team that works as most do, and a policy for each priority."""

from typing import Any

from babel.core import get_global
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock, new_id
from models.desk import ROTATE, Policy, Team, TeamMember
from models.ticket import HIGH, LOW, NORMAL, URGENT
from tasks.public_days import countries
from web import care_team_book as book
from web import places
from web.current import may_answer, me

OFFICE = "09:00–12:30, 13:00–17:00"
NAME = "Help desk"
# Name, priority, and minutes of working time for the first answer and the solution.
POLICIES = (
    ("Urgent", URGENT, 60, 4 * 60), ("High", HIGH, 2 * 60, 8 * 60), ("Normal", NORMAL, 4 * 60, 24 * 60),
    ("Low", LOW, 8 * 60, 40 * 60),
)  # fmt: skip


def proposed(session: Session) -> dict[str, Any]:
    """A team's form, filled in as most would fill it in here."""
    zone = places.here(session).time_zone
    country = get_global("zone_territories").get(zone, "")
    values: dict[str, Any] = dict.fromkeys(book.DAYS[:5], OFFICE)
    holidays = country if country in countries() else ""
    return values | {"time_zone": zone, "holidays": holidays, "assigns": ROTATE, "around": ""}


def team(session: Session) -> Team | None:
    """Made where there is none, with whoever asks for it in it; None where there is one."""
    if session.scalars(select(Team.id).limit(1)).first() is not None:
        return None
    made = book.create(session, book.read(session, proposed(session) | {"name": NAME}))
    if may_answer():
        session.add(TeamMember(team_id=made.id, account_id=me().id, lead=True, takes=True))
    return made


def policies(session: Session) -> bool:
    """A policy for each priority, where there is none. Whether they were made."""
    if session.scalars(select(Policy.id).limit(1)).first() is not None:
        return False
    now = clock(session)
    session.add_all(
        Policy(
            id=new_id(), name=name, position=number, priority=priority, first_minutes=first, solve_minutes=solve,
            created_at=now,
        )
        for number, (name, priority, first, solve) in enumerate(POLICIES)
    )  # fmt: skip
    return True
