"""What is wrong with each product: not enough coming, gone before more can come, or nothing left.

Levels: 1, on hand and on order together are down to the reorder level; 2, both together last shorter than the lead
time; 3, nothing is left. Nothing left but enough on order is pending: it is shown, and nobody is called for it. What is
discontinued is never wrong, and of what has no reorder level and does not sell there is nothing to say; but less than
nothing is a mistake that somebody has to look for (unless the workspace allows it).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.stock import cover
from tasks.stock.kinds import FINE, NOTHING, REORDER, SHORT

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MARGIN = 0.1  # so much above its limit a value must be before an alert ends


@dataclass(frozen=True)
class Standing:
    """Of each product: the level, whether to warn of it, and whether it is back past the margin."""

    level: NDArray[np.int64]
    fires: Bools
    clear: Bools


def judge(
    on_hand: Floats, on_order: Floats, reorder_level: Floats, daily: Floats, lead_days: Floats,
    discontinued: Bools, negative_allowed: Bools,
) -> Standing:  # fmt: skip
    """The standing of all products at once.

    It is clear when nothing is wrong even with limits a tenth higher: 110 % of the reorder level, and cover for 110 %
    of the lead time. Between the two an open alert stays open, and none opens.
    """
    projected = on_hand + on_order
    limited, sells = reorder_level > 0, daily > 0
    low = limited & (projected <= reorder_level)
    short = sells & cover.shorter(projected, daily, lead_days)
    gone = (on_hand <= 0) & (limited | sells)
    impossible = (on_hand < 0) & ~negative_allowed
    level = np.select([gone | impossible, short, low], [NOTHING, SHORT, REORDER], FINE)
    level[discontinued] = FINE
    fires = (low | short | impossible | (gone & (projected <= 0))) & ~discontinued
    safe = ~limited | (projected >= np.round(reorder_level * (1 + MARGIN), 6))
    lasting = ~sells | ~cover.shorter(projected, daily, lead_days, MARGIN)
    clear = discontinued | ((level == FINE) & safe & lasting)
    return Standing(level.astype(np.int64), fires, clear)
