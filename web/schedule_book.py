"""What is done to schedules, the same for the pages and the API; always in one workspace."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from beat_schedule import tick, times
from beat_schedule.times import Rule
from models.artifact import Upload
from models.base import clock
from models.run import Run
from models.schedule import Schedule, Slot
from tasks import discover
from tasks.handover import Given, HandedOver, Refused, hand_over
from tasks.job import Job
from tasks.storage import TEMPORARY, drop
from web import people, quotas, submission
from web.current import current_workspace, me, reading, runtime, writing
from web.schedule_view import DEFAULT, find
from workers.enqueue import KeyConflict
from workers.schedules import forget, kept, make_run

BY_HAND = "run by hand"
TITLE_LONGEST = 120
PASSED = "Its time has passed. Edit it and choose another one."
FULL = "This workspace has {most} schedules already. Delete one that is not needed any more."
OF_THE_MACHINERY = "This one belongs to the machinery: the setting NIGHTSHIFT_SCHEDULES moves or stops it."


@dataclass(frozen=True)
class Draft:
    """A schedule as it was filled in: what runs, when, and under which name."""

    job: Job
    values: Mapping[str, Any]
    rule: Rule
    title: str = ""
    priority: int = 0


def find_own(session: Session, schedule_id: str) -> Schedule:
    """One that people may change.

    Raises:
        Refused: it is one of the machinery's own.
    """
    schedule = find(session, schedule_id)
    if schedule.id.startswith(DEFAULT):
        raise Refused({"": OF_THE_MACHINERY}, 409)
    return schedule


@contextmanager
def with_files(job: Job, given: Given, uploads: Sequence[Upload]) -> Iterator[Given]:
    """What was given, and for fields without new files those that a run or the schedule itself keeps already."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        known: dict[str, list[tuple[str, Path]]] = {}
        for upload in uploads:
            if upload.field in job.file_fields() and not given.get(upload.field) and upload.deleted_at is None:
                path = Path(folder) / upload.id
                runtime().storage.fetch(upload.key, path)
                known.setdefault(upload.field, []).append((upload.name, path))
        yield {**given, **known}


def create(draft: Draft, files: Given, key: str) -> Schedule:
    """A new schedule; the same key gives the same one back.

    Raises:
        Refused: with a message for each field at fault.
        KeyConflict: the key stands for another schedule.
    """
    schedule_id = hashlib.sha256(f"{current_workspace()}:{key}".encode()).hexdigest()[:28]
    handed = hand_over(draft.job, draft.values, files, runtime().storage)
    try:
        with writing() as session:
            if known := session.scalar(select(Schedule).where(Schedule.id == schedule_id)):
                _drop(handed)
                return _same(known, draft, handed)
            _check_room(session)
            schedule = Schedule(id=schedule_id, kind=draft.job.kind)
            _fill(session, schedule, draft, handed)
            session.add(schedule)
    except IntegrityError:  # the other one of two clicks was first
        _drop(handed)
        with reading() as session:
            return _same(find(session, schedule_id), draft, handed)
    except Refused:
        _drop(handed)
        raise
    return schedule


def change(schedule_id: str, draft: Draft, files: Given) -> Schedule:
    """Save a schedule anew; from now on it runs in the name of who saved it.

    Raises:
        Refused: with a message for each field at fault.
    """
    handed = hand_over(draft.job, draft.values, files, runtime().storage)
    try:
        with writing() as session:
            schedule = find_own(session, schedule_id)
            forget(runtime(), session, kept(session, schedule, draft.job))
            session.flush()
            _fill(session, schedule, draft, handed)
    except Refused:
        _drop(handed)
        raise
    return schedule


