"""Who answers: all that did not much worse than the best one, by their weighted median.

Combining beats choosing when candidates are close and the windows few: Makridakis et al. (2020) on M4; the median of
members, as in Petropoulos and Svetunkov (2020), International Journal of Forecasting 36(1), is safe against one that
goes astray; weights keep a model that is clearly better, because it knows the weather say, from being outvoted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.validation import CLOSE, Tried, relative
from tasks.energy.forecasting.windows import Window
from tasks.energy.series import DAY, HOUR, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_MOST = 8
_HALF_A_YEAR = 182 * DAY
_CLEARLY = 1.5  # times the best one's error
_SHARPNESS = 3.0  # a member that errs twice as much has an eighth of the weight


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate that answered in validation.

    Attributes:
        error: relative to the reference's in the same windows.
        weight: its vote, 1 for the best.
    """

    one: Tried
    error: float
    weight: float


def ranked(cuts: Sequence[Window], tried: Sequence[Tried], reference: Tried) -> list[Ranked]:
    """Those that answered, the best first."""
    found = [(relative(cuts, one.forecasts, reference.forecasts), one) for one in tried if one.forecasts]
    found.sort(key=lambda pair: pair[0])
    return [Ranked(one, error, (error / found[0][0]) ** -_SHARPNESS) for error, one in found]


def choose(order: Sequence[Ranked], series: Series) -> list[Ranked]:
    """Those that shall answer together, from the candidates as `ranked`; one at least.

    With half a year of known dates those that know holidays and the weather keep to themselves, unless they did clearly
    worse: a few windows of ordinary days do not show what the others make of a holiday, nor of the first hot day.
    """
    dated = [each for each in order if each.one.candidate.dated]
    known = series.calendar and series.step <= HOUR and len(series.values) * series.step >= _HALF_A_YEAR
    if known and dated and dated[0].error <= _CLEARLY * order[0].error:
        order = dated
    return [each for each in order[:_MOST] if each.error <= CLOSE * order[0].error]


def together(members: Sequence[Ranked]) -> "dict[int, Floats]":
    """Their weighted median in each window that half of them answered."""
    numbers = sorted({number for each in members for number in each.one.forecasts})
    voting = {number: [each for each in members if number in each.one.forecasts] for number in numbers}
    return {
        number: weighted_median([each.one.forecasts[number] for each in every], [each.weight for each in every])
        for number, every in voting.items()
        if 2 * len(every) >= len(members)
    }


def weighted_median(every: "Sequence[Floats]", weights: Sequence[float]) -> "Floats":
    """[h] of [members][h], step by step: where half of the weight lies, between the two nearest members."""
    values = np.array(every)
    order = np.argsort(values, axis=0, kind="stable")
    ranked_values = np.take_along_axis(values, order, axis=0)
    votes = np.asarray(weights)[order]
    middle = np.cumsum(votes, axis=0) - votes / 2
    half = float(np.sum(weights)) / 2
    steps = range(values.shape[1])
    return np.array([np.interp(half, middle[:, step], ranked_values[:, step]) for step in steps])


def named(names: Sequence[str]) -> str:
    """As a person reads it."""
    return names[0] if len(names) == 1 else f"median of {'; '.join(names[:-1])} and {names[-1]}"
