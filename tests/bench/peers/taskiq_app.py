"""Taskiq on a Redis stream, the broker of its own that acknowledges: two processes of one thread, JSON."""

import asyncio
import sys

from taskiq import serializers
from taskiq_redis import RedisStreamBroker

from tests.bench.peers import work

broker = RedisStreamBroker(work.BROKER, consumer_id="0").with_serializer(serializers.JSONSerializer())
TASKS = {name: broker.task(task_name=name)(body) for name, body in work.JOBS.items()}


def commands(prefetch: int | None) -> list[list[str]]:
    words = ["worker", f"{__name__}:broker", "-w", "2", "--max-threadpool-threads", "1", "--log-level", "WARNING"]
    return [[sys.executable, "-m", "taskiq", *words]]


class Sender:
    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(broker.startup())

    def send(self, job: str, number: int) -> None:
        self.loop.run_until_complete(TASKS[job].kiq(number))
