"""The life of a run, as statements: every change of state is one conditional UPDATE whose row count decides.

Beside it: runs claimed several at a time (chunks.py), those that wait for others (children.py), who is next
(dispatching.py).

Portable SQL: no RETURNING, no SELECT FOR UPDATE. Nothing here is narrowed to a workspace: this is the engine room.
The statements of each run's way (claim, finish) are built once, so that they cost no more than their SQL.
Rules and reasons: deploy/decisions/0003-the-runs-table-is-the-truth.md.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, case, func, or_, select, update

from models.base import db_now
from models.children import cancel_children, has_needs
from models.run import BLOCKED, CANCELLED, FAILED, QUEUED, RUNNING, SUCCEEDED
from models.statements import CLAIMED, PAUSED, WAITS_AGAIN, Claim, Done, Executor, c, changed, left, note, run

BACKOFF_MS = 2_000
BACKOFF_CAP_MS = 10 * 60_000
WAIT_MS = 5_000
RESCUE_CAP_MS = 10_000  # it goes again within 45 s, lease and all, however often it met a worker's death
RESCUED = 100  # added to the priority of a run that lost its worker: it has waited already
BEFORE_OTHERS = case((c.priority < RESCUED // 2, c.priority + RESCUED), else_=c.priority)
LOST = and_(c.state == RUNNING, c.lease_until < db_now())

CLAIM = (
    update(run)
    .where(c.id == bindparam("run_id"), c.state == QUEUED, c.due_at <= db_now(), c.cancel_at.is_(None), ~PAUSED)
    .values(
        state=RUNNING, attempt=c.attempt + 1, worker=bindparam("by"), started_at=db_now(), progress=0.0, message="",
        lease_until=db_now() + bindparam("lease_ms", type_=BigInteger), published_at=None,
    )
)  # fmt: skip
READ_CLAIM = select(*CLAIMED).where(c.id == bindparam("run_id"))
MINE = and_(c.id == bindparam("run_id"), c.attempt == bindparam("fence"), c.state == RUNNING)
EXTEND = update(run).where(MINE).values(lease_until=db_now() + bindparam("lease_ms", type_=BigInteger))
REPORT = update(run).where(MINE).values(progress=bindparam("share"), message=bindparam("words"))
BEGIN = update(run).where(MINE).values(started_at=db_now())
SUCCEED = (
    update(run)
    .where(MINE, c.cancel_at.is_(None))
    .values(
        state=SUCCEEDED, result=bindparam("answer"), headline=bindparam("said"), error=None, progress=1.0,
        finished_at=db_now() - bindparam("ended_ago", type_=BigInteger), lease_until=None, checkpoint=None,
        started_at=func.coalesce(c.started_at, db_now() - bindparam("began_ago", type_=BigInteger)),
    )
)  # fmt: skip


def claim(session: Executor, run_id: str, worker: str, lease_ms: int) -> Claim | None:
    """Take a queued, due run of a queue that is not paused; None when there is nothing to do."""
    if not changed(session, CLAIM, {"run_id": run_id, "by": worker, "lease_ms": lease_ms}):
        return None
    claimed = Claim(*session.execute(READ_CLAIM, {"run_id": run_id}).one())
    if claimed.attempt > 1:
        note(session, run_id, "started", worker, claimed.attempt)
    return claimed


def postpone(session: Executor, run_id: str, wait_ms: int) -> None:
    """A limit is reached: the run waits on, and dispatch sends it again when it is its turn."""
    due = update(run).where(c.id == run_id, c.state == QUEUED, c.due_at <= db_now())
    session.execute(due.values(due_at=db_now() + wait_ms, published_at=None))


def begin(session: Executor, claim: Claim) -> None:
    """A run that was claimed with others starts now: from here a lost worker costs it a try."""
    session.execute(BEGIN, {"run_id": claim.id, "fence": claim.attempt})


def split(session: Executor, claim: Claim, children: int) -> bool:
    """A parent waits for its children, which the same transaction inserts; False without the fence."""
    mine = and_(_mine(claim.id, claim.attempt), c.cancel_at.is_(None))
    values = {"state": BLOCKED, "children": children, "lease_until": None, "worker": None}
    return changed(session, update(run).where(mine).values(values)) == 1


def _mine(run_id: str, attempt: int) -> ColumnElement[bool]:
    return and_(c.id == run_id, c.attempt == attempt, c.state == RUNNING)


def extend(session: Executor, run_id: str, attempt: int, lease_ms: int) -> bool:
    """Hold on to a run for another lease; False when it is no longer this attempt's."""
    return changed(session, EXTEND, {"run_id": run_id, "fence": attempt, "lease_ms": lease_ms}) == 1


def report(session: Executor, run_id: str, attempt: int, share: float, message: str) -> bool:
    """Write progress; False when the run is no longer this attempt's."""
    values = {"run_id": run_id, "fence": attempt, "share": share, "words": message[:300]}
    return changed(session, REPORT, values) == 1


