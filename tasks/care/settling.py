"""What running tickets have used up, counted by the hours that hold, before these hours change or go.

Nothing else of a ticket moves by it: the same deadlines, reckoned from a later moment. So a team that works around the
clock from today on has not worked the nights before, and one that works less has not lost what it did.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Row, Table, bindparam, or_, select, update
from sqlalchemy.orm import Session

from models.base import clock
from models.engine import again
from models.ticket import AT_WORK, Ticket
from tasks.care import clocks, hours
from tasks.care.clocks import COLUMNS, PORTION, Portion, Rules, alike

PASSES = 3  # what somebody changes at that moment is left alone, and met in the next pass
Opens = Callable[[], AbstractContextManager[Session]]


def before_change(write: Opens, workspace_id: str, team_id: str | None = None) -> int:
    """Settle a workspace's tickets, or a team's and those without one, in transactions of some thousands each.

    Args:
        write: opens a session of the workspace that writes.

    Returns:
        How many were settled.
    """
    with write() as session:
        now = clock(session)
    total = 0
    for _ in range(PASSES):
        if not (seen := _pass(write, workspace_id, now, team_id)):
            break
        total += seen
    return total


def _pass(write: Opens, workspace_id: str, now: int, team_id: str | None) -> int:
    seen, after = 0, ""
    while True:
        found = _portion(write, workspace_id, now, team_id, after)
        seen += found.seen
        if found.after is None:
            return seen
        after = found.after


@again
def _portion(write: Opens, workspace_id: str, now: int, team_id: str | None, after: str) -> Portion:
    with write() as session:
        return portion(session, workspace_id, now, team_id, after)


def portion(
    session: Session, workspace_id: str, now: int, team_id: str | None = None, after: str = "", size: int = PORTION
) -> Portion:
    """Some of them, in the order of their ids. What somebody changed meanwhile is left as they left it."""
    rows = session.execute(_running(workspace_id, now, team_id, after, size)).all()
    rules = Rules(session, workspace_id)
    held = [rules.hours_of(row.policy_id, row.team_id) for row in rows]
    values: list[dict[str, Any]] = []
    for same, places in alike(held):
        values += _settled([rows[place] for place in places], same, now)
    if values:
        session.execute(_writing(workspace_id), values)
    return Portion(len(rows), len(values), rows[-1].id if len(rows) == size else None)


def _running(workspace_id: str, now: int, team_id: str | None, after: str, size: int) -> Any:
    mine = [Ticket.workspace_id == workspace_id, Ticket.status.in_(AT_WORK), Ticket.clock_at < now, Ticket.id > after]
    if team_id is not None:
        mine.append(or_(Ticket.team_id == team_id, Ticket.team_id.is_(None)))
    return select(*COLUMNS).where(*mine).order_by(Ticket.id).limit(size)


def _settled(rows: Sequence[Row[Any]], held: hours.Hours, now: int) -> Iterator[dict[str, Any]]:
    import numpy as np

    since = np.array([row.clock_at for row in rows], dtype=np.int64)
    worked = hours.working_time(held, now, int(since.min())).worked(since, now)
    for row, more in zip(rows, np.maximum(worked, 0).tolist(), strict=True):
        yield clocks.seen(row) | {"new_spent": row.spent + more, "new_clock": now}


def _writing(workspace_id: str) -> Any:
    table = Ticket.__table__
    assert isinstance(table, Table)  # for the types
    same = clocks.unchanged(table, workspace_id)
    return update(table).where(same).values(spent=bindparam("new_spent"), clock_at=bindparam("new_clock"))
