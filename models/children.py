"""Runs that wait for others: dependents, and parents of children."""

from typing import cast

from sqlalchemy import Table, and_, exists, or_, select, update

from models.base import db_now
from models.run import BLOCKED, CANCELLED, FAILED, QUEUED, RUNNING, Dependency, Run
from models.statements import WAITS_AGAIN, Executor, c, changed, note, run

need = cast(Table, Dependency.__table__)
other = cast(Table, Run.__table__).alias("other")
GOES_ON = other.c.state.in_((BLOCKED, QUEUED, RUNNING))  # named one by one: three looks into the index, no scan
NEEDS = (need.c.run_id == c.id, other.c.id == need.c.needs_id)
CHILD_GOES_ON = exists().where(other.c.parent_id == c.id, GOES_ON).correlate(run)
NEED_GOES_ON = exists().where(*NEEDS, GOES_ON).correlate(run)
NEED_FAILED = exists().where(*NEEDS, other.c.state.in_((FAILED, CANCELLED))).correlate(run)
READY = and_(c.state == BLOCKED, ~CHILD_GOES_ON, ~NEED_GOES_ON, ~NEED_FAILED)
WAITED_IN_VAIN = "A run that this one waited for did not succeed. Put that one right, then retry this one."


def cancel_children(session: Executor, run_id: str) -> None:
    """Nobody waits for the children of a run that ended any more; those of the children end with them."""
    if not session.execute(select(c.children).where(c.id == run_id)).scalar():
        return
    theirs = and_(c.parent_id == run_id, c.state.in_((QUEUED, BLOCKED, RUNNING)))
    parents = session.execute(select(c.id).where(theirs, c.children > 0)).all()
    waiting = and_(c.parent_id == run_id, c.state.in_((QUEUED, BLOCKED)))
    values = {"state": CANCELLED, "cancel_at": db_now(), "finished_at": db_now()}
    session.execute(update(run).where(waiting).values(values))
    session.execute(update(run).where(theirs, c.cancel_at.is_(None)).values(cancel_at=db_now()))
    for parent in parents:
        cancel_children(session, parent.id)


def has_needs(session: Executor, run_id: str) -> bool:
    """Whether a run was handed in to start after others."""
    return session.execute(select(need.c.run_id).where(need.c.run_id == run_id).limit(1)).first() is not None


def any_ready(session: Executor) -> bool:
    """Whether a blocked run waits for nothing any more, or for what failed: a read, before the writer's lock."""
    over = or_(READY, and_(c.state == BLOCKED, NEED_FAILED))
    return session.execute(select(c.id).where(over).limit(1)).first() is not None


def release(session: Executor) -> list[tuple[str, str]]:
    """Let blocked runs go whose children and needs have all ended. Returns (run id, new state).

    What a dependent waited for must have succeeded, else it fails; a parent goes on whatever became of its children.
    """
    moved = []
    for run_id in session.execute(select(c.id).where(c.state == BLOCKED, NEED_FAILED)).scalars().all():
        values = {"state": FAILED, "error": WAITED_IN_VAIN, "finished_at": db_now()}
        if changed(session, update(run).where(c.id == run_id, c.state == BLOCKED).values(values)):
            note(session, run_id, FAILED, WAITED_IN_VAIN)
            moved.append((run_id, FAILED))
    found = session.execute(select(c.id).where(READY)).scalars().all()
    return moved + [(run_id, QUEUED) for run_id in found if _let_go(session, run_id)]


def release_parent(session: Executor, parent_id: str) -> bool:
    """The same for one parent, after one of its children ended. Called in a transaction that sees that end."""
    if session.execute(select(c.id).where(c.id == parent_id, READY)).first() is None:
        return False
    return _let_go(session, parent_id)


def _let_go(session: Executor, run_id: str) -> bool:
    values = {**WAITS_AGAIN, "due_at": db_now()}
    return changed(session, update(run).where(c.id == run_id, c.state == BLOCKED).values(values)) == 1
