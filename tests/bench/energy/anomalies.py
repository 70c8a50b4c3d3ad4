"""Anomalies: faults put into Victoria's demand at known places, and the six NAB files; beside a windowed Gaussian.

As in life: every night a look at what is known until then, and only what is new in it counts. A fault is a hit when a
look of the next ten nights (of a shift: of the next three weeks) tells of something in it; all else that is told is a
false alarm. The Gaussian looks at each hour as it comes, with the threshold that gives it as few false alarms.
"""

import time
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from tasks.energy.anomalies.find import find
from tasks.energy.anomalies.found import Found
from tasks.energy.series import DAY, HOUR
from tasks.metering.regular import regular
from tasks.metering.usage import Readings, Usage
from tests.bench.energy import nab
from tests.victoria import ABSENT, FILE, ZONE, Victoria, victoria

YEAR = 2014
FAULTS: tuple[tuple[str, str, float], ...] = (
    ("spike", "+20 %", 0.2), ("spike", "+50 %", 0.5), ("spike", "+100 %", 1.0), ("spike", "-50 %", -0.5),
    ("flat", "6 hours", 6), ("flat", "24 hours", 24), ("shift", "+10 %", 0.1), ("shift", "+20 %", 0.2),
    ("shift", "-20 %", -0.2), ("missing", "4 hours", 4), ("missing", "24 hours", 24),
)  # fmt: skip
NIGHTS = {"shift": 21}  # others: 10
APART = {"shift": 60}  # days between two faults; others: 14
SEED = 5
Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    first: int  # step
    past: int


def measure(quick: bool) -> dict[str, Any]:
    """All kinds of faults over a year; of each second one when it shall be quick."""
    if not FILE.exists():
        raise SystemExit(f"bench-energy {ABSENT}.")
    given = victoria()
    clean = clean_look(given, quick)
    gaussian = nab.gaussian(given.load)
    hours = gaussian[given.midnights(YEAR)[0] :][: 24 * (120 if quick else 365)]
    level = float(np.quantile(hours, 1 - clean["with_weather"]["false"] / len(hours)))
    rows = [row(given, kind, said, size, level, quick) for kind, said, size in FAULTS]
    return {"seed": SEED, "clean": clean, "faults": rows, "nab": nab_files()}


def clean_look(given: Victoria, quick: bool) -> dict[str, Any]:
    """Victoria as it is, night by night: whatever is told is taken for a false alarm, heat waves and all."""
    nights = list(range(1, 121 if quick else 366))
    found = {}
    for name, weather in (("with_weather", True), ("without", False)):
        began = time.thread_time()
        told = nightly(given, given.load, nights, weather)
        seconds = time.thread_time() - began
        found[name] = {
            "false": len(told), "false_a_week": round(len(told) / (len(nights) / 7), 3), "kinds": _kinds(told),
            "seconds_a_look": round(seconds / len(nights), 4),
        }  # fmt: skip
    return found


def _kinds(told: list[tuple[int, Found]]) -> dict[str, int]:
    kinds = [one.kind for _, one in told]
    return {str(kind): kinds.count(kind) for kind in sorted(set(kinds))}


def nightly(
    given: Victoria,
    mwh: "Numbers",
    nights: list[int],
    weather: bool,
    missing: "np.ndarray[Any, Any] | None" = None,
) -> list[tuple[int, Found]]:
    """What each of these nights of the year tells that none before has told: night, what."""
    begin = given.midnights(YEAR)[0]
    told: list[tuple[int, Found]] = []
    for night in nights:
        end = begin + 24 * night
        start = max(0, end - 24 * 400)
        filled = np.zeros(end - start, dtype=bool) if missing is None else missing[start:end]
        usage = Usage(given.times[start:end], mwh[start:end], filled, HOUR, ZONE)
        seen = find(
            usage, temperature=given.degrees[start:end] if weather else None,
            holidays=given.marked if weather else frozenset[date](),
        )  # fmt: skip
        for one in seen:
            fresh = one.end is None or one.end > int(given.times[end - 1]) - 7 * DAY
            if fresh and not any(_same(one, other) for _, other in told):
                told.append((night, one))
    return told


def _same(one: Found, other: Found) -> bool:
    last = min(one.end or 2**60, other.end or 2**60)
    return one.kind == other.kind and last - max(one.start, other.start) > -6 * HOUR


def row(given: Victoria, kind: str, said: str, size: float, level: float, quick: bool) -> dict[str, Any]:
    """One kind and size of fault: hits, delay, false alarms; the Gaussian's beside it."""
    faults = places(given, kind, size)[:: 2 if quick else 1]
    mwh, missing = planted(given, kind, size, faults)
    begin, nights = given.midnights(YEAR)[0], NIGHTS.get(kind, 10)
    found, delays, other = 0, [], 0
    for fault in faults:
        first = (fault.first - begin) // 24 + 1
        told = nightly(given, mwh, list(range(first, min(365, first + nights) + 1)), True, missing)
        inside = [night for night, one in told if _inside(given, one, fault)]
        other += sum(not _inside(given, one, fault, 2 * DAY) and not _any(given, one, faults) for _, one in told)
        found += bool(inside)
        delays += [begin + 24 * inside[0] - fault.first] if inside else []
    weeks = len(faults) * nights / 7
    return {
        "kind": kind, "size": said, "faults": len(faults), "hits": found, "delay_hours": _median(delays),
        "false_a_week": round(other / weeks, 3), "gaussian_hits": gaussian_hits(mwh, faults, level),
    }  # fmt: skip


