"""Fault 1 beside the peers, smaller: `kill -9` of the whole worker tree under load. What never ran, what ran twice."""

import random
import threading
import time
from collections.abc import Sequence
from typing import Any

from tests.bench.engine_rounds import Size
from tests.bench.engine_stage import Cast, Stage, System
from tests.servers import Valkey

LOAD = threading.Lock()  # one system works at a time; they settle side by side, which costs nothing


def all_losses(stage: Stage, systems: Sequence[System], size: Size, seed: int) -> dict[str, dict[str, Any]]:
    """By the system's name: how many jobs never ran, how many ran again, and how long the last one took."""
    found: dict[str, dict[str, Any]] = {}
    threads = [
        threading.Thread(target=_keep, args=(found, stage, system, size, random.Random(f"{seed} {system.name}")))
        for system in systems
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if missing := {system.name for system in systems} - set(found):
        raise SystemExit(f"the kill loop did not end for: {', '.join(sorted(missing))}")
    return found


def _keep(found: dict[str, Any], stage: Stage, system: System, size: Size, chance: random.Random) -> None:
    with Valkey(durable=True) as broker:
        own = Stage(stage.folder / f"losses-{len(system.name)}-{id(system)}", broker, stage.postgresql)
        own.folder.mkdir()
        found[system.name] = _losses(own, system, size, chance)


def _losses(stage: Stage, system: System, size: Size, chance: random.Random) -> dict[str, Any]:
    count = max(100, int(size.lost_jobs * (0.3 if system.share < 0.2 else 1)))
    cast: Cast | None = None
    try:
        with LOAD:
            cast = stage.fresh(system, BENCH_EFFECTS="1")
            cast.start()
            cast.warm()
            before = len(cast.ran())
            cast.client("enqueue", "busy", 0, count)
            _kill_under_load(cast, before, count, size.kills, chance)
            killed = time.monotonic()
            cast.until(before + count, 3)  # the others wait while this one is still busy
        cast.until_ran(count, size.settle)
        return _told(cast, count, size, killed)
    finally:
        if cast is not None:
            cast.stop()


def _told(cast: Cast, count: int, size: Size, killed: float) -> dict[str, Any]:
    ran = [number for number, *_ in cast.ran() if number >= 0]
    last = max(ended for *_, ended in cast.ran())
    found = {
        "jobs": count, "kills": size.kills, "never_ran": count - len(set(ran)), "ran_twice": len(ran) - len(set(ran)),
        "last_ended_s": max(0.0, last - killed), "settled_s": size.settle,
    }  # fmt: skip
    if cast.system.module == "nightshift":
        found["rows_twice"] = cast.client("twice", "")["twice"]
    return found


def _kill_under_load(cast: Cast, before: int, count: int, kills: int, chance: random.Random) -> None:
    """Kill when a share of the jobs is done, at a chance moment, and start the same workers again at once."""
    for number in range(1, kills + 1):
        cast.until(before + count * number // (kills + 2), 10)
        time.sleep(chance.random() * 0.1)
        cast.kill()
        cast.start()