def keep_checkpoint(session: Executor, run_id: str, attempt: int, checkpoint: dict[str, Any]) -> bool:
    """Keep how far a long run is, for its next attempt; False when it is no longer this attempt's."""
    return changed(session, update(run).where(_mine(run_id, attempt)).values(checkpoint=checkpoint)) == 1


def wants_cancel(session: Executor, run_id: str) -> bool:
    """Whether somebody asked for this run to be cancelled."""
    return session.execute(select(c.cancel_at).where(c.id == run_id)).scalar() is not None


def waits_since(session: Executor, run_id: str, ms: int) -> bool:
    """Whether a run was handed in so long ago and was not begun yet."""
    old = (c.id == run_id, c.state == QUEUED, c.created_at < db_now() - ms)
    return session.execute(select(c.id).where(*old)).first() is not None


def succeed(session: Executor, done: Sequence[Done]) -> int:
    """End runs as succeeded; those cancelled or lost meanwhile are left out.

    Returns:
        How many were still theirs.
    """
    now = time.monotonic()
    values = [
        {
            "run_id": one.claim.id, "fence": one.claim.attempt, "answer": one.result, "said": one.headline[:200],
            "began_ago": int((now - one.began) * 1000), "ended_ago": int((now - one.ended) * 1000),
        }
        for one in done
    ]  # fmt: skip
    return changed(session, SUCCEED, values if len(values) > 1 else values[0])


def finish(session: Executor, run_id: str, attempt: int, state: str, *, error: str | None = None) -> bool:
    """End a run as failed or cancelled; False when it is no longer this attempt's."""
    values: dict[str, Any] = {"state": state, "error": error, "finished_at": db_now(), "lease_until": None}
    values["started_at"] = func.coalesce(c.started_at, db_now())
    if not changed(session, update(run).where(_mine(run_id, attempt)).values(values)):
        return False
    left(session, run_id, attempt, state, error or "")
    cancel_children(session, run_id)
    return True


def backoff_ms(tries: int, cap: int = BACKOFF_CAP_MS) -> int:
    """Exponential backoff with full jitter: anything up to 4 s, 8 s, 16 s … the cap, which is ten minutes.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return random.randint(0, min(BACKOFF_MS * 2**tries, cap))  # noqa: S311  # no secret


def try_later(session: Executor, run_id: str, attempt: int, reason: str, at_least_ms: int = 0) -> str | None:
    """After a TryLater: back to queued, or failed when its tries are spent. The new state; None without the fence."""
    return _spend_try(session, _mine(run_id, attempt), run_id, attempt, reason, at_least_ms)


def _spend_try(
    session: Executor, mine: ColumnElement[bool], run_id: str, attempt: int, reason: str, at_least_ms: int = 0,
    rescued: bool = False,
) -> str | None:  # fmt: skip
    row = session.execute(select(c.tries, c.attempts, c.cancel_at, c.started_at).where(mine)).one_or_none()
    if row is None:
        return None
    if row.cancel_at is not None:
        return CANCELLED if finish(session, run_id, attempt, CANCELLED) else None
    if row.started_at is None and rescued:  # claimed with others, and never begun: not its fault
        return QUEUED if _give_back(session, run_id, attempt) else None
    tries = row.tries + 1
    if tries >= row.attempts:
        error = f"{reason} It was tried {tries} times. Run it again later, or tell the administrator."
        values: dict[str, Any] = {"state": FAILED, "error": error, "finished_at": db_now(), "lease_until": None}
    else:
        wait = backoff_ms(tries, RESCUE_CAP_MS if rescued else BACKOFF_CAP_MS)
        values = {**WAITS_AGAIN, "due_at": db_now() + max(wait, at_least_ms)}
        if rescued:
            values["priority"] = BEFORE_OTHERS
    still = and_(mine, c.cancel_at.is_(None))  # nobody claims a run that waits and is to be cancelled
    if not changed(session, update(run).where(still).values(**values, tries=tries)):
        return None
    state: str = values["state"]
    left(session, run_id, attempt, "failed" if state == FAILED else "tries again", reason)
    if state == FAILED:
        cancel_children(session, run_id)
    return state


def wait(session: Executor, claim: Claim, reason: str) -> str | None:
    """What the run needs is away, which is not its fault: back to queued, and no try is spent. The new state."""
    delay = min(WAIT_MS * 2 ** min(claim.attempt, 10), BACKOFF_CAP_MS)
    delay -= random.randint(0, delay // 2)  # noqa: S311  # or all would come at once
    mine = and_(_mine(claim.id, claim.attempt), c.cancel_at.is_(None))
    if changed(session, update(run).where(mine).values(**WAITS_AGAIN, due_at=db_now() + delay)):
        left(session, claim.id, claim.attempt, "tries again", reason)
        return QUEUED
    return CANCELLED if finish(session, claim.id, claim.attempt, CANCELLED) else None


def take_back(session: Executor) -> list[tuple[str, str]]:
    """Reconcile: every run whose lease is over goes back to queued, or ends. Returns (run id, new state)."""
    moved: list[tuple[str, str]] = []
    for row in session.execute(select(c.id, c.attempt).where(LOST)).all():
        mine = and_(_mine(row.id, row.attempt), LOST)  # unless it was extended in the meantime
        why = "The worker was lost while it ran."
        if state := _spend_try(session, mine, row.id, row.attempt, why, rescued=True):
            moved.append((row.id, state))
    return moved


def any_lost(session: Executor) -> bool:
    """Whether a lease ran out: a read, so that an idle process never takes the writer's lock."""
    return session.execute(select(c.id).where(LOST).limit(1)).first() is not None


