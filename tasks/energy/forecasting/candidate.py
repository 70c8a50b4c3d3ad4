"""What every candidate model is, what it may spend, and what a forecast says about itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.energy.series import Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class OutOfTime(Exception):
    """A fit passed its budget. Another candidate answers, and the result names both."""


class Deadline:
    """CPU-seconds of this thread that a fit may spend: a busy machine changes no choice of model.

    Candidates call `check` between steps that are each short: an optimiser's every evaluation, a round of boosting.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.thread_time() + seconds

    @property
    def left(self) -> float:
        return self._end - time.thread_time()

    def check(self) -> None:
        """Raises OutOfTime when nothing is left."""
        if self.left <= 0:
            raise OutOfTime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to forecast.

    Attributes:
        name: as the field calls it, "SARIMAX(1,0,1)(1,1,1)24".
        words: what it does, one plain sentence for people.
        unfit: why it cannot be used for a series ("It needs three weeks of hours."), "" when it can. Cheap.
        predict: (series, deadline) -> means [series.horizon] in the series' unit. Sees nothing after the series' end
            but `times`, `holidays` and the temperatures known by then. Raises OutOfTime; ValueError when a fit fails.
        dated: whether it knows kinds of day, holidays and the weather.
    """

    name: str
    words: str
    unfit: Callable[[Series], str]
    predict: "Callable[[Series, Deadline], NDArray[np.float64]]"
    dated: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """How one candidate did on the series' own past.

    Attributes:
        model: the candidate's name.
        mase: mean absolute error over that of the seasonal naive inside the fitted past; None when it gave no answer.
        smape: symmetric mean absolute percentage error, 0..200; None likewise.
        seconds: CPU time it took in all windows.
        note: what happened, for people: "", "Stopped after 2.0 s of 2.0 s.", "It needs three weeks of hours."
    """

    model: str
    mase: float | None
    smape: float | None
    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to come, and how far it can be trusted.

    Attributes:
        model: who answered: a candidate's name, or "mean of A and B".
        reason: why this one, in words: its error in validation beside the seasonal naive's.
        mean, lower_80, upper_80, lower_95, upper_95: [horizon] in the series' unit.
        trials: validation of every candidate, best first; the seasonal naive is always among them.
        fallback: "" or what could not be used and what answers instead. Shown wherever the forecast is.
        seconds: CPU time in all.
    """

    model: str
    reason: str
    mean: "NDArray[np.float64]"
    lower_80: "NDArray[np.float64]"
    upper_80: "NDArray[np.float64]"
    lower_95: "NDArray[np.float64]"
    upper_95: "NDArray[np.float64]"
    trials: tuple[Trial, ...]
    fallback: str = ""
    seconds: float = 0.0
