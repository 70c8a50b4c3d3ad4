"""Celery: as it comes, and with the settings that its users call safe (BENCH_SAFE=1)."""

import os
import sys

from celery import Celery, group

from tests.bench.peers import work

app = Celery("peer", broker=work.BROKER)
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
if os.environ.get("BENCH_SAFE"):
    app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)

TASKS = {name: app.task(name=name)(body) for name, body in work.JOBS.items()}


def commands(prefetch: int | None) -> list[list[str]]:
    """A worker with two processes; a prefetch of None is Celery's own four a process."""
    few = ["--prefetch-multiplier", str(prefetch)] if prefetch else []
    return [
        [sys.executable, "-m", "celery", "-A", __name__, "worker", "-c", "2", "--without-mingle", "--without-gossip",
         *few]
    ]  # fmt: skip


class Sender:
    """`delay()` on a connection that is kept."""

    def send(self, job: str, number: int) -> None:
        TASKS[job].delay(number)

    def group(self, job: str, first: int, count: int) -> None:
        """A fan-out as Celery's users write it."""
        group(TASKS[job].s(number) for number in range(first, first + count)).apply_async()
