"""Fault 15: cancels at random moments, workers restarted between. What was cancelled never succeeds afterwards."""

import signal
import time
from collections import Counter

from sqlalchemy import select

from models.run import CANCELLED, SUCCEEDED, Run
from models.session import EVERYONE
from tests.faults.processes import Worker
from tests.faults.stage import Stage, Verdict
from workers.enqueue import cancel

TREES, PROCESSES = 2, 2
OPEN = 12  # runs that wait or run at a time: a cancel meets each state about as often as the others
SOON_S = 1.0  # a cancel comes within this time of its run
RESTARTS = 10


def run(stage: Stage) -> Verdict:
    """1,000 cancels; every hundredth a worker is stopped in order or killed, and started again."""
    count, restarts = stage.size(1_000), stage.size(RESTARTS, least=2)
    stage.beat()
    trees = stage.workers(TREES, PROCESSES)
    said: dict[str, bool] = {}
    due: list[tuple[float, str]] = []
    end = time.monotonic() + 200
    restarted = 0
    while len(said) < count and time.monotonic() < end:
        due += _submit(stage, OPEN - len(due))
        for moment, run_id in [one for one in due if one[0] <= time.monotonic()]:
            due.remove((moment, run_id))
            said[run_id] = _cancel(stage, run_id)
        if len(said) * (restarts + 1) // count > restarted < restarts:
            _restart(stage, trees, restarted)
            restarted += 1
        time.sleep(0.005)
    complaints = [] if len(said) >= count else [f"only {len(said)} cancels in time"]
    complaints += [] if stage.settles(120) else ["it did not settle within 120 s"]
    ends = _ends(stage, said)
    afterwards = ends[True, SUCCEEDED]
    complaints += [f"{afterwards} runs succeeded after they were cancelled"] if afterwards else []
    complaints += [] if ends[True, CANCELLED] else ["no cancel met a run that was open"]
    took_effect = {f"{'cancelled' if taken else 'too late'}, ended as {state}": n for (taken, state), n in ends.items()}
    size = {"cancels": count, "restarts": restarted}
    return stage.verdict(15, "cancels", size, complaints, figures={"ends": took_effect})


def _submit(stage: Stage, room: int) -> list[tuple[float, str]]:
    """Runs of mixed lengths, and when each is to be cancelled."""
    if room <= 0:
        return []
    lengths = [stage.rng.choice((0, 50, 300, 800)) for _ in range(room)]
    ids = stage.submit_each([{"milliseconds": ms, "steps": 1 + ms // 100} for ms in lengths], batch=room)
    return [(time.monotonic() + stage.rng.uniform(0, SOON_S), run_id) for run_id in ids]


def _cancel(stage: Stage, run_id: str) -> bool:
    with stage.runtime.database.write(stage.workspace) as session:
        return cancel(session, run_id)


def _restart(stage: Stage, trees: list[Worker], number: int) -> None:
    """Stopped in order and killed in turn; who is stopped may take its time, another one begins at once."""
    tree = trees[number % TREES]
    if number // TREES % 2:
        tree.kill()
    else:
        tree.send(signal.SIGTERM)
    trees[number % TREES] = stage.worker(f"w{number % TREES}r{number}", PROCESSES)


def _ends(stage: Stage, said: dict[str, bool]) -> Counter[tuple[bool, str]]:
    with stage.runtime.database.read(EVERYONE) as session:
        states = {row.id: row.state for row in session.execute(select(Run.id, Run.state))}
    return Counter((taken, states[run_id]) for run_id, taken in said.items())
