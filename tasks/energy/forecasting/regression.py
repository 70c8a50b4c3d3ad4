"""Day-type and degree regression with autoregressive residuals, by statsmodels.

What the calendar and the weather explain is fitted by least squares over a window of the past, what is left by an
autoregression on the last steps, yesterday and last week (Ramanathan et al. 1997, International Journal of Forecasting
13(2), do it hour by hour). Works without weather, and for steps from parts of an hour to months.
"""

from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.candidate import Candidate, Deadline
from tasks.energy.forecasting.days import DAYS
from tasks.energy.forecasting.design import design
from tasks.energy.forecasting.scale import scale
from tasks.energy.series import DAY, MONTH, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_LEAST_DAYS, _LEAST_MONTHS = 21, 24
_MOST_ROWS = 10_000  # a hundred days of quarter hours: more takes longer than it helps
_HELD = 1e-3  # variance of the noise over that of a standardised coefficient, per row
_HALF_LIFE = 0.6  # of a row's weight, in windows: what was so lately counts for more
_REMEMBERED = 14  # days ahead after which nothing is left of the last residuals


def _unfit(series: Series) -> str:
    n = len(series.values)
    if not series.calendar:
        return "It needs to know the dates."
    if series.step >= MONTH:
        return "" if n >= _LEAST_MONTHS else f"It needs {_LEAST_MONTHS} months."
    if series.step > DAY or DAY % series.step:
        return "It needs steps that fill whole days, or months."
    return "" if n * series.step >= _LEAST_DAYS * DAY else "It needs three weeks of readings."


def _predict(series: Series, deadline: Deadline, days: int) -> "Floats":
    """Means [horizon], from the last `days` days (all of months)."""
    n, scaled = len(series.values), scale(series.values)
    first = 0 if series.step >= MONTH else max(0, n - min(_MOST_ROWS, days * DAY // series.step))
    wanted, x = scaled.there(series.values[first:]), design(series, first)
    deadline.check()
    rows = _measured(series, first)
    age = np.arange(n - first)[::-1][rows] / (n - first)
    explained = x @ _fitted(wanted[rows], x[: n - first][rows], 0.5 ** (age / _HALF_LIFE))
    deadline.check()
    left = np.where(rows, wanted - explained[: n - first], 0.0)
    return scaled.back(explained[n - first :] + _left_over(left, series.step, series.horizon, deadline))


def _fitted(wanted: "Floats", x: "Floats", weights: "Floats") -> "Floats":
    """[k] coefficients of weighted least squares, slightly held towards zero all but the constant's (ridge, as rows
    added below): a kind of day that never was, or one that is another's double, does no harm."""
    from statsmodels.regression.linear_model import WLS

    spread = x.std(axis=0)
    x = x / np.where(spread > 1e-9, spread, 1.0)
    held = np.sqrt(_HELD * len(x)) * np.eye(x.shape[1])[1:]
    rows, ones = np.concatenate([x, held]), np.ones(len(held))
    model = WLS(np.append(wanted, 0 * ones), rows, weights=np.append(weights, ones))
    return np.asarray(model.fit(method="pinv").params) / np.where(spread > 1e-9, spread, 1.0)


def _measured(series: Series, first: int) -> "NDArray[np.bool_]":
    """[n - first] where something was measured; everywhere where that is under half."""
    if series.filled is None or series.filled[first:].mean() > 0.5:
        return np.ones(len(series.values) - first, dtype=bool)
    return ~series.filled[first:]


def _left_over(left: "Floats", step: int, horizon: int, deadline: Deadline) -> "Floats":
    """[horizon] what remains of the residuals [n] ahead."""
    from statsmodels.tsa.ar_model import AutoReg

    ahead = np.zeros(horizon)
    lags = [lag for lag in _lags(step) if lag * 3 < len(left)]
    steps = min(horizon, _REMEMBERED * DAY // step if step < DAY else horizon)
    if not lags or float(left.std()) < 1e-9:
        return ahead
    deadline.check()
    model = AutoReg(left, lags=lags, trend="n").fit()
    forecast = np.asarray(model.forecast(steps))
    # An explosive autoregression says nothing.
    if np.isfinite(forecast).all() and np.abs(forecast).max() <= 3 * np.abs(left).max():
        ahead[:steps] = forecast
    return ahead


def _lags(step: int) -> list[int]:
    """Lags in steps: the last ones, yesterday's and last week's same hour."""
    if step >= MONTH:
        return [1]
    if step >= DAY:
        return [1, 2, 7]
    day = DAY // step
    return sorted({1, 2, 3, 2 * day, *(around + k for around in (day, 7 * day) for k in (-1, 0, 1))} - {0})


def _candidate(days: int, words: str) -> Candidate:
    return Candidate(
        f"regression on calendar and weather ({words}) + AR",
        f"Hour, kind of day, season and heating and cooling degrees explain up to {words}; what is left carries on.",
        _unfit,
        lambda series, deadline: _predict(series, deadline, days),
        dated=True,
    )


CANDIDATES: tuple[Candidate, ...] = (DAYS, _candidate(70, "10 weeks"), _candidate(400, "13 months"))
