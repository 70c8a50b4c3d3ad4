"""Working time: how much of it lies between two moments, and when an amount of it is used up. Pure arithmetic.

Opening intervals stand in two sorted arrays with the time worked before each; a question is one binary search.
Milliseconds are whole numbers, so that sums of parts are exact.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER = -1  # in arrays: beyond what these intervals know


@dataclass(frozen=True, eq=False)
class WorkingTime:
    """When somebody works.

    Args:
        starts: [n] when work begins, epoch milliseconds (UTC), ascending.
        ends: [n] when it ends. starts[i] < ends[i] <= starts[i + 1].
        first: from when on this is known; before it nothing counts.
        last: until when it is known.

    Raises:
        ValueError: they are no intervals one after the other.
    """

    starts: "NDArray[np.int64]"
    ends: "NDArray[np.int64]"
    first: int = 0
    last: int = 0

    def __post_init__(self) -> None:
        starts, ends = (np.asarray(each, dtype=np.int64) for each in (self.starts, self.ends))
        if starts.shape != ends.shape or starts.ndim != 1 or (starts >= ends).any() or (ends[:-1] > starts[1:]).any():
            raise ValueError("Give intervals that follow each other.")
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "ends", ends)

    @cached_property
    def _after(self) -> "NDArray[np.int64]":
        """[n] what was worked until the end of each interval."""
        return np.cumsum(self.ends - self.starts)

    @property
    def total(self) -> int:
        """All of it, in milliseconds."""
        return int(self._after[-1]) if len(self.starts) else 0

    def _until(self, at: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """[…] what was worked before each moment."""
        if not len(self.starts):
            return np.zeros(at.shape, dtype=np.int64)
        which = np.searchsorted(self.starts, at, side="right") - 1
        begun = np.maximum(which, 0)
        left = np.maximum(self.ends[begun] - at, 0)  # of the interval that a moment lies in
        return np.where(which < 0, 0, self._after[begun] - left)

    @overload
    def worked(self, since: int, until: int) -> int: ...
    @overload
    def worked(self, since: "NDArray[np.int64]", until: "NDArray[np.int64] | int") -> "NDArray[np.int64]": ...

    def worked(self, since: "NDArray[np.int64] | int", until: "NDArray[np.int64] | int") -> "NDArray[np.int64] | int":
        """Milliseconds of work between two moments; negative where they are the wrong way round.

        Exactly additive: worked(a, b) + worked(b, c) == worked(a, c).
        """
        one, other = np.asarray(since, dtype=np.int64), np.asarray(until, dtype=np.int64)
        found = self._until(other) - self._until(one)
        return int(found) if np.ndim(found) == 0 else found

    @overload
    def due(self, start: int, amount: int) -> int | None: ...
    @overload
    def due(self, start: "NDArray[np.int64]", amount: "NDArray[np.int64] | int") -> "NDArray[np.int64]": ...

    def due(
        self, start: "NDArray[np.int64] | int", amount: "NDArray[np.int64] | int"
    ) -> "NDArray[np.int64] | int | None":
        """The first moment by which `amount` milliseconds are worked since `start`: the end of a day, not the next one.

        A negative amount looks back: when the work of so much ago was done. Nothing is due at once, whatever the hour.

        Returns:
            A moment, or None (in arrays NEVER) if it lies beyond these intervals.
        """
        begun, wanted = np.asarray(start, dtype=np.int64), np.asarray(amount, dtype=np.int64)
        target = self._until(begun) + wanted
        found = np.where(wanted == 0, begun, self._at(target))
        return found if found.ndim else (None if found == NEVER else int(found))

    def state(self, at: int) -> tuple[bool, int | None]:
        """Whether there is work at a moment, and when that changes (None: not as far as is known)."""
        which = int(np.searchsorted(self.starts, at, side="right")) - 1
        if which >= 0 and at < self.ends[which]:
            end = int(self.ends[which])
            return True, None if end == self.last else end
        return False, int(self.starts[which + 1]) if which + 1 < len(self.starts) else None

    def _at(self, target: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """[…] the first moment by which so much was worked in all; NEVER for more than there is, or less than none."""
        if not len(self.starts):
            return np.full(target.shape, NEVER, dtype=np.int64)
        which = np.minimum(np.searchsorted(self._after, target, side="left"), len(self.starts) - 1)
        moment = self.ends[which] - (self._after[which] - target)
        return np.where((target > self.total) | (target < 0), NEVER, moment)
