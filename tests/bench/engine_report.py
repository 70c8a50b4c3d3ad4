"""The table of `make bench-engine`: each figure with its target, met or missed; a sentence for what fell short."""

import statistics
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from tests.bench.engine_systems import OURS, OURS_ON_POSTGRESQL, PACKAGES, PLAIN, PROCRASTINATE, SAFE

Figures = Mapping[str, Any]


def tell(figures: Figures, seed: int) -> None:
    """Print it all."""
    print(f"\nSeed {seed}; " + ", ".join(f"{package} {version(package)}" for package in PACKAGES))
    if "rounds" in figures:
        _systems(figures)
    if "latency" in figures:
        _latencies(figures["latency"])
    if "losses" in figures:
        _losses(figures["losses"])
    if "ours" in figures:
        _waiting(figures["ours"])
    _targets(figures)
    print(f"\nTook {figures['seconds']:.0f} s.")


def ratios(rounds: Figures, job: str, what: str, ours: str, theirs: str) -> list[float]:
    """Ours over theirs, round by round."""
    pairs = zip(rounds[ours], rounds[theirs], strict=True)
    return [mine[job][what] / yours[job][what] for mine, yours in pairs]


def _median(rounds: list[dict[str, Any]], *path: str) -> float:
    values: list[Any] = list(rounds)
    for step in path:
        values = [value[step] for value in values if step in value]
    return statistics.median(values) if values else float("nan")


def _systems(figures: Figures) -> None:
    rounds = figures["rounds"]
    print("\nTwo processes; medians of the rounds; jobs a second; x: over plain Celery, over Celery with safe settings")
    print(f"{'':27}{'enqueue':>9}{'no-op':>8}{'x':>7}{'x safe':>8}{'10 ms':>7}{'x':>7}{'x safe':>8}", end="")
    print(f"{'PSS MB':>8}{'broker/job':>12}{'commits/job':>13}")
    for name, each in rounds.items():
        cells = [f"{_median(each, 'noop', 'enqueued_per_s'):9.0f}"]
        for job, width in (("noop", 8), ("busy", 7)):
            cells.append(f"{_median(each, job, 'drained_per_s'):{width}.0f}")
            for other, wide in ((PLAIN.name, 7), (SAFE.name, 8)):
                cells.append(f"{statistics.median(ratios(rounds, job, 'drained_per_s', name, other)):{wide}.2f}")
        cells.append(f"{_median(each, 'pss_mb'):8.0f}{_median(each, 'noop', 'broker_commands'):12.1f}")
        commits = _median(each, "noop", "commits")
        cells.append(f"{commits:13.1f}" if commits == commits else f"{'-':>13}")
        print(f"  {name:25}{''.join(cells)}")


def _latencies(found: Figures) -> None:
    print(f"\nMilliseconds from a 10 ms job's intended send time to its end; 100 % are {found['capacity_per_s']:.0f}/s")
    print(f"{'':27}{'20 % p50/p99':>18}{'50 % p50/p99':>18}{'80 % p50/p99':>18}{'idle start p50/p99':>21}")
    for name, each in found.items():
        if name != "capacity_per_s":
            cells = [
                f"{each[key]['p50_ms']:.0f}/{each[key]['p99_ms']:.0f}"
                for key in ("load_20%", "load_50%", "load_80%", "idle")
            ]
            print(f"  {name:25}" + "".join(f"{cell:>18}" for cell in cells[:3]) + f"{cells[3]:>21}")


def _losses(found: Figures) -> None:
    print("\nFault 1, smaller: kill -9 of the whole worker tree under load, the same workers again, time to settle")
    for name, each in found.items():
        twice = f"{each['ran_twice']} ran twice"
        if "rows_twice" in each:
            twice += f", {each['rows_twice']} effects twice in the runs' own transactions"
        lost = f"{each['never_ran']:>4} never ran in {each['settled_s']:.0f} s"
        print(f"  {name:25}{each['jobs']:>6} jobs, {each['kills']} kills: {lost}; {twice}")


