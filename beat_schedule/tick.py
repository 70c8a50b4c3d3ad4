"""The tick: due schedules become slots and runs, each slot once however many beats there are."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from cronsim import CronSimError
from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from beat_schedule import times
from beat_schedule.times import Missed, Rule
from models.account import Account
from models.base import clock, db_now
from models.run import END_STATES, Run
from models.schedule import Schedule, Slot
from models.statements import changed
from models.workspace import Membership
from tasks import discover
from tasks.errors import FilesAway
from tasks.handover import Refused
from tasks.job import Job

log = structlog.get_logger()
Insert = Callable[[Session, Schedule, Job], str]
# What a schedule whose job changed under it may raise; anything of these stops it alone. The database's own troubles
# are none of them: they pass, and the slot is given its run in a later round.
BROKEN = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, OSError, IntegrityError, CronSimError)
STILL_GOING = "not run: the last one was still going on"
JOB_GONE = "This job is not there any more. Delete the schedule, or make another one."
PARAMS_OLD = "The job takes other values by now. Edit the schedule and fill them in anew."
ZONE_GONE = "Its time zone is not known here any more. Edit the schedule and choose another one."
PERSON_GONE = "The person in whose name it ran may no longer start runs here. Resume it, and it runs in yours."
NEVER_AGAIN = "Its times cannot be read any more. Edit the schedule and choose them anew."
BROKE = (
    "Its run could not be made: a file is gone, or something broke on our side. Edit it, or tell who runs Nightshift."
)


@dataclass(frozen=True)
class Due:
    """A schedule as a beat found it: only the one that still finds it so gives the slot its run."""

    id: str
    seen: int
    missed: Missed | None
    following: int | None


def rule_of(schedule: Schedule) -> Rule:
    """When a schedule comes, without all else of its row."""
    return Rule(schedule.repeat, schedule.time_zone, schedule.cron, schedule.every_minutes, schedule.once_at)


def due(session: Session) -> list[Due]:
    """Who is due, the longest first: one indexed read. The reckoning is done here, while nobody waits for a lock."""
    query = select(Schedule).where(Schedule.enabled.is_(True), Schedule.next_due <= db_now())
    found = session.scalars(query.order_by(Schedule.next_due, Schedule.id)).all()
    if not found:
        return []
    now = clock(session)
    return [_reckon(schedule, schedule.next_due or 0, now) for schedule in found]


def _reckon(schedule: Schedule, seen: int, now: int) -> Due:
    rule = rule_of(schedule)
    try:
        return Due(schedule.id, seen, times.missed(rule, seen, now), times.after(rule, now))
    except BROKEN:
        return Due(schedule.id, seen, None, None)


def fire(session: Session, found: Due, insert: Insert) -> str | None:
    """Give one due slot its run, or note why it has none. What breaks in it is undone and stops this schedule alone.

    Args:
        session: a unit of work over everyone.
        insert: inserts a run for a schedule and returns its id; may refuse.

    Returns:
        The id of the new run.
    """
    schedule = session.get(Schedule, found.id, populate_existing=True)
    if schedule is None or not schedule.enabled or schedule.next_due != found.seen:
        return None
    job = discover().get(schedule.kind)
    wrong = _wrong(session, schedule, job, found)
    if wrong or job is None or found.missed is None:
        _stop(session, schedule, found.seen, wrong or JOB_GONE)
        return None
    waiting = len(session.info.get("after_commit", ()))
    try:
        with session.begin_nested():
            return _fire(session, schedule, job, found.missed, found, insert)
    except FilesAway:  # those that it keeps cannot be copied now: it is still due in the next round
        del session.info.setdefault("after_commit", [])[waiting:]
        return None
    except BROKEN as error:
        del session.info.setdefault("after_commit", [])[waiting:]
        log.warning("schedule.broken", schedule=found.id, job=job.kind, error=type(error).__name__)
    _stop(session, schedule, found.seen, BROKE)
    return None


def _fire(session: Session, schedule: Schedule, job: Job, missed: Missed, found: Due, insert: Insert) -> str | None:
    if not _taken(session, found.id, found.seen, next_due=found.following, enabled=found.following is not None):
        return None  # another beat was first
    _note_missed(session, found, missed)
    if session.get(Slot, (found.id, missed.latest)) is not None:
        return None  # the clock was set back
    slot = Slot(schedule_id=found.id, due=missed.latest)
    if going_on(session, found.id):
        slot.note = STILL_GOING
    else:
        try:
            slot.run_id = insert(session, schedule, job)
        except Refused as refused:
            slot.note = f"not run: {' '.join(refused.errors.values())}"[:120]
    session.add(slot)
    session.flush()
    return slot.run_id


def _taken(session: Session, schedule_id: str, seen: int, **values: object) -> bool:
    """The compare-and-set that lets one of any number of beats have the slot."""
    move = update(Schedule).where(Schedule.id == schedule_id, Schedule.next_due == seen, Schedule.enabled.is_(True))
    return bool(changed(session, move.values(**values).execution_options(synchronize_session=False)))


def _note_missed(session: Session, found: Due, missed: Missed) -> None:
    """Bounded rows: each of a few, or one that says how many."""
    notes = dict.fromkeys(missed.some, "missed: nothing ran then; the latest one runs")
    if missed.count and not missed.some:
        more = f"more than {times.COUNTED:,}" if missed.count > times.COUNTED else f"{missed.count:,}"
        notes = {found.seen: f"missed: this one and those after it, {more} in all; the latest one runs"}
    known = set(session.scalars(select(Slot.due).where(Slot.schedule_id == found.id, Slot.due.in_(notes))))
    session.add_all(Slot(schedule_id=found.id, due=at, note=note) for at, note in notes.items() if at not in known)


def going_on(session: Session, schedule_id: str) -> bool:
    """Whether the schedule's last run has not ended: then the next does not pile up behind it."""
    last = select(Slot.run_id).where(Slot.schedule_id == schedule_id, Slot.run_id.is_not(None))
    run_id = session.scalar(last.order_by(Slot.due.desc()).limit(1))
    state = session.scalar(select(Run.state).where(Run.id == run_id)) if run_id else None
    return state is not None and state not in END_STATES


