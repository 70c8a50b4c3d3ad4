"""How much to order, so that it lasts until what is ordered the next time has come; in whole packs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.stock.shortage import MARGIN

Floats = NDArray[np.float64]

REVIEW_DAYS = 7  # how often somebody orders
SAFETY = 1.65  # standard deviations: of normal demand, enough in 95 of 100 such stretches


@dataclass(frozen=True)
class Plan:
    """Of each product: what it is ordered up to, the safety stock within that, and what to order now."""

    up_to: Floats
    safety: Floats
    order: Floats


def plan(
    projected: Floats, reorder_level: Floats, target: Floats, pack: Floats, daily: Floats, weekly_spread: Floats,
    lead_days: Floats, review_days: float = REVIEW_DAYS,
) -> Plan:  # fmt: skip
    """What to order of each, if it is ordered now; 0 where what is there and on order is enough.

    Up to the target where there is one (NaN: there is none). Without one: what goes in the lead time with a safety
    stock, or the reorder level when that is more, and on top what goes until somebody orders the next time; of what
    does not sell, the reorder level once more. The safety stock covers the spread of the sales in lead time and review
    together; that of rare sales is no bell curve, so it is a rule of thumb there.
    """
    exposed = lead_days + review_days
    safety = SAFETY * weekly_spread * np.sqrt(exposed / 7)
    base = np.maximum(reorder_level, daily * lead_days + safety)
    on_top = np.where(daily > 0, daily * review_days, reorder_level)
    wanted = np.where(np.isnan(target), base + on_top, target)
    missing = wanted - projected
    low = (reorder_level > 0) & (projected <= reorder_level)
    # A target below the reorder level would leave the alert open however often it is ordered.
    cleared = np.where(reorder_level > 0, np.round(reorder_level * (1 + MARGIN), 6) - projected, 0.0)
    needed = np.where(low | (missing > 0), np.maximum(missing, cleared), 0.0)
    return Plan(wanted, safety, packs(needed, pack) * np.where(pack > 0, pack, 1.0))


def packs(needed: Floats, pack: Floats) -> Floats:
    """Whole packs that hold a quantity; a pack of nothing, or less, counts as one piece."""
    whole = np.ceil(np.round(needed / np.where(pack > 0, pack, 1.0), 6))
    return np.asarray(whole, dtype=np.float64)
