"""The job that clears away: files that no row names, uploads to be forgotten, old runs, and what expired."""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError
from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from models.account import Link, SignIn, Throttle, Token
from models.artifact import Artifact, Upload
from models.base import db_now
from models.delivery import MailEvent, Picture
from models.desk import Desk
from models.run import END_STATES, Idempotency, Run
from models.schedule import Slot
from models.statements import changed
from models.ticket import TicketFile
from models.workspace import Invitation
from tasks import discover
from tasks.alerting import alert_expiry
from tasks.context import Context
from tasks.discard import ENDED, UNSEEN, discard
from tasks.imports import import_expiry
from tasks.job import Job, NoParams, Result
from tasks.storage import TEMPORARY, drop

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ABANDONED_SECONDS = 2 * 3600  # no attempt and no upload lasts so long
MACHINERY_DAYS, SLOT_DAYS, KEY_DAYS, IDLE_DAYS, EVENT_DAYS = 7, 30, 7, 7, 30
AT_ONCE = 500  # rows in one transaction: others want to write, too
MOST_SURPLUS = 50_000  # runs, and slots, that one upkeep looks at: the next one goes on
SLOTS_KEPT = 1000  # of one schedule: more than anybody looks at


T = TypeVar("T")


class Cleared(Result):
    """What was cleared away."""

    uploads: int = Field(title="Uploads of ended runs that were to be forgotten")
    files: int = Field(title="Files that no row named")
    rows: int = Field(title="Rows that had expired")
    runs: int = Field(title="Runs that were kept for long enough, or were too many")


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
    """Ended runs that were kept for as long as the settings say; those of the machinery for a week; and the surplus."""
    gone = 0
    for state in END_STATES:
        if days := ctx.keep_days.get(state):
            gone += _older(ctx, days, Run.state == state)
        gone += _older(ctx, MACHINERY_DAYS, Run.state == state, Run.listed.is_(False))
    return gone + _reduce(ctx)


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


def _reduce(ctx: Context) -> int:
    """The oldest ended runs beyond what a workspace keeps; the workspace that has most of them comes first."""
    gone, left = 0, MOST_SURPLUS
    for workspace, surplus in _surplus(ctx, Run.workspace_id, ctx.keep_runs, ENDED):
        if (some := min(surplus, left)) == 0:
            break
        gone, left = gone + _oldest(ctx, Run.workspace_id == workspace, some), left - some
    return gone


def _surplus(
    ctx: Context, owner: InstrumentedAttribute[str], kept: int, *which: ColumnElement[bool]
) -> list[tuple[str, int]]:
    """Who has more rows than are kept, and how many more; 0 keeps all."""
    count = func.count()
    over = select(owner, count - kept).where(*which).group_by(owner).having(count > kept).order_by(count.desc())
    if kept == 0:
        return []
    with ctx.read_everything() as session:
        return [(row[0], row[1]) for row in session.execute(over)]


def _oldest(ctx: Context, mine: ColumnElement[bool], count: int) -> int:
    """Discard so many, by when they were handed over: that is what ids sort by, and the index begins with their state.

    What ended within the hour stays: somebody looks at it. So does what others wait for.
    """
    gone = 0
    with ctx.read_everything() as session:
        last = session.scalar(select(Run.id).where(mine, ENDED).order_by(Run.id).offset(count - 1).limit(1)) or ""
    for state in END_STATES:
        seen = ""
        old = (mine, Run.state == state, Run.id <= last, Run.finished_at < db_now() - HOUR_MS)
        while ids := _next(ctx, select(Run.id).where(*old, Run.id > seen).order_by(Run.id)):
            with ctx.write_everything() as session:
                gone += discard(session, ctx.storage, ids)
            seen = ids[-1]
            ctx.progress(0.8, f"Runs that are too many: {gone}")
    return gone


def _reduce_slots(ctx: Context) -> int:
    """The oldest slots beyond what a schedule keeps. One whose run goes on stays: it says that the last one does."""
    gone, left = 0, MOST_SURPLUS
    at_work = exists().where(Run.id == Slot.run_id, Run.state.not_in(END_STATES))
    for schedule, surplus in _surplus(ctx, Slot.schedule_id, SLOTS_KEPT):
        mine, seen = Slot.schedule_id == schedule, -1
        last_one = select(Slot.due).where(mine).order_by(Slot.due).offset(surplus - 1).limit(1)
        with ctx.read_everything() as session:
            last = session.scalar(last_one) or 0
        old = (mine, Slot.due <= last, ~at_work)
        while left > 0 and (dues := _next(ctx, select(Slot.due).where(*old, Slot.due > seen).order_by(Slot.due))):
            with ctx.write_everything() as session:
                gone += changed(session, delete(Slot).where(mine, Slot.due.in_(dues)).execution_options(**UNSEEN))
            seen, left = dues[-1], left - len(dues)
    return gone


def _next(ctx: Context, query: Select[T]) -> Sequence[T]:
    """The first of these, as many as one transaction takes."""
    with ctx.read_everything() as session:
        return session.scalars(query.limit(AT_ONCE)).all()


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
        drop(ctx.storage, [key])
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
        named |= set(session.scalars(select(Artifact.key))) | set(session.scalars(select(Picture.key)))
        named |= set(session.scalars(select(TicketFile.key))) | set(session.scalars(select(Desk.index_key)))
        named |= set(session.scalars(select(Desk.index_key))) | set(session.scalars(select(TicketFile.key)))
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
        delete(MailEvent).where(MailEvent.at < db_now() - EVENT_DAYS * DAY_MS),
        *import_expiry.expired(),
        *alert_expiry.expired(),
    )
    with ctx.write_everything() as session:
        expired = sum(changed(session, statement.execution_options(**UNSEEN)) for statement in statements)
    return expired + _reduce_slots(ctx)


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
