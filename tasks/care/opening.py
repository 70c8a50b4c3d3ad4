"""From a week on the wall's clock to intervals of real time. Pure arithmetic.

A zone's clock runs evenly between two changes of its offset. Each stretch takes from the local hours what it shows:
an hour left out in spring is in none of them, one repeated in autumn is in two. Nothing has to be decided.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from tasks.care.working_time import WorkingTime

if TYPE_CHECKING:
    from numpy.typing import NDArray

MINUTE, DAY = 60_000, 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()


def open_time(
    week: Sequence[Sequence[tuple[int, int]]], zone: str, closed: Collection[date], first: date, last: date
) -> WorkingTime:
    """The working time of a span of days.

    Args:
        week: for each weekday from Monday on its spans in minutes since midnight, 0 <= from < until <= 2880.
        zone: IANA name.
        closed: days on which nothing begins.
        first, last: the span, both included.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    starts, ends = _local(week, closed, first, last)
    changes, offsets = _stretches(zone, first, last)
    begin, end = int(changes[0]), int(changes[-1])
    pieces = []
    for since, until, offset in zip(changes[:-1], changes[1:], offsets, strict=True):
        pieces.append((np.clip(starts - offset, since, until), np.clip(ends - offset, since, until)))
    return WorkingTime(
        *_joined(np.concatenate([one for one, _ in pieces]), np.concatenate([other for _, other in pieces])), begin, end
    )


def _local(
    week: Sequence[Sequence[tuple[int, int]]], closed: Collection[date], first: date, last: date
) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Spans on the wall's clock as if it were UTC. The day before counts, too: its hours may go past midnight."""
    days = np.arange(first.toordinal() - 1, last.toordinal() + 1, dtype=np.int64)
    days = days[~np.isin(days, np.array([day.toordinal() for day in closed], dtype=np.int64))]
    starts, ends = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for weekday, spans in enumerate(week):
        midnights = (days[(days - 1) % 7 == weekday] - _EPOCH) * DAY  # 0001-01-01, ordinal 1, is a Monday
        starts += [midnights + since * MINUTE for since, _ in spans]
        ends += [midnights + until * MINUTE for _, until in spans]
    return np.concatenate(starts), np.concatenate(ends)


def _joined(starts: "NDArray[np.int64]", ends: "NDArray[np.int64]") -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Sorted, without empty ones; those that touch or overlap are one."""
    keep = starts < ends
    order = np.argsort(starts[keep], kind="stable")
    starts, ends = starts[keep][order], ends[keep][order]
    if not len(starts):
        return starts, ends
    reach = np.maximum.accumulate(ends)
    fresh = np.concatenate([[True], starts[1:] > reach[:-1]])
    return starts[fresh], reach[np.concatenate([fresh[1:], [True]])]


@lru_cache(maxsize=256)
def _stretches(zone: str, first: date, last: date) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """[k + 1] moments between which the offset stays, and [k] the offsets from UTC, in milliseconds."""
    tz = ZoneInfo(zone)
    days = range((first.toordinal() - _EPOCH - 1) * DAY, (last.toordinal() - _EPOCH + 2) * DAY, DAY)
    seen = [_offset(day, tz) for day in days]
    turns = [_turn(days[i], days[i + 1], tz) for i in range(len(days) - 1) if seen[i] != seen[i + 1]]
    begin, end = _midnight(first, days, seen), _midnight(date.fromordinal(last.toordinal() + 1), days, seen)
    changes = [begin, *(turn for turn in turns if begin < turn < end), end]
    return np.array(changes, dtype=np.int64), np.array([_offset(each, tz) for each in changes[:-1]], dtype=np.int64)


def _midnight(day: date, days: range, seen: list[int]) -> int:
    """When a day begins, as its zone's offset at UTC's midnight has it: an edge of what is known, no more."""
    at = (day.toordinal() - _EPOCH) * DAY
    return at - seen[days.index(at)]


def _turn(low: int, high: int, tz: ZoneInfo) -> int:
    """The millisecond in (low, high] at which the offset changes, to the second."""
    before = _offset(low, tz)
    while high - low > 1000:
        middle = (low + high) // 2000 * 1000
        low, high = (middle, high) if _offset(middle, tz) == before else (low, middle)
    return high


def _offset(at: int, tz: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at / 1000, UTC).astimezone(tz).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * 1000)
