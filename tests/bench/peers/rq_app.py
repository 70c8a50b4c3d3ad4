"""RQ: a worker pool of two, which forks a process for each job, or runs it in its own (BENCH_SIMPLE=1).

The pool reads the broker's address from RQ_REDIS_URL.
"""

import os
import sys
from pathlib import Path

from redis import Redis
from rq import Queue

from tests.bench.peers import work

RQ = str(Path(sys.executable).with_name("rq"))


def commands(prefetch: int | None) -> list[list[str]]:
    kind = "rq.worker.SimpleWorker" if os.environ.get("BENCH_SIMPLE") else "rq.worker.Worker"
    words = ["worker-pool", "-q", "-n", "2", "-S", "json", "-w", kind, "bench"]
    return [[RQ, *words]]


class Sender:
    def __init__(self) -> None:
        self.queue = Queue("bench", connection=Redis.from_url(work.BROKER), serializer="json")

    def send(self, job: str, number: int) -> None:
        self.queue.enqueue(work.JOBS[job], number, result_ttl=0)
