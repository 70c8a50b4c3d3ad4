"""Keeping broker and table in step: take back lost runs, publish what waits, publish again what got lost.

Runs inside beat every second, on any number of processes, and dispatch after each message: all moves are conditional.
"""

from collections import Counter
from collections.abc import Iterable

import structlog

from models import children, dispatching, lifecycle, limits, tally
from models.dispatching import Chosen
from models.engine import again
from models.run import FAILED
from models.session import EVERYONE
from tasks import discover
from workers import mail
from workers.publish import breaker, length, publish_many
from workers.queues import QUEUES
from workers.runtime import Runtime

log = structlog.get_logger()
UNCLAIMED_MS = 5_000
UNKNOWN_MS = 60 * 60_000  # a release is rolled out by then
REPUBLISH_AT_MOST = 200


def reconcile(runtime: Runtime) -> int:
    """Take back every run whose worker fell silent, let those go whose wait is over, and tell of what failed so."""
    with runtime.database.look() as connection:
        lost, ready = lifecycle.any_lost(connection), children.any_ready(connection)
    if not (lost or ready):
        _sweep(runtime)
        return 0
    moved = _take_back(runtime, lost)
    _sweep(runtime)
    for run_id, state in moved:
        log.warning("run.taken_back", run=run_id, state=state)
    return len(moved)


@again
def _take_back(runtime: Runtime, lost: bool) -> list[tuple[str, str]]:
    with runtime.database.write(EVERYONE) as session:
        moved = lifecycle.take_back(session) if lost else []
        released = children.release(session)
        for _, state in moved:
            tally.add(session, "taken_back", tally.labelled(state=state))
        for run_id, state in moved + released:
            if state == FAILED:
                mail.after_lost(session, run_id, runtime.origin)
    return moved


@again
def _sweep(runtime: Runtime) -> None:
    if runtime.limits.now():
        with runtime.database.begin() as connection:
            limits.sweep(connection)


def dispatch(runtime: Runtime, queue: str) -> int:
    """Fill a queue's window with what waits. Returns how many messages were published."""
    if breaker.open:  # what is marked as published now would be believed for 5 s
        return 0
    with runtime.database.look() as connection:
        # A read first: a deep queue with a full window must not take the writer's lock after each message.
        window = dispatching.window(connection, queue, runtime.settings.window)
        room = window - dispatching.published(connection, queue)
        if not dispatching.any_due(connection, queue):
            return 0
    if room <= 0:  # by the table; messages that died with a worker must not keep all others from going out
        room = window - _on_broker(runtime, queue, window)
    chosen = _choose(runtime, queue, room) if room > 0 else []
    return publish_many(runtime, queue, _messages(chosen)) if chosen else 0


def _on_broker(runtime: Runtime, queue: str, unknown: int) -> int:
    known = length(runtime, queue)
    return unknown if known is None else known


@again
def _choose(runtime: Runtime, queue: str, room: int) -> list[Chosen]:
    bounds = runtime.limits.now()
    with runtime.database.begin() as connection:
        if bounds and (few := limits.room(connection, bounds, queue)) is not None:
            room = min(room, few - dispatching.published(connection, queue))
        people = limits.people_at_once(bounds)
        chosen = dispatching.next_to_publish(connection, queue, room, people) if room > 0 else []
        marked = dispatching.mark_published(connection, [each[0] for each in chosen])
    return chosen if marked else []


def _messages(chosen: Iterable[Chosen]) -> list[tuple[str, str]]:
    """One message wakes a worker for a whole chunk of children: it claims those that follow the one that is named."""
    found, seen = [], Counter[str]()
    for run_id, kind, parent_id in chosen:
        job = discover().get(kind)
        if parent_id is None or job is None or seen[parent_id] % job.chunk == 0:
            found.append((run_id, kind))
        if parent_id:
            seen[parent_id] += 1
    return found


def republish(runtime: Runtime, queue: str) -> int:
    """Publish again what was published and not claimed, when the broker has fewer messages than it should.

    The comparison keeps a long queue from being published twice; a message too many is harmless.
    """
    with runtime.database.look() as connection:
        old = dispatching.published_long_ago(connection, queue, UNCLAIMED_MS, REPUBLISH_AT_MOST)
        expected = dispatching.published(connection, queue) if old else 0
    _drop_unknown(runtime, [(run_id, kind) for run_id, kind, _ in old if kind not in discover()])
    waiting = length(runtime, queue) if old else None
    if waiting is None or waiting >= expected:
        return 0
    with runtime.database.begin() as connection:
        dispatching.mark_published(connection, [each[0] for each in old], again=True)
        tally.add(connection, "republished", tally.labelled(queue=queue), len(old))
    log.info("queue.published_again", queue=queue, runs=len(old))
    return publish_many(runtime, queue, [(run_id, kind) for run_id, kind, _ in old])


def _drop_unknown(runtime: Runtime, runs: list[tuple[str, str]]) -> None:
    """A worker throws the message of a job that it does not have away: without this, such runs fill the window."""
    for run_id, kind in runs:
        log.warning("run.of_no_job", run=run_id, job=kind)
        with runtime.database.write(EVERYONE) as session:
            # While a new release comes, an old beat meets jobs that only new workers have.
            if lifecycle.waits_since(session, run_id, UNKNOWN_MS):
                lifecycle.cancel(session, run_id, f"There is no job “{kind}” any more.")


def everything(runtime: Runtime) -> None:
    """One round over all queues."""
    reconcile(runtime)
    for queue in QUEUES:
        dispatch(runtime, queue)
        republish(runtime, queue)
