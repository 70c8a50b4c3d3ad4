"""Dramatiq: two processes of one thread each, JSON, its usual middleware (age limit, time limit, retries)."""

import sys

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from tests.bench.peers import work

dramatiq.set_broker(RedisBroker(url=work.BROKER))
ACTORS = {name: dramatiq.actor(body) for name, body in work.JOBS.items()}


def commands(prefetch: int | None) -> list[list[str]]:
    return [[sys.executable, "-m", "dramatiq", "-p", "2", "-t", "1", __name__]]


class Sender:
    def send(self, job: str, number: int) -> None:
        ACTORS[job].send(number)
