"""Limits on what runs at once and what starts in a minute, for a queue or a person, held by rows and not by counting.

Two counts at the same moment both see room for one more; a permit's row is taken by one conditional UPDATE alone.
"""

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, and_, case, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.base import db_now
from models.run import QUEUED, RUNNING, Limit, Permit, Rate
from models.statements import Executor, c, changed

EVERY_PERSON = "person:*"
BUSY_MS = 1_000  # when a limit is reached, the run is looked at again so much later
BURST_MS = 1_000  # a fast rate lets one second's worth start at once
limit = cast(Table, Limit.__table__)
permit = cast(Table, Permit.__table__)
rate = cast(Table, Rate.__table__)


@dataclass(frozen=True, slots=True)
class Bound:
    """How many runs of a scope may run at once, and start in a minute; None is no limit."""

    running: int | None
    per_minute: int | None


Limits = dict[str, Bound]


def all_limits(session: Executor) -> Limits:
    """Every limit that is set, by its scope."""
    return {row.scope: Bound(row.running, row.per_minute) for row in session.execute(select(limit))}


def set_limit(session: Executor, scope: str, running: int | None, per_minute: int | None) -> None:
    """Set or, with two Nones, lift a limit.

    Args:
        scope: "queue:NAME", "person:ACCOUNT", or "person:*" for every person without a limit of their own.
        running: at once; 0 stops the scope altogether.
        per_minute: starts, evenly spread; at least 1.
    """
    session.execute(delete(limit).where(limit.c.scope == scope))
    if running is not None or per_minute is not None:
        session.execute(insert(limit).values(scope=scope, running=running, per_minute=per_minute))


def bound_of(limits: Limits, scope: str) -> Bound | None:
    """A scope's own limit, else every person's."""
    return limits.get(scope) or (limits.get(EVERY_PERSON) if scope.startswith("person:") else None)


def scopes(queue: str, account_id: str | None) -> list[str]:
    """What a run counts against."""
    return [f"queue:{queue}", *([f"person:{account_id}"] if account_id else [])]


class NotNow(Exception):
    """A limit is reached; `wait` is in milliseconds. What was taken goes back with the transaction."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


def admit(session: Executor, limits: Limits, run_id: str) -> None:
    """Take what a waiting run needs to start now, in the claim's own transaction.

    Raises:
        NotNow: a limit is reached.
    """
    waiting = select(c.queue, c.account_id).where(c.id == run_id, c.state == QUEUED, c.due_at <= db_now())
    row = session.execute(waiting).one_or_none()
    for scope in scopes(row.queue, row.account_id) if row else []:
        bound = bound_of(limits, scope)
        if bound and bound.running is not None and not _take_permit(session, scope, bound.running, run_id):
            raise NotNow(BUSY_MS)
        if bound and bound.per_minute is not None and (wait := _take_turn(session, scope, bound.per_minute)):
            raise NotNow(wait)


def let_go(session: Executor, run_id: str) -> None:
    """Give a run's permits back."""
    session.execute(update(permit).where(permit.c.run_id == run_id).values(run_id=None))


def sweep(session: Executor) -> int:
    """Give back the permits of runs that do not run any more: their worker was lost, or was stopped."""
    runs = exists().where(c.id == permit.c.run_id, c.state == RUNNING)
    return changed(session, update(permit).where(permit.c.run_id.is_not(None), ~runs).values(run_id=None))


def room(session: Executor, limits: Limits, queue: str) -> int | None:
    """How many more runs of a queue may start now; None without a limit. Dispatch asks; the claim decides."""
    scope = f"queue:{queue}"
    bound, found = limits.get(scope), []
    if bound and bound.running is not None:
        taken = select(permit.c.number).where(permit.c.scope == scope, permit.c.run_id.is_not(None))
        found.append(max(0, bound.running - len(session.execute(taken).all())))
    if bound and bound.per_minute is not None:
        turn = select(rate.c.next_at - db_now()).where(rate.c.scope == scope)
        ahead = BURST_MS - max(0, session.execute(turn).scalar() or 0)
        found.append(max(0, ahead * bound.per_minute // 60_000 + 1) if ahead > 0 else 0)
    return min(found) if found else None


def people_at_once(limits: Limits) -> dict[str, int]:
    """How many runs a person may have at once, by account; "*" for all others."""
    start = len("person:")
    return {
        scope[start:]: bound.running
        for scope, bound in limits.items()
        if scope.startswith("person:") and bound.running is not None
    }


def _take_permit(session: Executor, scope: str, running: int, run_id: str) -> bool:
    rows = {row.number: row.run_id for row in session.execute(select(permit).where(permit.c.scope == scope))}
    for number in range(1, running + 1):
        if number not in rows:
            _insert(session, permit, scope=scope, number=number)
        if rows.get(number) == run_id:
            return True
        if rows.get(number) is None:
            free = update(permit).where(permit.c.scope == scope, permit.c.number == number, permit.c.run_id.is_(None))
            if changed(session, free.values(run_id=run_id)):
                return True
    return False


def _take_turn(session: Executor, scope: str, per_minute: int) -> int:
    """The generic cell rate algorithm (ITU-T I.371): `next_at` moves on by one interval a start."""
    interval = max(1, 60_000 // per_minute)
    ahead = max(0, BURST_MS - interval)
    row = session.execute(select(rate.c.next_at).where(rate.c.scope == scope)).first()
    if row is None:
        _insert(session, rate, scope=scope, next_at=0)
    moved = case((rate.c.next_at < db_now(), db_now()), else_=rate.c.next_at) + interval
    taken = update(rate).where(and_(rate.c.scope == scope, rate.c.next_at <= db_now() + ahead))
    if changed(session, taken.values(next_at=moved)):
        return 0
    wait = session.execute(select(rate.c.next_at - db_now()).where(rate.c.scope == scope)).scalar()
    return max(50, (wait or 0) - ahead)


def _insert(session: Executor, table: Table, **values: Any) -> None:
    try:
        with session.begin_nested():
            session.execute(insert(table).values(**values))
    except IntegrityError:
        pass  # another worker was first
