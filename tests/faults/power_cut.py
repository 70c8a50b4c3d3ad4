"""Fault 17: a power cut under load. Every acknowledged submit is in what the disk kept, and every state is legal."""

import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select, update

from deploy.settings import Settings
from models.run import BLOCKED, END_STATES, QUEUED, RUNNING, STATES, SUCCEEDED, Run
from models.session import EVERYONE
from tests.faults import jobs, torn
from tests.faults.stage import Stage, Verdict
from workers import broker, dispatch
from workers.execute import execute
from workers.runtime import Runtime

OUT_MS = (0, 2, 10, 40)


def run(stage: Stage) -> Verdict:
    """Fifty cuts at random moments of a load that never ends."""
    cuts, complaints = stage.size(50), list[str]()
    stage.beat()
    stage.workers(2)
    seen: Counter[str] = Counter()
    lost = frames = 0
    for number in range(cuts):
        target = stage.folder / f"cut{number}"
        acknowledged, cut = _cut(stage, target)
        frames += cut
        missing, wrong, states = _open_afresh(target, acknowledged)
        lost += missing
        seen.update(states)
        complaints += [f"cut {number}: {words}" for words in wrong]
        if not wrong:
            shutil.rmtree(target)
    complaints += [] if frames else ["no cut tore a log"]
    complaints += [] if stage.settles(120) else ["the stage did not settle within 120 s"]
    figures = {"acknowledged_and_gone": lost, "frames_torn": frames, "states_found": dict(seen)}
    return stage.verdict(17, "power cut", {"cuts": cuts}, complaints, figures=figures)


def _cut(stage: Stage, target: Path) -> tuple[set[str], int]:
    """Load, then everything stops at a random moment, and its files are copied."""
    database = stage.folder / "nightshift.db"
    moment = time.monotonic() + stage.rng.uniform(0.05, 1.0)
    while time.monotonic() < moment:
        stage.submit_each([{"milliseconds": stage.rng.choice(OUT_MS)} for _ in range(3)])
    synced = torn.mark(database)
    time.sleep(stage.rng.uniform(0, 0.05))  # the workers write on
    server = stage.broker_server
    _signal(stage, signal.SIGSTOP)
    try:
        cut = torn.copy(database, _data_of(server.folder), target, synced, stage.rng)
    finally:
        _signal(stage, signal.SIGCONT)
    return set(stage.accepted), cut


def _signal(stage: Stage, number: signal.Signals) -> None:
    for process in stage.processes:
        process.send_all(number)
    for each in stage.broker_server.tree():
        each.send_signal(number)


def _data_of(folder: Path) -> Path:
    """Where the broker keeps its append-only file."""
    return next(folder.rglob("appendonlydir")).parent


def _open_afresh(target: Path, acknowledged: set[str]) -> tuple[int, list[str], Counter[str]]:
    """What stands in the copies: how many acknowledged runs are missing, what is wrong, and the states."""
    (port,) = broker.free_ports(1)
    url = broker.url(port, "secret")
    started = subprocess.Popen(
        broker.command(target / "broker", port, "secret"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    runtime = Runtime.from_settings(Settings.model_validate({"var": target, "broker_url": url}))
    try:
        wrong = [] if _whole(target) else ["the database is damaged"]
        with runtime.database.read(EVERYONE) as session:
            rows = session.execute(select(Run.__table__)).all()
            done = session.execute(select(jobs.effects.c.run_id)).scalars().all()
        missing = len(acknowledged - {row.id for row in rows})
        wrong += [f"{missing} acknowledged runs are gone"] if missing else []
        wrong += _illegal(rows, Counter(done))
        wrong += [] if _answers(url) else ["the broker did not start with its files"]
        wrong += _goes_on(runtime)
    finally:
        runtime.database.close()
        started.terminate()
        started.wait()
    return missing, wrong, Counter(row.state for row in rows)


def _whole(target: Path) -> bool:
    engine = create_engine(f"sqlite:///{target / 'nightshift.db'}")
    with engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()
    return found


def _illegal(rows: Sequence[Any], effects: Counter[str]) -> list[str]:
    """States that no run may stand in."""
    found = Counter[str]()
    for row in rows:
        found["of no such state"] += row.state not in STATES
        found["running without a lease, or waiting with one"] += (row.state == RUNNING) != (row.lease_until is not None)
        found["ended without a time"] += (row.state in END_STATES) != (row.finished_at is not None)
        found["with more tries than attempts"] += row.tries > row.attempt
        if row.kind == jobs.JOB.kind:
            found["with an effect that its state denies"] += effects[row.id] != (row.state == SUCCEEDED)
    return [f"{count} runs {words}" for words, count in found.items() if count]


def _answers(url: str) -> bool:
    end = time.monotonic() + 10
    while not broker.answers(url):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _goes_on(runtime: Runtime) -> list[str]:
    """The leases of before run out; then what waits is done, by a worker in this process."""
    for _ in range(3):
        with runtime.database.write(EVERYONE) as session:
            session.execute(update(Run).where(Run.state == RUNNING).values(lease_until=1))
        dispatch.reconcile(runtime)
        with runtime.database.write(EVERYONE) as session:
            session.execute(update(Run).where(Run.state == QUEUED).values(due_at=1))
            waiting = session.scalars(select(Run.id).where(Run.state == QUEUED, Run.kind == jobs.JOB.kind)).all()
        for run_id in waiting:
            execute(runtime, run_id, "afresh@here:1/1")
    open_ = (Run.kind == jobs.JOB.kind, Run.state.in_((QUEUED, RUNNING, BLOCKED)))
    with runtime.database.read(EVERYONE) as session:
        left = len(session.scalars(select(Run.id).where(*open_)).all())
        done = Counter(session.execute(select(jobs.effects.c.run_id)).scalars().all())
    twice = sum(count > 1 for count in done.values())
    return [*([f"{left} runs did not go on"] if left else []), *([f"{twice} effects twice"] if twice else [])]
