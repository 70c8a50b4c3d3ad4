"""One attempt of a run: claim, lease, run the job, finish. The only place that catches everything."""

from typing import Any

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import lifecycle
from models.artifact import Upload
from models.base import db_now
from models.run import CANCELLED, FAILED, SUCCEEDED, Run
from models.session import EVERYONE, after_commit
from tasks import discover
from tasks.context import Context
from tasks.errors import JobError, TryLater
from tasks.job import Job
from workers import dispatch, mail
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
    with runtime.database.write(EVERYONE) as session:
        claim = lifecycle.claim(session, run_id, worker, int(runtime.settings.lease_seconds * 1000))
    if claim is None:
        return None
    with structlog.contextvars.bound_contextvars(run=claim.id, job=claim.kind, attempt=claim.attempt):
        state = _attempt(runtime, discover()[claim.kind], claim)
        log.info("run.left", state=state)
    dispatch.dispatch(runtime, discover()[claim.kind].queue)  # the window never runs dry while beat sleeps
    return state


def _attempt(runtime: Runtime, job: Job, claim: lifecycle.Claim) -> str | None:
    try:
        with (
            Lease(runtime.database, claim, runtime.settings.lease_seconds) as lease,
            _context(runtime, claim, lease) as ctx,
        ):
            params = job.params.model_validate(claim.params)
            result = job.run(params, ctx)
            _succeed(job, claim, ctx, params, result)
            return SUCCEEDED
    except LeaseLost:
        return None
    except Cancelled:
        return _end(runtime, job, claim, CANCELLED, None)
    except TryLater as error:
        return _later(runtime, job, claim, error)
    except JobError as error:
        return _end(runtime, job, claim, FAILED, str(error))
    except OperationalError:
        log.warning("run.database_away", exc_info=True)
        return _later(runtime, job, claim, TryLater("The database did not answer."))
    except SoftTimeLimitExceeded:
        return _end(runtime, job, claim, FAILED, TOO_LONG.format(job.time_limit))
    except MemoryError:
        return _end(runtime, job, claim, FAILED, "This needs more memory than a worker has. Try a smaller input.")
    except Exception:
        log.exception("run.crashed")
        return _end(runtime, job, claim, FAILED, "Something broke on our side; the administrator finds it in the log.")


def _context(runtime: Runtime, claim: lifecycle.Claim, lease: Lease) -> Context:
    return Context(
        runtime.database,
        runtime.storage,
        claim.workspace_id,
        mailer=mail.mailer(runtime.settings),
        run_id=claim.id,
        attempt=claim.attempt,
        account_id=claim.account_id,
        origin=runtime.origin,
        on_progress=lease.progress,
    )


def _succeed(job: Job, claim: lifecycle.Claim, ctx: Context, params: Any, result: Any) -> None:
    """State, result, artifacts, mail and the job's own rows in one transaction; without the fence none of them."""
    session = ctx.session
    headline = job.headline(result) if job.headline else ""
    answer = result.model_dump(mode="json")
    # Rows go first, so that the fence is the last word before the commit.
    session.add_all(ctx.artifacts)
    if job.forget_uploads and job.forget_uploads(params):
        _forget_uploads(ctx, claim)
    mail.after_run(session, job, claim, SUCCEEDED, headline, ctx.origin)
    session.flush()
    if not lifecycle.finish(session, claim.id, claim.attempt, SUCCEEDED, result=answer, headline=headline):
        cancelled = lifecycle.wants_cancel(session, claim.id)
        raise Cancelled if cancelled else LeaseLost
    ctx.commit()


def _forget_uploads(ctx: Context, claim: lifecycle.Claim) -> None:
    mine = (Upload.run_id == claim.id, Upload.deleted_at.is_(None))
    keys = ctx.session.scalars(select(Upload.key).where(*mine)).all()
    ctx.session.execute(update(Upload).where(*mine).values(deleted_at=db_now()))
    for key in keys:
        after_commit(ctx.session, lambda key=key: ctx.storage.delete(key))  # type: ignore[misc]


def _end(runtime: Runtime, job: Job, claim: lifecycle.Claim, state: str, error: str | None) -> str | None:
    with runtime.database.write(EVERYONE) as session:
        if not lifecycle.finish(session, claim.id, claim.attempt, state, error=error):
            return None
        if state == FAILED:
            mail.after_run(session, job, claim, FAILED, "", runtime.origin)
    return state


def _later(runtime: Runtime, job: Job, claim: lifecycle.Claim, error: TryLater) -> str | None:
    with runtime.database.write(EVERYONE) as session:
        wait = int((error.seconds or 0) * 1000)
        state = lifecycle.try_later(session, claim.id, claim.attempt, str(error), wait)
        if state == FAILED:
            mail.after_run(session, job, claim, FAILED, "", runtime.origin)
    return state


def out_of_time(job: Job, origin: str, session: Session, run_id: str, worker: str) -> None:
    """A worker's parent kills its child, which did not hear of its time limit: trying again would take as long."""
    attempt = session.scalar(select(Run.attempt).where(Run.id == run_id, Run.worker == worker))
    error = TOO_LONG.format(job.time_limit)
    if attempt and lifecycle.finish(session, run_id, attempt, FAILED, error=error):
        mail.after_lost(session, run_id, origin)


def hand_back(runtime: Runtime, worker: str) -> None:
    """A worker's parent stops: what its children still run goes back to queued without spending a try."""
    with runtime.database.write(EVERYONE) as session:
        count = lifecycle.hand_back(session, worker)
    if count:
        log.info("worker.handed_back", runs=count)
