"""Jobs for the engine's tests: real declarations, run by the real engine, but not part of the product."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import Field

import tasks
from tasks.context import Context
from tasks.handover import HandedOver
from tasks.job import Job, Params, Result
from tests.conftest import Person
from workers.enqueue import submit
from workers.runtime import Runtime


class Count(Params):
    until: int = Field(3, title="Count to", ge=1, le=1000)


class Counted(Result):
    total: int


Body = Callable[[Count, Context], Counted]


def count(params: Count, ctx: Context) -> Counted:
    for number in range(params.until):
        ctx.progress(number / params.until, f"{number} of {params.until}")
    return Counted(total=params.until)


def install(monkeypatch: pytest.MonkeyPatch, run: Body = count, **more: Any) -> Job:
    """Put a job called "count" into the registry for one test."""
    job = Job(kind="count", title="Count", summary="Counts.", params=Count, result=Counted, run=run, **more)
    known = {**tasks.discover(), "count": job}
    for module in ("workers.execute", "workers.enqueue", "beat_schedule.tick", "beat_schedule.defaults"):
        monkeypatch.setattr(f"{module}.discover", lambda: known)
    return job


def submitted(runtime: Runtime, job: Job, person: Person, **more: Any) -> str:
    """A run of it, as the form would make it; its id."""
    with runtime.database.write(person.workspace_id) as session:
        handed = HandedOver(job.params())
        run = submit(runtime, session, job, handed, person.workspace_id, account_id=person.account_id, **more)
        return run.id
