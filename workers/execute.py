"""One attempt of a run: claim, lease, run the job, finish. The only place that catches everything."""

import time
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from models import lifecycle, tally
from models.artifact import Upload
from models.base import db_now
from models.children import release_parent
from models.chunks import claim_siblings
from models.engine import again, of_data
from models.limits import NotNow, admit, let_go
from models.run import BLOCKED, CANCELLED, FAILED, SUCCEEDED, Run
from models.session import EVERYONE, after_commit
from models.statements import Claim, Done, Executor
from tasks import discover
from tasks.context import Context
from tasks.errors import AnotherForm, FannedOut, FilesAway, JobError, TryLater
from tasks.job import Job
from tasks.storage import drop
from workers import mail, weather
from workers.boxes import Doors
from workers.children import insert_children
from workers.chunk import Chunk
from workers.lease import Cancelled, Lease, LeaseLost
from workers.runtime import Runtime

log = structlog.get_logger()
TOO_LONG = "This took longer than {} seconds and was stopped. Try a smaller input."


def execute(runtime: Runtime, run_id: str, worker: str) -> str | None:
    """Execute one attempt, if there is anything to do.

    A second delivery of the same message is normal: the claim finds nothing, and this returns None.

    Returns:
        The state the run was left in.
    """
    claims = _take(runtime, run_id, worker)
    if not claims:
        return None
    if len(claims) == 1:
        state = _told(runtime, discover()[claims[0].kind], claims[0])
    else:
        state = execute_chunk(runtime, claims, worker)
    if claims[0].parent_id:
        _parent_goes_on(runtime, claims[0].parent_id)
    return state


def execute_chunk(runtime: Runtime, claims: list[Claim], worker: str) -> str | None:
    """Execute runs of one job that were claimed together. Returns the state the first was left in."""
    job = discover()[claims[0].kind]
    return Chunk(runtime, claims, worker).each(lambda claim, chunk: _told(runtime, job, claim, chunk))


@again
def _parent_goes_on(runtime: Runtime, parent_id: str) -> None:
    with runtime.database.begin() as connection:  # a transaction of its own, which sees all that have ended
        release_parent(connection, parent_id)


def _take(runtime: Runtime, run_id: str, worker: str) -> list[Claim]:
    """Claim a run within its limits, and when it is a short child, some of its siblings; empty: nothing to do."""
    try:
        return _claimed(runtime, run_id, worker)
    except NotNow as full:
        return _postponed(runtime, run_id, full.wait)


@again
def _claimed(runtime: Runtime, run_id: str, worker: str) -> list[Claim]:
    lease_ms, limits = runtime.heart.lease_ms, runtime.limits.now()
    with runtime.database.begin() as connection:
        if limits:
            admit(connection, limits, run_id)
        claim = lifecycle.claim(connection, run_id, worker, lease_ms)
        if claim is None:
            connection.rollback()  # what admit took goes back
            return []
        job = discover().get(claim.kind)
        if limits or job is None or job.chunk < 2 or claim.parent_id is None or claim.attempt > 1:
            return [claim]  # a child that came back is tried by itself: one that kills its worker takes no other along
        return [claim, *claim_siblings(connection, claim, worker, lease_ms, job.chunk - 1)]


@again
def _postponed(runtime: Runtime, run_id: str, wait: int) -> list[Claim]:
    with runtime.database.begin() as connection:
        lifecycle.postpone(connection, run_id, wait)
    return []


def _told(runtime: Runtime, job: Job, claim: Claim, chunk: Chunk | None = None) -> str | None:
    with structlog.contextvars.bound_contextvars(run=claim.id, job=claim.kind, attempt=claim.attempt):
        state = _attempt(runtime, job, claim, chunk)
        log.info("run.left", state=state)
    return state


def _attempt(runtime: Runtime, job: Job, claim: Claim, chunk: Chunk | None) -> str | None:
    try:
        with Lease(runtime.heart, claim) as lease, _context(runtime, claim, lease) as ctx:
            params = _params(job, claim)
            began = time.monotonic()
            result = job.run(params, ctx)
            headline = job.headline(result) if job.headline else ""
            done = Done(claim, result.model_dump(mode="json"), headline, began, time.monotonic())
            _succeed(runtime, job, ctx, params, done, chunk)
            return SUCCEEDED
    except FannedOut as out:
        return _split(runtime, claim, out)
    except LeaseLost:
        _count_loss(runtime, job)
        return None
    except Cancelled:
        return _end(runtime, job, claim, CANCELLED, None)
    except TryLater as error:
        return _later(runtime, job, claim, error)
    except JobError as error:
        return _end(runtime, job, claim, FAILED, str(error))
    except OperationalError as error:
        return _crashed(runtime, job, claim) if of_data(error) else _away(runtime, job, claim)
    except SoftTimeLimitExceeded:
        return _end(runtime, job, claim, FAILED, TOO_LONG.format(job.time_limit))
    except MemoryError:
        return _end(runtime, job, claim, FAILED, "This needs more memory than a worker has. Try a smaller input.")
    except Exception:
        return _crashed(runtime, job, claim)


def _params(job: Job, claim: Claim) -> Any:
    try:
        return job.params.model_validate(claim.params)
    except ValidationError:
        raise AnotherForm from None


def _away(runtime: Runtime, job: Job, claim: Claim) -> str | None:
    log.warning("run.database_away", exc_info=True)
    return _later(runtime, job, claim, TryLater("The database did not answer."))


@again
def _waits(runtime: Runtime, claim: Claim, why: str) -> str | None:
    with runtime.database.write(EVERYONE) as session:
        state = lifecycle.wait(session, claim, why)
        if state:
            let_go(session, claim.id)
    return state


