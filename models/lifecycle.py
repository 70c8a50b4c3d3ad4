"""The life of a run, as statements: every change of state is one conditional UPDATE whose row count decides.

Portable SQL: no RETURNING, no SELECT FOR UPDATE. Sessions here are open for everyone: this is the engine room.
Rules and reasons: deploy/decisions/0003-the-runs-table-is-the-truth.md.
"""

import random
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Integer, String, Table, and_, case, exists, func, insert, literal, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from models.base import ID, db_now, new_id
from models.run import BLOCKED, CANCELLED, FAILED, QUEUED, RUNNING, SUCCEEDED, Queue, Run, RunEvent

BACKOFF_MS = 2_000
BACKOFF_CAP_MS = 10 * 60_000
run = cast(Table, Run.__table__)
LOST = and_(Run.state == RUNNING, Run.lease_until < db_now())
PAUSED = exists().where(Queue.name == Run.queue, Queue.paused_at.is_not(None))


@dataclass(frozen=True)
class Claim:
    """A run that this worker may execute; `attempt` is the fence of all its writes."""

    id: str
    attempt: int
    kind: str
    workspace_id: str
    account_id: str | None
    params: dict[str, Any]


def changed(session: Session, statement: Any) -> int:
    """Execute an UPDATE or DELETE and tell how many rows it met."""
    result: CursorResult[Any] = session.execute(statement)  # type: ignore[assignment]
    return result.rowcount


def note(session: Session, run_id: str, what: str, detail: str = "", attempt: int | None = None) -> None:
    """Add a line to a run's timeline; workspace and attempt are read from the run itself."""
    values = (
        literal(new_id(), ID), Run.workspace_id, Run.id, db_now(),
        Run.attempt if attempt is None else literal(attempt, Integer), literal(what, String(20)),
        literal(detail[:500], String(500)),
    )  # fmt: skip
    columns = ["id", "workspace_id", "run_id", "at", "attempt", "what", "detail"]
    row = select(*values).where(Run.id == run_id)
    session.execute(insert(RunEvent).from_select(columns, row, include_defaults=False))


def claim(session: Session, run_id: str, worker: str, lease_ms: int) -> Claim | None:
    """Take a queued, due run of a queue that is not paused; None when there is nothing to do."""
    taken = update(run).where(
        Run.id == run_id, Run.state == QUEUED, Run.due_at <= db_now(), Run.cancel_at.is_(None), ~PAUSED
    ).values(
        state=RUNNING, attempt=Run.attempt + 1, lease_until=db_now() + lease_ms, worker=worker,
        started_at=db_now(), progress=0.0, message="", published_at=None,
    )  # fmt: skip
    if not changed(session, taken):
        return None
    columns = (Run.id, Run.attempt, Run.kind, Run.workspace_id, Run.account_id, Run.params)
    claimed = Claim(*session.execute(select(*columns).where(Run.id == run_id)).one())
    note(session, run_id, "started", worker, claimed.attempt)
    return claimed


def _mine(run_id: str, attempt: int) -> ColumnElement[bool]:
    return and_(Run.id == run_id, Run.attempt == attempt, Run.state == RUNNING)


def extend(session: Session, run_id: str, attempt: int, lease_ms: int) -> bool:
    """Hold on to a run for another lease; False when it is no longer this attempt's."""
    return changed(session, update(run).where(_mine(run_id, attempt)).values(lease_until=db_now() + lease_ms)) == 1


def report(session: Session, run_id: str, attempt: int, share: float, message: str) -> bool:
    """Write progress; False when the run is no longer this attempt's."""
    values = {"progress": share, "message": message[:300]}
    return changed(session, update(run).where(_mine(run_id, attempt)).values(values)) == 1


def wants_cancel(session: Session, run_id: str) -> bool:
    """Whether somebody asked for this run to be cancelled."""
    return session.scalar(select(Run.cancel_at).where(Run.id == run_id)) is not None


