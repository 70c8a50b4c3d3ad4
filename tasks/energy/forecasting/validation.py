"""Candidates on the series' own past, as far as the budget reaches: cheap ones in all windows, dear ones in one."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.candidate import Candidate, Deadline, OutOfTime, Trial
from tasks.energy.forecasting.fitting import quiet
from tasks.energy.forecasting.windows import Window
from tasks.energy.series import Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ONE_FIT = 0.4  # share of the budget that one fit may take
_VALIDATION = 0.7  # share of the budget that validation may take; the rest is for the fits on the whole series
CLOSE = 2.0  # times the best one's error: what errs more has no say
_RESERVE = 1.6  # times its cost so far: what a fit may cost, on more readings and a busier machine
_CHEAP = 0.02  # share of the budget: what costs less is tried in every window, one bad day does not rule it out
_WILD = 5.0  # times the largest value seen, beyond the values seen: no forecast but an accident
_LEAST = 1e-6


@dataclass(slots=True)
class Tried:
    """What came of one candidate.

    Attributes:
        forecasts: by number of the window, [h] each.
        seconds: CPU time in all.
        note: as in Trial.
        stopped: whether the budget ended it.
    """

    candidate: Candidate
    forecasts: "dict[int, Floats]" = field(default_factory=dict)
    seconds: float = 0.0
    note: str = ""
    stopped: bool = False

    @property
    def cost(self) -> float:
        """Seconds of one fit."""
        return self.seconds / max(1, len(self.forecasts))


def answer(candidate: Candidate, series: Series, deadline: Deadline) -> "Floats":
    """[horizon] a candidate's means, made sure of.

    Raises:
        OutOfTime: the deadline passed.
        ValueError: no fit, or a forecast that cannot be.
    """
    if why := candidate.unfit(series):
        raise ValueError(why)
    with quiet():
        found = np.asarray(candidate.predict(series, deadline), dtype=np.float64)
    low, high = float(series.values.min()), float(series.values.max())
    room = _WILD * max(high - low, abs(high), abs(low))
    if found.shape != (series.horizon,) or not np.isfinite(found).all():
        raise ValueError("It gave no numbers.")
    if found.max() > high + room or found.min() < low - room:
        raise ValueError("Its forecast ran away.")
    return np.maximum(found, 0.0) if low >= 0 else found


def validate(candidates: Sequence[Candidate], series: Series, cuts: Sequence[Window], budget: Deadline) -> list[Tried]:
    """Each candidate that fits, in as many windows as the budget allows; the latest window first."""
    whole = budget.left
    tried = [Tried(candidate, note=candidate.unfit(series)) for candidate in candidates]
    fit = [one for one in tried if not one.note]
    for one in fit:
        most = min(_ONE_FIT * whole, budget.left - (1 - _VALIDATION) * whole)
        _try(one, 0, cuts[0], most, whole)
    better = _worth_more(fit, cuts, _CHEAP * whole)
    for one in sorted(better, key=lambda each: each.cost):
        for number in range(1, len(cuts)):
            spare = budget.left - _RESERVE * sum(each.cost for each in better)
            if _RESERVE * one.cost < spare and not one.note:
                _try(one, number, cuts[number], spare, whole)
    return tried


def _worth_more(fit: Sequence[Tried], cuts: Sequence[Window], cheap: float) -> list[Tried]:
    """Those that came near the best in the first window, or cost next to nothing."""
    done = [one for one in fit if 0 in one.forecasts]
    if not done:
        return []
    errors = {id(one): error(cuts[0], one.forecasts[0]) for one in done}
    best = min(errors.values())
    return [one for one in done if one.cost <= cheap or errors[id(one)] <= CLOSE * best + _LEAST]


def _try(one: Tried, number: int, window: Window, most: float, whole: float) -> None:
    began = time.thread_time()
    try:
        one.forecasts[number] = answer(one.candidate, window.past, Deadline(most))
    except OutOfTime:
        one.stopped = True
        one.note = f"Stopped after {time.thread_time() - began:.2f} s of {whole:.2f} s."
    except ValueError as failed:
        one.note = str(failed)
    one.seconds += time.thread_time() - began


def error(window: Window, forecast: "Floats") -> float:
    """Mean absolute scaled error where something was measured."""
    return float(np.abs(window.truth - forecast)[window.counts].mean()) / window.scale


def percentage(window: Window, forecast: "Floats") -> float:
    """Symmetric mean absolute percentage error, 0..200; nothing forecast and nothing there is no error."""
    size = np.abs(window.truth) + np.abs(forecast)
    share = np.abs(window.truth - forecast) / np.where(size > 0, size, 1.0)
    return float(200 * share[window.counts].mean())


def relative(cuts: Sequence[Window], one: "dict[int, Floats]", other: "dict[int, Floats]") -> float:
    """How one's errors stand to another's in the windows that both answered, as M4's OWA weighs them; 1: the same."""
    both = [number for number in one if number in other]
    if not both:
        return math.inf
    parts = []
    for measure in (error, percentage):
        ours = sum(measure(cuts[number], one[number]) for number in both)
        theirs = sum(measure(cuts[number], other[number]) for number in both)
        parts.append((ours + _LEAST) / (theirs + _LEAST))
    return sum(parts) / 2


def trial(name: str, cuts: Sequence[Window], forecasts: "dict[int, Floats]", seconds: float, note: str) -> Trial:
    """As the result tells it."""
    if not forecasts:
        return Trial(name, None, None, seconds, note)
    found = [
        (error(cuts[number], forecast), percentage(cuts[number], forecast)) for number, forecast in forecasts.items()
    ]
    mase, smape = (float(np.mean(column)) for column in zip(*found, strict=True))
    return Trial(name, mase, smape, seconds, note)
