"""Autoregression on long lags: each step from the hours before it, the same hours of days before, and of a week before.

Robust ridge regression: Hoerl and Kennard (1970), Technometrics 12(1), for the shrinkage; Huber (1964), Annals of
Mathematical Statistics 35(1), by reweighting, so that a few odd hours do not bend all coefficients; logarithms or roots
for what varies in proportion to its level, Box and Cox (1964), JRSS B 26(2). Forecast step by step. On the 414 hourly
series of M4 the mean of two such regressions in logarithms and two in roots beats each of them: see ADR 0023.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.candidate import Candidate, Deadline
from tasks.energy.forecasting.powers import LEVEL, LOG, ROOT, Powered, unfit_power
from tasks.energy.forecasting.seasons import places, seasons
from tasks.energy.series import DAY, MONTH, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_MOST_ROWS = 2016  # twelve weeks of hours: older ones say little about tomorrow and cost much
_HUBER, _ROUNDS = 1.5, 3
_LEAST = 1e-9
_RUNAWAY = 20.0  # standard deviations
_CHECKED = 64  # steps between two looks at the clock


@dataclass(frozen=True, slots=True)
class Shape:
    """Which autoregression.

    Attributes:
        power: LOG, ROOT or LEVEL.
        profile: True: own means for the hours of the day and of the week; False: differences from a season ago.
        lag_ridge: shrinkage of the lags, in hundredths of a row per row.
        day_ridge, week_ridge: shrinkage of the profiles, in rows.
    """

    power: float
    profile: bool
    lag_ridge: float
    day_ridge: float
    week_ridge: float


def predict(shape: Shape, series: Series, deadline: Deadline) -> "Floats":
    """[horizon] means in the series' unit.

    Raises:
        OutOfTime: nothing is left of the deadline.
        ValueError: the recursion ran away, or the equations have no answer.
    """
    scale = Powered.of(series.values[-_recent(series) :], shape.power)
    level = scale.forward(series.values[-_recent(series) :])
    back = 0 if shape.profile else seasons(series.step).short
    steady = level[back:] - level[:-back] if back else level
    ahead = _ahead(shape, series, steady, deadline)
    if back:
        ahead = _undo(level, ahead, back)
    if not np.isfinite(ahead).all() or np.abs(ahead).max() > _RUNAWAY:
        raise ValueError("Its forecast ran away.")
    return scale.back(ahead)


def lags(step: int, count: int) -> "Ints":
    """The lags that a series of so many steps can bear: half of it and more must be left to learn from."""
    found = seasons(step)
    day, most = found.short, (count - found.short) // 2
    if step >= MONTH:
        wanted: Iterable[int] = (1, 2, 3, 6, 11, 12, 13, 24)
    elif step >= DAY:
        wanted = (1, 2, 3, 4, 6, 7, 8, 13, 14, 15, 21, 28, 35)
    else:
        wanted = _hourly(day)
    return np.array(sorted({lag for lag in wanted if 0 < lag <= most}), dtype=np.int64)


def _hourly(day: int) -> Iterable[int]:
    week = 7 * day
    yield from range(1, 5)
    yield from range(day - 2, day + 3)
    yield from range(2 * day - 1, 2 * day + 2)
    yield from (3 * day, 4 * day, 5 * day)
    yield from range(week - day - 1, week - day + 2)
    yield from range(week - 2, week + 3)


def _recent(series: Series) -> int:
    week = seasons(series.step).long if series.step < DAY else 0
    return min(len(series.values), _MOST_ROWS + (week or 0) + 2)


def _ahead(shape: Shape, series: Series, steady: "Floats", deadline: Deadline) -> "Floats":
    """Fit on what is there, then step by step: [horizon]."""
    horizon, count = series.horizon, len(steady)
    back = lags(series.step, count)
    first = int(back[-1])
    profile, ridge = _profile(shape, series, count, first)
    lagged = np.column_stack([steady[first - lag : count - lag] for lag in back])
    rows = count - first
    penalty = np.concatenate([np.full(len(back), shape.lag_ridge * rows / 100), ridge])
    known = _known(series, rows)
    table = np.hstack([lagged, profile[first:count]])
    weights = _robust(table, steady[first:], penalty, known, deadline)
    drift = profile[count:] @ weights[len(back) :]
    return _recursion(steady, back, weights[: len(back)], drift, horizon, deadline)


def _known(series: Series, rows: int) -> "Floats":
    """[rows] 1 where the last steps were measured, 0 where the cleaning filled in."""
    if series.filled is None:
        return np.ones(rows)
    return np.where(series.filled[len(series.values) - rows :], 0.0, 1.0)


def _profile(shape: Shape, series: Series, count: int, first: int) -> "tuple[Floats, Floats]":
    """[count + horizon, k] columns of ones and zeros, a mean for each place in the day and in the week; [k] ridges."""
    total = count + series.horizon
    day, week = (place[-total:] for place in places(series))
    columns, ridge = [np.ones((total, 1))], [np.zeros(1)]
    if shape.profile:
        columns, ridge = [_ones(day)], [np.full(int(day.max()) + 1, shape.day_ridge)]
    if series.step < DAY and count - first >= 7 * seasons(series.step).short:
        columns.append(_ones(week))
        ridge.append(np.full(int(week.max()) + 1, shape.week_ridge))
    return np.hstack(columns), np.concatenate(ridge)


def _ones(place: "Ints") -> "Floats":
    return np.asarray(place[:, None] == np.arange(int(place.max()) + 1), dtype=np.float64)


def _robust(table: "Floats", wanted: "Floats", penalty: "Floats", known: "Floats", deadline: Deadline) -> "Floats":
    """[k] coefficients by reweighted ridge regression.

    Args:
        table: [rows, k].
        wanted: [rows].
        penalty: [k] what is added to the diagonal.
        known: [rows] 1 where it was measured, 0 where the cleaning filled in.
    """
    weight = known if known.sum() > len(penalty) else np.ones(len(known))
    start = weight
    for _ in range(_ROUNDS):
        deadline.check()
        weighted = table * weight[:, None]
        found = np.linalg.solve(weighted.T @ table + np.diag(penalty + _LEAST), weighted.T @ wanted)
        off = np.abs(wanted - table @ found)
        spread = float(np.median(off)) / 0.6745 + _LEAST
        weight = start * np.minimum(1.0, _HUBER * spread / np.maximum(off, _LEAST))
    return np.asarray(found)


def _recursion(
    past: "Floats", back: "Ints", weights: "Floats", drift: "Floats", horizon: int, deadline: Deadline
) -> "Floats":
    buffer = np.concatenate([past, np.zeros(horizon)])
    for number in range(horizon):
        if number % _CHECKED == 0:
            deadline.check()
        at = len(past) + number
        buffer[at] = np.clip(weights @ buffer[at - back] + drift[number], -_RUNAWAY - 1, _RUNAWAY + 1)
    return buffer[len(past) :]


def _undo(level: "Floats", ahead: "Floats", back: int) -> "Floats":
    """Differences from a season ago, added up again."""
    buffer = np.concatenate([level, ahead])
    for at in range(len(level), len(buffer)):
        buffer[at] += buffer[at - back]
    return buffer[len(level) :]


def _unfit(power: float, series: Series) -> str:
    found = seasons(series.step)
    if len(series.values) < 3 * found.short:
        return f"It needs three {found.word}s."
    return unfit_power(series.values, power)


def _candidate(power: float, name: str, words: str) -> Iterable[Candidate]:
    fit = partial(_unfit, power)
    with_profile = Shape(power, True, lag_ridge=0.001, day_ridge=0.1, week_ridge=1.0)
    differences = Shape(power, False, lag_ridge=0.01, day_ridge=0.0, week_ridge=10.0)
    yield Candidate(
        f"AR with profile, {name}",
        "Each step from those just before it, a day and a week before it, and what is usual at its hour of the week, "
        f"{words}.",
        fit,
        partial(predict, with_profile),
    )
    yield Candidate(
        f"AR of differences, {name}",
        f"What changed since the same hour of the day before, from the changes before it, {words}.",
        fit,
        partial(predict, differences),
    )


CANDIDATES: tuple[Candidate, ...] = (
    *_candidate(LOG, "log", "in logarithms"),
    *_candidate(ROOT, "root", "in square roots"),
    *_candidate(LEVEL, "level", "as they are"),
)
