"""Nightshift itself, with the same two jobs instead of the product's: its own worker app, its own beat."""

import os
import sys
from typing import Any

from sqlalchemy import Engine, event, insert

import tasks
from tasks.canary import job as canary
from tasks.context import Context
from tasks.handover import HandedOver
from tasks.job import Job, Params, Result
from tests.bench.peers import work
from tests.faults.jobs import effects

WORKSPACE = "bench"
CHUNK = 50


class Number(Params):
    number: int = 0


class Numbers(Params):
    first: int = 0
    count: int = 1


def _job(name: str, **more: Any) -> Job:
    body = work.JOBS[name.removesuffix("_child")]

    def run(params: Number, ctx: Context) -> Result:
        body(params.number)
        if os.environ.get("BENCH_EFFECTS"):  # in the kill loop: a row in the run's own transaction
            ctx.session.execute(insert(effects).values(run_id=ctx.run_id, attempt=ctx.attempt, at=params.number))
        return Result()

    # In the kill loop nothing may end because it was tried too often.
    return Job(kind=name, title=name, summary="Benched.", params=Number, result=Result, run=run, attempts=9, **more)


def _split(params: Numbers, ctx: Context) -> Result:
    if ctx.children is None:
        ctx.fan_out("noop_child", [Number(number=params.first + number) for number in range(params.count)])
    return Result()


JOBS = {name: _job(name) for name in work.JOBS}
JOBS["noop_child"] = _job("noop_child", chunk=CHUNK)
JOBS["split"] = Job(kind="split", title="Split", summary="Splits.", params=Numbers, result=Result, run=_split)
JOBS[canary.JOB.kind] = canary.JOB  # beat sends canaries whatever else there is
setattr(tasks, "discover", lambda: JOBS)  # noqa: B010  # before anybody imports it from there


def _app() -> Any:
    """The worker's app; it counts its commits, a byte each, where it is told to."""
    from workers.celery_app import app

    if path := os.environ.get("BENCH_COMMITS"):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        event.listen(Engine, "commit", lambda _connection: os.write(file, b"."))
    if kept := os.environ.get("BENCH_TASKS_PER_CHILD"):
        app.conf.worker_max_tasks_per_child = int(kept)
    return app


def commands(prefetch: int | None) -> list[list[str]]:
    """The work group's worker and beat, as `make run` starts them."""
    celery = [sys.executable, "-m", "celery", "-A", __name__]
    worker = ["worker", "-n", "work@bench", "-Q", "default", "-c", "2", "-O", "fair"]
    worker += ["--without-mingle", "--without-gossip"]
    return [[*celery, *worker], [*celery, "beat", "-S", "workers.beat:SqlScheduler", "--pidfile="]]


class Sender:
    """A submit in a transaction of its own each, as a form or the API makes it."""

    def __init__(self) -> None:
        from workers.enqueue import submit
        from workers.runtime import runtime

        self.submit, self.runtime = submit, runtime()

    def send(self, job: str, number: int) -> None:
        self._hand_over(job, Number(number=number))

    def group(self, job: str, first: int, count: int) -> None:
        """A fan-out: one run that splits itself into children, which workers claim in chunks."""
        self._hand_over("split", Numbers(first=first, count=count))

    def _hand_over(self, job: str, params: Params) -> None:
        with self.runtime.database.write(WORKSPACE) as session:
            self.submit(self.runtime, session, JOBS[job], HandedOver(params), WORKSPACE)


def prepare() -> None:
    """The tables, and the workspace that the runs belong to."""
    from models.migrate import upgrade
    from models.session import EVERYONE
    from models.workspace import SYSTEM, Workspace
    from workers.runtime import runtime

    upgrade(runtime().settings.database)
    effects.create(runtime().database.engine)
    with runtime().database.write(EVERYONE) as session:
        for name in (WORKSPACE, SYSTEM):
            if session.get(Workspace, name) is None:
                session.add(Workspace(id=name, name=name.title()))


def twice() -> int:
    """Effects in the runs' own transactions that came more than once."""
    from sqlalchemy import func, select

    from workers.runtime import runtime

    with runtime().database.look() as connection:
        counts = select(func.count()).select_from(effects).group_by(effects.c.run_id).having(func.count() > 1)
        return sum(int(count) - 1 for (count,) in connection.execute(counts))


if __name__ == "tests.bench.peers.nightshift" and sys.argv[0].endswith(("celery/__main__.py", "/celery")):
    app = _app()