def _crashed(runtime: Runtime, job: Job, claim: Claim) -> str | None:
    log.exception("run.crashed")
    return _end(runtime, job, claim, FAILED, "Something broke on our side; the administrator finds it in the log.")


def _count_loss(runtime: Runtime, job: Job) -> None:
    """For /metrics. The one who has the run now writes all else down."""
    log.warning("lease.lost")
    with suppress(SQLAlchemyError), runtime.database.begin() as connection:
        tally.add(connection, "lease_lost", tally.labelled(job=job.kind))


def _context(runtime: Runtime, claim: Claim, lease: Lease) -> Context:
    return Context(
        runtime.database,
        runtime.storage,
        claim.workspace_id,
        mailer=mail.Post(runtime.settings),
        weather=weather.service(runtime.settings),
        boxes=Doors(runtime.settings),
        run_id=claim.id,
        attempt=claim.attempt,
        account_id=claim.account_id,
        origin=runtime.origin,
        keep_days=runtime.settings.keep_days,
        keep_runs=runtime.settings.keep_runs,
        on_progress=lease.progress,
        checkpoint=claim.checkpoint,
        on_checkpoint=lease.checkpoint,
        split_into=claim.children,
    )


def _succeed(runtime: Runtime, job: Job, ctx: Context, params: Any, done: Done, chunk: Chunk | None) -> None:
    forget = job.forget_uploads is not None and job.forget_uploads(params)
    if not ctx.untouched or forget or mail.wanted(job, done.claim):
        _succeed_with_rows(runtime, job, ctx, done, forget)
    elif chunk is not None:
        chunk.keep(done)
    else:
        _finished(runtime, done)


def _succeed_with_rows(runtime: Runtime, job: Job, ctx: Context, done: Done, forget: bool) -> None:
    """State, result, artifacts, mail and the job's own rows in one transaction; without the fence none of them."""
    claim, session = done.claim, ctx.session
    # Rows go first, so that the fence is the last word before the commit.
    session.add_all(ctx.artifacts)
    if forget:
        _forget_uploads(ctx, claim)
    mail.after_run(session, job, claim, SUCCEEDED, done.headline, ctx.origin)
    session.flush()
    _finish(session, runtime, done)
    ctx.commit()


@again
def _finished(runtime: Runtime, done: Done) -> None:
    with runtime.database.begin() as connection:
        _finish(connection, runtime, done)


def _finish(session: Executor, runtime: Runtime, done: Done) -> None:
    if not lifecycle.succeed(session, [done]):
        raise Cancelled if lifecycle.wants_cancel(session, done.claim.id) else LeaseLost
    if runtime.limits.now():
        let_go(session, done.claim.id)


@again
def _split(runtime: Runtime, claim: Claim, out: FannedOut) -> str | None:
    """The children and the parent's wait for them are one transaction."""
    with runtime.database.begin() as connection:
        if not lifecycle.split(connection, claim, len(out.params)):
            connection.rollback()
            return None  # the fence is lost, or a cancel came: the next attempt or the reconciler sees to it
        insert_children(connection, claim, discover()[out.kind], out.params)
    return BLOCKED


def _forget_uploads(ctx: Context, claim: Claim) -> None:
    mine = (Upload.run_id == claim.id, Upload.deleted_at.is_(None))
    keys = ctx.session.scalars(select(Upload.key).where(*mine)).all()
    ctx.session.execute(update(Upload).where(*mine).values(deleted_at=db_now()))
    after_commit(ctx.session, partial(drop, ctx.storage, keys))


@again
def _end(runtime: Runtime, job: Job, claim: Claim, state: str, error: str | None) -> str | None:
    with runtime.database.write(EVERYONE) as session:
        if state == FAILED and lifecycle.wants_cancel(session, claim.id):
            state, error = CANCELLED, None  # it never asked; what stopped it was what somebody wanted
        if not lifecycle.finish(session, claim.id, claim.attempt, state, error=error):
            return None
        let_go(session, claim.id)
        if state == FAILED:
            mail.after_run(session, job, claim, FAILED, "", runtime.origin)
    return state


def _later(runtime: Runtime, job: Job, claim: Claim, error: TryLater) -> str | None:
    if isinstance(error, FilesAway):
        return _waits(runtime, claim, str(error))
    return _tried(runtime, job, claim, error)


@again
def _tried(runtime: Runtime, job: Job, claim: Claim, error: TryLater) -> str | None:
    with runtime.database.write(EVERYONE) as session:
        wait = int((error.seconds or 0) * 1000)
        state = lifecycle.try_later(session, claim.id, claim.attempt, str(error), wait)
        if state:
            let_go(session, claim.id)
        if state == FAILED:
            mail.after_run(session, job, claim, FAILED, "", runtime.origin)
    return state


def out_of_time(job: Job, origin: str, session: Session, worker: str) -> None:
    """A worker's parent kills its child, which did not hear of its time limit: trying again would take as long."""
    theirs = select(Run.id, Run.attempt, Run.cancel_at).where(Run.state == "running", Run.worker == worker)
    for row in session.execute(theirs.where(Run.started_at.is_not(None))).all():
        state = FAILED if row.cancel_at is None else CANCELLED
        error = TOO_LONG.format(job.time_limit) if state == FAILED else None
        if lifecycle.finish(session, row.id, row.attempt, state, error=error) and state == FAILED:
            mail.after_lost(session, row.id, origin)
    lifecycle.end_leases(session, worker)  # of what it claimed and did not begin


@again
def hand_back(runtime: Runtime, worker: str) -> None:
    """A worker's parent stops: what its children still run goes back to queued without spending a try."""
    with runtime.database.write(EVERYONE) as session:
        count = lifecycle.hand_back(session, worker)
    if count:
        log.info("worker.handed_back", runs=count)
