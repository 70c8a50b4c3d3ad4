"""One measurement in a process of its own: `python -m tests.bench.scans_measure WHAT KIND` prints JSON.

NIGHTSHIFT_DATABASE_URL names the database. `times` takes the query by hand, the scan's look and the real job in turns;
`memory` does one of them alone and tells what the process held at its peak.
"""

import json
import math
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select

from deploy.logs import configure
from models.alert import Alert, Move, Notice
from models.base import clock, db_now
from models.run import END_STATES, QUEUED, Run
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks import discover
from tasks.handover import HandedOver
from tests.bench import scans_sql
from workers.enqueue import submit
from workers.execute import execute
from workers.publish import breaker
from workers.runtime import Runtime, runtime

WORKER = "bench:0/0"
ROUNDS = 5


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def by_hand(made: Runtime, kind: str, whole: bool) -> int:
    """The one query, on a connection like any other."""
    words = scans_sql.QUERIES[kind](made.database.engine, date.today(), whole)
    with made.database.look() as connection:
        return scans_sql.answer(connection, words)


def whole_job(made: Runtime, kind: str) -> dict[str, Any]:
    """The scheduled job as it runs in the system's workspace, with all batches it fans out, in this process alone."""
    job = discover()[kind]
    with made.database.write(SYSTEM) as session:
        run_id = submit(made, session, job, HandedOver(job.params()), SYSTEM).id
    took: list[float] = []
    while (run := _run(made, run_id)).state not in END_STATES:
        with made.database.read(EVERYONE) as session:
            waiting = session.scalars(select(Run.id).where(Run.parent_id == run_id, Run.state == QUEUED))
            ready = [*waiting] or [run_id]
        took += [timed(partial(execute, made, each, WORKER)) for each in ready]
    if run.state != "succeeded":
        raise SystemExit(f"{kind}: {run.error}")
    return {"seconds": sum(took), "batches": len(took) - 2 if len(took) > 2 else 1, "result": run.result}


def drained(made: Runtime, kind: str) -> float:
    """Seconds until no run of this job waits any more, in whatever workspaces, and what those wake."""
    began = time.perf_counter()
    waiting = select(Run.id).where(Run.kind == kind, Run.state == QUEUED, Run.due_at <= db_now()).order_by(Run.id)
    while True:
        with made.database.read(EVERYONE) as session:
            found = session.scalars(waiting.limit(1_000)).all()
        if not found:
            return time.perf_counter() - began
        for run_id in found:
            execute(made, run_id, WORKER)


def _run(made: Runtime, run_id: str) -> Run:
    with made.database.read(EVERYONE) as session:
        return session.scalars(select(Run).where(Run.id == run_id)).one()


def forget_alerts(made: Runtime) -> None:
    """As if nothing had been scanned yet."""
    with made.database.write(EVERYONE) as session:
        for table in (Notice, Move, Alert):
            session.execute(delete(table))
        session.execute(delete(Run))


def alerts(made: Runtime) -> dict[str, int]:
    with made.database.read(EVERYONE) as session:
        return dict(session.execute(select(Alert.state, func.count()).group_by(Alert.state)).all())


def times(made: Runtime, kind: str) -> dict[str, Any]:
    """The first scan, at which everything opens; then in turns the query and the scan that finds nothing new."""
    by_hand(made, kind, whole=True)  # the files are read
    first = whole_job(made, kind)
    opened = alerts(made)
    plain, whole, again = [], [], []
    for _ in range(ROUNDS):
        plain.append(timed(partial(by_hand, made, kind, whole=False)))
        whole.append(timed(partial(by_hand, made, kind, whole=True)))
        again.append(whole_job(made, kind)["seconds"])
    return {"plain": plain, "whole": whole, "first": first, "opened": opened, "again": again}


def held() -> float:
    """MB at the peak of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def memory(made: Runtime, kind: str) -> dict[str, Any]:
    """One scan, alone in its process, and what that held before it."""
    discover()
    with made.database.look() as connection:
        clock(connection)
    before = held()
    whole_job(made, kind)
    return {"before_mb": before, "mb": held()}


def first_memory(made: Runtime, kind: str) -> dict[str, Any]:
    """The same, of the scan at which everything opens."""
    forget_alerts(made)
    return memory(made, kind)


DOES: dict[str, Callable[[Runtime, str], dict[str, Any]]] = {
    "times": times,
    "memory": memory,
    "first_memory": first_memory,
}


def main() -> None:
    configure("warning")
    breaker._until = math.inf  # no broker here
    what, kind = sys.argv[1:]
    sys.stdout.write(json.dumps(DOES[what](runtime(), kind)) + "\n")


if __name__ == "__main__":
    main()