def finish(
    session: Session,
    run_id: str,
    attempt: int,
    state: str,
    *,
    result: dict[str, Any] | None = None,
    headline: str = "",
    error: str | None = None,
) -> bool:
    """End a run; False when it is no longer this attempt's, or was cancelled before it could succeed."""
    mine = _mine(run_id, attempt)
    if state == SUCCEEDED:
        mine = and_(mine, Run.cancel_at.is_(None))
    values: dict[str, Any] = {
        "state": state,
        "result": result,
        "headline": headline[:200],
        "error": error,
        "finished_at": db_now(),
    }
    if state == SUCCEEDED:
        values["progress"] = 1.0
    if not changed(session, update(run).where(mine).values(**values, lease_until=None)):
        return False
    note(session, run_id, state, error or headline, attempt)
    return True


def backoff_ms(tries: int) -> int:
    """Exponential backoff with full jitter: anything up to 2 s, 4 s, 8 s … ten minutes."""
    return random.randint(0, min(BACKOFF_MS * 2**tries, BACKOFF_CAP_MS))  # noqa: S311  # no secret


def try_later(session: Session, run_id: str, attempt: int, reason: str, at_least_ms: int = 0) -> str | None:
    """After a TryLater: back to queued, or failed when its tries are spent. The new state; None without the fence."""
    return _spend_try(session, _mine(run_id, attempt), run_id, attempt, reason, at_least_ms)


def _spend_try(
    session: Session, mine: ColumnElement[bool], run_id: str, attempt: int, reason: str, at_least_ms: int = 0
) -> str | None:
    row = session.execute(select(Run.tries, Run.attempts, Run.cancel_at).where(mine)).one_or_none()
    if row is None:
        return None
    if row.cancel_at is not None:
        return CANCELLED if finish(session, run_id, attempt, CANCELLED) else None
    tries = row.tries + 1
    if tries >= row.attempts:
        error = f"{reason} It was tried {tries} times. Run it again later, or tell the administrator."
        values: dict[str, Any] = {"state": FAILED, "error": error, "finished_at": db_now()}
    else:
        delay = max(backoff_ms(tries), at_least_ms)
        values = {"state": QUEUED, "due_at": db_now() + delay, "published_at": None, "worker": None}
    still = and_(mine, Run.cancel_at.is_(None))  # nobody claims a run that waits and is to be cancelled
    if not changed(session, update(run).where(still).values(**values, lease_until=None, tries=tries)):
        return None
    state: str = values["state"]
    note(session, run_id, "failed" if state == FAILED else "tries again", reason, attempt)
    return state


def take_back(session: Session) -> list[tuple[str, str]]:
    """Reconcile: every run whose lease is over goes back to queued, or ends. Returns (run id, new state)."""
    moved: list[tuple[str, str]] = []
    for row in session.execute(select(Run.id, Run.attempt).where(LOST)).all():
        mine = and_(_mine(row.id, row.attempt), LOST)  # unless it was extended in the meantime
        if state := _spend_try(session, mine, row.id, row.attempt, "The worker was lost while it ran."):
            moved.append((row.id, state))
    return moved


def any_lost(session: Session) -> bool:
    """Whether a lease ran out: a read, so that an idle process never takes the writer's lock."""
    return session.scalar(select(Run.id).where(LOST).limit(1)) is not None


def end_lease(session: Session, run_id: str, worker: str) -> bool:
    """A parent saw its child `worker` die: what that one ran need not wait for its lease to run out."""
    dead = and_(Run.id == run_id, Run.state == RUNNING, Run.worker == worker)
    return changed(session, update(run).where(dead).values(lease_until=0)) == 1


def hand_back(session: Session, worker: str) -> int:
    """A worker that shuts down gives its running runs back, and spends no try. `worker` is its parent's name."""
    theirs = and_(Run.state == RUNNING, Run.worker.startswith(f"{worker}/", autoescape=True))
    rows = session.execute(select(Run.id, Run.attempt, Run.cancel_at).where(theirs)).all()
    values = {"state": QUEUED, "published_at": None, "lease_until": None, "worker": None, "due_at": db_now()}
    for row in rows:
        mine = and_(_mine(row.id, row.attempt), Run.cancel_at.is_(None))
        if row.cancel_at is not None:
            finish(session, row.id, row.attempt, CANCELLED)
        elif changed(session, update(run).where(mine).values(values)):
            note(session, row.id, "handed back", "The worker was stopped in order; the run goes on with another.")
    return len(rows)


