"""Values as models like them: logarithms or roots where spread grows with the level, about zero with spread one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LOG, ROOT, LEVEL = 0.0, 0.5, 1.0
_FLOOR = 1e-3  # of the median: below it a logarithm says more about the meter's last digit than about the load
_RARE = 0.02  # share of values that may lie below the floor


@dataclass(frozen=True, slots=True)
class Powered:
    """A power transform (Box and Cox 1964) and a standardisation, both ways."""

    power: float
    floor: float
    centre: float
    spread: float

    @classmethod
    def of(cls, values: "Floats", power: float) -> "Powered":
        """As these values [n] suggest. The same for values in Wh as in kWh."""
        floor = _FLOOR * float(np.median(np.abs(values))) or np.finfo(float).tiny
        powered = _powered(values, power, floor)
        centre = float(powered.mean())
        return cls(power, floor, centre, float(powered.std()) or max(abs(centre), np.finfo(float).tiny))

    def forward(self, values: "Floats") -> "Floats":
        """[n] values -> [n] standardised."""
        return (_powered(values, self.power, self.floor) - self.centre) / self.spread

    def back(self, standard: "Floats") -> "Floats":
        """[n] standardised -> [n] values. The median stays the median; a mean would need the spread ahead."""
        powered = standard * self.spread + self.centre
        if self.power == LOG:
            with np.errstate(over="ignore"):
                return np.exp(powered)
        return np.maximum(powered, 0.0) ** 2 if self.power == ROOT else powered


def _powered(values: "Floats", power: float, floor: float) -> "Floats":
    if power == LOG:
        return np.log(np.maximum(values, floor))
    return np.sqrt(np.maximum(values, 0.0)) if power == ROOT else values


def unfit_power(values: "Floats", power: float) -> str:
    """Why these values [n] cannot be had in this power, or need not; "" when they should."""
    negative, low = bool((values < 0).any()), _often_low(values)
    if power == LOG and (negative or low):
        return "It needs values above zero."
    if power == ROOT and negative:
        return "It needs values that are not negative."
    if power == LEVEL and not (negative or low):
        return "Values above zero are better forecast in proportion."
    return ""


def _often_low(values: "Floats") -> bool:
    return bool((values <= _FLOOR * float(np.median(np.abs(values)))).mean() > _RARE)


def usual_power(values: "Floats") -> float:
    """The strongest power that these values [n] can be had in."""
    if (values < 0).any():
        return LEVEL
    return ROOT if _often_low(values) else LOG
