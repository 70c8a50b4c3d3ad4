"""Days of cover: how long what is there lasts at the rate it goes."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def days(quantity: Floats, daily: Floats) -> Floats:
    """How many days a quantity lasts; infinity when nothing of it is sold, 0 when there is none of it left."""
    lasting = np.full(len(quantity), np.inf)
    np.divide(np.maximum(quantity, 0), daily, out=lasting, where=daily > 0)
    return lasting


def shorter(quantity: Floats, daily: Floats, lead_days: Floats, margin: float = 0.0) -> NDArray[np.bool_]:
    """Whether it is gone before an order that is placed today arrives.

    Args:
        margin: a share of the lead time more that it must last, for what ends an alert.
    """
    return np.asarray(days(quantity, daily) < np.round(lead_days * (1 + margin), 6))
