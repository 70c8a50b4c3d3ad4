"""The temperature ahead, from what is known when a forecast is made.

Where a weather forecast was issued it is taken; else the climatology of the series' own past (season x hour of the day)
and what is left of its latest deviations: how much of them persists is learned from that past, lead by lead. Nothing
here looks past `observed`.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tasks.energy.series import Series

    Floats = NDArray[np.float64]

_DAY, _YEAR = 86_400, 365.2425 * 86_400
_LEAST = 3 * _DAY  # seconds of measured temperatures below which nothing can be said
_REACH = 5 * _DAY  # seconds ahead for which the latest deviations are looked at
_MEMORY = 1.5 * _DAY  # e-folding time of what lies beyond a weather forecast's end
_LATELY = 6.0 * _DAY  # half-life of what counts as usual without a year's past
_CAUTION = 30.0  # days of evidence that speak for "nothing persists"
_BEYOND = 8.0  # °C beyond the largest deviation ever seen that a weather forecast may say


def ahead(times: "NDArray[np.int64]", observed: "Floats", horizon: int, forecast: "Floats | None" = None) -> "Floats":
    """The temperature of the steps ahead.

    Args:
        times: [n + horizon] epoch seconds of the steps, as in `Series.times`.
        observed: [n] degrees Celsius up to now, NaN where nothing was measured.
        horizon: steps ahead.
        forecast: [horizon] degrees as a weather service said before now, NaN where it said nothing. What it says
            against all that was seen (see `doubtful`) is not taken.

    Returns:
        [horizon] degrees; all NaN when under three days were measured, but where there is a forecast.
    """
    observed = np.asarray(observed, dtype=float)
    n = len(observed)
    if len(times) != n + horizon:
        raise ValueError(f"{len(times)} times do not match {n} temperatures and {horizon} steps ahead.")
    if not _enough(times[:n], observed):
        return np.full(horizon, np.nan) if forecast is None else np.asarray(forecast, dtype=float).copy()
    usual = _climatology(times, observed)
    own = usual[n:] + _persisting(times, observed - usual[:n], horizon)
    if forecast is None:
        return own
    said = np.where(doubtful(times, observed, forecast), np.nan, np.asarray(forecast, dtype=float))
    return _joined(times[n:], own, said)


def doubtful(times: "NDArray[np.int64]", observed: "Floats", forecast: "Floats") -> "NDArray[np.bool_]":
    """[horizon] bool: where a weather forecast is farther from the season's usual than anything seen here, by 8 °C."""
    observed, forecast = np.asarray(observed, dtype=float), np.asarray(forecast, dtype=float)
    n = len(observed)
    if not _enough(times[:n], observed):
        return np.zeros(len(forecast), dtype=bool)
    usual = _climatology(times, observed)
    seen = float(np.nanmax(np.abs(observed - usual[:n])))
    short = times[n - 1] - times[0] < _YEAR / 2  # half a year says little of how warm the other half gets
    return np.asarray(np.abs(forecast - usual[n:]) > seen + _BEYOND * (2 if short else 1))


def known(series: "Series") -> "tuple[Floats, Floats, NDArray[np.bool_]] | None":
    """A series' temperatures for a model: of its past, without holes; ahead, without holes; and for which steps ahead
    a weather forecast stands behind them ([horizon] bool). None when there are none worth using.

    Steps ahead that are NaN, or just what `ahead` says without a forecast, have none behind them.
    """
    n = len(series.values)
    if series.temperature is None or not series.calendar:
        return None
    past, future = np.asarray(series.temperature[:n], dtype=float), np.asarray(series.temperature[n:], dtype=float)
    if np.isfinite(past).mean() < 0.7 or not _enough(series.times[:n], past):
        return None
    own = ahead(series.times, past, series.horizon)
    given = np.isfinite(future) & (np.abs(future - own) > 1e-6)
    return _whole(series.times[:n], past), np.where(given, future, own), given


def _enough(times: "NDArray[np.int64]", observed: "Floats") -> bool:
    there = np.isfinite(observed)
    return bool(there.sum() >= 3 and times[-1] - times[0] >= _LEAST and there.sum() * _step(times) >= _LEAST)


def _step(times: "NDArray[np.int64]") -> float:
    return float(np.median(np.diff(times)))


