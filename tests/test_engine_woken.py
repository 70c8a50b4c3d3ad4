"""A message wakes a worker, which goes on with what waits of the same job while runs are quick."""

import time
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from models import limits, statements
from models.run import Run
from models.session import EVERYONE
from tasks.context import Context
from tasks.job import Job
from tests.conftest import Person
from tests.jobs import Body, Count, Counted, install, submitted
from tests.test_engine import ME, the_run
from workers import woken
from workers.execute import execute
from workers.runtime import Runtime

ALL = ["succeeded"] * 5


def quick(params: Count, ctx: Context) -> Counted:
    return Counted(total=params.until)


def wait(runtime: Runtime, job: Job, person: Person, count: int = 5) -> list[str]:
    """Runs of which the broker knows nothing but the first."""
    ids = [submitted(runtime, job, person) for _ in range(count)]
    with runtime.database.begin() as connection:
        connection.execute(update(statements.run).values(published_at=None))
    return ids


def wake(runtime: Runtime, run_id: str, kind: str = "count") -> None:
    woken.woken(runtime, woken.Message(kind, "default", run_id), ME)


def states(runtime: Runtime, ids: list[str]) -> list[str]:
    with runtime.database.read(EVERYONE) as session:
        found = {row.id: row.state for row in session.execute(select(Run.id, Run.state))}
    return [found[run_id] for run_id in ids]


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else this machine does: here a run is quick, and a worker goes on, unless the test says otherwise."""
    monkeypatch.setattr(woken, "QUICK_SECONDS", 60)
    monkeypatch.setattr(woken, "GO_ON_SECONDS", 60)
    monkeypatch.setattr("workers.chunk.CHUNK_SECONDS", 60)


def test_one_message_is_enough_for_many_quick_runs(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(woken, "SOME", 3)
    ids = wait(runtime, install(monkeypatch, quick), ada)
    wake(runtime, ids[0])
    assert states(runtime, ids) == ALL
    last = the_run(runtime, ids[-1])
    assert (last.attempt, last.tries, last.result) == (1, 0, {"total": 3})
    assert last.started_at is not None


def test_a_message_for_nothing_wakes_nobody(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = wait(runtime, install(monkeypatch, quick), ada)
    wake(runtime, "0" * 28)
    assert set(states(runtime, ids)) == {"queued"}


@pytest.mark.parametrize("what", ["slow", "limits", "paused", "another job", "tried before"])
def test_what_makes_a_worker_wait_for_the_next_message(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    ids = wait(runtime, install(monkeypatch, quick), ada)
    kind = "count"
    if what == "slow":
        monkeypatch.setattr(woken, "QUICK_SECONDS", 0)
    elif what == "another job":
        kind = "else"
    else:
        with runtime.database.begin() as connection:
            if what == "limits":
                limits.set_limit(connection, "queue:mail", 1, None)
            elif what == "paused":
                monkeypatch.setattr(woken, "execute", pausing(runtime, execute))
            else:
                connection.execute(update(statements.run).where(statements.c.id != ids[0]).values(attempt=1))
    runtime.limits.forget()
    wake(runtime, ids[0], kind)
    assert states(runtime, ids) == ["succeeded", *["queued"] * 4]


def pausing(runtime: Runtime, run: Callable[..., str | None]) -> Callable[..., str | None]:
    """The queue is paused right after the first run."""

    def first(*given: object) -> str | None:
        state = run(*given)
        with runtime.database.begin() as connection:
            name = {"name": "default", "paused_at": 1}
            connection.execute(statements.queue.insert().values(**name))
        return state

    return first


def test_a_run_that_takes_long_holds_no_other_up(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heart gives back what was claimed with it and not begun, while it runs."""
    seen: list[list[str]] = []

    def second_is_slow(params: Count, ctx: Context) -> Counted:
        if ctx.run_id == ids[1]:
            monkeypatch.setattr("workers.chunk.CHUNK_SECONDS", 0)
            until = time.monotonic() + 30
            while "running" in states(runtime, ids[2:]) and time.monotonic() < until:
                time.sleep(0.02)
            seen.append(states(runtime, ids))
        return Counted(total=1)

    monkeypatch.setattr(runtime.heart, "_every", 0.05)
    ids = wait(runtime, install(monkeypatch, one_round(monkeypatch, second_is_slow)), ada)
    wake(runtime, ids[0])
    assert seen == [["succeeded", "running", "queued", "queued", "queued"]]
    assert states(runtime, ids) == ["succeeded", "succeeded", "queued", "queued", "queued"]
    assert {the_run(runtime, run_id).tries for run_id in ids} == {0}


def one_round(monkeypatch: pytest.MonkeyPatch, run: Body) -> Body:
    """After the first few more, the worker stops: what it gave back is for others."""
    more, asked = woken._more, []

    def once(*given: object) -> object:
        asked.append(1)
        return more(*given) if len(asked) == 1 else []  # type: ignore[arg-type]

    monkeypatch.setattr(woken, "_more", once)
    return run
