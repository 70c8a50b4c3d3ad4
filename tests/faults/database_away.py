"""Fault 6: PostgreSQL is restarted five times in the middle of work; SQLite is locked by somebody else for 10 s."""

import sqlite3
import time

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from models.run import Run
from models.session import EVERYONE
from tests.faults.stage import Stage, Verdict

RESTARTS, EVERY_S, LOCKED_S = 5, 7.0, 10.0
BASE_S, WINDOW_S, AGAIN_WITHIN_S, SHARE = 10.0, 5.0, 30.0, 0.9
MILLISECONDS = 100  # a run sleeps for that: the rate is that of the workers, whatever the machine's speed


def run(stage: Stage) -> Verdict:
    """3,000 runs; the rate before, the faults, and the rate within 30 s after the last of them."""
    count = stage.size(3_000, least=1_500)
    stage.beat()
    stage.workers(2)
    stage.submit(count * 2 // 3, batch=50, milliseconds=MILLISECONDS)
    stage.until(lambda: stage.ended() > 20, 30)
    first = time.time()
    time.sleep(BASE_S)
    before = time.time()
    faults, refused = _break(stage, count - count * 2 // 3)
    after = time.time()
    time.sleep(AGAIN_WITHIN_S)
    waits = stage.states()["queued"]  # else the rate says nothing
    complaints = [] if stage.settles(180) else ["it did not settle within 180 s"]
    base, best, again = _rates(stage, first, before, after)
    if best < SHARE * base:
        complaints.append(f"{best:.0f} runs a second within {AGAIN_WITHIN_S:.0f} s, of {base:.0f} before")
    figures = {
        "per_second_before": round(base, 1), "per_second_after": round(best, 1), "submits_refused": refused,
        "still_waiting_at_the_end_of_the_measurement": waits,
    }  # fmt: skip
    name = "SQLite locked for 10 s" if stage.database == "sqlite" else "database restarted"
    return stage.verdict(6, name, {"jobs": count, **faults}, complaints, recovered=again, figures=figures)


def _break(stage: Stage, count: int) -> tuple[dict[str, int], int]:
    """Breaks the database while runs come in; what was done, and how many submits were refused."""
    if stage.database_server is None:
        holder = sqlite3.connect(stage.folder / "nightshift.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(LOCKED_S)
        holder.execute("ROLLBACK")
        holder.close()
        return {"locked_s": int(LOCKED_S)}, _submit_some(stage, count)
    refused = 0
    for _ in range(RESTARTS):
        refused += _submit_some(stage, count // RESTARTS)
        stage.database_server.restart()
        refused += _submit_some(stage, 1)
        time.sleep(EVERY_S)
    return {"restarts": RESTARTS}, refused


def _submit_some(stage: Stage, count: int) -> int:
    """A submit that the database refuses is not accepted: whoever sends it hears so."""
    refused = 0
    for _ in range(max(1, count // 20)):
        try:
            stage.submit(20, batch=20, milliseconds=MILLISECONDS)
        except DBAPIError:
            refused += 1
    return refused


def _rates(stage: Stage, first: float, before: float, after: float) -> tuple[float, float, list[float]]:
    """Runs a second before the fault, the best window after it, and when the first window was good again."""
    with stage.runtime.database.read(EVERYONE) as session:
        ends = sorted(at / 1000 for at in session.scalars(select(Run.finished_at)) if at)

    def rate(start: float, end: float) -> float:
        return sum(start <= at < end for at in ends) / (end - start)

    base = rate(first, before)
    steps = [after + number / 2 for number in range(int((AGAIN_WITHIN_S - WINDOW_S) * 2) + 1)]
    windows = [(start, rate(start, start + WINDOW_S)) for start in steps]
    good = [start + WINDOW_S - after for start, found in windows if found >= SHARE * base]
    return base, max(found for _, found in windows), good[:1]