def _waiting(found: Figures) -> None:
    print("\nWhile so many runs wait, median milliseconds (claim, dispatch into an empty window, reconcile, list page)")
    for name in (OURS.name, OURS_ON_POSTGRESQL.name):
        for depth, each in found[name]["waiting"].items():
            print(f"  {name:25}{int(depth):>9,}  " + "  ".join(f"{what} {ms:.2f}" for what, ms in each.items()))


def _targets(figures: Figures) -> None:
    print("\nTargets")
    short = []
    for what, unit, value, met, target, why in targets(figures):
        print(f"  {what:62}{value:>10.2f} {unit:3}  {target:24}{'met' if met else 'MISSED'}")
        if not met:
            short.append(f"{what}: {value:.2f} {unit} where {target} is asked. {why}")
    for sentence in short:
        print(f"  - {sentence}")


Target = tuple[str, str, float, bool, str, str]


def targets(figures: Figures) -> list[Target]:
    """What was measured of what is asked: (what, unit, value, met, target, why it may fall short)."""
    found: list[Target] = []

    def at_least(what: str, unit: str, value: float, limit: float, why: str) -> None:
        found.append((what, unit, value, value >= limit, f"at least {limit:g}", why))

    def at_most(what: str, unit: str, value: float, limit: float, why: str) -> None:
        found.append((what, unit, value, value <= limit, f"at most {limit:g}", why))

    if "rounds" in figures:
        _of_rounds(figures["rounds"], at_least)
    if "fan_out" in figures:
        both = zip(figures["fan_out"][OURS.name], figures["fan_out"][PLAIN.name], strict=True)
        ratio = statistics.median(mine / theirs for mine, theirs in both)
        at_least("children in chunks over Celery's group", "x", ratio, 2, "Making the children's rows is counted in.")
    if "latency" in figures:
        mine = figures["latency"][OURS.name]
        at_most("idle pickup p99, from sending to start", "ms", mine["idle"]["p99_ms"], 100, BUSY)
        at_most("submit p99", "ms", mine["submit"]["p99_ms"], 25, BUSY)
    if "losses" in figures:
        mine = figures["losses"][OURS.name]
        at_most("runs lost in the kill loop", "", mine["never_ran"], 0, "A run that is lost is a defect: tell it.")
        at_most("effects twice in the kill loop", "", mine["rows_twice"], 0, "A fence that leaks is a defect: tell it.")
    if "ours" in figures:
        _of_ours(figures["ours"], at_most)
    return found


BUSY = "Anything else that runs on this machine shows in its slowest hundredth."
HALF = 0.5  # milliseconds: what is quicker is quick
SQL = "Each run pays for its two commits, which outlive a power cut, where Celery writes nothing to a disk."


def _of_rounds(rounds: Figures, at_least: Callable[[str, str, float, float, str], None]) -> None:
    for job, limit, title in (("busy", 0.95, "the 10 ms job"), ("noop", 0.8, "the no-op")):
        ratio = statistics.median(ratios(rounds, job, "drained_per_s", OURS.name, PLAIN.name))
        at_least(f"{title}, over plain Celery", "x", ratio, limit, SQL)
    for job, title in (("busy", "the 10 ms job"), ("noop", "the no-op")):
        ratio = statistics.median(ratios(rounds, job, "drained_per_s", OURS_ON_POSTGRESQL.name, PROCRASTINATE.name))
        at_least(f"{title}, over Procrastinate on the same PostgreSQL", "x", ratio, 1, SQL)


def _of_ours(found: Figures, at_most: Callable[[str, str, float, float, str], None]) -> None:
    down = found["submit_broker_down"]["p99_ms"]
    at_most("submit p99 while the broker does not answer", "ms", down, 1000, "The breaker should have opened.")
    for name in (OURS.name, OURS_ON_POSTGRESQL.name):
        depths = list(found[name]["waiting"].values())
        for what in depths[0]:
            growth = max(depths[-1][what], HALF) / max(depths[0][what], HALF)
            at_most(f"{what}, deepest over shallowest queue ({name})", "x", growth, 1.5, "It grows with what waits.")
    memory = found["child_memory"]
    grown = memory["after_mb"] / memory["first_mb"]
    at_most(
        f"a worker's memory after {memory['runs']:,} runs over its start",
        "x",
        grown,
        1.1,
        "It leaks, or its caches fill.",
    )
