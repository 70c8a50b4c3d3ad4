"""A real worker whose children are killed, run out of time, or that is asked to stop: what becomes of their runs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from deploy.settings import Settings
from models.base import Base
from models.run import Run, RunEvent
from models.session import EVERYONE
from models.workspace import SYSTEM, Workspace
from tasks.handover import HandedOver
from tests import nap
from tests.conftest import Person, new_person
from tests.test_manager import started_broker
from workers import dispatch
from workers.enqueue import submit
from workers.publish import breaker
from workers.runtime import Runtime

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "celery", "-A", "tests.nap", "worker", "-Q", "default", "-c", "2", "-O", "fair"]
QUIET = ["--without-mingle", "--without-gossip", "--without-heartbeat"]


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """A runtime with a broker that answers."""
    with started_broker(tmp_path / "broker") as client:
        port = client.connection_pool.connection_kwargs["port"]
        url = f"redis://:secret@127.0.0.1:{port}/0"
        runtime = Runtime.from_settings(Settings.model_validate({"var": tmp_path, "broker_url": url}))
        Base.metadata.create_all(runtime.database.engine)
        with runtime.database.write(EVERYONE) as session:
            session.add(Workspace(id=SYSTEM, name="System"))
        monkeypatch.setattr(breaker, "_until", 0.0)
        yield runtime
        runtime.database.close()


@pytest.fixture
def worker(live: Runtime, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {"NIGHTSHIFT_VAR": str(tmp_path), "NIGHTSHIFT_BROKER_URL": live.settings.broker}
    with (tmp_path / "worker.log").open("wb") as log:
        started = subprocess.Popen([*COMMAND, *QUIET], env=os.environ | environment, stdout=log, stderr=log)
    yield started
    started.kill()
    started.wait()


def slept(runtime: Runtime, person: Person, seconds: float) -> str:
    with runtime.database.write(person.workspace_id) as session:
        return submit(runtime, session, nap.JOB, HandedOver(nap.Nap(seconds=seconds)), person.workspace_id).id


def the_run(runtime: Runtime, run_id: str) -> Run:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Run).where(Run.id == run_id)).one()


def comes_to(runtime: Runtime, run_id: str, state: str, attempt: int, seconds: float = 20) -> Run:
    """Waits for that; meanwhile it does what beat does."""
    end = time.monotonic() + seconds
    while ((run := the_run(runtime, run_id)).state, run.attempt) != (state, attempt):
        assert time.monotonic() < end, f"{run.state}, attempt {run.attempt}"
        dispatch.reconcile(runtime)
        dispatch.dispatch(runtime, "default")
        time.sleep(0.1)
    return run


def test_a_killed_child_s_run_goes_on_in_seconds_and_one_out_of_time_fails_once(
    live: Runtime, worker: subprocess.Popen[bytes]
) -> None:
    ada = new_person(live, "ada")
    short, long = slept(live, ada, 3), slept(live, ada, 60)
    child = comes_to(live, short, "running", 1).worker or ""
    os.kill(int(child.rsplit("/")[-1]), signal.SIGKILL)
    killed = time.monotonic()
    again = comes_to(live, short, "running", 2)
    assert time.monotonic() - killed < 18, "the lease alone would have taken 20 s"
    assert (again.tries, again.worker != child) == (1, True)
    assert comes_to(live, short, "succeeded", 2).tries == 1
    ended = comes_to(live, long, "failed", 1)
    assert "took longer than" in (ended.error or ""), "it would take as long once more"


def test_a_worker_asked_to_stop_lets_short_runs_end_and_gives_long_ones_back(
    live: Runtime, worker: subprocess.Popen[bytes]
) -> None:
    ada = new_person(live, "ada")
    short, long = slept(live, ada, 2), slept(live, ada, 60)
    comes_to(live, long, "running", 1)
    comes_to(live, short, "running", 1)
    worker.terminate()
    late = slept(live, ada, 0)
    worker.wait(25)
    assert [the_run(live, each).state for each in (short, late)] == ["succeeded", "queued"]
    back = the_run(live, long)
    assert (back.state, back.tries, back.worker) == ("queued", 0, None)
    with live.database.read(EVERYONE) as session:
        assert "handed back" in session.scalars(select(RunEvent.what).where(RunEvent.run_id == long)).all()
