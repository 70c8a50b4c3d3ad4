"""Rounds: hand many jobs over, let two processes do them, read the proofs; and what one job costs a broker and SQL."""

import signal
import time
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.bench.engine_stage import Cast, Stage, System
from tests.bench.figures import quantile

SILENCE = 25.0  # seconds without one more finished job: what did not run by then is told


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    noop: int
    busy: int
    load_seconds: float
    idle: int
    fan_out: int
    lost_jobs: int
    kills: int
    settle: float
    depths: tuple[int, ...]
    runs_of_a_child: int


FULL = Size(3, 3000, 400, 5.0, 100, 5000, 1000, 5, 75.0, (1_000, 10_000, 100_000), 10_000)
QUICK = Size(1, 500, 100, 1.5, 30, 1000, 200, 2, 26.0, (1_000, 10_000), 1_000)


def drained(cast: Cast, before: int, count: int) -> float:
    """Jobs a second between the first that started and the last that ended; what is missing is an error."""
    if not cast.until(before + count, SILENCE):
        raise SystemExit(f"{cast.system.name} ran {len(cast.ran()) - before} of {count}")
    ran = cast.ran()[before:]
    return (count - 1) / (max(ended for *_, ended in ran) - min(started for _, started, _ in ran))


def one_round(stage: Stage, system: System, size: Size) -> dict[str, Any]:
    """Both jobs, handed over while the workers are held still, so that the rates do not disturb each other."""
    cast = stage.fresh(system)
    cast.start()
    found: dict[str, Any] = {}
    try:
        cast.warm()
        for job, usual in (("noop", size.noop), ("busy", size.busy)):
            count, before, costs = max(50, int(usual * system.share)), len(cast.ran()), Costs(cast)
            cast.signal(signal.SIGSTOP)
            handed = cast.client("enqueue", job, before, count)
            cast.signal(signal.SIGCONT)
            found[job] = {
                "enqueued_per_s": (count - 1) / handed["seconds"],
                "drained_per_s": drained(cast, before, count),
                **costs.per_job(count),
            }
        found["pss_mb"] = cast.memory() / 2**20
    finally:
        cast.stop()
    return found


class Costs:
    """What the broker and the database were asked for, from now on."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        cast.stage.client.config_resetstat()
        self.commits = self._commits()

    def per_job(self, count: int) -> dict[str, float]:
        calls = sum(row["calls"] for row in self.cast.stage.client.info("commandstats").values())
        found = {"broker_commands": calls / count}
        if self.cast.system.database:
            found["commits"] = (self._commits() - self.commits) / count
        return found

    def _commits(self) -> int:
        """PostgreSQL counts them itself, and tells after a while; on SQLite our workers do, beside one a submit."""
        if self.cast.system.database == "postgresql":
            time.sleep(1.5)
            with psycopg.connect(self.cast.environment["BENCH_DATABASE"].replace("+psycopg", "")) as connection:
                row = connection.execute(
                    "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
                ).fetchone()
                return int(row[0]) if row else 0
        written = self.cast.commits.stat().st_size if self.cast.commits.exists() else 0
        return written + len(self.cast.ran())  # each job was submitted by a commit of the client's


def latencies(stage: Stage, system: System, size: Size, capacity: float, seed: int) -> dict[str, Any]:
    """Milliseconds from the moment a job was meant to be sent to its end, at shares of plain Celery's capacity; and
    from sending to start in an idle system.
    """
    cast = stage.fresh(system)
    cast.start()
    found: dict[str, Any] = {}
    try:
        cast.warm()
        first = 0
        for share in (0.2, 0.5, 0.8):
            count = max(20, int(capacity * share * size.load_seconds))
            meant = cast.client("load", "busy", first, count, float(capacity * share), seed)["meant"]
            late = _late(cast, first, meant, 2)
            first += count
            found[f"load_{share:.0%}"] = {
                "p50_ms": quantile(late, 0.5), "p99_ms": quantile(late, 0.99), "not_run": count - len(late),
            }  # fmt: skip
        sent = cast.client("evenly", "noop", first, size.idle, 0.08, seed)
        late = _late(cast, first, sent["meant"], 1)
        found["idle"] = {"p50_ms": quantile(late, 0.5), "p99_ms": quantile(late, 0.99)}
        found["submit"] = {"p50_ms": 1000 * quantile(sent["took"], 0.5), "p99_ms": 1000 * quantile(sent["took"], 0.99)}
    finally:
        cast.stop()
    return found


def _late(cast: Cast, first: int, meant: list[float], column: int) -> list[float]:
    """By how many milliseconds each job started (column 1) or ended (2) after it was meant to be sent."""
    cast.until(len(cast.ran()) + len(meant), 3)
    ran = {row[0]: row[column] for row in cast.ran()}
    return [1000 * (ran[first + at] - moment) for at, moment in enumerate(meant) if first + at in ran] or [float("inf")]


def fan_out(stage: Stage, system: System, size: Size) -> float:
    """Children a second, from the call that stands for them all to the last one's end."""
    cast = stage.fresh(system)
    cast.start()
    try:
        cast.warm()
        before = len(cast.ran())
        began = cast.client("fan_out", "noop", 1, size.fan_out)["began"]
        if not cast.until(before + size.fan_out + 1, SILENCE):
            raise SystemExit(f"{system.name} ran {len(cast.ran()) - before - 1} of {size.fan_out} children")
        return size.fan_out / (max(ended for *_, ended in cast.ran()) - float(began))
    finally:
        cast.stop()
