"""The nightly look at many meters: CPU and time of each, with one and with two workers, and one killed in the middle.

Real runs of the real engine, in processes of their own, on SQLite in a temporary folder; a meter is a made-up household
with a year of hours. Measured with a few hundred, and reckoned up to 10,000: the looks do not know of each other.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import func, select, text

from deploy.settings import Settings
from models.base import Base, new_id
from models.meter import MADE, Meter, Outlook
from models.run import END_STATES, Run
from models.session import EVERYONE
from models.workspace import SYSTEM, Workspace
from tasks import discover
from tasks.handover import HandedOver
from tasks.metering import looking, nightly, readings
from tests.energy_rows import DAY, usage
from workers import dispatch, publish
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

MANY, FEW, DAYS, NIGHT = 200, 40, 365, 10_000
PER_WORKSPACE = 20
PART = 10  # meters of a part, as of more than 200
LOG = "CREATE TABLE looks (meter_id TEXT, at REAL)"
COUNT = """CREATE TRIGGER looked AFTER {} ON outlook WHEN NEW.state = 'made' AND NEW.night <> ''
BEGIN INSERT INTO looks VALUES (NEW.meter_id, julianday('now')); END"""


def measure(quick: bool) -> dict[str, Any]:
    """One worker, two workers, two workers of which one is killed."""
    many = FEW if quick else MANY
    publish.breaker.trip()
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        runtime = _runtime(Path(folder))
        began = time.monotonic()
        _fill(runtime, many)
        filled = time.monotonic() - began
        found: dict[str, Any] = {"meters": many, "days": DAYS, "filled_s": round(filled, 1)}
        found["one_worker"] = _night(runtime, many, 1)
        found["two_workers"] = _night(runtime, many, 2)
        found["killed"] = _night(runtime, many, 2, kill=True)
        runtime.database.close()
    return found


def _runtime(folder: Path) -> Runtime:
    chosen = {"var": folder, "broker_url": "redis://127.0.0.1:1/0", "lease_seconds": 10}
    made = Runtime.from_settings(Settings.model_validate(chosen))
    Base.metadata.create_all(made.database.engine)
    with made.database.begin() as connection:
        connection.execute(text(LOG))
        connection.execute(text(COUNT.format("INSERT")))
        connection.execute(text(COUNT.format("UPDATE").replace("looked", "looked_again")))
    with made.database.write(EVERYONE) as session:
        session.add(Workspace(id=SYSTEM, name="System"))
    return made


def _fill(runtime: Runtime, many: int) -> None:
    yesterday = int(time.time()) // DAY * DAY
    for first in range(0, many, PER_WORKSPACE):
        with runtime.database.write(EVERYONE) as session:
            place = new_id()
            session.add(Workspace(id=place, name=place))
            session.flush()
            for number in range(first, min(first + PER_WORKSPACE, many)):
                meter = Meter(id=new_id(), workspace_id=place, name=f"Meter {number}", step=3600)
                session.add(meter)
                session.flush()
                readings.write(session, meter, usage(DAYS, start=yesterday - DAYS * DAY, seed=number))


def _night(runtime: Runtime, many: int, workers: int, *, kill: bool = False) -> dict[str, Any]:
    """A whole night with so many worker processes."""
    run = _begin(runtime)
    began = time.monotonic()
    with _workers(runtime, workers) as processes:
        killed = _kill(runtime, processes, many) if kill else None
        while not _over(runtime, run):
            time.sleep(0.2)
            dispatch.reconcile(runtime)
        wall = time.monotonic() - began
        cpu = sum(_cpu(process) for process in processes)
    return {**_told(runtime, many, wall, cpu), "workers": workers, "killed_after": killed}


def _begin(runtime: Runtime) -> str:
    with runtime.database.write(EVERYONE) as session:
        looking.stale(session)
        session.execute(text("DELETE FROM looks"))
        session.execute(text("DELETE FROM run_event"))
        session.execute(text("DELETE FROM run"))
    nightly.ALONE, nightly.TOGETHER = 0, PART
    job = discover()["energy"]
    with runtime.database.write(SYSTEM) as session:
        run = submit(runtime, session, job, HandedOver(job.params()), SYSTEM).id
    execute(runtime, run, "bench:0/0")  # it only splits into its parts
    return run


@contextmanager
def _workers(runtime: Runtime, count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    made = [_start(runtime, number) for number in range(count)]
    try:
        yield made
    finally:
        for each in made:
            each.kill()
            each.wait()


def _start(runtime: Runtime, number: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.bench.energy.nightly", str(runtime.settings.var), f"bench:{number}/0"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def _kill(runtime: Runtime, processes: list["subprocess.Popen[bytes]"], many: int) -> int:
    """`kill -9` to the first worker when a third is done; another takes its place."""
    while (done := _looks(runtime)) < many // 3:
        time.sleep(0.05)
    os.kill(processes[0].pid, signal.SIGKILL)
    processes[0].wait()
    processes[0] = _start(runtime, 2)
    return done


def _looks(runtime: Runtime) -> int:
    with runtime.database.look() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM looks")) or 0)


def _over(runtime: Runtime, run: str) -> bool:
    with runtime.database.read(EVERYONE) as session:
        left = session.scalar(select(func.count()).where(Run.parent_id == run, Run.state.not_in(END_STATES)))
    return not left


def _cpu(process: "subprocess.Popen[bytes]") -> float:
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


def _told(runtime: Runtime, many: int, wall: float, cpu: float) -> dict[str, Any]:
    with runtime.database.look() as connection:
        counts = connection.execute(text("SELECT count(*), count(DISTINCT meter_id) FROM looks")).one()
    with runtime.database.read(EVERYONE) as session:
        made = session.scalar(select(func.count()).where(Outlook.state == MADE)) or 0
        size = session.scalar(select(func.avg(func.length(Outlook.data))).where(Outlook.state == MADE)) or 0
    return {
        "wall_s": round(wall, 1), "cpu_s_per_meter": round(cpu / many, 3),
        "meters_a_minute": round(60 * many / wall, 1),
        "written": counts[0], "twice": counts[0] - counts[1], "lost": many - counts[1], "made": made,
        "bytes_of_an_outlook": round(float(size)), "hours_for_10000": round(NIGHT * wall / many / 3600, 2),
    }  # fmt: skip


def lines(figures: dict[str, Any]) -> list[str]:
    """The table."""
    about = f"{figures['meters']} meters with {figures['days']} days of hours each, in parts of {PART}"
    told = [f"The nightly look: {about}; reckoned up to {NIGHT:,}"]
    names = (("one_worker", "one worker"), ("two_workers", "two workers"), ("killed", "two, one killed with -9"))
    for key, name in names:
        one = figures[key]
        told.append(
            f"  {name:24} {one['wall_s']:7.1f} s, {one['cpu_s_per_meter']:.2f} CPU s a meter, "
            f"{one['meters_a_minute']:6.1f} meters a minute; written {one['written']}, twice {one['twice']}, "
            f"lost {one['lost']}; 10,000 in {one['hours_for_10000']:.2f} h"
        )
    told.append(f"  an outlook takes {figures['two_workers']['bytes_of_an_outlook']:,} bytes")
    return told


def work(var: Path, name: str) -> None:
    """A worker: what messages do in real ones, without a broker. Ended from outside."""
    publish.breaker.trip()
    runtime = Runtime.from_settings(
        Settings.model_validate({"var": var, "broker_url": "redis://127.0.0.1:1/0", "lease_seconds": 10})
    )
    while True:
        publish.breaker.trip()
        with runtime.database.read(EVERYONE) as session:
            waiting = select(Run.id).where(Run.state == "queued", Run.parent_id.is_not(None)).order_by(Run.id)
            ids = session.scalars(waiting.limit(2)).all()
        if not [each for each in ids if execute(runtime, each, name) is not None]:
            time.sleep(0.1)


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2])
