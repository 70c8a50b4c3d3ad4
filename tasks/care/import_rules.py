"""By which policy imported tickets' times are reckoned: the desk's own, or one that the import states."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.desk import Team, Topic
from tasks.care import clocks, hours

if TYPE_CHECKING:
    from tasks.care.working_time import WorkingTime

OWN, STATED = "own", "stated"
WEEK: hours.Week = (((540, 1020),),) * 5 + ((),) * 2  # Monday to Friday, 9 to 17
PRIORITIES = ("urgent", "high", "normal", "low")


class ImportRules:
    """What holds for a priority, a category and a team that are known by their names alone.

    Args:
        how: "own" for the desk's policies (where it has none, the stated one), or "stated".
        allowed: minutes to solve for urgent, high, normal and low.
        week: whether the stated ones count Monday to Friday, 9 to 17, or around the clock.
        zone: of the stated week.
        now, since: when hours have to be known.
    """

    def __init__(
        self, session: Session, workspace_id: str, how: str, allowed: Sequence[int], *, week: bool, zone: str, now: int,
        since: int,
    ) -> None:  # fmt: skip
        self.rules = clocks.Rules(session, workspace_id)
        self.how = OWN if how == OWN and self.rules.offered else STATED
        self.allowed, self.week, self.zone = allowed, week, zone
        self.now, self.since = now, since
        self.topics = {row.name.casefold(): row.id for row in session.execute(select(Topic.name, Topic.id))}
        self.teams = {row.name.casefold(): row.id for row in session.execute(select(Team.name, Team.id))}
        self._known: dict[tuple[int, str, str], tuple[str, int | None, int | None, WorkingTime, str | None]] = {}

    def find(
        self, priority: int, category: str, team: str
    ) -> "tuple[str, int | None, int | None, WorkingTime, str | None]":
        """Its name, minutes until the first answer and the solution, when it runs, and the policy's id."""
        key = (priority, category.casefold(), team.casefold()) if self.how == OWN else (priority, "", "")
        if key not in self._known:
            self._known[key] = self._own(*key) if self.how == OWN else self._stated(priority)
        return self._known[key]

    def _stated(self, priority: int) -> "tuple[str, int | None, int | None, WorkingTime, str | None]":
        held = hours.Hours(zone=self.zone, week=WEEK) if self.week else hours.ALWAYS
        time = hours.working_time(held, self.now, self.since)
        return PRIORITIES[priority - 1], None, self.allowed[priority - 1], time, None

    def _own(
        self, priority: int, category: str, team: str
    ) -> "tuple[str, int | None, int | None, WorkingTime, str | None]":
        policy = self.rules.policy(priority, self.topics.get(category))
        held = self.rules.hours_of(policy.id if policy else None, self.teams.get(team))
        time = hours.working_time(held, self.now, self.since)
        if policy is None:
            return "", None, None, time, None
        return policy.name, policy.first_minutes, policy.solve_minutes, time, policy.id

    def told(self) -> str:
        """The policy in words."""
        if self.how == OWN:
            return "this desk’s own policies, each ticket by the first that fits it, in its team’s working hours"
        each = ", ".join(f"{name} {minutes / 60:g}" for name, minutes in zip(PRIORITIES, self.allowed, strict=True))
        when = f"Monday to Friday from 9 to 17 ({self.zone})" if self.week else "around the clock"
        return f"{each} hours to solve, counted {when} while the ticket waits neither for the customer nor on hold"
