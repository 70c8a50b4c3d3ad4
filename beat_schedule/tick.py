"""The tick: due schedules become slots and runs, each slot once however many beats there are."""

from collections.abc import Callable

import structlog
from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from beat_schedule import times
from models.base import db_now
from models.lifecycle import changed
from models.schedule import Schedule, Slot
from tasks import discover
from tasks.job import Job

log = structlog.get_logger()
Insert = Callable[[Session, Schedule, Job], str]


def any_due(session: Session) -> bool:
    """A read, so that an idle beat never takes the writer's lock."""
    due = select(Schedule.id).where(Schedule.enabled.is_(True), Schedule.next_due <= db_now())
    return session.scalar(due.limit(1)) is not None


def tick(session: Session, insert: Insert) -> list[str]:
    """Turn every due schedule into one run; slots missed before the latest are noted and not run.

    Args:
        session: a unit of work over everyone.
        insert: inserts a run for a schedule and returns its id.

    Returns:
        The ids of the new runs.
    """
    now: int = session.scalar(select(db_now())) or 0
    due = session.scalars(select(Schedule).where(Schedule.enabled.is_(True), Schedule.next_due <= now)).all()
    return [run_id for schedule in due if (run_id := _fire(session, schedule, now, insert))]


def _fire(session: Session, schedule: Schedule, now: int, insert: Insert) -> str | None:
    job, seen = discover().get(schedule.kind), schedule.next_due
    if job is None or seen is None or not _fits(job, schedule):
        schedule.enabled = False  # else it would come up again each second, and hold all others up
        log.warning("schedule.stopped", schedule=schedule.id, job=schedule.kind)
        return None
    slots = times.up_to(schedule.cron, schedule.time_zone, seen, now)
    following = times.after(schedule.cron, schedule.time_zone, now)
    taken = update(Schedule).where(Schedule.id == schedule.id, Schedule.next_due == seen)
    if not changed(session, taken.values(next_due=following).execution_options(synchronize_session=False)):
        return None  # another beat was first
    for missed in slots[:-1]:
        session.add(Slot(schedule_id=schedule.id, due=missed, note="missed: nothing ran then; the latest one runs"))
    run_id = insert(session, schedule, job)
    session.add(Slot(schedule_id=schedule.id, due=slots[-1], run_id=run_id))
    return run_id


def _fits(job: Job, schedule: Schedule) -> bool:
    """Whether its values are still ones that the job takes."""
    try:
        job.params.model_validate(schedule.params)
    except ValidationError:
        return False
    return True
