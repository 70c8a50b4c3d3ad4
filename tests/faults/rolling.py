"""Fault 14: workers are restarted in order (SIGTERM) under load, ten times. Nothing is lost, and no try is spent."""

import signal
import time

from sqlalchemy import func, select

from models.run import FAILED, Run, RunEvent
from models.session import EVERYONE
from tests.faults import kill
from tests.faults.processes import Worker
from tests.faults.stage import Stage, Verdict

TREES, GONE_WITHIN_S = 3, 25.0
LONG, LONG_MS = 6, 20_000  # runs that no drain waits for: they are handed back


def run(stage: Stage) -> Verdict:
    """Each restart starts a new worker at once, and waits for the old one to be gone."""
    total, restarts = stage.size(3_000), stage.size(10)
    stage.beat()
    trees = stage.workers(TREES)
    given, took = 0, []
    todo = kill.lengths(stage, total) + [{"milliseconds": LONG_MS, "steps": 40}] * LONG
    stage.rng.shuffle(todo)
    for number in range(restarts):
        share = len(todo) * (number + 1) // restarts
        stage.submit_each(todo[given:share], batch=20)
        given = share
        time.sleep(1)
        took.append(_restart(stage, trees, number % TREES))
    complaints = [] if stage.settles(120) else ["it did not settle within 120 s"]
    tries, failed, back = _read(stage)
    complaints += [f"{tries} tries were spent"] if tries else []
    complaints += [f"{failed} runs failed"] if failed else []
    complaints += [f"a worker took {max(took):.0f} s to stop"] if max(took) > GONE_WITHIN_S else []
    figures = {"handed_back": back, "stop_max_s": round(max(took), 1)}
    size = {"jobs": len(todo), "restarts": restarts}
    return stage.verdict(14, "rolling restart", size, complaints, figures=figures)


def _restart(stage: Stage, trees: list[Worker], number: int) -> float:
    """How long the old one took to go."""
    old = trees[number]
    trees[number] = stage.worker(old.name)
    began = time.monotonic()
    old.send(signal.SIGTERM)
    old.wait(60)
    took = time.monotonic() - began
    old.kill()
    trees[number].until_ready()
    return took


def _read(stage: Stage) -> tuple[int, int, int]:
    with stage.runtime.database.read(EVERYONE) as session:
        tries = session.scalar(select(func.sum(Run.tries)).where(Run.listed.is_(True))) or 0
        failed = session.scalar(select(func.count()).select_from(Run).where(Run.state == FAILED)) or 0
        back = session.scalar(select(func.count()).select_from(RunEvent).where(RunEvent.what == "handed back")) or 0
    return int(tries), failed, back