def _any(given: Victoria, one: Found, faults: list[Fault]) -> bool:
    return any(_inside(given, one, fault, 2 * DAY) for fault in faults)


def _median(some: list[int]) -> float | None:
    return float(np.median(some)) if some else None


def _inside(given: Victoria, one: Found, fault: Fault, room: int = 0) -> bool:
    first, past = int(given.times[fault.first]) - room, int(given.times[fault.past - 1]) + HOUR + room
    return one.start < past and (one.end is None or one.end > first) and one.start >= first - 4 * DAY


def places(given: Victoria, kind: str, size: float) -> list[Fault]:
    """Where the faults lie, the same in every run."""
    chance = np.random.default_rng([SEED, sum(map(ord, kind)), int(abs(size) * 100)])
    apart, begin = 24 * APART.get(kind, 14), given.midnights(YEAR)[0]
    found = []
    for first in range(begin + 24 * 14, begin + 24 * 350, apart):
        at = first + int(chance.integers(0, 72))
        length = {"spike": int(chance.integers(1, 7)), "shift": 24 * 28}.get(kind, int(size))
        at = at // 24 * 24 if kind == "shift" else at
        found.append(Fault(at, min(at + length, len(given.load))))
    return found


def planted(given: Victoria, kind: str, size: float, faults: list[Fault]) -> "tuple[Numbers, Numbers]":
    """Victoria with faults, and where nothing was measured."""
    mwh, missing = given.load.copy(), np.zeros(len(given.load), dtype=bool)
    for fault in faults:
        where = slice(fault.first, fault.past)
        if kind in ("spike", "shift"):
            mwh[where] *= 1 + size
        elif kind == "flat":
            mwh[where] = mwh[fault.first - 1]
        else:
            missing[where] = True
    return mwh, missing


def gaussian_hits(mwh: "Numbers", faults: list[Fault], level: float) -> int:
    scores = nab.gaussian(mwh)
    return sum(bool((scores[fault.first : fault.past] > level).any()) for fault in faults)


def nab_files() -> dict[str, Any]:
    """The six files: windows found, false alarms, and NAB's standard score of these six.

    The Gaussian gets the threshold that is best for it on just these files, as NAB does; ours has none.
    """
    every = nab.files(FILE.parents[1] / "nab")
    own = [detections(file) for file in every]
    scores = [nab.gaussian(file.values) for file in every]
    levels = sorted({float(level) for score in scores for level in np.quantile(score, np.linspace(0.9, 1, 200))})
    trials = [[_above(score, level) for score in scores] for level in levels]
    theirs = max(trials, key=lambda rows: _score(every, rows))
    return {
        "files": [
            {"name": file.name, "windows": len(file.windows)}
            | {"hits": nab.hits(file, mine), "gaussian": nab.hits(file, rows)}
            for file, mine, rows in zip(every, own, theirs, strict=True)
        ],
        "score": round(_score(every, own), 1),
        "gaussian_score": round(_score(every, theirs), 1),
    }


def _score(every: list[nab.File], found: list[list[int]]) -> float:
    return nab.normal(every, [nab.score(file, rows) for file, rows in zip(every, found, strict=True)])


def _above(scores: "Numbers", level: float) -> list[int]:
    return [int(row) for row in np.flatnonzero(scores >= level)]


def detections(file: nab.File) -> list[int]:
    """The last row of each night in which something new is told."""
    values = np.round(file.values * 1e6).astype(np.int64)
    apart = int(np.median(np.diff(file.times)))
    step = max(apart, 900)
    told: list[Found] = []
    rows = []
    for end in range(int(file.times[0]) // DAY * DAY + DAY, int(file.times[-1]) + DAY, DAY):
        past = int(np.searchsorted(file.times, end))
        if past == 0:
            continue
        usage = regular(Readings(file.times[:past], values[:past]), kind="interval", step=step, zone="UTC")
        usage = replace(usage, findings=())
        new = [
            one
            for one in find(usage)
            if one.kind in ("spike", "flat", "shift") and not any(_same(one, other) for other in told)
        ]
        fresh = [one for one in new if one.end is None or one.end > end - 2 * DAY]
        told += new
        rows += [past - 1] if fresh else []
    return rows


def lines(figures: dict[str, Any]) -> list[str]:
    """The tables."""
    found = ["Anomalies on Victoria 2014, a look every night; beside it a windowed Gaussian with as many false alarms"]
    for name, one in figures["clean"].items():
        said = f"{one['false_a_week']:.2f} false alarms a week, {1000 * one['seconds_a_look']:.0f} ms CPU a look"
        found.append(f"  as it is, {name.replace('_', ' ')}: {said} {one['kinds']}")
    found.append(f"  {'fault':<20}{'faults':>7}{'hits':>7}{'delay h':>9}{'false/wk':>10}{'Gaussian hits':>15}")
    for row in figures["faults"]:
        delay = "-" if row["delay_hours"] is None else f"{row['delay_hours']:.0f}"
        found.append(
            f"  {row['kind'] + ' ' + row['size']:<20}{row['faults']:>7}{row['hits']:>7}{delay:>9}"
            f"{row['false_a_week']:>10.2f}{row['gaussian_hits']:>15}"
        )
    nab_ = figures["nab"]
    found.append(f"NAB, six files, standard score: {nab_['score']} (windowed Gaussian {nab_['gaussian_score']})")
    for file in nab_["files"]:
        hits, false = file["hits"]
        theirs, wrong = file["gaussian"]
        found.append(
            f"  {file['name']:<42}{hits} of {file['windows']} windows, {false} false; Gaussian {theirs}, {wrong}"
        )
    return found
