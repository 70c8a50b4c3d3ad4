"""People's calendar: the local day, hour and kind of day of each step, and the public holidays of a country.

Pure arithmetic on time zones: a local day has 23, 24 or 25 hours, and steps that lie in the hour that is there twice
both have that hour.
"""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from tasks.public_days import countries as countries
from tasks.public_days import public_holidays as public_holidays
from tasks.public_days import regions as regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
SATURDAY, SUNDAY, HOLIDAY, BRIDGE = 5, 6, 7, 8


def local_parts(
    times: "NDArray[np.int64]", zone: str
) -> "tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]":
    """The local day, hour and weekday of each time.

    Args:
        times: [n] epoch seconds (UTC), in any order.
        zone: IANA name.

    Returns:
        [n] date ordinals (`date.fromordinal`), [n] hours of the day on the wall's clock (0 <= h < 24, 13.5 is half past
        one), [n] weekdays (Monday 0).

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    local = np.asarray(times, dtype=np.int64) + _offsets(times, zone)
    days = local // _DAY
    return days + _EPOCH, (local - days * _DAY) / 3600.0, (days + 3) % 7  # 1970-01-01 was a Thursday.


def _offsets(times: "NDArray[np.int64]", zone: str) -> "NDArray[np.int64]":
    """[n] seconds to add to UTC. Asked once a UTC day where a day's two ends agree, else for each of its times."""
    tz = ZoneInfo(zone)
    days, where = np.unique(np.asarray(times, dtype=np.int64) // _DAY, return_inverse=True)
    first = np.array([_offset(int(d) * _DAY, tz) for d in days], dtype=np.int64)
    last = np.array([_offset(int(d + 1) * _DAY - 1, tz) for d in days], dtype=np.int64)
    found = first[where]
    for i in np.flatnonzero((first != last)[where]):
        found[i] = _offset(int(times[i]), tz)
    return found


def _offset(at: int, tz: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at, UTC).astimezone(tz).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def day_kinds(
    ordinals: "NDArray[np.int64]", weekdays: "NDArray[np.int64]", holidays: frozenset[date]
) -> "NDArray[np.int64]":
    """[n] 0..6 as the weekday, HOLIDAY for a public holiday on a working day, BRIDGE for a working day between two free
    ones (people take it off). A holiday at the weekend stays what it is."""
    free = {d.toordinal() for d in holidays}
    return np.array([_kind(int(o), int(w), free) for o, w in zip(ordinals, weekdays, strict=True)], dtype=np.int64)


def _kind(ordinal: int, weekday: int, free: set[int]) -> int:
    if weekday >= SATURDAY:
        return weekday
    if ordinal in free:
        return HOLIDAY
    return BRIDGE if _off(ordinal - 1, free) and _off(ordinal + 1, free) else weekday


def _off(ordinal: int, free: set[int]) -> bool:
    return ordinal in free or (ordinal - 1) % 7 >= SATURDAY  # 0001-01-01, ordinal 1, is a Monday.
