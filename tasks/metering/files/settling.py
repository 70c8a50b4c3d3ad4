"""What is done to a series' readings to put them in order: local times made UTC, sorted, each time once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.metering.files import stamps, zones
from tasks.metering.files.found import Hints
from tasks.metering.files.tally import Tally

DAY, MONTH = 86_400, 2_629_800
MOST_TWICE = 2_000
SHORTEST_MONTH, LONGEST_MONTH = 27 * DAY, 32 * DAY  # what lies between two readings a month apart: less than the last
Whole = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(slots=True)
class Rows:
    """Readings side by side: [n] lines, wall clock, offsets, values."""

    lines: Whole
    wall: Whole
    offset: Whole
    values: Values

    def take(self, which: "NDArray[np.bool_] | NDArray[np.int64] | slice") -> "Rows":
        return Rows(self.lines[which], self.wall[which], self.offset[which], self.values[which])


def joined(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    return Rows(
        np.concatenate([part.lines for part in parts]),
        np.concatenate([part.wall for part in parts]),
        np.concatenate([part.offset for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def step_of(times: Whole) -> int:
    """What lies between most readings, in seconds; 0 where they come at any time."""
    between = np.diff(times)
    between = between[between > 0]
    if not len(between):
        return 0
    found, counts = np.unique(between, return_counts=True)
    best = int(counts.argmax())
    if counts[(found >= SHORTEST_MONTH) & (found < LONGEST_MONTH)].sum() * 2 > len(between):
        return MONTH
    return int(found[best]) if counts[best] * 2 >= len(between) and (counts[best] > 1 or len(between) == 1) else 0


def moments(rows: Rows, hints: Hints, tally: Tally) -> tuple[Rows, Whole]:
    """Each reading's moment in UTC; those of the hour that does not exist are left out.

    Args:
        rows: in order of time, as far as the file is.
    """
    said = rows.offset != stamps.NO_ZONE
    utc = rows.wall - np.where(said, rows.offset, 0)
    local = np.flatnonzero(~said)
    if not len(local):
        return rows, utc
    tally.note("local", [])
    tally["local"].count += len(local)
    if hints.clock == "utc":
        return rows, utc
    if hints.clock == "standard":
        utc[local] -= zones.standard_offset(hints.zone, int(rows.wall[local[0]]))
        return rows, utc
    first, second, state = zones.utc_of(rows.wall[local], hints.zone)
    utc[local] = np.where(_again(rows.wall[local], state == zones.TWICE), second, first)
    tally["twice"].add(rows.lines[local[state == zones.TWICE]].tolist())
    never = local[state == zones.NEVER]
    tally["never"].add(rows.lines[never].tolist())
    kept = np.ones(len(utc), bool)
    kept[never] = False
    return (rows, utc) if not len(never) else (rows.take(kept), utc[kept])


def _again(wall: Whole, twice: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """Which readings of a repeated hour are of its second run, by their order: those after a step back in time, and
    each that comes once more."""
    again = np.zeros(len(wall), bool)
    places = np.flatnonzero(twice)
    if not len(places):
        return again
    nights = np.split(places, np.flatnonzero(np.abs(np.diff(wall[places])) > DAY) + 1)
    for night in nights:
        seen: set[int] = set()
        back, last = False, -1
        for at in night.tolist():
            now = int(wall[at])
            back = back or 0 <= now < last
            again[at] = back or now in seen
            seen.add(now)
            last = now
    return again


def in_order(rows: Rows, utc: Whole, tally: Tally) -> tuple[Rows, Whole]:
    """By time; of equal times in the file's order."""
    back = np.flatnonzero(np.diff(utc) < 0) + 1
    if not len(back):
        return rows, utc
    tally["order"].add(rows.lines[back].tolist())
    order = np.argsort(utc, kind="stable")
    return rows.take(order), utc[order]


def once(rows: Rows, utc: Whole, rule: str, tally: Tally, twice: dict[int, set[int]]) -> tuple[Rows, Whole]:
    """Each time once. Equal readings are one; of different ones the last counts, the first, or neither.

    Args:
        rule: "last", "first" or "neither".
        twice: gets the lines of different readings for one time, by the day as it is written.
    """
    first = np.append(True, utc[1:] != utc[:-1]) if len(utc) else np.zeros(0, bool)
    if first.all():
        return rows, utc
    group = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    odd = rows.values != rows.values[starts][group]
    differ = np.zeros(len(starts), bool)
    differ[group[odd]] = True
    many = ~first | np.append(~first[1:], False)
    tally["same"].add(rows.lines[~first & ~differ[group]].tolist())
    tally["different"].add(rows.lines[many & differ[group]].tolist(), int(differ.sum()))
    for at in np.flatnonzero(many & differ[group])[:MOST_TWICE].tolist():
        twice.setdefault(int(rows.wall[at]) // DAY, set()).add(int(rows.lines[at]))
    ends = np.append(starts[1:], len(utc)) - 1
    kept = starts if rule == "first" else ends
    if rule == "neither":
        kept = kept[~differ]
    return rows.take(kept), utc[kept]


def holes(utc: Whole, lines: Whole, step: int, last: int | None, tally: Tally) -> None:
    """Gaps: where more than half a step too much lies between two readings."""
    if step <= 0 or not len(utc):
        return
    before = np.append(last if last is not None else utc[0] - step, utc[:-1])
    between = utc - before
    wide = between > 1.5 * step
    missing = np.rint(between[wide] / step).astype(np.int64) - 1
    tally["gap"].add(lines[wide].tolist())
    tally["gap"].most += int(missing.sum())
    for at in np.flatnonzero(wide)[:3].tolist():
        tally["gap"].say(f"{before[at]}|{utc[at]}")
