"""A worker killed with `kill -9` in mid-run: its run goes on with another within 45 s; nothing is lost or doubled."""

import time

import pytest
from sqlalchemy import func, select

from deploy.settings import Settings
from models.artifact import Artifact
from models.run import Run
from models.session import EVERYONE
from tasks import discover
from tasks.handover import hand_over
from tests.conftest import Person, new_person
from tests.make_run import Nightshift, until
from workers.enqueue import submit
from workers.runtime import Runtime

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]
RUNS = 5
AGAIN_WITHIN_S = 45


def hand_over_a_recording(runtime: Runtime, person: Person) -> str:
    job = discover()["ecg"]
    sample = job.folder / "sample" / "recording.zip"
    handed = hand_over(job, {}, {"files": [(sample.name, sample)]}, runtime.storage)
    with runtime.database.write(person.workspace_id) as session:
        return submit(runtime, session, job, handed, person.workspace_id, account_id=person.account_id).id


def test_a_killed_worker_s_run_goes_on_with_another(system: Nightshift) -> None:
    runtime = Runtime.from_settings(Settings.model_validate({"var": system.var, "broker_url": "redis://127.0.0.1:1/0"}))
    ada = new_person(runtime, "ada")
    ids = [hand_over_a_recording(runtime, ada) for _ in range(RUNS)]

    def running() -> str | None:
        with runtime.database.read(EVERYONE) as session:
            return session.scalar(select(Run.id).where(Run.id.in_(ids), Run.state == "running"))

    victim: str = until(running, 60)
    worker = system.services()["ecg"]
    killed = time.time()
    for process in [worker, *worker.children(recursive=True)]:
        process.kill()

    def started_again() -> float | None:
        with runtime.database.read(EVERYONE) as session:
            run = session.scalars(select(Run).where(Run.id == victim)).one()
        return run.started_at / 1000 if run.started_at and run.attempt > 1 else None

    assert until(started_again, 60) - killed < AGAIN_WITHIN_S

    def ended() -> bool:
        with runtime.database.read(EVERYONE) as session:
            done = session.scalar(select(func.count()).where(Run.id.in_(ids), Run.state == "succeeded"))
        return done == RUNS

    until(ended, 90)
    with runtime.database.read(EVERYONE) as session:
        runs = session.scalars(select(Run).where(Run.id.in_(ids))).all()
        reports = session.scalar(select(func.count()).select_from(Artifact).where(Artifact.name == "reading.pdf"))
    assert {run.tries for run in runs if run.id == victim} == {1}
    assert {run.tries for run in runs if run.id != victim} == {0}
    assert reports == RUNS, "each run left its files once"
    runtime.database.close()
