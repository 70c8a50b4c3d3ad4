"""What is asked of a workspace's schedules: the list, one of them, its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from beat_schedule import tick, times
from beat_schedule.times import Rule
from models.account import Account
from models.run import Run
from models.schedule import Schedule, Slot
from models.workspace import SYSTEM
from tasks import discover
from tasks.job import Job
from web.current import runtime

DEFAULT = "default-"
HISTORY = 20


@dataclass
class Line:
    """A schedule in the list."""

    schedule: Schedule
    job: Job | None
    person: str | None
    run: Run | None

    @property
    def rule(self) -> Rule:
        return tick.rule_of(self.schedule)

    @property
    def is_default(self) -> bool:
        return self.schedule.id.startswith(DEFAULT)

    @property
    def title(self) -> str:
        return self.schedule.title or (self.job.title if self.job else self.schedule.kind)

    @property
    def state(self) -> str:
        if self.schedule.enabled:
            return "on"
        if self.schedule.stopped:
            return "stopped"
        return "done" if self.schedule.repeat == "once" and self.over else "paused"

    @property
    def over(self) -> bool:
        return (self.schedule.once_at or 0) <= times.now()


def find(session: Session, schedule_id: str) -> Schedule:
    """A schedule of this session's workspace; 404 for every other id."""
    return session.scalar(select(Schedule).where(Schedule.id == schedule_id)) or abort(404)


def lines(session: Session, *only: Any) -> list[Line]:
    """The workspace's schedules, the next one first, each with its last run."""
    query = select(Schedule, Account.name).outerjoin(Account, Account.id == Schedule.account_id).where(*only)
    rows = session.execute(query.order_by(Schedule.next_due.is_(None), Schedule.next_due, Schedule.id)).all()
    last = _last_runs(session, [row.Schedule.id for row in rows])
    known = discover()
    return [Line(row.Schedule, known.get(row.Schedule.kind), row.name, last.get(row.Schedule.id)) for row in rows]


def line(session: Session, schedule_id: str) -> Line:
    """One of them; 404 for every other id."""
    return next(iter(lines(session, Schedule.id == schedule_id)), None) or abort(404)


def of_the_machinery() -> list[Line]:
    """The schedules that come with the jobs, for those who run the system."""
    with runtime().database.read(SYSTEM) as session:
        return lines(session, Schedule.id.like(f"{DEFAULT}%"))


def _last_runs(session: Session, ids: Sequence[str]) -> dict[str, Run]:
    ran = Slot.schedule_id.in_(ids), Slot.run_id.is_not(None)
    last = select(Slot.schedule_id, func.max(Slot.due).label("due")).where(*ran).group_by(Slot.schedule_id).subquery()
    query = select(Slot.schedule_id, Run).join(Run, Run.id == Slot.run_id)
    query = query.join(last, (last.c.schedule_id == Slot.schedule_id) & (last.c.due == Slot.due))
    return {row.schedule_id: row.Run for row in session.execute(query)} if ids else {}


def history(session: Session, schedule_id: str) -> list[tuple[Slot, Run | None]]:
    """The last slots, newest first, each with its run or a note why it has none."""
    query = select(Slot, Run).outerjoin(Run, Run.id == Slot.run_id).where(Slot.schedule_id == schedule_id)
    return [(row.Slot, row.Run) for row in session.execute(query.order_by(Slot.due.desc()).limit(HISTORY))]
