"""SARIMAX by statsmodels, on what came last and with few evaluations: one that has ended beats a better one that has
not.

Box and Jenkins (1970); (1,0,1)(1,1,1) of the season on logarithms or roots. Differences are taken beforehand, which
keeps the season out of the state a second time, and the variance is concentrated out of the likelihood, which spares a
sixth of the evaluations; after ten rounds M4's hourly series gain nothing more (ADR 0023).
"""

from typing import TYPE_CHECKING

import numpy as np
from statsmodels.tsa.statespace.sarimax import SARIMAX

from tasks.energy.forecasting.candidate import Candidate, Deadline
from tasks.energy.forecasting.fitting import watched
from tasks.energy.forecasting.powers import Powered, usual_power
from tasks.energy.forecasting.seasons import seasons
from tasks.energy.series import DAY, MONTH, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 10
_MOST_SEASON = 48  # one evaluation grows with the cube of it: 2 ms at 24, 15 ms at 48
_SEASONS = 21  # three weeks of hours
_DAYS, _MONTHS = 400, 240


def predict(series: Series, deadline: Deadline) -> "NDArray[np.float64]":
    """[horizon] means in the series' unit.

    Raises:
        OutOfTime: nothing is left of the deadline.
        ValueError: the likelihood has no answer.
    """
    season = seasons(series.step).short
    values = series.values[-_window(series.step, season) :]
    scale = Powered.of(values, usual_power(values))
    level = scale.forward(values)
    deadline.check()
    model = SARIMAX(
        level,
        order=(1, 0, 1),
        seasonal_order=(1, 1, 1, season),
        simple_differencing=True,
        concentrate_scale=True,
    )
    fitted = watched(model, deadline).fit(disp=False, maxiter=_ROUNDS, cov_type="none")
    ahead = np.asarray(fitted.forecast(series.horizon))
    whole = np.concatenate([level, ahead])
    for at in range(len(level), len(whole)):
        whole[at] += whole[at - season]
    return scale.back(whole[len(level) :])


def _window(step: int, season: int) -> int:
    return _MONTHS if step >= MONTH else _DAYS if step >= DAY else _SEASONS * season


def _unfit(series: Series) -> str:
    found = seasons(series.step)
    if found.short > _MOST_SEASON:
        return f"A {found.word} of {found.short} steps is too long for it."
    return "" if len(series.values) >= max(4 * found.short, 40) else f"It needs four {found.word}s."


CANDIDATE = Candidate(
    "SARIMAX(1,0,1)(1,1,1)",
    "What changed since the same hour of the day before, carried on with the errors made lately.",
    _unfit,
    predict,
)
