"""Keeping broker and table in step: take back lost runs, publish what waits, publish again what got lost.

Runs inside beat every second, on any number of processes, and a little after each run: all moves are conditional.
"""

import structlog

from models import lifecycle
from models.run import FAILED
from models.session import EVERYONE
from tasks import discover
from workers import mail
from workers.publish import breaker, length, publish_many
from workers.queues import QUEUES
from workers.runtime import Runtime

log = structlog.get_logger()
UNCLAIMED_MS = 15_000
REPUBLISH_AT_MOST = 200


def reconcile(runtime: Runtime) -> int:
    """Take back every run whose worker fell silent; tell the owners of those that are out of tries."""
    with runtime.database.read(EVERYONE) as session:
        if not lifecycle.any_lost(session):
            return 0
    with runtime.database.write(EVERYONE) as session:
        moved = lifecycle.take_back(session)
        for run_id, state in moved:
            if state == FAILED:
                mail.after_lost(session, run_id, runtime.origin)
    for run_id, state in moved:
        log.warning("run.taken_back", run=run_id, state=state)
    return len(moved)


def dispatch(runtime: Runtime, queue: str) -> int:
    """Fill a queue's window with what waits. Returns how many runs were published."""
    if breaker.open:  # what is marked as published now would be believed for 15 s
        return 0
    with runtime.database.read(EVERYONE) as session:
        # A read first: a deep queue with a full window must not take the writer's lock after each run.
        if not lifecycle.due_soon(session, queue) or lifecycle.published(session, queue) >= runtime.settings.window:
            return 0
    with runtime.database.write(EVERYONE) as session:
        room = runtime.settings.window - lifecycle.published(session, queue)
        chosen = lifecycle.next_to_publish(session, queue, room) if room > 0 else []
        lifecycle.mark_published(session, [run_id for run_id, _ in chosen])
    return publish_many(runtime, queue, chosen) if chosen else 0


def republish(runtime: Runtime, queue: str) -> int:
    """Publish again what was published and not claimed, when the broker has fewer messages than it should.

    The comparison keeps a long queue from being published twice; a message too many is harmless.
    """
    with runtime.database.read(EVERYONE) as session:
        old = lifecycle.published_long_ago(session, queue, UNCLAIMED_MS, REPUBLISH_AT_MOST)
        expected = lifecycle.published(session, queue) if old else 0
    _drop_unknown(runtime, [(run_id, kind) for run_id, kind in old if kind not in discover()])
    waiting = length(runtime, queue) if old else None
    if waiting is None or waiting >= expected:
        return 0
    with runtime.database.write(EVERYONE) as session:
        lifecycle.mark_published(session, [run_id for run_id, _ in old])
    log.info("queue.published_again", queue=queue, runs=len(old))
    return publish_many(runtime, queue, old)


def _drop_unknown(runtime: Runtime, runs: list[tuple[str, str]]) -> None:
    """A worker throws the message of a job that it does not have away: without this, such runs fill the window."""
    for run_id, kind in runs:
        log.warning("run.of_no_job", run=run_id, job=kind)
        with runtime.database.write(EVERYONE) as session:
            lifecycle.cancel(session, run_id, f"There is no job “{kind}” any more.")


def everything(runtime: Runtime) -> None:
    """One round over all queues."""
    reconcile(runtime)
    for queue in QUEUES:
        dispatch(runtime, queue)
        republish(runtime, queue)