def end_leases(session: Executor, worker: str, run_id: str | None = None) -> int:
    """A parent saw its child `worker` die: what that one held need not wait for its lease to run out.

    Args:
        run_id: this one alone; a child that broke off but lives on may have begun with the next.
    """
    dead = and_(c.state == RUNNING, c.worker == worker, *([c.id == run_id] if run_id else []))
    return changed(session, update(run).where(dead).values(lease_until=0))


def end_leases_of_the_dead(session: Executor, node: str, alive: Callable[[int], bool]) -> int:
    """A worker that starts knows that those who bore its name before it are gone, and need not be waited for.

    Args:
        node: the worker's name, such as "ecg@host"; a run's `worker` is NODE:PARENT/CHILD.
        alive: whether a process of this machine lives.
    """
    theirs = and_(c.state == RUNNING, c.worker.startswith(f"{node}:", autoescape=True))
    found = session.execute(select(c.worker).where(theirs).distinct()).scalars().all()
    parents = {worker: worker.removeprefix(f"{node}:").partition("/")[0] for worker in found}
    dead = [worker for worker, parent in parents.items() if parent.isdigit() and not alive(int(parent))]
    return sum(end_leases(session, worker) for worker in dead)


def hand_back(session: Executor, worker: str) -> int:
    """A worker that shuts down gives its running runs back, and spends no try. `worker` is its parent's name."""
    theirs = and_(c.state == RUNNING, c.worker.startswith(f"{worker}/", autoescape=True))
    rows = session.execute(select(c.id, c.attempt, c.cancel_at).where(theirs)).all()
    for row in rows:
        if row.cancel_at is not None:
            finish(session, row.id, row.attempt, CANCELLED)
        else:
            _give_back(session, row.id, row.attempt)
    return len(rows)


def _give_back(session: Executor, run_id: str, attempt: int) -> bool:
    mine = and_(_mine(run_id, attempt), c.cancel_at.is_(None))
    values = {**WAITS_AGAIN, "due_at": db_now(), "priority": BEFORE_OTHERS}
    if not changed(session, update(run).where(mine).values(values)):
        return False
    left(session, run_id, attempt, "handed back", "The worker was stopped in order; the run goes on with another.")
    return True


def cancel(session: Executor, run_id: str, why: str = "") -> bool:
    """Ask for the end of a run: at once while it waits, at its next progress call while it runs. False if it ended."""
    waiting = update(run).where(c.id == run_id, c.state.in_((QUEUED, BLOCKED)))
    running = update(run).where(c.id == run_id, c.state == RUNNING, c.cancel_at.is_(None))
    for _ in range(2):  # twice: between two statements a run may be claimed, or come back from its worker
        if changed(session, waiting.values(state=CANCELLED, cancel_at=db_now(), finished_at=db_now())):
            note(session, run_id, CANCELLED, why)
            cancel_children(session, run_id)
            return True
        if changed(session, running.values(cancel_at=db_now())):
            note(session, run_id, "asked to cancel")
            return True
    return False


def retry(session: Executor, run_id: str) -> bool:
    """A failed run goes back with all its tries, after its failed children and its needs; False: it has not failed."""
    again = {
        "tries": 0, "due_at": db_now(), "published_at": None, "finished_at": None, "error": None,
        "cancel_at": None,  # asked for, but it failed first
        "priority": case((c.priority > RESCUED // 2, c.priority - RESCUED), else_=c.priority),
    }  # fmt: skip
    failed = update(run).where(c.id == run_id, c.state == FAILED)
    if not changed(session, failed.values({**again, "state": QUEUED})):
        return False
    children = update(run).where(c.parent_id == run_id, or_(c.state == FAILED, c.state == CANCELLED))
    if changed(session, children.values({**again, "state": QUEUED})) or has_needs(session, run_id):
        session.execute(update(run).where(c.id == run_id, c.state == QUEUED).values(state=BLOCKED))
    note(session, run_id, "retried")
    return True