def _whole(times: "NDArray[np.int64]", observed: "Floats") -> "Floats":
    """The observed temperatures, holes filled by the usual ones plus the deviations around the hole."""
    there = np.isfinite(observed)
    if there.all():
        return observed
    usual = _climatology(times, observed)
    return np.where(there, observed, usual + np.interp(times, times[there], (observed - usual)[there]))


def _climatology(times: "NDArray[np.int64]", observed: "Floats") -> "Floats":
    """[len(times)] the usual temperature of each step, fitted to those observed: harmonics of the year and of the day
    (of the sun, that is UTC; no summer time), whose size changes with the season."""
    n = len(observed)
    x = _harmonics(times, n)
    there = np.flatnonzero(np.isfinite(observed))
    there = there[:: max(1, len(there) // 20_000)]
    # Without a season that could be told, what is usual is what was so lately.
    age = (times[there[-1]] - times[there]) / _LATELY if not _lived_a_year(times[:n]) else np.zeros(len(there))
    weight = 0.5**age
    a, b = x[there] * weight[:, None], observed[there]
    penalty = np.full(x.shape[1], 1e-3 * weight.sum())
    penalty[0] = 0.0
    return np.asarray(x @ np.linalg.solve(a.T @ x[there] + np.diag(penalty) + 1e-9 * np.eye(len(penalty)), a.T @ b))


def _lived_a_year(times: "NDArray[np.int64]") -> bool:
    """Most of one: a season that was not lived through cannot be told."""
    return bool(times[-1] - times[0] > 0.82 * _YEAR)


def _harmonics(times: "NDArray[np.int64]", n: int) -> "Floats":
    """[len(times), k] regressors."""
    year, day = 2 * np.pi * times / _YEAR, 2 * np.pi * (times % _DAY) / _DAY
    seasons = [f(k * year) for k in ((1, 2) if _lived_a_year(times[:n]) else ()) for f in (np.sin, np.cos)]
    daily = [f(k * day) for k in (1, 2, 3) for f in (np.sin, np.cos)] if _step(times) < _DAY else []
    mixed = [d * s for d in daily[:4] for s in seasons[:2]]
    return np.column_stack([np.ones(len(times)), *seasons, *daily, *mixed])


def _persisting(times: "NDArray[np.int64]", deviations: "Floats", horizon: int) -> "Floats":
    """[horizon] what is left of the latest deviations, by a ridge regression for each lead on the last value and the
    means of the last day and the last three, over past moments at the same hour of the day."""
    step = _step(times)
    there = np.isfinite(deviations)
    day, n = max(1, round(_DAY / step)), len(deviations)
    leads = min(horizon, max(1, round(_REACH / step)))
    filled = np.interp(np.arange(n), np.flatnonzero(there), deviations[there])
    ends = np.arange(n - leads, 3 * day, -day)[::-1]  # exclusive ends of past stretches whose sequel is known
    left = np.zeros(horizon)
    if len(ends) < 5:
        return left
    x = _latest(filled, ends, day)
    y = filled[ends[:, None] + np.arange(leads)[None, :]]
    penalty = _CAUTION * np.diag(x.var(axis=0) + 1e-9)
    left[:leads] = _latest(filled, np.array([n]), day)[0] @ np.linalg.solve(x.T @ x + penalty, x.T @ y)
    return left


def _latest(deviations: "Floats", ends: "NDArray[np.int64]", day: int) -> "Floats":
    """[m, 3] means of the two hours, the day and the three days before each end."""
    sums = np.append(0.0, np.cumsum(deviations))
    spans = (max(1, day // 12), day, 3 * day)
    return np.column_stack([(sums[ends] - sums[np.maximum(0, ends - span)]) / span for span in spans])


def _joined(times: "NDArray[np.int64]", own: "Floats", said: "Floats") -> "Floats":
    """What was said, and around it our own moved towards it, the less the farther away."""
    there = np.flatnonzero(np.isfinite(said))
    if not len(there):
        return own
    off = (said - own)[there]
    moved = np.interp(times, times[there], off)
    behind = np.maximum(0, np.maximum(times - times[there[-1]], times[there[0]] - times))
    return np.where(np.isfinite(said), said, own + moved * np.exp(-behind / _MEMORY))
