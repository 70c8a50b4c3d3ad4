"""Discarding runs for good: their rows, and once those are gone for certain, their files."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, cast

from sqlalchemy import Table, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from models.artifact import Artifact, Upload
from models.run import END_STATES, Dependency, Idempotency, Run
from models.schedule import Slot
from models.session import EVERYONE, after_commit
from models.statements import changed
from tasks.storage import Storage, drop

UNSEEN: dict[str, Any] = {"synchronize_session": False}  # no object of the session stands for these rows
AT_ONCE = 500  # ids in one statement: every database takes so many

# Tables and not classes, and a state that no index knows: beside "of this workspace" or "of these states" a planner
# without statistics passes over the primary key, and each 500 of 100,000 runs would cost a look at all of them.
run = cast(Table, Run.__table__)
upload, artifact = cast(Table, Upload.__table__), cast(Table, Artifact.__table__)
_other = run.alias("other")
ENDED = func.coalesce(run.c.state, "").in_(END_STATES)
NEEDED = or_(
    exists().where(
        Dependency.needs_id == run.c.id, _other.c.id == Dependency.run_id, _other.c.state.not_in(END_STATES)
    ),
    exists().where(_other.c.id == run.c.parent_id, _other.c.state.not_in(END_STATES)),
)


def discard(session: Session, storage: Storage, run_ids: Iterable[str]) -> int:
    """Delete ended runs with all that hangs on them: events, files, dependencies, keys, and the children of a parent.

    Runs that still wait or run, that others wait for, or that have such children are passed over, and so are those of
    other workspaces when the session is narrowed to one. The files go after the commit.

    Returns:
        How many runs are gone, children among them.
    """
    return sum(_discard_some(session, storage, some) for some in _portions(run_ids))


def _discard_some(session: Session, storage: Storage, ids: Sequence[str]) -> int:
    asking = session.info["workspace"]
    found = session.execute(select(run.c.id, run.c.workspace_id).where(run.c.id.in_(ids), ENDED, ~NEEDED))
    roots = [row.id for row in found if asking in (row.workspace_id, EVERYONE)]
    return sum(_delete(session, storage, some) for some in _portions(_families(session, roots)))


def _families(session: Session, roots: Sequence[str]) -> list[str]:
    """The roots and all below them; without the families in which somebody is still at work."""
    root_of, level, alive = {root: root for root in roots}, list(roots), set[str]()
    while level:
        below = []
        for some in _portions(level):
            children = select(run.c.id, run.c.parent_id, run.c.state).where(run.c.parent_id.in_(some))
            for child in session.execute(children):
                root = root_of[child.parent_id]
                if child.id not in root_of:
                    below.append(child.id)
                root_of.setdefault(child.id, root)
                if child.state not in END_STATES:
                    alive.add(root)
        level = below
    return [run_id for run_id, root in root_of.items() if root not in alive]


def _delete(session: Session, storage: Storage, ids: Sequence[str]) -> int:
    files = [
        row
        for table in (upload, artifact)
        for row in session.execute(select(table.c.run_id, table.c.key).where(table.c.run_id.in_(ids)))
    ]
    of_schedules = select(run.c.schedule_id).where(run.c.id.in_(ids), run.c.schedule_id.is_not(None))
    schedules = session.scalars(of_schedules.distinct()).all()
    # Events, uploads, artifacts and dependencies go with their run: the tables say ON DELETE CASCADE.
    gone = changed(session, delete(run).where(run.c.id.in_(ids), ENDED))
    stayed = set(session.scalars(select(run.c.id).where(run.c.id.in_(ids)))) if gone < len(ids) else set[str]()
    left = [run_id for run_id in ids if run_id not in stayed]  # somebody retried one in the meantime
    session.execute(delete(Idempotency).where(Idempotency.run_id.in_(left)).execution_options(**UNSEEN))
    if schedules:
        slots = update(Slot).where(Slot.schedule_id.in_(schedules), Slot.run_id.in_(left))
        session.execute(slots.values(run_id=None).execution_options(**UNSEEN))
    after_commit(session, partial(drop, storage, [key for run_id, key in files if run_id not in stayed]))
    return gone


def _portions(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while some := list(islice(rest, AT_ONCE)):
        yield some
