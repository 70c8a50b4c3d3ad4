"""The wall's clock of many instants at once, right over daylight saving."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DAY, _HALF = 86_400, 1800


def local_seconds(times: "NDArray[np.int64]", zone: str) -> "NDArray[np.int64]":
    """Epoch seconds as if the wall's clock were UTC: `// 86400` is the local day, `% 86400` the second of it.

    The zone is asked once a UTC day, and once a half hour (zones change at none other) on days when it changes.

    Args:
        times: [n] epoch seconds, in any order.
        zone: IANA name.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: there is no such zone.
    """
    tz, times = ZoneInfo(zone), np.asarray(times, dtype=np.int64)
    days, where = np.unique(times // _DAY, return_inverse=True)
    first, last = (
        np.array([_offset(int(day) * _DAY + at, tz) for day in days], dtype=np.int64) for at in (0, _DAY - 1)
    )
    found = first[where]
    changing = np.flatnonzero((first != last)[where])
    if len(changing):
        halves, which = np.unique(times[changing] // _HALF, return_inverse=True)
        found[changing] = np.array([_offset(int(half) * _HALF, tz) for half in halves], dtype=np.int64)[which]
    return times + found


def _offset(at: int, tz: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at, UTC).astimezone(tz).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
