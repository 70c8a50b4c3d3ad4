"""Runs that one worker claims together, because they are short: begun one after the other, and the rest given back."""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, select, update

from models.base import db_now
from models.run import QUEUED, RUNNING
from models.statements import CLAIMED, PAUSED, WAITS_AGAIN, Claim, Executor, c, changed, run

SIBLINGS = (
    select(c.id)
    .where(
        c.parent_id == bindparam("parent"), c.state == QUEUED, c.attempt == 0, c.kind == bindparam("of_kind"),
        c.id > bindparam("run_id"), c.due_at <= db_now(), c.cancel_at.is_(None),
    ).order_by(c.id)
)  # fmt: skip


def claim_siblings(session: Executor, first: Claim, worker: str, lease_ms: int, limit: int) -> list[Claim]:
    """Take more children of the same parent that were never tried."""
    found = {"parent": first.parent_id, "of_kind": first.kind, "run_id": first.id}
    return claim_together(session, session.execute(SIBLINGS.limit(limit), found).scalars().all(), worker, lease_ms)


def claim_together(session: Executor, ids: Sequence[str], worker: str, lease_ms: int) -> list[Claim]:
    """Take those of some due runs that wait and were never tried. They count as started only when they are."""
    if not ids:
        return []
    free = and_(c.id.in_(ids), c.state == QUEUED, c.attempt == 0, c.cancel_at.is_(None), ~PAUSED)
    values = {"state": RUNNING, "attempt": 1, "worker": worker, "started_at": None, "published_at": None}
    if not changed(session, update(run).where(free).values(**values, lease_until=db_now() + lease_ms)):
        return []
    mine = select(*CLAIMED).where(c.id.in_(ids), c.state == RUNNING, c.worker == worker, c.attempt == 1)
    claims = {row.id: Claim(*row) for row in session.execute(mine)}
    return [claims[run_id] for run_id in ids if run_id in claims]


def unclaim(session: Executor, ids: Sequence[str], worker: str) -> int:
    """What was claimed with others and not begun goes back, for another worker."""
    mine = and_(c.id.in_(ids), c.state == RUNNING, c.worker == worker, c.started_at.is_(None))
    return changed(session, update(run).where(mine).values(**WAITS_AGAIN))
