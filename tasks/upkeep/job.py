"""The job that clears away: files that no row names, uploads to be forgotten, old runs, and what expired."""

import os
import shutil
import tempfile
import time
from pathlib import Path

from pydantic import Field, ValidationError
from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from models.account import Link, SignIn, Throttle, Token
from models.artifact import Artifact, Upload
from models.base import db_now
from models.run import END_STATES, Idempotency, Run
from models.schedule import Slot
from models.statements import changed
from models.workspace import Invitation
from tasks import discover
from tasks.context import Context
from tasks.discard import discard
from tasks.job import Job, NoParams, Result
from tasks.storage import TEMPORARY

DAY_MS = 24 * 3_600_000
ABANDONED_SECONDS = 2 * 3600  # no attempt and no upload lasts so long
MACHINERY_DAYS, SLOT_DAYS, KEY_DAYS, IDLE_DAYS = 7, 30, 7, 7
AT_ONCE = 500  # runs in one transaction: others want to write, too


class Cleared(Result):
    """What was cleared away."""

    uploads: int = Field(title="Uploads of ended runs that were to be forgotten")
    files: int = Field(title="Files that no row named")
    rows: int = Field(title="Rows that had expired")
    runs: int = Field(title="Runs that were kept for long enough")


def run(params: NoParams, ctx: Context) -> Cleared:
    """Clear away, one kind after the other, each in a transaction of its own."""
    uploads = _forget_uploads(ctx)
    ctx.progress(0.3, "Files that no row names")
    files = _sweep_files(ctx) + _sweep_folders()
    ctx.progress(0.6, "Runs that were kept for long enough")
    runs = _let_go(ctx)
    ctx.progress(0.9, "What has expired")
    return Cleared(uploads=uploads, files=files, rows=_expire(ctx), runs=runs)


def _let_go(ctx: Context) -> int:
    """Ended runs that were kept for as long as the settings say; those of the machinery for a week."""
    gone = 0
    for state in END_STATES:
        if days := ctx.keep_days.get(state):
            gone += _older(ctx, days, Run.state == state)
        gone += _older(ctx, MACHINERY_DAYS, Run.state == state, Run.listed.is_(False))
    return gone


def _older(ctx: Context, days: int, *which: ColumnElement[bool]) -> int:
    """Discard such runs of that age, in portions. Those that others wait for are passed over, and met again later."""
    gone, seen = 0, (0, "")
    while True:
        after = or_(Run.finished_at > seen[0], and_(Run.finished_at == seen[0], Run.id > seen[1]))
        old = select(Run.finished_at, Run.id).where(*which, Run.finished_at < db_now() - days * DAY_MS, after)
        with ctx.read_everything() as session:
            rows = session.execute(old.order_by(Run.finished_at, Run.id).limit(AT_ONCE)).all()
        if not rows:
            return gone
        with ctx.write_everything() as session:
            gone += discard(session, ctx.storage, [row.id for row in rows])
        seen = (rows[-1].finished_at, rows[-1].id)
        ctx.progress(0.6, f"Runs that were kept for long enough: {gone}")


def _forget_uploads(ctx: Context) -> int:
    """The uploads of runs that failed or were cancelled a day ago: time enough to try again."""
    jobs = discover()
    old = select(Upload.id, Upload.key, Run.kind, Run.params).join(Run, Run.id == Upload.run_id).where(
        Upload.deleted_at.is_(None), Run.state.in_(END_STATES), Run.finished_at < db_now() - DAY_MS
    )  # fmt: skip
    with ctx.read_everything() as session:
        gone = [(row.id, row.key) for row in session.execute(old) if _forgets(jobs.get(row.kind), row.params)]
    for upload_id, key in gone:
        with ctx.write_everything() as session:
            session.execute(update(Upload).where(Upload.id == upload_id).values(deleted_at=db_now()))
        ctx.storage.delete(key)
    return len(gone)


def _forgets(job: Job | None, params: object) -> bool:
    """Whether a run's files are to go before it does; where its params are of an older form, nobody can say so."""
    if job is None or job.forget_uploads is None:
        return False
    try:
        return job.forget_uploads(job.params.model_validate(params))
    except ValidationError:
        return False


def _sweep_files(ctx: Context) -> int:
    """Files of attempts that were killed and of submits that were never committed."""
    yesterday = time.time() - DAY_MS / 1000
    old = {key for key, written in ctx.storage.listed() if written < yesterday}
    with ctx.read_everything() as session:
        named = set(session.scalars(select(Upload.key).where(Upload.deleted_at.is_(None))))
        named |= set(session.scalars(select(Artifact.key)))
    for key in old - named:
        ctx.storage.delete(key)
    return len(old - named)


def _sweep_folders() -> int:
    """This machine's folders of attempts that were killed: people's files lie in them."""
    before, swept = time.time() - ABANDONED_SECONDS, 0
    for folder in Path(tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
        told = folder.lstat() if folder.is_dir() and not folder.is_symlink() else None
        if told and told.st_uid == os.getuid() and told.st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept


def _expire(ctx: Context) -> int:
    statements = (
        delete(Link).where(Link.expires_at < db_now()),
        delete(SignIn).where(SignIn.expires_at < db_now()),
        delete(SignIn).where(SignIn.seen_at < db_now() - IDLE_DAYS * DAY_MS),
        delete(Token).where(Token.expires_at < db_now()),
        delete(Invitation).where(Invitation.expires_at < db_now()),
        delete(Throttle).where(Throttle.since < db_now() - DAY_MS),
        delete(Idempotency).where(Idempotency.created_at < db_now() - KEY_DAYS * DAY_MS),
        delete(Slot).where(Slot.due < db_now() - SLOT_DAYS * DAY_MS),
    )
    with ctx.write_everything() as session:
        options = {"synchronize_session": False}
        return sum(changed(session, statement.execution_options(**options)) for statement in statements)


JOB = Job(
    kind="upkeep",
    title="Clear away",
    summary="Deletes files that no row names, uploads to be forgotten, runs kept for long enough, and what expired.",
    params=NoParams,
    result=Cleared,
    run=run,
    queue="scans",
    schedule="15 * * * *",
    time_limit=600,
    audience="machinery",
)
