"""The regressors of calendar and weather, for steps from parts of an hour to months."""

from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.calendar import BRIDGE, HOLIDAY, SATURDAY, SUNDAY, day_kinds, local_parts
from tasks.energy.forecasting.temperature import known
from tasks.energy.series import DAY, MONTH, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_YEAR_DAYS = 365.2425
_COLD, _WARM = 16.0, 20.0  # °C
_MEMORIES = (0.0, float(DAY))  # seconds over which degrees are smoothed: walls are slow
_WAVES = 12  # of a day: all that hours can tell


def design(series: Series, first: int) -> "Floats":
    """[n + horizon - first, k] regressors of the steps from `first` on, a constant first.

    Below a day: the hour of the day for each sort of day, the kinds of days' levels, degrees by part of the day. Days:
    the kinds' levels, degrees. Months: the season, their length, degrees. A season needs most of a year behind it.
    """
    ordinals, hours, weekdays = local_parts(series.times[first:], series.zone if series.calendar else "UTC")
    kinds = day_kinds(ordinals, weekdays, series.holidays) if series.calendar else weekdays
    parts = [np.ones((len(kinds), 1)), _season(series, first, ordinals)]
    if series.step < DAY:
        parts.append(_hours(hours, kinds, series.step))
    parts.append(_lengths(series.times[first:]) if series.step >= MONTH else _levels(kinds))
    weather = known(series)
    if weather is not None:
        degrees = _degrees(np.concatenate(weather[:2]), series.step)[first:]
        parts.append(_by_part_of_day(degrees, hours) if series.step < DAY else degrees)
    return np.concatenate(parts, axis=1)


def _season(series: Series, first: int, ordinals: "NDArray[np.int64]") -> "Floats":
    lived = ordinals[len(series.values) - first - 1] - ordinals[0]
    year = np.asarray(2 * np.pi * ordinals / _YEAR_DAYS)
    waves = 0 if not series.calendar or lived < 300 else 2 if series.step < MONTH or lived < 700 else 3
    return _waves(year, waves)


def _waves(angle: "Floats", count: int) -> "Floats":
    columns = [f(k * angle) for k in range(1, count + 1) for f in (np.sin, np.cos)]
    return np.column_stack(columns) if columns else np.zeros((len(angle), 0))


def _hours(hours: "Floats", kinds: "NDArray[np.int64]", step: int) -> "Floats":
    """The day's course on working days, Saturdays, and Sundays and holidays."""
    course = _waves(np.asarray(2 * np.pi * hours / 24), min(_WAVES, max(1, DAY // step // 2)))
    sorts = np.select([kinds == SATURDAY, (kinds == SUNDAY) | (kinds == HOLIDAY)], [1, 2], 0)
    return np.concatenate([course * (sorts == sort)[:, None] for sort in range(3)], axis=1)


def _levels(kinds: "NDArray[np.int64]") -> "Floats":
    """[n, 8] what kind of day it is; Tuesday is what the constant says."""
    return np.column_stack([kinds == kind for kind in (0, 2, 3, 4, SATURDAY, SUNDAY, HOLIDAY, BRIDGE)]).astype(float)


def _lengths(times: "NDArray[np.int64]") -> "Floats":
    """[n, 1] days of each month beyond the mean; the last one's like the one a year before."""
    days = np.append(np.diff(times), np.diff(times)[-12:][:1]) / DAY
    return np.asarray(days - days.mean())[:, None]


def _degrees(degrees: "Floats", step: int) -> "Floats":
    """[len, 4 or 2] heating and cooling degrees, as they are and, but for months, smoothed over a day."""
    bent = np.column_stack([np.maximum(_COLD - degrees, 0), np.maximum(degrees - _WARM, 0)])
    slow = [_smoothed(bent, memory / step) for memory in _MEMORIES if memory == 0 or step <= DAY]
    return np.concatenate(slow, axis=1)


def _smoothed(columns: "Floats", half_life: float) -> "Floats":
    """Exponential means of the past with this half-life in steps."""
    if half_life == 0:
        return columns
    from scipy.signal import lfilter, lfiltic

    keep = 0.5 ** (1 / half_life)
    out = [lfilter([1 - keep], [1, -keep], c, zi=lfiltic([1 - keep], [1, -keep], [c[0]]))[0] for c in columns.T]
    return np.column_stack(out)


def _by_part_of_day(degrees: "Floats", hours: "Floats") -> "Floats":
    """Each column four times over, for night, morning, afternoon and evening."""
    part = (hours // 6).astype(int)
    return np.concatenate([degrees * (part == quarter)[:, None] for quarter in range(4)], axis=1)
