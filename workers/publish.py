"""Messages to the broker: an id and nothing else, with short timeouts and a breaker, so that no caller ever hangs.

A message that cannot be sent is no error: dispatch sends it again. What is true stands in SQL.
"""

import contextlib
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from kombu import Connection, Producer
from kombu.exceptions import ChannelError, KombuError, OperationalError

from workers import topology
from workers.runtime import Runtime

log = structlog.get_logger()
TIMEOUT = 0.3
OPEN_SECONDS = 5.0
CONFIRM_SECONDS = 0.5  # RabbitMQ says that it has a message on disk; a slow disk may take a while
KEPT = 10  # connections of one process that wait for the next message


class Breaker:
    """After a failure nothing is tried for a while: a dead broker costs one timeout in 5 s, not one a request."""

    def __init__(self) -> None:
        self._until = 0.0
        self._lock = threading.Lock()

    @property
    def open(self) -> bool:
        """Whether nothing is to be tried now."""
        return time.monotonic() < self._until

    def trip(self) -> None:
        """The broker did not answer just now."""
        with self._lock:
            self._until = time.monotonic() + OPEN_SECONDS


breaker = Breaker()


class Line:
    """One connection to the broker; RabbitMQ confirms what is sent on it, as others do by their answer."""

    def __init__(self, url: str) -> None:
        self.connection = connection(url)
        self.used = False
        self._rabbit = topology.is_rabbit(url)
        self._url, self._declared = url, set[str]()
        self._open, self._last, self._refused = set[int](), 0, False

    def send(self, queue: str, runs: list[tuple[str, str]]) -> None:
        """All of them in one round trip."""
        channel = self.connection.default_channel
        if self._rabbit:
            self._prepare(channel, queue)
        with Producer(channel, auto_declare=False) as producer, producer.batch():  # type: ignore[attr-defined]
            for run_id, kind in runs:
                _send(producer, kind, queue, run_id)
                if self._rabbit:
                    self._last += 1
                    self._open.add(self._last)
        if self._rabbit:
            self._wait()
        self.used = True

    def length(self, queue: str) -> int:
        """How many messages wait; ChannelError where there is no such queue, which ends a channel of RabbitMQ."""
        first: Any = self.connection.default_channel  # connects, by our timeouts
        with self.connection.channel() if self._rabbit else contextlib.nullcontext(first) as channel:
            asked: Any = channel
            count = int(asked.queue_declare(queue, passive=True).message_count)
        self.used = True
        return count

    def close(self) -> None:
        """Without a word to a server that may not answer."""
        self.connection.collect(socket_timeout=0.1)

    def _prepare(self, channel: Any, queue: str) -> None:
        if not self._declared:
            channel.confirm_select()
            channel.events["basic_ack"].add(self._acked)
            channel.events["basic_nack"].add(self._nacked)
            topology.dead_letters()(channel).declare()
        if queue not in self._declared:
            topology.queue(queue, self._url)(channel).declare()
            self._declared.add(queue)

    def _acked(self, tag: int, multiple: bool) -> None:
        self._open = {each for each in self._open if each > tag} if multiple else self._open - {tag}

    def _nacked(self, tag: int, multiple: bool) -> None:
        self._refused = True
        self._acked(tag, multiple)

    def _wait(self) -> None:
        end = time.monotonic() + CONFIRM_SECONDS
        while self._open:
            self.connection.drain_events(timeout=max(0.01, end - time.monotonic()))
        if self._refused:
            raise OperationalError("the broker refused a message")


_kept: defaultdict[tuple[str, int], list[Line]] = defaultdict(list)  # by process: a fork takes no line along


def connection(url: str) -> Connection:
    """A connection that gives up soon; made when it is first used."""
    # One try: to Kombu, max_retries=0 alone means as many as there is time for, with 2 s between them.
    options = {
        "socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT, "retry_on_timeout": False, "max_retries": 0,
        "read_timeout": TIMEOUT, "write_timeout": TIMEOUT,
        "connect_retries_timeout": 0.01, "interval_start": 0.02, "interval_step": 0, "interval_max": 0.02,
    }  # fmt: skip
    return Connection(url, connect_timeout=TIMEOUT, transport_options=options)


@contextlib.contextmanager
def _line(url: str) -> Iterator[Line]:
    """A line that nobody else uses meanwhile; one on which something failed is not used again."""
    kept = _kept[url, os.getpid()]
    try:
        line = kept.pop()
    except IndexError:
        line = Line(url)
    try:
        yield line
    except BaseException:
        line.close()
        raise
    if len(kept) < KEPT:
        kept.append(line)
    else:
        line.close()


def _failures(url: str) -> tuple[type[BaseException], ...]:
    """What a broker that is away, full or broken raises: on a connection that stood before, the client's own errors."""
    held = connection(url)
    return (KombuError, OSError, *held.connection_errors, *held.channel_errors)


def publish(runtime: Runtime, kind: str, queue: str, run_id: str) -> bool:
    """Wake a worker for one run; False when the broker is away."""
    return publish_many(runtime, queue, [(run_id, kind)]) == 1


def publish_many(runtime: Runtime, queue: str, runs: Iterable[tuple[str, str]]) -> int:
    """Wake workers for runs, given as (id, kind). Returns how many messages went out for certain."""
    messages, url = list(runs), runtime.settings.broker
    if breaker.open:
        return 0
    try:
        _try(url, queue, messages)
    except _failures(url) as error:
        breaker.trip()
        log.warning("broker.away", error=type(error).__name__)
        return 0
    return len(messages)


def _try(url: str, queue: str, messages: list[tuple[str, str]]) -> None:
    """A line that stood may have been cut since, by a restart of the broker: then it is a new one at once."""
    began, used = time.monotonic(), False
    try:
        with _line(url) as line:
            used = line.used
            line.send(queue, messages)
    except _failures(url):
        if not used or time.monotonic() - began > TIMEOUT / 2:
            raise
        _forget(url)
        with _line(url) as line:
            line.send(queue, messages)


def _forget(url: str) -> None:
    kept = _kept[url, os.getpid()]
    while kept:
        kept.pop().close()


def length(runtime: Runtime, queue: str) -> int | None:
    """How many messages wait in a queue; None when the broker is away."""
    if breaker.open:
        return None
    url = runtime.settings.broker
    try:
        with _line(url) as line:
            return line.length(queue)
    except ChannelError:
        return 0  # Redis forgets an empty queue
    except _failures(url):
        breaker.trip()
        return None


def _send(producer: Producer, kind: str, queue: str, run_id: str) -> None:
    """A Celery message, protocol 2; its task id is new each time, so a repeated message is a message of its own.

    It goes to the queue by its name (the exchange ""), so that nothing on a flushed broker has to lead there.
    """
    task_id = f"{run_id}.{time.time_ns():x}"
    producer.publish(
        body(run_id), content_type="application/json", content_encoding="utf-8", exchange="", routing_key=queue,
        headers=headers(kind, task_id, run_id), correlation_id=task_id, delivery_mode=2, retry=False,
    )  # fmt: skip


def headers(kind: str, task_id: str, run_id: str) -> dict[str, Any]:
    """What Celery is told of a message. A worker reads no more than these three of one that came in."""
    return {
        "lang": "py", "task": kind, "id": task_id, "root_id": task_id, "parent_id": None, "group": None, "retries": 0,
        "eta": None, "expires": None, "timelimit": [None, None], "argsrepr": repr((run_id,)), "kwargsrepr": "{}",
        "origin": "nightshift", "ignore_result": True,
    }  # fmt: skip


def body(run_id: str) -> str:
    return json.dumps([[run_id], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