def cancel(session: Session, run_id: str, why: str = "") -> bool:
    """Ask for the end of a run: at once while it waits, at its next progress call while it runs. False if it ended."""
    waiting = update(run).where(Run.id == run_id, Run.state.in_((QUEUED, BLOCKED)))
    if changed(session, waiting.values(state=CANCELLED, cancel_at=db_now(), finished_at=db_now())):
        note(session, run_id, CANCELLED, why)
        return True
    running = update(run).where(Run.id == run_id, Run.state == RUNNING, Run.cancel_at.is_(None))
    if changed(session, running.values(cancel_at=db_now())):
        note(session, run_id, "asked to cancel")
        return True
    return False


def retry(session: Session, run_id: str) -> bool:
    """A failed run goes back to queued with all its tries; False when it has not failed."""
    failed = update(run).where(Run.id == run_id, Run.state == FAILED)
    values = {"state": QUEUED, "tries": 0, "due_at": db_now(), "published_at": None, "finished_at": None, "error": None}
    values["cancel_at"] = None  # asked for, but it failed first
    if not changed(session, failed.values(values)):
        return False
    note(session, run_id, "retried")
    return True


def waiting(queue: str) -> ColumnElement[bool]:
    """The runs of a queue that no message on the broker stands for."""
    return and_(Run.state == QUEUED, Run.queue == queue, Run.published_at.is_(None))


def published(session: Session, queue: str) -> int:
    """How many runs of a queue, of all workspaces, are out on the broker and unclaimed."""
    out = (run.c.state == QUEUED, run.c.queue == queue, run.c.published_at.is_not(None))
    return session.scalar(select(func.count()).select_from(run).where(*out)) or 0


def next_to_publish(session: Session, queue: str, room: int) -> list[tuple[str, str]]:
    """Choose up to `room` waiting runs: rescued ones first, then by priority, then one of each workspace in turn."""
    turn = func.row_number().over(partition_by=Run.workspace_id, order_by=(Run.priority.desc(), Run.due_at, Run.id))
    found = select(Run.id, Run.kind).where(waiting(queue), Run.due_at <= db_now(), ~PAUSED)
    found = found.order_by(case((Run.attempt > 0, 0), else_=1), Run.priority.desc(), turn, Run.due_at, Run.id).limit(
        room
    )
    return [(row.id, row.kind) for row in session.execute(found)]


def mark_published(session: Session, ids: list[str]) -> None:
    """Written before the message goes out: a lost message is then only late, never unseen."""
    if ids:
        session.execute(update(run).where(Run.id.in_(ids), Run.state == QUEUED).values(published_at=db_now()))


def published_long_ago(session: Session, queue: str, older_than_ms: int, limit: int) -> list[tuple[str, str]]:
    """Runs whose message went out a while ago and that nobody claimed."""
    old = select(Run.id, Run.kind).where(
        Run.state == QUEUED, Run.queue == queue, Run.published_at < db_now() - older_than_ms, ~PAUSED
    )  # fmt: skip
    return [(row.id, row.kind) for row in session.execute(old.order_by(Run.published_at).limit(limit))]


def due_soon(session: Session, queue: str) -> bool:
    """Whether runs wait that the broker does not know of."""
    one = select(Run.id).where(waiting(queue), Run.due_at <= db_now(), ~PAUSED).limit(1)
    return session.scalar(one) is not None


def oldest_due(session: Session) -> int | None:
    """When the run that waits the longest became due; None when nothing waits. Paused queues do not count."""
    return session.scalar(select(func.min(Run.due_at)).where(Run.state == QUEUED, Run.due_at <= db_now(), ~PAUSED))
