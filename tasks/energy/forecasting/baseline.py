"""What every model has to beat: the same as a season ago. And what answers when nothing else can."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.candidate import Candidate, Deadline
from tasks.energy.forecasting.seasons import seasons
from tasks.energy.series import Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEASONAL_NAIVE = "seasonal naive"


def repeated(values: "NDArray[np.float64]", season: int, horizon: int) -> "NDArray[np.float64]":
    """The last `season` values, over and over: [horizon]."""
    return np.resize(values[-season:], horizon)


def _unfit(long: bool, series: Series) -> str:
    season, word = _season(long, series)
    if season is None:
        return "There is no longer season than the year."
    return "" if len(series.values) >= season else f"It needs a whole {word}."


def _season(long: bool, series: Series) -> tuple[int | None, str]:
    found = seasons(series.step)
    return (found.long, found.long_word) if long else (found.short, found.word)


def _predict(long: bool, series: Series, deadline: Deadline) -> "NDArray[np.float64]":
    season, _ = _season(long, series)
    return repeated(series.values, season or 1, series.horizon)


NAIVE = Candidate(
    SEASONAL_NAIVE,
    "The last day again (the last week of days, the last year of months).",
    partial(_unfit, False),
    partial(_predict, False),
)
LONG_NAIVE = Candidate(
    "seasonal naive, long",
    "The last week again (the last year of days).",
    partial(_unfit, True),
    partial(_predict, True),
)
CANDIDATES = (NAIVE, LONG_NAIVE)

MEAN, LAST = "mean of all readings", "last reading"
SIMPLEST = {
    SEASONAL_NAIVE: "the last season again",
    MEAN: "the mean of all readings",
    LAST: "the last reading, over and over",
}


def simplest(series: Series) -> "tuple[str, NDArray[np.float64]]":
    """(name, [horizon]) of what can be said of any series: a season again where there is one, else a mean."""
    values, horizon = series.values, series.horizon
    if values.min() == values.max():
        return LAST, np.full(horizon, values[-1])
    if len(values) >= seasons(series.step).short:
        return SEASONAL_NAIVE, repeated(values, seasons(series.step).short, horizon)
    return MEAN, np.full(horizon, values.mean())
