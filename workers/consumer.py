"""The part of a Celery worker that takes messages: what we did not write is thrown away with a short note.

Celery's own consumer logs the whole body, falls over some of it, and keeps delayed messages in 28 queues of RabbitMQ,
which we never use.
"""

import json
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu.transport import redis

from models.base import ID
from tasks import discover
from workers import publish, topology
from workers.runtime import runtime

log = structlog.get_logger()
EVENTS_EVERY = 0.2  # seconds
LONGEST_ID = ID.length or 0
Base: Any = CeleryConsumer  # the stubs know little of it


BaseChannel: Any = redis.Channel  # the stubs know little of it either


class Channel(BaseChannel):  # type: ignore[misc]
    """An entry of a Redis list that is no message at all would end the worker: Kombu reads it without a net."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            log.warning("message.thrown_away", why="it is no message", error=type(error).__name__)
            return True


redis.Transport.Channel = Channel


class Consumer(Base):  # type: ignore[misc]
    """Celery's consumer, which goes on whatever lies in its queues."""

    class Blueprint(Base.Blueprint):  # type: ignore[misc]
        default_steps: ClassVar[list[str]] = [
            step for step in Base.Blueprint.default_steps if not step.endswith(":DelayedDelivery")
        ]

    _flush_due = False

    def on_send_event_buffered(self) -> None:
        """Task events, for Flower, leave together five times a second: one by one, each is a trip to the broker."""
        if self.hub and not self._flush_due:
            self._flush_due = True
            self.hub.call_later(EVENTS_EVERY, self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        self._flush_events()

    def connect(self) -> Any:
        """Also says what an old RabbitMQ wants set, and declares where dead letters go."""
        connection = super().connect()
        if topology.is_rabbit(runtime().settings.broker):
            topology.dead_letters()(connection.default_channel).declare()
            longest = max(job.time_limit for job in discover().values())
            if said := topology.advice(connection, longest):
                log.warning("broker.settings", advice=said)
        return connection

    def create_task_handler(self, *args: Any, **kw: Any) -> Callable[[Any], None]:
        """What the event loop calls with each message."""
        handle = super().create_task_handler(*args, **kw)

        def handle_ours(message: Any) -> None:
            if why := what_is_wrong(message):
                # Never what stands in it: it is not ours, and may hold anything.
                log.warning("message.thrown_away", why=why, bytes=len(message.body or b""))
                message.ack_log_error(log, self.connection_errors)
            else:
                write_anew(message)
                handle(message)

        return handle_ours


def what_is_wrong(message: Any) -> str:
    """Why a message is none that wakes a worker for a run; empty when it is one."""
    headers = message.headers
    if not isinstance(headers, dict) or not isinstance(headers.get("id"), str):
        return "it is no task"
    if not isinstance(headers.get("task"), str) or headers["task"] not in discover():
        return "it is no job of ours"
    if message.content_type != "application/json":
        return "it is not JSON"
    try:
        (run_id,), named, *_ = json.loads(message.body)
    except (ValueError, TypeError, RecursionError):
        return "its arguments are not those of a job"
    ours = isinstance(run_id, str) and run_id.isascii() and run_id.isalnum() and len(run_id) <= LONGEST_ID
    return "" if ours and named == {} else "its arguments are not those of a job"


def write_anew(message: Any) -> None:
    """Of a message we believe the job, the run and its own id; all else stands as we write it.

    Celery would act on more: time limits, delays, what to call afterwards. On some of it it falls over without
    acknowledging the message, and a worker that holds one such takes no other.
    """
    ((run_id,), *_) = json.loads(message.body)
    message.headers = publish.headers(message.headers["task"], message.headers["id"], run_id)
    message.body, message.content_encoding = publish.body(run_id), "utf-8"
    message.properties.pop("reply_to", None)
