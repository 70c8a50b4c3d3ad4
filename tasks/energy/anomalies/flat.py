"""Lines: a value that repeats where it should vary. Pure.

How improbable a run is depends on the meter: one that shows whole kilowatt-hours, or a garage's, repeats itself often.
So each repeat counts by how often readings of that hour of the day repeat elsewhere, and a run is told when it is so
improbable that not one in a hundred such records would have one by chance.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from tasks.energy.forecasting.calendar import local_parts
from tasks.energy.series import DAY, HOUR
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAME = 2e-6  # kWh: two milliwatt-hours of rounding in a difference of counters
_CHANCE = 0.01
_LEAST = 4  # steps
_LEAST_TIME = 3 * HOUR


def lines(usage: Usage) -> "NDArray[np.int64]":
    """[k, 2] first and one past the last step of each run that cannot be chance."""
    n = len(usage.kwh)
    if n < _LEAST or usage.step > DAY:
        return np.zeros((0, 2), dtype=np.int64)
    there = ~usage.filled
    near = np.abs(np.diff(usage.kwh)) <= _SAME + 1e-9 * np.abs(usage.kwh[1:])
    same = np.concatenate(([False], near & there[1:] & there[:-1]))
    begin = np.flatnonzero(~same)  # a run begins where a value differs from the one before
    length = np.diff(np.append(begin, n))
    long = (length >= _LEAST) & (length * usage.step >= _LEAST_TIME)
    hour = local_parts(usage.times, usage.zone)[1].astype(np.int64)
    repeats, many = (np.bincount(hour, mask, 24) for mask in (same, there))
    limit = np.log(max(n, 2) / _CHANCE)
    found = [
        (first, first + run)
        for first, run in zip(begin[long].tolist(), length[long].tolist(), strict=True)
        if _surprise(hour[first + 1 : first + run], repeats, many) > limit
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _surprise(hours: "NDArray[np.int64]", repeats: "NDArray[Any]", many: "NDArray[Any]") -> float:
    """Minus the logarithm of the chance of these repeats, by how often there are such without them."""
    own = np.bincount(hours, minlength=24)
    chance = np.maximum((repeats - own + 1) / np.maximum(many - own + 2, 2), 1e-9)
    return float(-(own * np.log(chance)).sum())
