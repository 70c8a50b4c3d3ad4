"""Schedules at work: due slots become runs in batches, and the files that a schedule keeps go into each run anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from beat_schedule import tick
from models.account import Account
from models.artifact import Upload
from models.base import new_id
from models.run import Run
from models.schedule import Schedule
from models.session import EVERYONE, after_commit
from tasks.handover import HandedOver
from tasks.job import Job, Params
from tasks.storage import drop
from workers import quotas
from workers.enqueue import submit
from workers.runtime import Runtime

BATCH = 25  # schedules in one transaction: few commits, and nobody waits long for the writer's lock


def due_runs(runtime: Runtime) -> list[str]:
    """Turn due slots into runs; an idle beat reads an index and never takes the writer's lock."""
    with runtime.database.read(EVERYONE) as session:
        found = tick.due(session)
    made: list[str | None] = []
    for start in range(0, len(found), BATCH):
        with runtime.database.write(EVERYONE) as session:
            made += [tick.fire(session, each, _insert(runtime)) for each in found[start : start + BATCH]]
    return [run_id for run_id in made if run_id]


def _insert(runtime: Runtime) -> tick.Insert:
    return lambda session, schedule, job: make_run(runtime, session, schedule, job).id


def make_run(
    runtime: Runtime, session: Session, schedule: Schedule, job: Job, *, by: str | None = None, key: str | None = None
) -> Run:
    """A run of a schedule, with copies of the files that it keeps.

    Args:
        by: the account in whose name it runs; the schedule's own when left out.
        key: an idempotency key, for a button that is pressed twice.

    Raises:
        Refused: the workspace is at one of its quotas.
        FileNotFoundError: a file that the schedule kept is gone.
    """
    params = job.params.model_validate(schedule.params)
    if job.audience != "machinery":
        quotas.check(session, runtime.settings, schedule.workspace_id, HandedOver(params, kept(session, schedule, job)))
    with _copied(runtime, session, schedule, job, params) as handed:
        owner = by or schedule.account_id
        urgent = _priority(session, schedule, owner)
        run = submit(runtime, session, job, handed, schedule.workspace_id, account_id=owner, key=key, priority=urgent)
        run.schedule_id = schedule.id
        session.flush()
        if any(upload.run_id != run.id for upload in handed.uploads):  # its key was used before
            _drop(runtime, handed.uploads)
    return run


def _priority(session: Session, schedule: Schedule, owner: str | None) -> int:
    """Before all others only in the name of somebody who runs the system, whoever once filled it in."""
    account = session.get(Account, owner) if owner else None
    return schedule.priority if account and account.is_admin else min(schedule.priority, 0)


@contextmanager
def _copied(runtime: Runtime, session: Session, schedule: Schedule, job: Job, params: Params) -> Iterator[HandedOver]:
    """Params that name copies of the kept files; the copies go again when the run cannot be made."""
    copies: list[Upload] = []
    try:
        copies.extend(_copy(runtime, row) for row in kept(session, schedule, job))
        ids = {name: [each.id for each in copies if each.field == name] for name in job.file_fields()}
        yield HandedOver(params.model_copy(update=ids), copies)
    except BaseException:
        _drop(runtime, copies)
        raise


def _copy(runtime: Runtime, row: Upload) -> Upload:
    same = {name: getattr(row, name) for name in ("field", "name", "media_type", "size", "sha256")}
    return Upload(id=new_id(), key=runtime.storage.copy(row.key), **same)


def _drop(runtime: Runtime, uploads: list[Upload]) -> None:
    drop(runtime.storage, [upload.key for upload in uploads])


def kept(session: Session, schedule: Schedule, job: Job) -> list[Upload]:
    """The files that a schedule keeps: uploads of no run, whose ids stand in its params."""
    ids = [each for name in job.file_fields() for each in _ids(schedule.params.get(name))]
    mine = Upload.id.in_(ids), Upload.workspace_id == schedule.workspace_id, Upload.run_id.is_(None)
    return list(session.scalars(select(Upload).where(*mine).order_by(Upload.id))) if ids else []


def _ids(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def forget(runtime: Runtime, session: Session, uploads: list[Upload]) -> None:
    """Delete files that no schedule keeps any more: the rows now, the bytes after the commit."""
    for upload in uploads:
        session.delete(upload)
    after_commit(session, partial(drop, runtime.storage, [upload.key for upload in uploads]))
