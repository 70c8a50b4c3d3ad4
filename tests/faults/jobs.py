"""The job of the fault runs: it says that it starts, works for a while, and leaves one row that proves its effect."""

import importlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field
from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, insert

import tasks
from models.base import db_now
from tasks.canary import job as canary
from tasks.context import Context
from tasks.job import Job, Params, Result

# No unique constraint: an effect that came twice must be seen, not refused.
effects = Table(
    "fault_effect", MetaData(),
    Column("id", Integer, primary_key=True),
    Column("run_id", String(28), index=True),
    Column("attempt", Integer),
    Column("at", BigInteger),
)  # fmt: skip
STARTS = "FAULTS_STARTS"  # names a file to which each attempt adds a line when it starts


class Work(Params):
    milliseconds: int = Field(0, title="How long it takes", ge=0)
    busy: bool = Field(False, title="Computes instead of sleeping")
    steps: int = Field(1, title="Progress calls, evenly spread", ge=1)
    leaves: int = Field(0, title="Bytes of the file that it leaves", ge=0)


class Worked(Result):
    pid: int


def run(params: Work, ctx: Context) -> Worked:
    """Start, work, and write one row in the run's own transaction."""
    _say_started(ctx)
    for step in range(params.steps):
        if params.steps > 1:
            ctx.progress(step / params.steps, f"Step {step + 1}")
        _work(params.milliseconds / params.steps / 1000, params.busy)
    if params.leaves:
        ctx.artifact("made.bin", "Made", "application/octet-stream", os.urandom(params.leaves))
    ctx.session.execute(insert(effects).values(run_id=ctx.run_id, attempt=ctx.attempt, at=db_now()))
    return Worked(pid=os.getpid())


def _work(seconds: float, busy: bool) -> None:
    if not busy:
        time.sleep(seconds)
        return
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def _say_started(ctx: Context) -> None:
    if path := os.environ.get(STARTS):
        line = f"{ctx.run_id} {ctx.attempt} {time.time_ns() // 1_000_000} {os.getpid()}\n"
        with Path(path).open("a") as file:  # one short write at the end of the file: lines of processes do not mix
            file.write(line)


# More attempts than the default: what is to be shown is that a lost worker loses nothing, not when we give up.
JOB = Job(
    kind="work", title="Work", summary="Works and leaves a row.", params=Work, result=Worked, run=run, time_limit=120,
    attempts=6,
)  # fmt: skip
JOBS: dict[str, Job] = {JOB.kind: JOB, canary.JOB.kind: canary.JOB}  # beat sends canaries whatever else there is


def with_product(*kinds: str) -> dict[str, Job]:
    """The faults' job and these of the product; no others, since a worker with all of them is slow to start."""
    return {**JOBS, **{kind: importlib.import_module(f"tasks.{kind}.job").JOB for kind in kinds}}


@contextmanager
def known(jobs: Mapping[str, Job]) -> Iterator[None]:
    """Every module of this process that asks for the jobs finds these, until the end of the block."""
    original, found = tasks.discover, dict(jobs)

    def discover() -> dict[str, Job]:
        return found

    changed = [module for module in list(sys.modules.values()) if vars(module).get("discover") is original]
    for module in changed:
        setattr(module, "discover", discover)  # noqa: B010
    try:
        yield
    finally:
        for module in changed:
            setattr(module, "discover", original)  # noqa: B010
