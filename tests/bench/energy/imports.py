"""Import: readings a minute through the real jobs into SQLite, on one core, and whether memory stays flat.

A made-up meter's quarter hours, in German writing, over both days a year on which clocks are changed. Each size runs in
a fresh process: looked into (the whole reader, and the comparison with what is there), then brought in.
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

SIZES, QUICK = (100_000, 1_000_000), (20_000, 200_000)
STEP = 900
START = int(datetime(1997, 1, 1, tzinfo=UTC).timestamp())
GOAL = 1_000_000  # readings a minute


def measure(quick: bool) -> dict[str, Any]:
    """Figures by size."""
    return {"sizes": [_apart(size) for size in (QUICK if quick else SIZES)], "goal": GOAL}


def lines(figures: dict[str, Any]) -> list[str]:
    """For people."""
    told = ["Import: a CSV file of one meter's quarter hours, looked into and brought in (SQLite, one process)"]
    told += [
        f"  {one['readings']:>9,} readings: looked into in {one['look_s']:.1f} s, written in {one['write_s']:.1f} s, "
        f"{one['a_minute']:,} a minute ({one['a_cpu_minute']:,} a CPU-minute); "
        f"peak memory {one['peak_mb']:.0f} MB; {one['bytes']:.1f} bytes each"
        for one in figures["sizes"]
    ]
    few, many = figures["sizes"][0], figures["sizes"][-1]
    grown = many["peak_mb"] - few["peak_mb"]
    told.append(f"  {many['readings'] // few['readings']} times as many readings take {grown:+.0f} MB")
    return told


def _apart(size: int) -> dict[str, Any]:
    code = f"from tests.bench.energy.imports import one; one({size})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def one(size: int) -> None:
    """In a process of its own: prints its figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "meter.csv"
        write(path, size)
        runtime, person = _house(Path(folder))
        began, cpu = time.monotonic(), time.process_time()
        look = _run(runtime, person, "readings", {"zone": "Europe/Berlin"}, {"files": [("meter.csv", path)]})
        looked = time.monotonic()
        _run(runtime, person, "intake", {"intake": look["intake"], "action": "apply"}, {})
        written = time.monotonic()
        spent = time.process_time() - cpu
        figures = _figures(runtime, size, look)
        figures |= {"look_s": round(looked - began, 2), "write_s": round(written - looked, 2)}
        figures["a_cpu_minute"] = int(size / spent * 60)
        figures["a_minute"] = int(size / (written - began) * 60)
        runtime.database.close()
    print(json.dumps(figures))


def _figures(runtime: Any, size: int, look: dict[str, Any]) -> dict[str, Any]:
    import resource

    from sqlalchemy import func, select

    from models.meter import ReadingDay
    from models.session import EVERYONE

    with runtime.database.read(EVERYONE) as session:
        many, held = session.execute(select(func.sum(ReadingDay.count), func.sum(func.length(ReadingDay.packed)))).one()
    if many != size or look["new"] != size:
        raise SystemExit(f"{size} readings in, {look['new']} new, {many} written")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"readings": size, "peak_mb": round(peak, 1), "bytes": round(held / many, 2)}


def write(path: Path, size: int) -> None:
    """A file of `size` quarter hours in local time, with decimal commas; the repeated hour stands twice."""
    zone = ZoneInfo("Europe/Berlin")
    with path.open("w", encoding="utf-8") as file:
        file.write("Zeitstempel;Verbrauch (kWh)\n")
        for at in range(size):
            local = (datetime.fromtimestamp(START, UTC) + timedelta(seconds=STEP * at)).astimezone(zone)
            value = 0.05 + (at * 7919 % 997) / 1000 * (1 + (local.hour > 17))
            file.write(f"{local:%d.%m.%Y %H:%M};{value:.3f}\n".replace(".", ",").replace(",", ".", 2))


def _house(folder: Path) -> tuple[Any, Any]:
    from deploy.settings import Settings
    from models.base import Base
    from models.session import EVERYONE
    from models.workspace import SYSTEM, Workspace
    from tests.conftest import new_person
    from workers import publish
    from workers.runtime import Runtime

    settings = Settings.model_validate({"var": folder / "var", "broker_url": "redis://127.0.0.1:1/0"})
    settings.var.mkdir()
    runtime = Runtime.from_settings(settings)
    Base.metadata.create_all(runtime.database.engine)
    with runtime.database.write(EVERYONE) as session:
        session.add(Workspace(id=SYSTEM, name="System"))
    publish.breaker.trip()
    return runtime, new_person(runtime, "ada")


def _run(runtime: Any, person: Any, kind: str, values: dict[str, Any], files: dict[str, Any]) -> dict[str, Any]:
    import tasks
    from tasks.handover import hand_over
    from tests.front import WORKER, the_run
    from workers.enqueue import submit
    from workers.execute import execute

    job = tasks.discover()[kind]
    handed = hand_over(job, values, files, runtime.storage)
    with runtime.database.write(person.workspace_id) as session:
        run = submit(runtime, session, job, handed, person.workspace_id, account_id=person.account_id)
    execute(runtime, run.id, WORKER)
    ended = the_run(runtime, run.id)
    if ended.state != "succeeded" or ended.result is None:
        raise SystemExit(ended.error or ended.state)
    return dict(ended.result)
