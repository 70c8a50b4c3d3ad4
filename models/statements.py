"""What the engine's statements share: tables, the claim, notes on a run's timeline, row counts.

Nothing here is narrowed to a workspace: this is the engine room. Portable SQL: no RETURNING, no SELECT FOR UPDATE.
"""

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Integer, String, Table, exists, func, insert, literal, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from models.base import ID, db_now, new_id
from models.run import QUEUED, Queue, Run, RunEvent

Executor = Session | Connection
run = cast(Table, Run.__table__)
queue = cast(Table, Queue.__table__)
event = cast(Table, RunEvent.__table__)
c = run.c
PAUSED = exists().where(queue.c.name == c.queue, queue.c.paused_at.is_not(None))
WAITS_AGAIN: dict[str, Any] = {"state": QUEUED, "published_at": None, "lease_until": None, "worker": None}
CLAIMED = (c.id, c.attempt, c.kind, c.workspace_id, c.account_id, c.params, c.parent_id, c.children, c.checkpoint)


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this worker may execute; `attempt` is the fence of all its writes."""

    id: str
    attempt: int
    kind: str
    workspace_id: str
    account_id: str | None
    params: dict[str, Any]
    parent_id: str | None = None
    children: int = 0
    checkpoint: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a run that succeeded leaves; `began` and `ended` are this process's `time.monotonic()`."""

    claim: Claim
    result: dict[str, Any]
    headline: str
    began: float
    ended: float


def changed(session: Executor, statement: Any, values: Any = None) -> int:
    """Execute an UPDATE or DELETE and tell how many rows it met."""
    result = cast(CursorResult[Any], session.execute(statement, values))
    return result.rowcount


def note(session: Executor, run_id: str, what: str, detail: str = "", attempt: int | None = None) -> None:
    """Add a line to a run's timeline; workspace and attempt are read from the run itself.

    Handed over, first start and success have no lines: the run's own columns tell of them, and three writes a run
    would be half of what a short one costs.
    """
    write_note(session, run_id, what, detail, attempt, db_now())


def write_note(session: Executor, run_id: str, what: str, detail: str, attempt: int | None, at: Any) -> None:
    """`note` with its time: epoch milliseconds, or an expression over the run's columns."""
    values = (
        literal(new_id(), ID), c.workspace_id, c.id, at, c.attempt if attempt is None else literal(attempt, Integer),
        literal(what, String(20)), literal(detail[:500], String(500)),
    )  # fmt: skip
    columns = ["id", "workspace_id", "run_id", "at", "attempt", "what", "detail"]
    row = select(*values).where(c.id == run_id)
    session.execute(insert(event).from_select(columns, row, include_defaults=False))


def left(session: Executor, run_id: str, attempt: int, what: str, detail: str) -> None:
    """An attempt ended without success: keep when it began (`started_at` is the next one's soon), and why it ended."""
    if attempt == 1:  # later ones noted their start when they were claimed
        write_note(session, run_id, "started", "", 1, func.coalesce(c.started_at, db_now()))
    note(session, run_id, what, detail, attempt)
