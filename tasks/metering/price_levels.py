"""Which price of a time-of-use tariff holds when, for many instants at once."""

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tasks.metering.tariff_faults import cells, kinds_of_day
from tasks.metering.tariffs import FULL, HOLIDAY, Rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

HOUR, DAY = 3600, 86_400
TOO_COARSE = "Prices change within the steps of these readings: readings of every hour or finer are needed."
_EPOCH = date(1970, 1, 1).toordinal()


def months_of(local: "Ints") -> "Ints":
    """[n] months since January 1970."""
    return np.asarray((local // DAY).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))


def parts_of(rates: Rates, local: "Ints", step: int) -> tuple[int, int]:
    """Into how many parts, of how many seconds, a step has to be cut so that no price changes within one."""
    edges = [edge * 60 for period in rates.periods for span in period.spans for edge in span]
    each = max(60, int(np.gcd.reduce(np.array([step, DAY, *edges, *np.unique(local % DAY)], dtype=np.int64))))
    return max(1, step // each), each


@lru_cache(maxsize=64)
def table(rates: Rates) -> "NDArray[np.int8]":
    """[12, 8, 1440] which level holds in each minute of each kind of day of each month."""
    index = {name: at for at, (name, _price) in enumerate(rates.prices)}
    grid = np.zeros((12, 8, FULL), dtype=np.int8)
    for month in range(12):
        for day in kinds_of_day(rates):
            for start, end, levels in cells(rates, month + 1, day):
                grid[month, day, start:end] = index[levels[0]]
    return grid


def _rows(rates: Rates, local: "Ints", holidays: frozenset[date]) -> "tuple[Ints, Ints]":
    """[n] months 0..11 and kinds of day 0..7 of these times."""
    days = local // DAY
    kinds = (days + 3) % 7  # 1970-01-01 was a Thursday
    if rates.holidays != "weekday" and holidays:
        free = np.isin(days, [each.toordinal() - _EPOCH for each in holidays])
        kinds[free] = {"saturday": 5, "sunday": 6, "own": HOLIDAY}[rates.holidays]
    return months_of(local) % 12, kinds


def level_at(rates: Rates, local: "Ints", holidays: frozenset[date]) -> "Ints":
    months, kinds = _rows(rates, local, holidays)
    return table(rates)[months, kinds, local % DAY // 60].astype(np.int64)


def level_of_long(rates: Rates, local: "Ints", step: int, holidays: frozenset[date]) -> "Ints":
    """[n] the level of steps longer than an hour, if it is the same throughout each of them."""
    grid, (months, kinds) = table(rates), _rows(rates, local, holidays)
    if step == DAY:
        rows = grid[months, kinds]
        same = bool((rows == rows[:, :1]).all())
    else:
        same = len(rates.prices) == 1
    if not same:
        raise ValueError(TOO_COARSE)
    return np.asarray(grid[months, kinds, 0].astype(np.int64))
