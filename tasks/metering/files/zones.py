"""From what a clock on the wall showed to UTC: on two days a year a local time stands for two moments, or for none."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

DAY = 86_400
Whole = NDArray[np.int64]
ONCE, TWICE, NEVER = 0, 1, 2


def utc_of(wall: Whole, zone: str) -> tuple[Whole, Whole, Whole]:
    """The moments for which local times stand.

    Args:
        wall: [n] seconds since 1970 as of a clock without zone.
        zone: IANA name.

    Returns:
        [n] epoch seconds of the first such moment, [n] of the second (the same where there is one alone), and [n] of
        ONCE, TWICE or NEVER. What stands for no moment is read as if the clock had not been put forward.
    """
    if not len(wall):
        return wall, wall, np.zeros(0, np.int64)
    starts, offsets = _changes(zone, int(wall.min()) // (366 * DAY) - 1, int(wall.max()) // (366 * DAY) + 2)
    now = np.searchsorted(starts[1:] + offsets[1:], wall, side="right")  # the regime by its own local start
    before = np.maximum(now - 1, 0)
    early, late = wall - offsets[before], wall - offsets[now]
    in_early = (now > 0) & (early < starts[now])
    ends = np.append(starts[1:], np.iinfo(np.int64).max)
    in_late = late < ends[now]
    state = np.where(in_early & in_late, TWICE, np.where(in_late | in_early, ONCE, NEVER))
    first = np.where(in_early, early, late)
    return first, np.where(in_late, late, first), state


@lru_cache(maxsize=64)
def _changes(zone: str, first: int, last: int) -> tuple[Whole, Whole]:
    """Where a zone's offset changes, from year `first` to `last` since 1970: [m] epoch seconds, [m] offsets since."""
    place = ZoneInfo(zone)
    start = max(first, -60) * 366 * DAY
    starts, offsets = [start], [_offset(place, start)]
    for at in range(start + DAY, min(last, 240) * 366 * DAY, DAY):
        if (offset := _offset(place, at)) != offsets[-1]:
            low, high = at - DAY, at
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(place, middle) == offsets[-1] else (low, middle)
            starts.append(high)
            offsets.append(offset)
    return np.array(starts, np.int64), np.array(offsets, np.int64)


def _offset(place: ZoneInfo, at: int) -> int:
    found = datetime.fromtimestamp(at, UTC).astimezone(place).utcoffset()
    return int(found.total_seconds()) if found is not None else 0


def standard_offset(zone: str, at: int) -> int:
    """What the clock is ahead of UTC when it is not summer: the smaller of January's and July's offset."""
    place = ZoneInfo(zone)
    return min(_offset(place, at), _offset(place, at + 182 * DAY))
