"""`make bench-engine`: the engine beside its peers, by the rules of a fair benchmark. ARGS=--quick is a tenth of it.

Rounds are interleaved in a seeded chance order; ratios are taken round by round against the same round's Celery.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from tests.bench import engine_report as report
from tests.bench.engine_losses import all_losses
from tests.bench.engine_rounds import FULL, QUICK, Size, fan_out, latencies, one_round
from tests.bench.engine_stage import ROOT, Cast, Stage, System, stage
from tests.bench.engine_systems import OURS, OURS_ON_POSTGRESQL, PACKAGES, PLAIN, SAFE, SYSTEMS, VARIANTS
from tests.bench.figures import write


def main() -> None:
    """Measure everything, tell it, keep it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.engine")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, under four minutes")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--only", default="", help="parts: rounds,latency,fan_out,losses,ours (all of them)")
    chosen = parser.parse_args()
    size, began = QUICK if chosen.quick else FULL, time.monotonic()
    parts = chosen.only.split(",") if chosen.only else ["rounds", "latency", "fan_out", "losses", "ours"]
    figures: dict[str, Any] = {"size": "quick" if chosen.quick else "full"}
    with stage() as on:
        for part in parts:
            said = time.monotonic()
            figures[part] = PARTS[part](on, size, chosen.seed, figures)
            print(f"{part}: {time.monotonic() - said:.0f} s", flush=True)
            figures["seconds"] = time.monotonic() - began
            write("engine", figures, PACKAGES, chosen.seed)  # what stands so far, should a later part fail
    report.tell(figures, chosen.seed)


def rounds(on: Stage, size: Size, seed: int, _: dict[str, Any]) -> dict[str, Any]:
    """By system: each round's figures, in the order of the rounds."""
    found: dict[str, list[dict[str, Any]]] = {system.name: [] for system in SYSTEMS}
    chance = random.Random(seed)
    for _round in range(size.rounds):
        order = chance.sample(SYSTEMS, len(SYSTEMS))
        for system in order:
            found[system.name].append(one_round(on, system, size))
    return found


def latency(on: Stage, size: Size, seed: int, figures: dict[str, Any]) -> dict[str, Any]:
    """The same load for all: shares of what plain Celery drained of the 10 ms job (of 150 a second, measured alone)."""
    drained = [each["busy"]["drained_per_s"] for each in figures.get("rounds", {}).get(PLAIN.name, [])]
    capacity = statistics.median(drained) if drained else 150.0
    systems = list(_apart(size))
    random.Random(seed).shuffle(systems)
    return {"capacity_per_s": capacity} | {each.name: latencies(on, each, size, capacity, seed) for each in systems}


def _apart(size: Size) -> Sequence[System]:
    """All systems without the variants of their prefetch; the quick run leaves most of the peers out here."""
    return [OURS, PLAIN, SAFE] if size is QUICK else [system for system in SYSTEMS if system not in VARIANTS]


def children(on: Stage, size: Size, seed: int, _: dict[str, Any]) -> dict[str, list[float]]:
    """A fan-out's children a second, ours in chunks beside Celery's group; interleaved."""
    found: dict[str, list[float]] = {OURS.name: [], PLAIN.name: []}
    chance = random.Random(seed)
    for _round in range(size.rounds):
        for system in chance.sample([OURS, PLAIN], 2):
            found[system.name].append(fan_out(on, system, size))
    return found


def losses(on: Stage, size: Size, seed: int, _: dict[str, Any]) -> dict[str, Any]:
    return all_losses(on, _apart(size), size, seed)


def ours(on: Stage, size: Size, _seed: int, _: dict[str, Any]) -> dict[str, Any]:
    """What only our own targets ask for."""
    found: dict[str, Any] = {}
    for system in (OURS, OURS_ON_POSTGRESQL):
        cast = on.fresh(system)
        found[system.name] = {"waiting": _own(cast, "waiting", size.depths), "submit": _own(cast, "submits", [60])}
    on.valkey.pause()  # half-open, which is worse than gone: it accepts and never answers
    try:
        found["submit_broker_down"] = _own(cast, "submits", [100])
    finally:
        on.valkey.resume()
    found["child_memory"] = _child_memory(on, OURS, size)
    return found


def _own(cast: Cast, what: str, numbers: Sequence[int]) -> Any:
    words = [sys.executable, "-m", "tests.bench.engine_depth", what, *map(str, numbers)]
    done = subprocess.run(words, env=cast.environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{what} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _child_memory(on: Stage, system: System, size: Size) -> dict[str, float]:
    """Of a worker's processes that are never replaced, after their first hundred runs and after so many more."""
    cast = on.fresh(system, BENCH_TASKS_PER_CHILD="1000000")
    cast.start()
    try:
        cast.warm(200)
        worker = cast.processes[0].pid
        at_first = cast.family_memory(worker)
        before = len(cast.ran())
        cast.client("enqueue", "noop", 0, size.runs_of_a_child)
        cast.until(before + size.runs_of_a_child, 25)
        time.sleep(1)
        after = cast.family_memory(worker)
    finally:
        cast.stop()
    return {"runs": size.runs_of_a_child, "first_mb": at_first / 2**20, "after_mb": after / 2**20}


PARTS = {"rounds": rounds, "latency": latency, "fan_out": children, "losses": losses, "ours": ours}

if __name__ == "__main__":
    main()
