"""A direct forecast, a day at a time: a Gaussian process over whole past days.

Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, chapters 2 and 5.4: all steps of a day are
forecast by one solve of [days x days], from what was known at the same hour of the days before (`origins`): last loads,
the kind of day, the season, the temperatures. Linear in these, bent by a Matérn kernel, and days close in time alike.
Nothing is fed back, so errors do not pile up, and the last hours count for each hour ahead as much as they did before.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting import origins as known_at
from tasks.energy.forecasting.candidate import Candidate, Deadline
from tasks.energy.forecasting.scale import scale
from tasks.energy.forecasting.temperature import known
from tasks.energy.series import DAY, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tasks.energy.forecasting.origins import Origins

    Floats = NDArray[np.float64]

LEAST_DAYS, MOST_AHEAD = 21, 14
_MOST_ROWS, _FEWER_ROWS = 1100, 400  # days learnt from for the first two days ahead, for each later one
_LENGTH = 5.0  # of the Matérn kernel, in standard deviations of a group of regressors
_NEAR, _NEAR_DAYS = 0.05, 40.0  # variance of what drifts, and over how many days it does
_NOISE = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # variances of the noise tried
_MOST_FILLED = 0.25  # of a day: beyond it nothing is learnt from it


def _unfit(series: Series) -> str:
    if series.step >= DAY or DAY % series.step:
        return "It needs steps of less than a day."
    if len(series.values) < LEAST_DAYS * DAY // series.step:
        return "It needs three weeks of readings."
    return f"It looks at most {MOST_AHEAD} days ahead." if series.horizon > MOST_AHEAD * DAY // series.step else ""


@dataclass(frozen=True, slots=True)
class _Task:
    """What all days ahead share. `degrees` is [n + horizon] without holes; `forecast` says where steps ahead have a
    weather forecast behind them."""

    values: "Floats"
    usable: "NDArray[np.bool_]"
    degrees: "Floats | None"
    forecast: "NDArray[np.bool_]"
    deadline: Deadline


def _predict(series: Series, deadline: Deadline) -> "Floats":
    scaled, n = scale(series.values), len(series.values)
    weather = known(series)
    task = _Task(
        scaled.there(series.values),
        np.ones(n, dtype=bool) if series.filled is None else ~series.filled,
        None if weather is None else np.concatenate(weather[:2]),
        np.zeros(series.horizon, dtype=bool) if weather is None else weather[2],
        deadline,
    )
    deadline.check()
    every = known_at.origins(series, _MOST_ROWS)
    behind = _behind(task, every)
    ahead: list[Floats] = []
    noise: float | None = None
    slots = known_at.slots(series)
    for day in range(int(slots.max()) // every.day + 1):
        deadline.check()
        means, noise = _day_ahead(task, every, behind, day, noise)
        ahead.append(means)
    return scaled.back(np.concatenate(ahead)[slots])


def _behind(task: _Task, every: "Origins") -> "list[Floats]":
    behind = known_at.loads(task.values, every)
    return behind if task.degrees is None else behind + known_at.weather(task.degrees, every)


def _day_ahead(
    task: _Task, every: "Origins", behind: "list[Floats]", day: int, noise: float | None
) -> "tuple[Floats, float]":
    """[steps] means of a day ahead, in scaled numbers, and the noise that was chosen for the first one."""
    first = day * every.day
    told = behind + known_at.calendar(every, day)
    if task.degrees is not None and task.forecast[first : first + every.day].all():
        told = told + known_at.weather_ahead(np.pad(task.degrees, (0, every.day), mode="edge"), every, first)
    # The sequel of the last days, all the more for a day far ahead, is not known yet.
    rows = np.flatnonzero(every.at + first + every.day <= len(task.values))
    rows = rows[-(_MOST_ROWS if day < 2 else _FEWER_ROWS) :]
    rows = _measured(task, every, rows, first)
    here = np.append(rows, len(every.at) - 1)
    usual = known_at.usual(task.values, every)[here]
    wanted = known_at.blocks(task.values, every.at[rows], first, every.day) - usual[:-1]
    mean = wanted[-365:].mean(axis=0)
    kernel = _kernel(_standard([group[here] for group in told]), every.ordinals[here])
    past, wanted = kernel[:-1, :-1], wanted - mean
    if noise is None:
        noise = _noise(past[-_FEWER_ROWS:, -_FEWER_ROWS:], wanted[-_FEWER_ROWS:], task.deadline)
    task.deadline.check()
    return usual[-1] + mean + kernel[-1, :-1] @ _solved(past, wanted, noise)[0], noise


def _measured(task: _Task, every: "Origins", rows: "NDArray[np.int64]", first: int) -> "NDArray[np.int64]":
    """The rows whose sequel was measured; all of them where hardly any was."""
    measured = known_at.blocks(task.usable.astype(float), every.at[rows], first, every.day).mean(axis=1)
    good = rows[measured >= 1 - _MOST_FILLED]
    return good if len(good) >= LEAST_DAYS // 2 else rows


def _standard(groups: "list[Floats]") -> "Floats":
    """Groups of regressors side by side, each group of variance 1 in all over the past (the last row is the future)."""
    scaled = []
    for group in groups:
        centred = group - group[:-1].mean(axis=0)
        spread = float(centred[:-1].std())
        if spread > 1e-9:
            scaled.append(centred / (spread * np.sqrt(group.shape[1])))
    return np.concatenate(scaled, axis=1) if scaled else np.zeros((len(groups[0]), 1))


def _kernel(x: "Floats", days: "NDArray[np.int64]") -> "Floats":
    """[m, m] how alike days are: linear, Matérn 3/2 over the regressors, exponential over time."""
    linear = x @ x.T
    size = np.diag(linear)
    far = np.sqrt(3 * np.maximum(size[:, None] + size[None, :] - 2 * linear, 0)) / _LENGTH
    near = _NEAR * np.exp(-np.abs(days[:, None] - days[None, :]) / _NEAR_DAYS)
    return np.asarray(linear + (1 + far) * np.exp(-far) + near)


def _noise(kernel: "Floats", wanted: "Floats", deadline: Deadline) -> float:
    """The noise of largest marginal likelihood (equation 5.8, the scale of everything profiled out)."""
    losses = []
    for noise in _NOISE:
        deadline.check()
        weights, size = _solved(kernel, wanted, noise)
        losses.append(size + float(np.log(max(float((wanted * weights).sum()), 1e-12) / wanted.size)))
    return _NOISE[int(np.argmin(losses))]


def _solved(kernel: "Floats", wanted: "Floats", noise: float) -> "tuple[Floats, float]":
    """[days, steps] weights of the past days, and the mean log-determinant."""
    from scipy.linalg import cho_factor, cho_solve

    factor = cho_factor(kernel + noise * np.eye(len(kernel)), lower=True)
    return np.asarray(cho_solve(factor, wanted)), 2 * float(np.log(np.diag(factor[0])).mean())


DAYS = Candidate(
    "GP over days",
    "Learns from all past days how the hours to come follow from the last ones, the kind of day and the weather.",
    _unfit,
    _predict,
    dated=True,
)
