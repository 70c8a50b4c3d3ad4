"""Temperatures of a place: what is plausible, and one for each time that somebody asks about."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST, MOST = -90.0, 60.0  # °C: the coldest and the hottest ever measured are -89.2 and 56.7
REACH = 6 * 3600  # seconds between two temperatures that a straight line may join: services tell every third hour


@dataclass(frozen=True, slots=True)
class Temperatures:
    """What is known of a place's temperatures.

    Attributes:
        times: [n] int64, epoch seconds, rising, none twice.
        degrees: [n] float64, °C.
        issued: [n] int64, epoch seconds at which the forecast was made; 0 where it was measured.
    """

    times: NDArray[np.int64]
    degrees: NDArray[np.float64]
    issued: NDArray[np.int64]

    def at(self, times: ArrayLike, reach: int = REACH) -> NDArray[np.float64]:
        """The temperature at each of `times`, on a straight line between its neighbours; NaN where they lie too far.

        Args:
            times: [m] epoch seconds.
            reach: seconds that the two neighbours may lie apart.
        """
        asked = np.asarray(times, dtype=np.int64)
        if len(self.times) == 0:
            return np.full(len(asked), np.nan)
        after = np.searchsorted(self.times, asked, side="left")
        right = self.times[np.minimum(after, len(self.times) - 1)]
        left = self.times[np.maximum(np.minimum(after, len(self.times) - 1) - 1, 0)]
        near = (right == asked) | ((left <= asked) & (asked <= right) & (right - left <= reach))
        return np.where(near, np.interp(asked, self.times, self.degrees), np.nan)


def hundredths(degrees: ArrayLike) -> NDArray[np.int64]:
    """Whole hundredths of a degree, as they are kept.

    Raises:
        ValueError: one is none that a thermometer on Earth shows, or is no number.
    """
    given = np.asarray(degrees, dtype=np.float64)
    wrong = ~((given >= LEAST) & (given <= MOST))  # so that NaN is wrong, too
    if wrong.any():
        raise ValueError(
            f"{given[wrong][0]:.4g} °C cannot be: it was never below {LEAST:.0f} °C or above {MOST:.0f} °C anywhere."
        )
    return np.rint(given * 100).astype(np.int64)
