"""Usage in hours, in local days and in local months. Pure."""

from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.series import DAY, HOUR, MONTH
from tasks.metering.grid import WHOLE, edges
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray


def to_hours(usage: Usage, *, whole: bool = True) -> Usage:
    """Its hours. See `to_days`.

    Raises:
        ValueError: its steps are longer than an hour.
    """
    return _sums(usage, HOUR, whole)


def to_days(usage: Usage, *, whole: bool = True) -> Usage:
    """Its local days, of 23, 24 or 25 hours. A day of which less than nine tenths were measured is marked as filled.

    Args:
        whole: leave out the first and the last day where the usage does not reach over all of it; else they are there
            with what they have so far, marked as filled.

    Raises:
        ValueError: its steps are longer than a day.
    """
    return _sums(usage, DAY, whole)


def to_months(usage: Usage, *, whole: bool = True) -> Usage:
    """Its local months. See `to_days`."""
    return _sums(usage, MONTH, whole)


def _sums(usage: Usage, step: int, whole: bool) -> Usage:
    if usage.step > step:
        raise ValueError("Longer steps cannot be cut into shorter ones.")
    if usage.step == step or not len(usage.times):
        return Usage(usage.times, usage.kwh, usage.filled, step, usage.zone, usage.findings)
    last = int(usage.times[-1])
    end = int(edges(last, last + 1, usage.step, usage.zone)[1])
    borders = edges(int(usage.times[0]), end, step, usage.zone)
    where = np.searchsorted(borders, usage.times, "right") - 1
    length = np.diff(np.append(usage.times, end))
    steps = len(borders) - 1
    kwh: NDArray[np.float64] = np.bincount(where, usage.kwh, steps).astype(np.float64)
    there = np.bincount(where, length, steps) / np.diff(borders)
    measured = np.bincount(where, length * ~usage.filled, steps) / np.diff(borders)
    keep = _whole(there) if whole else slice(0, steps)
    return Usage(borders[:-1][keep], kwh[keep], (measured < WHOLE)[keep], step, usage.zone, usage.findings)


def _whole(there: "NDArray[np.float64]") -> slice:
    """Without a first or last step that is there in part."""
    first, past = int(there[0] < 1), len(there) - int(there[-1] < 1)
    return slice(first, max(first, past))
