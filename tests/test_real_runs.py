"""A real `make run`: logs tell of runs, never of people; a worker killed with `kill -9` loses and doubles nothing."""

import json
import time
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from deploy.settings import Settings
from models.artifact import Artifact
from models.run import END_STATES, Run
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


def test_a_real_run_s_lines_carry_its_id_and_job_and_nothing_of_anybody(system: Nightshift, tmp_path: Path) -> None:
    """Names, addresses and params that would be found in any log if they got there."""
    ran, failed = _two_runs(system, tmp_path)
    files = {path.name: path.read_text(errors="replace") for path in (system.var / "logs").iterdir()}
    everything = "\n".join(files.values())
    assert "telltale" not in everything.lower()
    lines = [json.loads(line) for line in everything.splitlines() if line.startswith("{")]
    left = {line["run"]: (line["job"], line["state"]) for line in lines if line["event"] == "run.left"}
    assert (left[ran], left[failed]) == (("ecg", "succeeded"), ("ecg", "failed"))
    for line in lines:
        if line.get("run") or line.get("logger", "").startswith(("workers.execute", "tasks.")):
            assert line["run"], line
            assert line["job"], line
    said_elsewhere = [line for line in everything.splitlines() if ran in line or failed in line]
    assert [line for line in said_elsewhere if not line.startswith("{") or "run" not in json.loads(line)] == []


def _two_runs(system: Nightshift, folder: Path) -> tuple[str, str]:
    """One run that succeeds and one that fails, of somebody and with files that can be told apart from all else."""
    runtime = Runtime.from_settings(Settings.model_validate({"var": system.var, "broker_url": "redis://127.0.0.1:1/0"}))
    job = discover()["ecg"]
    good, bad = folder / "telltale-good.zip", folder / "telltale-bad.png"
    good.write_bytes((job.folder / "sample" / "recording.zip").read_bytes())
    Image.new("RGB", (640, 480), "white").save(bad)
    person = new_person(runtime, "telltale")
    ids = []
    for path in (good, bad):
        handed = hand_over(job, {}, {"files": [(path.name, path)]}, runtime.storage)
        with runtime.database.write(person.workspace_id) as session:
            run = submit(runtime, session, job, handed, person.workspace_id, account_id=person.account_id)
            ids.append(run.id)

    def ended() -> bool:
        with runtime.database.read(EVERYONE) as session:
            return set(session.scalars(select(Run.state).where(Run.id.in_(ids)))) <= set(END_STATES)

    until(ended, 90)
    until(lambda: all(run_id in (system.var / "logs" / "ecg.log").read_text() for run_id in ids), 20)
    runtime.database.close()
    return ids[0], ids[1]


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
        reports = session.scalar(
            select(func.count()).select_from(Artifact).where(Artifact.name == "reading.pdf", Artifact.run_id.in_(ids))
        )
    assert {run.tries for run in runs if run.id == victim} == {1}
    assert {run.tries for run in runs if run.id != victim} == {0}
    assert reports == RUNS, "each run left its files once"
    runtime.database.close()