def _wrong(session: Session, schedule: Schedule, job: Job | None, found: Due) -> str:
    """Why it cannot go on, in a sentence for its page; "" when it can."""
    if job is None:
        return JOB_GONE
    if schedule.time_zone not in times.zones():
        return ZONE_GONE
    if found.missed is None:
        return NEVER_AGAIN
    try:
        job.params.model_validate(schedule.params)
    except ValidationError:
        return PARAMS_OLD
    return "" if may_run(session, schedule, job) else PERSON_GONE


def may_run(session: Session, schedule: Schedule, job: Job) -> bool:
    """Whether its person is still a member who may start this job; what the machinery runs by itself has nobody."""
    if schedule.id.startswith("default-"):
        return True
    member = select(Account.is_admin).join(Membership, Membership.account_id == Account.id)
    mine = Membership.workspace_id == schedule.workspace_id, Membership.account_id == schedule.account_id
    is_admin = session.scalar(member.where(*mine, Membership.role.in_(("owner", "member"))))
    return is_admin is not None and (job.audience == "people" or (job.audience == "administrators" and is_admin))


def _stop(session: Session, schedule: Schedule, seen: int, why: str) -> None:
    """Else it would come up again each second, and hold all others up."""
    if _taken(session, schedule.id, seen, next_due=None, enabled=False, stopped=why):
        log.warning("schedule.stopped", schedule=schedule.id, job=schedule.kind)
        if session.get(Slot, (schedule.id, seen)) is None:
            session.add(Slot(schedule_id=schedule.id, due=seen, note="not run: the schedule was stopped"))
            session.flush()
