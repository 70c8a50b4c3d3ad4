"""Steps that nothing was measured in, filled so that models can work: marked, never counted as measured. Pure."""

from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.series import DAY, HOUR, MONTH
from tasks.metering.grid import runs, wall

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORT = 3 * HOUR  # as long may be drawn through with a line
_WEEKS, _ENOUGH = 8, 4  # how far the same hour of other weeks is looked for, and how many of them are taken


def filled_in(
    kwh: "NDArray[np.float64]", share: "NDArray[np.float64]", times: "NDArray[np.int64]", step: int, zone: str
) -> "NDArray[np.float64]":
    """Every step with a value.

    Short holes get a straight line; longer ones the mean of the same step of the four nearest weeks that have it, else
    of all weeks, else of everything. What is known of a step stays in it, and only its rest is filled.

    Args:
        kwh: [n] what is known of each step.
        share: [n] how much of each step that is; 0 and below the caller's limit is a hole, 1 is whole.
    """
    hole = share <= 0
    if not hole.any():
        return kwh
    if hole.all():
        return np.zeros_like(kwh)
    whole = np.where(hole, np.nan, kwh / np.where(hole, 1.0, share))
    return _lines(_weeks(whole, times, step, zone), whole, step)


def _weeks(whole: "NDArray[np.float64]", times: "NDArray[np.int64]", step: int, zone: str) -> "NDArray[np.float64]":
    hole = np.isnan(whole)
    found = whole.copy()
    found[hole] = np.mean(whole[~hole])
    if step == MONTH:
        return found
    index = wall(times, zone) // step
    index -= index.min()
    week = 7 * DAY // step
    by_clock = np.full(int(index.max()) + 1, np.nan)
    by_clock[index[~hole]] = whole[~hole]
    holes = index[hole]
    total, count = _near(by_clock, holes, week)
    slot = index % week
    sums = np.bincount(slot[~hole], whole[~hole], week)
    many = np.bincount(slot[~hole], minlength=week)
    there = many[holes % week] > 0
    usual = np.where(there, sums[holes % week] / np.maximum(many[holes % week], 1), found[hole])
    found[hole] = np.where(count > 0, total / np.maximum(count, 1), usual)
    return found


def _near(
    by_clock: "NDArray[np.float64]", holes: "NDArray[np.int64]", week: int
) -> "tuple[NDArray[np.float64], NDArray[np.int64]]":
    """The sum of the same step in up to four of the nearest weeks, and of how many."""
    total, count = np.zeros(len(holes)), np.zeros(len(holes), dtype=np.int64)
    for away in range(1, _WEEKS + 1):
        for at in (holes - away * week, holes + away * week):
            inside = (at >= 0) & (at < len(by_clock))
            value = np.where(inside, by_clock[np.where(inside, at, 0)], np.nan)
            take = ~np.isnan(value) & (count < _ENOUGH)
            total[take] += value[take]
            count += take
    return total, count


def _lines(found: "NDArray[np.float64]", whole: "NDArray[np.float64]", step: int) -> "NDArray[np.float64]":
    """Short holes between two known steps: a straight line."""
    hole = np.isnan(whole)
    for first, past in runs(hole):
        if first > 0 and past < len(whole) and (past - first == 1 or (past - first) * step <= SHORT):
            found[first:past] = np.interp(np.arange(first, past), (first - 1, past), (whole[first - 1], whole[past]))
    return found
