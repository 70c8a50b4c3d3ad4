"""Working time: a million due times, and as many spans, of a team with lunch, holidays and a change of clocks.

The aim is 200,000 due times a second; what is told is the median of some rounds, on one core.
"""

import time
from typing import Any

import numpy as np

from tasks.care import hours

COUNT, QUICK, ROUNDS = 1_000_000, 100_000, 5
AIM = 200_000
NOW = 1_750_000_000_000
DAY, HOUR = 86_400_000, 3_600_000
TEAM = hours.Hours(
    zone="Europe/Berlin", week=(((540, 720), (780, 1080)),) * 5 + (((600, 840),), ()), holidays="DE-BY"
)  # fmt: skip


def measure(quick: bool) -> dict[str, Any]:
    """Seconds to make ten years of it, then due times and spans a second."""
    began = time.perf_counter()
    open_ = hours.working_time(TEAM, NOW)
    made = time.perf_counter() - began
    count = QUICK if quick else COUNT
    chance = np.random.default_rng(6)
    since = NOW + chance.integers(-2 * 365 * DAY, 3 * 365 * DAY, count)
    amount = chance.integers(0, 80 * HOUR, count)
    due = [_seconds(lambda: open_.due(since, amount)) for _ in range(ROUNDS)]
    until = open_.due(since, amount)
    worked = [_seconds(lambda: open_.worked(since, until)) for _ in range(ROUNDS)]
    right = bool((open_.worked(since, until) == amount).all())
    return {
        "count": count, "intervals": len(open_.starts), "make_ms": round(made * 1000, 1), "right": right,
        "due_a_second": round(count / sorted(due)[ROUNDS // 2]), "due_seconds": round(sorted(due)[ROUNDS // 2], 3),
        "worked_a_second": round(count / sorted(worked)[ROUNDS // 2]),
    }  # fmt: skip


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def lines(figures: dict[str, Any]) -> list[str]:
    """The table."""
    return [
        f"Working time: {figures['count']:,} due times over {figures['intervals']:,} intervals of ten years",
        f"    {figures['due_seconds']} s, {figures['due_a_second']:,} a second (at least {AIM:,})",
        f"    spans: {figures['worked_a_second']:,} a second; ten years of a team's hours in {figures['make_ms']} ms",
        f"    each due time holds its amount of work: {'yes' if figures['right'] else 'NO'}",
    ]
