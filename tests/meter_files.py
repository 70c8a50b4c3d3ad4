"""What tests of meter files share: one goes through the form's checks, is looked into, brought in, taken back."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

import tasks
from models.intake import Intake
from models.meter import Meter
from models.run import Run
from models.session import EVERYONE
from tasks.handover import hand_over
from tests.conftest import Person
from tests.front import WORKER, the_run
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

QUARTERS = "time,kwh\n" + "".join(f"2024-05-{1 + at // 24:02d}T{at % 24:02d}:00:00Z,{at % 7 + 1}\n" for at in range(72))


def looked(
    runtime: Runtime, person: Person, data: str | bytes, folder: Path, name: str = "m.csv", **params: Any
) -> Run:
    """Hand a file over and let it be looked into; its run, however it ended."""
    path = folder / "given"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    job = tasks.discover()["readings"]
    handed = hand_over(job, params, {"files": [(name, path)]}, runtime.storage)
    with runtime.database.write(person.workspace_id) as session:
        run = submit(runtime, session, job, handed, person.workspace_id, account_id=person.account_id)
    execute(runtime, run.id, WORKER)
    return the_run(runtime, run.id)


def step(runtime: Runtime, person: Person, run: Run, action: str = "apply") -> Run:
    """Bring it in, or take it back."""
    assert run.result is not None, run.error
    job = tasks.discover()["intake"]
    handed = hand_over(job, {"intake": run.result["intake"], "action": action}, {}, runtime.storage)
    with runtime.database.write(person.workspace_id) as session:
        made = submit(runtime, session, job, handed, person.workspace_id, account_id=person.account_id)
    execute(runtime, made.id, WORKER)
    return the_run(runtime, made.id)


def import_of(runtime: Runtime, run: Run) -> Intake:
    assert run.result is not None, run.error
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Intake).where(Intake.id == run.result["intake"])).one()


def meters(runtime: Runtime) -> list[Meter]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Meter).order_by(Meter.name)))


def stored(runtime: Runtime, meter: Meter) -> dict[int, int]:
    """All of a meter's readings, mWh by epoch seconds."""
    from tasks.metering import readings

    with runtime.database.read(EVERYONE) as session:
        found = readings.read(session, meter.id, 0, 4_000_000_000)
    return dict(zip(found.times.tolist(), found.values.tolist(), strict=True))