def _same(known: Schedule, draft: Draft, handed: HandedOver) -> Schedule:
    asked = handed.params.model_dump(mode="json")
    fields = [name for name in asked if name not in draft.job.file_fields()]
    told = (draft.job.kind, draft.rule, draft.title, draft.priority, [asked[name] for name in fields])
    has = (known.kind, tick.rule_of(known), known.title, known.priority, [known.params.get(name) for name in fields])
    if has != told:
        raise KeyConflict
    return known


def _check_room(session: Session) -> None:
    most = runtime().settings.workspace_schedules
    if (session.scalar(select(func.count()).select_from(Schedule)) or 0) >= most:
        raise Refused({"": FULL.format(most=most)}, 429)


def _fill(session: Session, schedule: Schedule, draft: Draft, handed: HandedOver) -> None:
    if handed.uploads:
        quotas.check(session, handed)
    rule = draft.rule
    schedule.params = handed.params.model_dump(mode="json")
    schedule.title, schedule.priority, schedule.account_id = draft.title, draft.priority, me().id
    schedule.repeat, schedule.cron, schedule.time_zone = rule.repeat, rule.cron, rule.zone
    schedule.every_minutes, schedule.once_at = rule.every_minutes, rule.once_at
    _switch_on(session, schedule)
    session.add_all(handed.uploads)


def _switch_on(session: Session, schedule: Schedule) -> None:
    schedule.next_due = times.after(tick.rule_of(schedule), clock(session))
    if schedule.next_due is None:
        raise Refused({"": PASSED}, 409)
    schedule.enabled, schedule.stopped = True, ""


def pause(schedule_id: str) -> Schedule:
    """Nothing comes due until it is resumed, and nothing is missed meanwhile."""
    with writing() as session:
        schedule = find_own(session, schedule_id)
        schedule.enabled, schedule.next_due = False, None
    return schedule


def resume(schedule_id: str) -> Schedule:
    """From its next time on; one that had been stopped then runs in the name of who resumed it.

    Raises:
        Refused: its only time has passed.
    """
    with writing() as session:
        schedule = find_own(session, schedule_id)
        job = submission.find_job(schedule.kind)
        if schedule.stopped or not tick.may_run(session, schedule, job):
            schedule.account_id = me().id
        _switch_on(session, schedule)
    return schedule


def delete(schedule_id: str) -> None:
    """The schedule with its slots and the files that it kept; its runs stay."""
    with writing() as session:
        schedule = find_own(session, schedule_id)
        if job := discover().get(schedule.kind):
            forget(runtime(), session, kept(session, schedule, job))
        session.delete(schedule)
        people.audit(session, "schedule deleted", me().id, current_workspace(), schedule=schedule_id)


def run_now(schedule_id: str, key: str | None) -> Run:
    """A run of it besides its times; the same key gives the same run back.

    Raises:
        Refused: the workspace is at one of its quotas.
        KeyConflict: the key stands for another run.
    """
    for last in (False, True):
        try:
            with writing() as session:
                return _run_now(session, find_own(session, schedule_id), key)
        except IntegrityError:
            if last or not key:  # else the other click was first: now its run is found
                raise
        except FileNotFoundError as error:
            raise Refused({"": tick.BROKE}, 409) from error
    raise AssertionError


def _run_now(session: Session, schedule: Schedule, key: str | None) -> Run:
    job = submission.find_job(schedule.kind)
    try:
        run = make_run(runtime(), session, schedule, job, by=me().id, key=key)
    except ValueError as error:  # its params are of an older form of the job
        raise Refused({"": tick.PARAMS_OLD}, 409) from error
    mine = Slot.schedule_id == schedule.id
    if session.scalar(select(Slot.due).where(mine, Slot.run_id == run.id)) is None:
        at = clock(session)
        while session.get(Slot, (schedule.id, at)) is not None:
            at += 1
        session.add(Slot(schedule_id=schedule.id, due=at, run_id=run.id, note=BY_HAND))
    return run


def _drop(handed: HandedOver) -> None:
    drop(runtime().storage, [upload.key for upload in handed.uploads])
