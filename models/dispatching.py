"""Which waiting runs go out to the broker next: rescued ones, then by priority, then who was served least.

Each question is a look into the index `ix_run_waiting`, whatever the number of waiting runs.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import cast

from sqlalchemy import ColumnElement, Table, and_, exists, func, select, union_all, update

from models.account import Account
from models.base import db_now
from models.run import QUEUED, RUNNING
from models.statements import Executor, c, changed, run
from models.statements import queue as queues

AT_LEAST = 4  # messages of a queue that may be out whatever its pace
EVERY_OTHER = "*"
MANY_LANES = 500  # people waiting in one queue who are looked at in one round
Chosen = tuple[str, str, str | None]  # a run's id, its kind and its parent
Level = tuple[ColumnElement[bool], ...]
_served: dict[str, str] = {}  # by queue: whose turn this process gave last; with quick runs nobody ever has any out
account = cast(Table, Account.__table__)


def waiting(queue: str) -> ColumnElement[bool]:
    """The runs of a queue that no message on the broker stands for."""
    return and_(c.queue == queue, c.state == QUEUED, c.published_at.is_(None))


def _goes(queue: str) -> ColumnElement[bool]:
    """A queue is not paused. By its name and not by each run's: asked once for a statement, not once for each row."""
    return ~exists().where(queues.c.name == queue, queues.c.paused_at.is_not(None))


def published(session: Executor, queue: str) -> int:
    """How many runs of a queue, of all workspaces, are out on the broker and unclaimed."""
    out = (c.queue == queue, c.state == QUEUED, c.published_at.is_not(None))
    return session.execute(select(func.count()).select_from(run).where(*out)).scalar() or 0


def window(session: Executor, queue: str, most: int) -> int:
    """How many messages of a queue may be out now: enough to keep its workers awake, and no more.

    Messages are served in the order they went out, so whatever is out stands before a newcomer of another person.
    """
    running = select(func.count()).select_from(run).where(c.queue == queue, c.state == RUNNING)
    return min(most, AT_LEAST + 2 * (session.execute(running).scalar() or 0))


def any_due(session: Executor, queue: str) -> bool:
    """Whether runs could start now that the broker does not know of: a read, before the writer's lock."""
    one = select(c.id).where(waiting(queue), c.due_at <= db_now(), _goes(queue)).limit(1)
    return session.execute(one).first() is not None


def any_to_do(session: Executor, queue: str) -> bool:
    """Whether runs could start now, whatever the broker knows: a read, before the writer's lock."""
    one = select(c.id).where(c.queue == queue, c.state == QUEUED, c.due_at <= db_now(), _goes(queue)).limit(1)
    return session.execute(one).first() is not None


def next_to_do(session: Executor, queue: str, count: int) -> list[Chosen]:
    """What a worker does next by itself: those that went out first, whose messages stand before it, then who waits."""
    out = select(c.id, c.kind, c.parent_id).where(
        c.queue == queue, c.state == QUEUED, c.published_at.is_not(None), c.due_at <= db_now(), _goes(queue)
    )  # fmt: skip
    rows = session.execute(out.order_by(c.published_at, c.id).limit(count)).all()
    chosen = [(row.id, row.kind, row.parent_id) for row in rows]
    return chosen + (next_to_publish(session, queue, count - len(chosen)) if len(chosen) < count else [])


def next_to_publish(session: Executor, queue: str, room: int, at_once: dict[str, int] | None = None) -> list[Chosen]:
    """Choose up to `room` waiting runs.

    Args:
        queue: its name.
        room: how many more messages may be out.
        at_once: how many runs a person may have out or running, when that is limited; "*" for every other person.
    """
    due = (waiting(queue), c.due_at <= db_now(), _goes(queue))
    if not at_once and len(session.execute(select(c.id).where(*due).limit(room + 1)).all()) <= room:
        everything = select(c.id, c.kind, c.parent_id).where(*due).order_by(c.priority.desc(), c.due_at, c.id)
        return [(row.id, row.kind, row.parent_id) for row in session.execute(everything.limit(room))]
    busy = _busy(session, queue)
    chosen: list[Chosen] = []
    for priority in _levels(session, queue):
        left = room - len(chosen)
        if left <= 0:
            break
        level = (waiting(queue), c.priority == priority)
        # So many that have nothing out are enough; a limited one may not go, so that all are looked at.
        names = _lanes(session, level, _served.get(queue, ""), busy, MANY_LANES if at_once else left)
        lanes = _firsts(session, queue, level, names, left)
        of_level, last = _in_turn(lanes, busy, left, _of_people(session, names, at_once or {}))
        chosen += of_level
        _served[queue] = last or _served.get(queue, "")
    return chosen


