"""Readings put among others, in memory: what is new, what is another value for a known time, what comes once more."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.metering.usage import Readings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

MINUTE, DAY, MONTH = 60, 86_400, 2_629_800
MONTHS = range(27 * DAY, 32 * DAY)  # what lies between two readings a month apart
STEPS = (60, 300, 600, 900, 1800, 3600, DAY, MONTH)
ENOUGH = 24  # readings of a counter, or a day of them, before its step is told by them
EARLIEST = 631_152_000  # 1990-01-01
AHEAD = 2 * DAY  # clocks go wrong by a day and a time zone
LARGEST = 10**15  # mWh: a terawatt-hour, more than any counter shows; and the sums of all of them stay exact


class Unkept(ValueError):
    """Readings that cannot be kept as they are; says why, to people."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of readings.

    Attributes:
        new: of times that nothing was known of.
        changed: of known times, with another value.
        same: known already.
        thinned: of a counter, within a minute of which a later reading is kept.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    thinned: int = 0

    def __add__(self, other: "Written") -> "Written":
        sums = (self.new + other.new, self.changed + other.changed, self.same + other.same)
        return Written(*sums, self.thinned + other.thinned)


@dataclass(frozen=True, slots=True)
class Merged:
    """`readings` are all of them now; `days` the UTC days (since 1970-01-01) that are not as they were."""

    readings: Readings
    days: frozenset[int]
    written: Written


def check(readings: Readings, now: int | None = None) -> None:
    """Whether readings may be kept: times rise, from 1990 to the day after tomorrow; no value is over 1 TWh.

    Raises:
        Unkept: says which one is at fault.
    """
    times, values = readings.times, readings.values
    if len(times) != len(values):
        raise Unkept("There are not as many values as times.")
    if bool((times[1:] <= times[:-1]).any()):
        raise Unkept("Readings have to be in order of time, and no time may come twice.")
    if not len(times):
        return
    if int(times[0]) < EARLIEST:
        raise Unkept(f"A reading is of {told_time(int(times[0]))}. The earliest that can be kept is of 1990.")
    if int(times[-1]) > (int(time.time()) if now is None else now) + AHEAD:
        raise Unkept(f"A reading is of {told_time(int(times[-1]))}, more than two days ahead. Look at its clock.")
    if int(values.max()) > LARGEST or int(values.min()) < -LARGEST:
        raise Unkept("A reading is larger than 1 TWh, which no meter shows. Look at its unit.")


def told_time(at: int) -> str:
    """2026-01-31 23:59 UTC; of times beyond the calendar, the number."""
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
    except (OverflowError, ValueError, OSError):
        return f"second {at} since 1970"


def nothing() -> Readings:
    """No readings."""
    import numpy as np

    return Readings(np.empty(0, np.int64), np.empty(0, np.int64))


def joined(parts: "list[tuple[Whole, Whole]]") -> Readings:
    """The parts one after another, in order of time already."""
    import numpy as np

    if not parts:
        return nothing()
    times, values = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Readings(times, values)


def merge(known: Readings, given: Readings, *, keep_old: bool, counter: bool) -> Merged:
    """Put `given` among `known`.

    Of a counter the last reading of each minute stays. Another value for a known time takes the old one's place,
    unless `keep_old`.

    Raises:
        Unkept: intervals of less than a minute.
    """
    import numpy as np

    at = np.searchsorted(known.times, given.times)
    hit = np.zeros(len(at), bool)
    inside = at < len(known.times)
    hit[inside] = known.times[at[inside]] == given.times[inside]
    other = np.zeros(len(at), bool)
    other[hit] = known.values[at[hit]] != given.values[hit]
    values = known.values.copy()
    if not keep_old:
        values[at[other]] = given.values[other]
    fresh = ~hit
    every = np.concatenate([known.times, given.times[fresh]])
    order = np.argsort(every, kind="stable")
    readings = Readings(every[order], np.concatenate([values, given.values[fresh]])[order])
    stays = _last_of_minutes(readings.times) if counter else _all_of_minutes(readings.times)
    came = (order >= len(known.times)) & stays
    new, moved = int(came.sum()), given.times[other] if not keep_old else given.times[:0]
    days = frozenset(np.unique(np.concatenate([readings.times[came], moved]) // DAY).tolist())
    told = Written(new, int(other.sum()), int((hit & ~other).sum()), int(fresh.sum()) - new)
    return Merged(Readings(readings.times[stays], readings.values[stays]), days, told)


def _last_of_minutes(times: "Whole") -> "NDArray[np.bool_]":
    import numpy as np

    stays = np.ones(len(times), bool)
    stays[:-1] = times[1:] // MINUTE != times[:-1] // MINUTE
    return stays


def _all_of_minutes(times: "Whole") -> "NDArray[np.bool_]":
    import numpy as np

    close = np.flatnonzero(np.diff(times) < MINUTE)
    if len(close):
        raise Unkept(
            f"Two readings lie less than a minute apart, at {told_time(int(times[close[0]]))}. A meter of intervals "
            "takes steps from one minute on: send sums of longer ones, or make it a counter."
        )
    return np.ones(len(times), bool)


def step_of(times: "Whole", *, counter: bool) -> int:
    """Seconds from one reading to the next, as far as these times tell; 0 where they do not.

    Intervals: what most of them have. A counter may be read at any moment: the usual step next above the median.
    """
    import numpy as np

    if len(times) < 3:
        return 0
    between = np.diff(times)
    if not counter:
        step, often = Counter(between.tolist()).most_common(1)[0]
        return (MONTH if step in MONTHS else step) if often > 1 or step in MONTHS else 0
    if len(times) < ENOUGH and times[-1] - times[0] < DAY:
        return 0
    median = float(np.median(between))
    return next((step for step in STEPS if median <= step * 1.1), MONTH)
