"""What is told when a ticket's time runs out: the news in a line, and what to do."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.account import Account
from models.desk import Team
from models.workspace import Workspace
from tasks.care.letter_words import moment

FIRST = "first"
LONGEST = 80  # signs of a subject in a headline


class Names:
    """Names of agents, and the zones of teams, for some tickets' rows."""

    def __init__(self, session: Session, rows: Iterable[Any], now: int) -> None:
        rows = list(rows)
        self.now = now
        accounts = {row.assignee_id for row in rows if row.assignee_id}
        teams, places = {row.team_id for row in rows if row.team_id}, {row.workspace_id for row in rows}
        people = select(Account.id, Account.name).where(Account.id.in_(accounts))
        self.people: dict[str, str] = {row.id: row.name for row in session.execute(people)}
        zones = select(Team.id, Team.time_zone).where(Team.id.in_(teams))
        homes = select(Workspace.id, Workspace.time_zone).where(Workspace.id.in_(places))
        self.zones: dict[str, str] = {key: zone for asked in (zones, homes) for key, zone in session.execute(asked)}

    def zone(self, row: Any) -> str:
        return self.zones.get(row.team_id) or self.zones.get(row.workspace_id) or "UTC"


def title(kind: str, row: Any, percent: int) -> str:
    """“#42 Printer: 75 % of the time for an answer is used”."""
    what = "an answer" if kind == FIRST else "a solution"
    said = f"the time for {what} is over" if percent >= 100 else f"{percent} % of the time for {what} is used"
    return f"#{row.number} {short(row.subject)}: {said}"


def text(kind: str, row: Any, percent: int, names: Names) -> str:
    """Until when, whose it is, and what to do."""
    due = row.first_due_at if kind == FIRST else row.solve_due_at
    until = moment(due, names.zone(row), names.now) if due is not None else ""
    when = f"It {'was' if percent >= 100 else 'is'} due by {until}. " if until else ""
    whose = f"{names.people[row.assignee_id]} sees to it. " if row.assignee_id in names.people else "It is nobody's. "
    do = "Answer its customer" if kind == FIRST else "Solve it, or ask its customer, which stops the clock"
    return f"{when}{whose}{do}."


def end(kind: str, row: Any) -> str:
    """How it ended."""
    done = "is answered" if kind == FIRST and row.answered_at is not None else "is solved"
    return f"#{row.number} {short(row.subject)} {done}"


def short(subject: str) -> str:
    """A subject that leaves room for the news."""
    return subject if len(subject) <= LONGEST else f"{subject[: LONGEST - 1].rstrip()}…"
