"""What clocks show: due times, marks reached and the next one, for any number of tickets of the same hours. Pure.

A mark is reached by the share of the allowed time that is used up, never by a due time of before: a deadline that moves
away arms its marks again, a clock that stood still does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from tasks.care.working_time import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tasks.care.working_time import WorkingTime

MARKS = (50, 75, 100)
NONE = -1  # no moment, no limit


@dataclass(frozen=True, eq=False)
class Clocks:
    """[n] each, of whole milliseconds.

    Args:
        spent: used up to `at`.
        at: when the clock was last counted; NONE where it stands still.
        first, solve: how much is allowed; NONE without a deadline, or where it was met.
        first_mark, solve_mark: the marks that were told.
    """

    spent: "NDArray[np.int64]"
    at: "NDArray[np.int64]"
    first: "NDArray[np.int64]"
    solve: "NDArray[np.int64]"
    first_mark: "NDArray[np.int64]"
    solve_mark: "NDArray[np.int64]"

    def of(self, places: Sequence[int]) -> "Clocks":
        """Those at some places."""
        if len(places) == len(self.at):
            return self
        return Clocks(*(getattr(self, each.name)[places] for each in fields(self)))


def dues(clocks: Clocks, time: "WorkingTime") -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """[n] when the first answer and [n] when the solution is due; NONE where that stands still or never comes."""
    return _due(clocks, clocks.first, time), _due(clocks, clocks.solve, time)


def _due(clocks: Clocks, allowed: "NDArray[np.int64]", time: "WorkingTime") -> "NDArray[np.int64]":
    return np.where((clocks.at == NONE) | (allowed == NONE), NONE, time.due(clocks.at, allowed - clocks.spent))


def elapsed(clocks: Clocks, time: "WorkingTime", now: int) -> "NDArray[np.int64]":
    """[n] what is used up by now. Another machine's clock that is behind takes nothing back."""
    running = clocks.at != NONE
    since = np.where(running, clocks.at, now)
    return clocks.spent + np.maximum(time.worked(since, np.full(since.shape, now, dtype=np.int64)), 0)


def reached(clocks: Clocks, time: "WorkingTime", now: int) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """[n] the marks that the first answer and [n] that the solution has reached by now: 0, 50, 75 or 100."""
    used = elapsed(clocks, time, now)
    return _mark(used, clocks.first), _mark(used, clocks.solve)


def _mark(used: "NDArray[np.int64]", allowed: "NDArray[np.int64]") -> "NDArray[np.int64]":
    found = np.zeros(used.shape, dtype=np.int64)
    for mark in MARKS:
        found[(allowed != NONE) & (used * 100 >= allowed * mark)] = mark
    return found


def next_marks(clocks: Clocks, time: "WorkingTime") -> "NDArray[np.int64]":
    """[n] when the next mark that was not told comes, of either deadline; NONE where none does.

    One that lies beyond what the hours know is looked for again when that ends.
    """
    one = _next(clocks, clocks.first, clocks.first_mark, time)
    other = _next(clocks, clocks.solve, clocks.solve_mark, time)
    return np.where(one == NONE, other, np.where(other == NONE, one, np.minimum(one, other)))


def _next(
    clocks: Clocks, allowed: "NDArray[np.int64]", told: "NDArray[np.int64]", time: "WorkingTime"
) -> "NDArray[np.int64]":
    marks = np.array([*MARKS, 0])
    after = marks[np.searchsorted(MARKS, told, side="right")]
    waits = (clocks.at != NONE) & (allowed != NONE) & (after > 0)
    moment = time.due(clocks.at, -(-allowed * after // 100) - clocks.spent)
    moment = np.where((moment == NEVER) & (time.total > 0), time.last, moment)
    return np.where(waits, moment, NONE)
