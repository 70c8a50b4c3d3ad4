"""What a message does: it wakes a worker for one run, and the worker goes on with what waits while runs are quick.

A message costs Celery about a millisecond, and the way back for the next one two or three: more than a quick run does.
So the worker asks the table itself for more of the same job, a few at a time, each person in turn as dispatch does.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from models import dispatching
from models.chunks import claim_together
from models.dispatching import Chosen
from models.engine import again
from models.statements import Claim
from workers import dispatch
from workers.execute import execute, execute_chunk
from workers.runtime import Runtime

QUICK_SECONDS = 0.05  # a run that takes longer is worth its message
GO_ON_SECONDS = 0.5  # then whoever waits with another job, or wants to stop this worker, has a turn
SOME = 16
LOOKS = 3  # another worker may choose the same ones and be first


@dataclass(frozen=True)
class Message:
    """What Celery knows of a message: its task's name is the job's kind, its argument a run's id."""

    kind: str
    queue: str
    run_id: str


def woken(runtime: Runtime, message: Message, worker: str) -> None:
    """Execute the run of a message, if there is anything to do, and then others of its job and queue."""
    began = last = time.monotonic()
    if execute(runtime, message.run_id, worker) is None:
        return
    count = 1
    while _quick(last, count) and time.monotonic() - began < GO_ON_SECONDS:
        last = time.monotonic()
        claims = _more(runtime, message, worker)
        if not claims:
            break
        count = len(claims)
        execute_chunk(runtime, claims, worker)
    dispatch.dispatch(runtime, message.queue)  # the window never runs dry while beat sleeps


def _quick(since: float, count: int) -> bool:
    return time.monotonic() - since < QUICK_SECONDS * count


def _more(runtime: Runtime, message: Message, worker: str) -> list[Claim]:
    """Claim the next few runs, as far as they are of the message's job; under limits each needs its own claim."""
    if runtime.limits.now():
        return []
    with runtime.database.look() as connection:  # a read first: an empty queue must not take the writer's lock
        if not dispatching.any_to_do(connection, message.queue):
            return []
    return _claimed(runtime, message, worker)


@again
def _claimed(runtime: Runtime, message: Message, worker: str) -> list[Claim]:
    with runtime.database.begin() as connection:
        for _ in range(LOOKS):
            chosen = _of_the_same_job(dispatching.next_to_do(connection, message.queue, SOME), message.kind)
            claims = claim_together(connection, chosen, worker, runtime.heart.lease_ms)
            if claims or not chosen:
                return claims
    return []


def _of_the_same_job(chosen: Sequence[Chosen], kind: str) -> list[str]:
    """The first of them: others are never passed by. Children come in chunks of their own."""
    return [run_id for run_id, _, _ in takewhile(lambda each: each[1] == kind and each[2] is None, chosen)]
