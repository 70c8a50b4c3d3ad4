"""A real worker whose only job sleeps: `celery -A tests.nap worker`."""

import sys
import time

from celery import Celery
from pydantic import Field

import tasks
from tasks.context import Context
from tasks.job import Job, Params, Result

DRAIN, HARD_LIMIT = 6, 12  # seconds; the limit is longer than a busy machine takes to see that a child is dead


class Nap(Params):
    seconds: float = Field(0, title="Seconds")


def run(params: Nap, ctx: Context) -> Result:
    time.sleep(params.seconds)
    return Result()


JOB = Job(kind="nap", title="Nap", summary="Sleeps.", params=Nap, result=Result, run=run, time_limit=60, attempts=2)


def _app() -> Celery:
    """Celery's app with this job instead of the product's, and short waits."""
    setattr(tasks, "discover", lambda: {JOB.kind: JOB})  # noqa: B010  # before anybody imports it from there
    from workers import celery_app

    celery_app.DRAIN_SECONDS = DRAIN
    task = celery_app.app.tasks[JOB.kind]
    task.soft_time_limit, task.time_limit = None, HARD_LIMIT
    return celery_app.app


if __name__ == "tests.nap" and "celery" in sys.argv[0]:
    app = _app()
