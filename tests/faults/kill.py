"""Fault 1: kill -9 of whole worker trees under load. Every run goes again within 45 s of its worker's death."""

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from models.run import RUNNING, Run, RunEvent
from models.session import EVERYONE
from tests.faults.processes import Worker
from tests.faults.stage import Stage, Verdict

TREES, PROCESSES = 4, 2
AGAIN_WITHIN_S = 45
AHEAD = 400  # runs that wait beyond those that the next kill needs: no worker runs dry
PLAY_S = 1000  # by then all is fed and killed
PAUSE_S = 1.0  # between two kills at least
# (how many of a hundred, milliseconds, computes, progress calls): mostly short, and some that a kill surely meets.
LENGTHS = ((85, 0, False, 1), (10, 20, True, 1), (4, 200, False, 1), (1, 3_000, False, 6))


@dataclass(frozen=True)
class Hit:
    """A run that was running when its worker was killed."""

    run_id: str
    attempt: int
    at: int  # epoch milliseconds


@dataclass
class Kills:
    """What was killed so far."""

    wanted: int
    done: int = 0
    last: float = 0.0
    hits: list[Hit] = field(default_factory=list)


def run(stage: Stage) -> Verdict:
    """20,000 runs, 100 kills, spread evenly over the work."""
    total, kills = stage.size(20_000), Kills(stage.size(100))
    stage.beat()
    trees = stage.workers(TREES, PROCESSES)
    began = time.monotonic()
    _play(stage, trees, total, kills)
    complaints = [] if stage.settles(120) else ["it did not settle within 120 s of the last kill"]
    took = time.monotonic() - began
    recovered, given_up = times(stage, kills.hits)
    complaints += [] if kills.done == kills.wanted else [f"only {kills.done} kills in time"]
    if recovered and max(recovered) > AGAIN_WITHIN_S:
        complaints.append(f"a run went again only after {max(recovered):.0f} s")
    figures = {"runs_hit": len(kills.hits), "given_up": given_up, "per_second": round(total / took, 1)}
    size = {"jobs": total, "kills": kills.wanted}
    return stage.verdict(1, "kill -9 of worker trees", size, complaints, recovered=recovered, figures=figures)


def lengths(stage: Stage, count: int) -> list[dict[str, Any]]:
    """Params for so many runs of mixed lengths, drawn by the stage's seed."""
    weights = [weight for weight, *_ in LENGTHS]
    drawn = stage.rng.choices(LENGTHS, weights, k=count)
    return [{"milliseconds": ms, "busy": busy, "steps": steps} for _, ms, busy, steps in drawn]


def _play(stage: Stage, trees: list[Worker], total: int, kills: Kills) -> None:
    """Feeds and kills in step: the k-th kill comes when k shares of the work are done, whatever the machine's speed."""
    todo = lengths(stage, total)
    share, given, end = total / kills.wanted, 0, time.monotonic() + PLAY_S
    while (kills.done < kills.wanted or given < total) and time.monotonic() < end:
        room = min(total, int((kills.done + 1) * share) + AHEAD) - given
        if room > 0:
            stage.submit_each(todo[given : given + room], batch=50)
            given += room
        if stage.ended() >= kills.done * share and time.monotonic() - kills.last > PAUSE_S:
            _kill_one(stage, trees, kills)
        time.sleep(0.1)


def _kill_one(stage: Stage, trees: list[Worker], kills: Kills) -> None:
    """Kills a tree that is at work, notes what it had claimed, and starts it again, as a process manager would."""
    at_work = {name.split("/")[0] + "/" for _, _, name in _running(stage)}
    ready = [number for number, tree in enumerate(trees) if tree.ready and tree.claimed_as() in at_work]
    if not ready or kills.done >= kills.wanted:
        return
    number = stage.rng.choice(ready)
    victim = trees[number]
    victim.kill()
    at = time.time_ns() // 1_000_000
    kills.hits += [
        Hit(one, attempt, at) for one, attempt, name in _running(stage) if name.startswith(victim.claimed_as())
    ]
    kills.done += 1
    kills.last = time.monotonic()
    trees[number] = stage.worker(victim.name, PROCESSES)


def _running(stage: Stage) -> list[tuple[str, int, str]]:
    with stage.runtime.database.read(EVERYONE) as session:
        rows = session.execute(select(Run.id, Run.attempt, Run.worker).where(Run.state == RUNNING)).all()
    return [(row.id, row.attempt, row.worker or "") for row in rows]


def times(stage: Stage, hits: list[Hit]) -> tuple[list[float], int]:
    """Seconds from each death to the run's next start, from the tables; and how many runs were given up instead."""
    ids = {hit.run_id for hit in hits}
    with stage.runtime.database.read(EVERYONE) as session:
        again = select(RunEvent.run_id, RunEvent.attempt, RunEvent.at).where(RunEvent.what.startswith("started"))
        starts = [(row.run_id, row.attempt, row.at) for row in session.execute(again) if row.run_id in ids]
        last = session.execute(select(Run.id, Run.attempt, Run.started_at).where(Run.attempt > 0))
        starts += [(row.id, row.attempt, row.started_at) for row in last if row.id in ids]
    found: list[float] = []
    for hit in hits:
        later = [at for run_id, attempt, at in starts if run_id == hit.run_id and attempt > hit.attempt and at]
        found += [(min(later) - hit.at) / 1000] if later else []
    return found, len(hits) - len(found)
