"""Exponential smoothing with a damped trend and a season, as a state space model by statsmodels.

Hyndman, Koehler, Ord, Snyder (2008), "Forecasting with Exponential Smoothing: The State Space Approach"; ETS(A,Ad,A) on
roots (on logarithms a trend runs away on every tenth of M4's hourly series: ADR 0023).
"""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from tasks.energy.forecasting.candidate import Candidate, Deadline
from tasks.energy.forecasting.fitting import watched
from tasks.energy.forecasting.powers import LEVEL, ROOT, Powered
from tasks.energy.forecasting.seasons import seasons
from tasks.energy.series import Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SEASONS_KEPT = 60  # what came before has no weight left
_ROUNDS = 60
_MOST_SEASON = 96


def predict(trend: bool, series: Series, deadline: Deadline) -> "NDArray[np.float64]":
    """[horizon] means in the series' unit.

    Raises:
        OutOfTime: nothing is left of the deadline.
        ValueError: the likelihood has no answer.
    """
    season = seasons(series.step).short
    values = series.values[-_SEASONS_KEPT * season :]
    scale = Powered.of(values, LEVEL if (values < 0).any() else ROOT)
    model = ETSModel(
        scale.forward(values),
        error="add",
        trend="add" if trend else None,
        damped_trend=trend,
        seasonal="add",
        seasonal_periods=season,
        initialization_method="heuristic",
    )
    fitted = watched(model, deadline).fit(disp=False, maxiter=_ROUNDS)
    return scale.back(np.asarray(fitted.forecast(series.horizon)))


def _unfit(series: Series) -> str:
    found = seasons(series.step)
    if found.short > _MOST_SEASON:
        return f"A {found.word} of {found.short} steps is too long for it."
    return "" if len(series.values) >= max(3 * found.short, 24) else f"It needs three {found.word}s."


CANDIDATES = (
    Candidate(
        "ETS(A,N,A)",
        "Exponential smoothing: level and season follow what came last, the older the less.",
        _unfit,
        partial(predict, False),
    ),
    Candidate(
        "ETS(A,Ad,A)",
        "Exponential smoothing with a trend that fades out.",
        _unfit,
        partial(predict, True),
    ),
)
