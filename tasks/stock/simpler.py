"""What simpler rules would call short, and why most of it is not: the reasons stand in the scan's result."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FEW = 10  # “ten or fewer”: the rule that needs no thought
RULES = ("on hand at or below the reorder level", f"{FEW} or fewer on hand")
REASONS = (
    "to be ordered",
    "discontinued",
    "on their way",
    "above their own reorder level, and lasting",
    "without a reorder level, and lasting",
)
RIGHT, STOPPED, COMING, ENOUGH, UNLIMITED = range(5)


@dataclass
class Tally:
    """Of each rule how many it names, by reason, and how many that are to be ordered it misses."""

    counts: NDArray[np.int64]
    missed: NDArray[np.int64]

    @classmethod
    def empty(cls) -> "Tally":
        return cls(np.zeros((len(RULES), len(REASONS)), dtype=np.int64), np.zeros(len(RULES), dtype=np.int64))

    def add(self, on_hand: Floats, on_order: Floats, reorder_level: Floats, fires: Bools, discontinued: Bools) -> None:
        """Count a part of the products: each by the first reason that is true of it."""
        limited = reorder_level > 0
        why = np.select(
            [fires, discontinued, (on_order > 0) & (on_hand <= reorder_level), ~limited],
            [RIGHT, STOPPED, COMING, UNLIMITED], ENOUGH,
        )  # fmt: skip
        for rule, named in enumerate((on_hand <= reorder_level, on_hand <= FEW)):
            self.counts[rule] += np.bincount(why[named], minlength=len(REASONS))
            self.missed[rule] += int((fires & ~named).sum())
