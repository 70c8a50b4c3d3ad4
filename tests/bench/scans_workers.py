"""The scans' batches over real workers: Celery with one and with two processes, the embedded broker, beat's rounds."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select

from models.run import END_STATES, Run
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks import discover
from tasks.handover import HandedOver
from tests.bench.scans_measure import forget_alerts
from tests.servers import PostgreSQL, Valkey
from workers import dispatch
from workers.enqueue import submit
from workers.runtime import Runtime

ROOT = Path(__file__).parents[2]
ENDS_WITHIN = 300
ROUND = 0.1  # seconds between looks, which stand for beat's rounds


@contextmanager
def worker(
    processes: int, environment: dict[str, str], log: Path, queues: str = "scans,default"
) -> Iterator[psutil.Process]:
    """The worker of some queues, as `make run` starts it."""
    name = f"{queues.partition(',')[0]}{processes}@bench"
    command = [sys.executable, "-m", "celery", "-A", "workers.celery_app", "worker", "-n", name]
    command += ["-Q", queues, "-c", str(processes), "-O", "fair", "--without-mingle", "--without-gossip"]
    with log.open("ab") as out:
        started = psutil.Popen(command, env=os.environ | environment, cwd=ROOT, stdout=out, stderr=out)
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(20)
        except psutil.TimeoutExpired:
            for one in [*started.children(recursive=True), started]:
                one.kill()


def finished(made: Runtime, kind: str) -> Run:
    """Submit a job of the system's workspace and wait for its end; what beat would do meanwhile is done here."""
    job = discover()[kind]
    with made.database.write(SYSTEM) as session:
        run_id = submit(made, session, job, HandedOver(job.params()), SYSTEM).id
    end = time.monotonic() + ENDS_WITHIN
    while time.monotonic() < end:
        dispatch.everything(made)
        time.sleep(ROUND)
        with made.database.read(EVERYONE) as session:
            run = session.scalars(select(Run).where(Run.id == run_id)).one()
        if run.state in END_STATES:
            if run.state != "succeeded":
                raise SystemExit(f"{kind}: {run.error}")
            return run
    raise SystemExit(f"{kind}: it did not end in {ENDS_WITHIN} s, and is {run.state}")


def took(made: Runtime, run: Run) -> float:
    """Seconds from the start of the first attempt to the end, by the database's clock; children's own times known."""
    with made.database.read(EVERYONE) as session:
        asked = select(Run.started_at).where(Run.parent_id == run.id).order_by(Run.started_at)
        starts = [one for one in session.scalars(asked) if one]
    begun = min([run.started_at or 0, *starts])
    return ((run.finished_at or 0) - begun) / 1000


def cpu(of: Sequence[psutil.Process]) -> float:
    """Seconds of CPU that these and all their children had."""
    total = 0.0
    for one in of:
        for each in [one, *one.children(recursive=True)]:
            spent = each.cpu_times()
            total += spent.user + spent.system
    return total


def fan_out(made: Runtime, kind: str, valkey: Valkey, server: PostgreSQL | None, folder: Path) -> dict[str, Any]:
    """By the number of processes: the first scan and the second, and how busy worker and database were."""
    found: dict[str, Any] = {}
    environment = {
        "NIGHTSHIFT_BROKER_URL": valkey.url, "NIGHTSHIFT_VAR": str(folder), "NIGHTSHIFT_LOG_LEVEL": "warning",
        "NIGHTSHIFT_DATABASE_URL": made.settings.database,
    }  # fmt: skip
    for processes in (1, 2):
        forget_alerts(made)
        with worker(processes, environment, folder / "worker.log") as started:
            finished(made, "health")  # its processes are up
            seconds: dict[str, Any] = {}
            for which in ("first", "again", "again_2", "again_3"):
                watched = [started], ([server.process] if server and server.process else [])
                before = [cpu(each) for each in watched]
                seconds[which] = took(made, finished(made, kind))
                quiet(made)
                after = [cpu(each) for each in watched]
                busy = zip(("worker_cpu", "database_cpu"), before, after, strict=True)
                seconds |= {f"{which}_{name}": late - early for name, early, late in busy}
            found[str(processes)] = seconds
    return found


def quiet(made: Runtime) -> None:
    """Wait until nothing is left to do: alerts that open wake a digest for each workspace, on the same workers."""
    end = time.monotonic() + ENDS_WITHIN
    left = select(Run.id).where(Run.state.not_in(END_STATES), Run.queue.in_(("scans", "default"))).limit(1)
    while time.monotonic() < end:
        dispatch.everything(made)
        with made.database.read(EVERYONE) as session:
            if session.scalar(left) is None:
                return
        time.sleep(ROUND)
    raise SystemExit("the workers do not come to rest")
