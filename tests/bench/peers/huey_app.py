"""Huey: two worker processes on a blocking pop; it pickles by default, so it is given JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from huey import RedisHuey
from huey.registry import Message
from huey.serializer import Serializer

from tests.bench.peers import work


class JsonSerializer(Serializer):  # type: ignore[misc]  # Huey has no types
    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(data))


huey = RedisHuey("bench", url=work.BROKER, results=False, serializer=JsonSerializer())
TASKS = {name: huey.task()(body) for name, body in work.JOBS.items()}


def commands(prefetch: int | None) -> list[list[str]]:
    consumer = str(Path(sys.executable).with_name("huey_consumer"))
    return [[consumer, f"{__name__}.huey", "-w", "2", "-k", "process", "-q"]]


class Sender:
    def send(self, job: str, number: int) -> None:
        TASKS[job](number)
