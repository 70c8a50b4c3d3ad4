"""Submitting work: a row in the caller's own transaction, and after the commit a message that carries its id."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import dispatching, lifecycle
from models.artifact import Upload
from models.base import db_now, new_id
from models.run import BLOCKED, QUEUED, Dependency, Idempotency, Run
from models.session import after_commit
from tasks import discover
from tasks.handover import HandedOver, describe
from tasks.job import Job
from workers.publish import breaker, publish
from workers.runtime import Runtime


class KeyConflict(Exception):
    """This idempotency key was used with other parameters."""


def submit(
    runtime: Runtime,
    session: Session,
    job: Job,
    handed: HandedOver,
    workspace: str,
    *,
    account_id: str | None = None,
    origin_id: str | None = None,
    key: str | None = None,
    priority: int = 0,
    after: Sequence[str] = (),
    queue: str | None = None,
) -> Run:
    """Insert a run with its uploads; it is published once the session's transaction is committed.

    Args:
        key: an idempotency key: the same key gives the same run back.
        priority: -1 low, 0, 1 high.
        after: runs of the same workspace that must have succeeded before this one starts.
        queue: another queue than the job's own.

    Raises:
        KeyConflict: the key stands for a run with other parameters.
    """
    digest = _digest(job, handed, priority, after) if key else ""
    if key and (known := _known(session, workspace, key, digest)):
        return known
    run = insert_run(
        session, job, handed, workspace, account_id=account_id, origin_id=origin_id,
        priority=priority, state=BLOCKED if after else QUEUED, queue=queue or job.queue,
    )  # fmt: skip
    session.add_all(Dependency(run_id=run.id, needs_id=each) for each in set(after))
    if key:
        session.add(Idempotency(workspace_id=workspace, key=key, params_hash=digest, run_id=run.id))
        session.flush()
    if run.published_at is not None:
        after_commit(session, lambda: publish(runtime, run.kind, run.queue, run.id))
    return run


def insert_run(session: Session, job: Job, handed: HandedOver, workspace: str, **more: Any) -> Run:
    """A run; when it may start and its queue's window has room, marked as published for the caller to do so."""
    room = (
        more["state"] == QUEUED
        and not breaker.open
        and (dispatching.published(session, more["queue"]) < dispatching.AT_LEAST)
    )
    run = Run(
        id=new_id(),
        workspace_id=workspace,
        kind=job.kind,
        lane=more["account_id"] or workspace,
        attempts=job.attempts,
        params=handed.params.model_dump(mode="json"),
        summary=describe(job, handed.params, handed.uploads),
        published_at=db_now() if room else None,
        listed=job.audience != "machinery",
        **more,
    )
    session.add(run)
    session.flush()
    for upload in handed.uploads:
        upload.workspace_id, upload.run_id = workspace, run.id
        session.add(upload)
    return run


def _digest(job: Job, handed: HandedOver, priority: int, after: Sequence[str]) -> str:
    """What must be the same for a key to mean the same run: job, fields, files' contents, and when it may start."""
    fields = {
        name: value for name, value in handed.params.model_dump(mode="json").items() if name not in job.file_fields()
    }
    files = [(upload.field, upload.name, upload.sha256) for upload in handed.uploads]
    asked = [job.kind, fields, files, *([priority, sorted(after)] if priority or after else [])]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _known(session: Session, workspace: str, key: str, digest: str) -> Run | None:
    row = session.get(Idempotency, (workspace, key))
    if row is None:
        return None
    if row.params_hash != digest:
        raise KeyConflict
    return session.scalar(select(Run).where(Run.id == row.run_id))


def copy_uploads(runtime: Runtime, session: Session, run: Run) -> dict[str, list[Upload]]:
    """The files of a run once more, for running it again; empty when they were deleted."""
    copies: dict[str, list[Upload]] = {}
    rows = session.scalars(
        select(Upload).where(Upload.run_id == run.id, Upload.deleted_at.is_(None)).order_by(Upload.id)
    )
    for row in rows:
        copy = Upload(
            id=new_id(),
            field=row.field,
            name=row.name,
            media_type=row.media_type,
            size=row.size,
            sha256=row.sha256,
            key=runtime.storage.copy(row.key),
        )
        copies.setdefault(row.field, []).append(copy)
    return copies


def enqueue_watchers(runtime: Runtime, session: Session) -> None:
    """Jobs that watch a table get one run for each workspace in which it changed, unless one waits already."""
    touched = session.info.pop("changed", None)
    if not touched:
        return
    for job in discover().values():
        for workspace in sorted({owner for table, owner in touched if table in job.watches}):
            waits = select(Run.id).where(
                Run.workspace_id == workspace, Run.kind == job.kind, Run.state == QUEUED, Run.due_at <= db_now()
            )  # fmt: skip
            if session.scalar(waits.limit(1)) is None:
                submit(runtime, session, job, HandedOver(job.params()), workspace)


def cancel(session: Session, run_id: str) -> bool:
    """Ask for the end of a run of this session's workspace."""
    return _mine(session, run_id) and lifecycle.cancel(session, run_id)


def retry(session: Session, run_id: str) -> bool:
    """Put a failed run of this session's workspace back; dispatch publishes it within a second."""
    return _mine(session, run_id) and lifecycle.retry(session, run_id)


def _mine(session: Session, run_id: str) -> bool:
    return session.scalar(select(Run.id).where(Run.id == run_id)) is not None
