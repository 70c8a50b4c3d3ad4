"""Numbers that models like, made of energies, and back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_NEAR_ZERO = 0.05  # of the mean: loads that fall below are not looked at as ratios


@dataclass(frozen=True, slots=True)
class Scale:
    """Ratios (logarithms) where a load never comes near zero, else shares of its mean size.

    Attributes:
        size: mean absolute energy of a step, 1 for a series of zeros.
        ratios: whether logarithms are taken.
        low, high: what a forecast may reach: half the past's range beyond what was seen, and no energy below zero where
            there never was.
    """

    size: float
    ratios: bool
    low: float
    high: float

    def there(self, values: "Floats") -> "Floats":
        """[n] energies as numbers about 0 or 1."""
        scaled = values / self.size
        return np.log(np.maximum(scaled, 1e-9)) if self.ratios else scaled

    def back(self, numbers: "Floats") -> "Floats":
        """[n] energies, kept within what can be. Raises ValueError when a model answered with no numbers."""
        if not np.isfinite(numbers).all():
            raise ValueError("The fit did not end in numbers.")
        scaled = np.exp(np.clip(numbers, -30, 30)) if self.ratios else numbers
        return np.clip(scaled * self.size, self.low, self.high)


def scale(values: "Floats") -> Scale:
    """The scale that fits these energies. [n], finite."""
    size = float(np.abs(values).mean()) or 1.0
    low, high = float(values.min()), float(values.max())
    room = 0.5 * (high - low)
    floor = max(0.0, low - room) if low >= 0 else low - room
    return Scale(size, bool(low > _NEAR_ZERO * size), floor, high + room)