def _busy(session: Executor, queue: str) -> Counter[str]:
    """How many runs each lane has out on the broker or running."""
    running = select(c.lane).where(c.queue == queue, c.state == RUNNING)
    out = select(c.lane).where(c.queue == queue, c.state == QUEUED, c.published_at.is_not(None))
    both = union_all(running, out).subquery()
    counted = session.execute(select(both.c.lane, func.count()).group_by(both.c.lane))
    return Counter({row[0]: row[1] for row in counted})


def _levels(session: Executor, queue: str) -> list[int]:
    """The priorities of what waits, highest first: one look into the index for each."""
    found: list[int] = []
    # No MAX: PostgreSQL takes it from the index only where all that stands before it is part of the order, NULL or not.
    highest = select(c.priority).where(waiting(queue)).order_by(c.published_at.desc(), c.priority.desc()).limit(1)
    while (level := session.execute(highest.where(c.priority < found[-1]) if found else highest).scalar()) is not None:
        found.append(level)
    return found


def _lanes(session: Executor, level: Level, after: str, busy: Counter[str], idle: int) -> list[str]:
    """Who waits, beginning after the one who was served last, until so many have been found who have nothing out."""
    names: list[str] = []
    lowest = select(c.lane).where(*level).order_by(c.published_at, c.lane).limit(1)
    for stretch in ((c.lane > after,), (c.lane <= after,)):
        beyond: tuple[ColumnElement[bool], ...] = ()
        while idle > 0 and len(names) < MANY_LANES:
            lane = session.execute(lowest.where(*stretch, *beyond)).scalar()
            if lane is None:
                break
            names.append(lane)
            beyond = (c.lane > lane,)
            idle -= not busy[lane]
    return names


def _firsts(session: Executor, queue: str, level: Level, names: Sequence[str], room: int) -> dict[str, deque[Chosen]]:
    """The first runs of each lane, enough to fill the room from few of them."""
    each = -(-2 * room // max(1, len(names)))
    first = (
        select(c.id, c.kind, c.parent_id)
        .where(*level, c.due_at <= db_now(), _goes(queue))
        .order_by(c.published_at, c.due_at, c.id)
        .limit(each)
    )
    lanes = {name: session.execute(first.where(c.lane == name)) for name in names}
    return {name: deque((row.id, row.kind, row.parent_id) for row in rows) for name, rows in lanes.items()}


def _of_people(session: Executor, lanes: Iterable[str], at_once: dict[str, int]) -> dict[str, int]:
    """The limit of each lane that is a person; what a workspace runs by itself, as the machinery does, has none."""
    if EVERY_OTHER not in at_once:
        return at_once
    people = session.execute(select(account.c.id).where(account.c.id.in_(lanes))).scalars()
    return {lane: at_once.get(lane, at_once[EVERY_OTHER]) for lane in people}


def _in_turn(
    lanes: dict[str, deque[Chosen]], busy: Counter[str], room: int, at_once: dict[str, int]
) -> tuple[list[Chosen], str | None]:
    """One run after the other, each from the lane that has the fewest out or running; and the lane of the last."""
    chosen: list[Chosen] = []
    lane = None
    while len(chosen) < room:
        open_to = [lane for lane, runs in lanes.items() if runs and busy[lane] < at_once.get(lane, room + 10**9)]
        if not open_to:
            break
        lane = min(open_to, key=lambda name: busy[name])
        chosen.append(lanes[lane].popleft())
        busy[lane] += 1
    return chosen, lane


def mark_published(session: Executor, ids: Sequence[str], again: bool = False) -> int:
    """Written before the message goes out: a lost message is then only late, never unseen.

    Args:
        again: also those that are marked already.

    Returns:
        How many it met; none when another dispatcher chose the same ones and was first.
    """
    if not ids:
        return 0
    waits = (c.id.in_(ids), c.state == QUEUED, *(() if again else (c.published_at.is_(None),)))
    return changed(session, update(run).where(*waits).values(published_at=db_now()))


def published_long_ago(session: Executor, queue: str, older_than_ms: int, limit: int) -> list[Chosen]:
    """Runs whose message went out a while ago and that nobody claimed."""
    old = select(c.id, c.kind, c.parent_id).where(
        c.queue == queue, c.state == QUEUED, c.published_at < db_now() - older_than_ms, _goes(queue)
    )  # fmt: skip
    return [(row.id, row.kind, row.parent_id) for row in session.execute(old.order_by(c.published_at).limit(limit))]
