"""Who answers: the median of those that did about as well as the best one, or the best one where it stands alone.

Combining beats choosing when candidates are close and the windows few: Makridakis et al. (2020) on M4; Petropoulos and
Svetunkov (2020), International Journal of Forecasting 36(1), for the median.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.validation import Tried, relative
from tasks.energy.forecasting.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CLOSE = 1.25  # times the best one's error
_MOST = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """Attributes:
    members: those that answer together, the best first.
    forecasts: what they said together, by number of the window.
    """

    members: tuple[Tried, ...]
    forecasts: "Mapping[int, Floats]"


def ranked(cuts: Sequence[Window], tried: Sequence[Tried], reference: Tried) -> list[tuple[float, Tried]]:
    """(error relative to the reference's in the same windows, candidate), the best first; those that answered."""
    found = [(relative(cuts, one.forecasts, reference.forecasts), one) for one in tried if one.forecasts]
    return sorted(found, key=lambda pair: pair[0])


def choose(order: Sequence[tuple[float, Tried]]) -> Choice:
    """From the candidates as `ranked`; one at least."""
    best = order[0][0]
    members = tuple(one for score, one in order[:_MOST] if score <= _CLOSE * best)
    return Choice(members, together(members))


def together(members: Sequence[Tried]) -> "dict[int, Floats]":
    """Their median in each window that half of them answered."""
    numbers = sorted({number for one in members for number in one.forecasts})
    said = {number: [one.forecasts[number] for one in members if number in one.forecasts] for number in numbers}
    return {number: median(every) for number, every in said.items() if 2 * len(every) >= len(members)}


def median(every: "Sequence[Floats]") -> "Floats":
    """[h] step by step."""
    return np.asarray(np.median(np.array(every), axis=0))


def named(names: Sequence[str]) -> str:
    """As a person reads it."""
    return names[0] if len(names) == 1 else f"median of {'; '.join(names[:-1])} and {names[-1]}"
