"""Messages to the broker: an id and nothing else, with short timeouts and a breaker, so that no caller ever hangs.

A message that cannot be sent is no error: dispatch sends it again. What is true stands in SQL.
"""

import threading
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import structlog
from kombu import Connection, Exchange, Producer, Queue, pools
from kombu.exceptions import ChannelError, KombuError

from workers.runtime import Runtime

log = structlog.get_logger()
TIMEOUT = 0.3
OPEN_SECONDS = 5.0


class Breaker:
    """After a failure nothing is tried for a while: a dead broker costs one timeout in 5 s, not one a request."""

    def __init__(self) -> None:
        self._until = 0.0
        self._lock = threading.Lock()

    @property
    def open(self) -> bool:
        return time.monotonic() < self._until

    def trip(self) -> None:
        with self._lock:
            self._until = time.monotonic() + OPEN_SECONDS


breaker = Breaker()


@lru_cache(maxsize=4)
def connection(url: str) -> Connection:
    """One pool of connections for each broker and process."""
    options = {
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": TIMEOUT,
        "retry_on_timeout": False,
        "max_retries": 0,
    }
    return Connection(url, connect_timeout=TIMEOUT, transport_options=options)


def _failures(url: str) -> tuple[type[BaseException], ...]:
    """What a broker that is away, full or broken raises: on a connection that stood before, the client's own errors."""
    held = connection(url)
    return (KombuError, OSError, *held.connection_errors, *held.channel_errors)


def publish(runtime: Runtime, kind: str, queue: str, run_id: str) -> bool:
    """Wake a worker for one run; False when the broker is away."""
    return publish_many(runtime, queue, [(run_id, kind)]) == 1


def publish_many(runtime: Runtime, queue: str, runs: Iterable[tuple[str, str]]) -> int:
    """Wake workers for runs, given as (id, kind). Returns how many messages went out."""
    if breaker.open:
        return 0
    sent = 0
    try:
        with pools.producers[connection(runtime.settings.broker)].acquire(block=True, timeout=TIMEOUT) as producer:
            for run_id, kind in runs:
                _send(producer, kind, queue, run_id)
                sent += 1
    except _failures(runtime.settings.broker) as error:
        breaker.trip()
        log.warning("broker.away", error=type(error).__name__)
    return sent


def length(runtime: Runtime, queue: str) -> int | None:
    """How many messages wait in a queue; None when the broker is away."""
    if breaker.open:
        return None
    try:
        with pools.connections[connection(runtime.settings.broker)].acquire(block=True, timeout=TIMEOUT) as held:
            declared = held.default_channel.queue_declare(queue, passive=True)
            return int(declared.message_count)
    except ChannelError:
        return 0  # Redis forgets an empty queue
    except _failures(runtime.settings.broker):
        breaker.trip()
        return None


def _send(producer: Producer, kind: str, queue: str, run_id: str) -> None:
    """A Celery message, protocol 2; its task id is new each time, so a repeated message is a message of its own."""
    task_id = f"{run_id}.{time.time_ns():x}"
    headers: dict[str, Any] = {
        "lang": "py", "task": kind, "id": task_id, "root_id": task_id, "parent_id": None, "group": None, "retries": 0,
        "eta": None, "expires": None, "timelimit": [None, None], "argsrepr": repr((run_id,)), "kwargsrepr": "{}",
        "origin": "nightshift", "ignore_result": True,
    }  # fmt: skip
    body: tuple[Any, ...] = ((run_id,), {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None})
    target = Queue(queue, Exchange(queue), routing_key=queue)
    producer.publish(
        body, serializer="json", exchange=target.exchange, routing_key=queue, declare=[target], headers=headers,
        correlation_id=task_id, delivery_mode=2, retry=False,
    )  # fmt: skip
