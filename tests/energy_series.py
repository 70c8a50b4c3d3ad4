"""Series of energy made up for tests: days and weeks, growth, noise; the same ones each time."""

import numpy as np
from numpy.typing import NDArray

from tasks.energy.series import HOUR, MONTH, Series

Array = NDArray[np.float64]
MONDAY = 1_704_067_200  # 2024-01-01T00:00Z


def household(count: int, *, noise: float = 0.05, seed: int = 1, per_day: int = 24) -> Array:
    """[count] kWh a step with a morning and an evening, weekends that differ, and noise in proportion."""
    at = np.arange(count)
    hour = at % per_day * 24 / per_day
    free = at // per_day % 7 >= 5
    day = 0.3 + 0.8 * np.exp(-((hour - 8) ** 2) / 6) + 1.4 * np.exp(-((hour - 19) ** 2) / 8)
    shape = np.where(free, 1.25 * day + 0.2 * np.exp(-((hour - 13) ** 2) / 12), day)
    return np.asarray(shape * np.exp(noise * np.random.default_rng(seed).standard_normal(count)))


def series(values: "Array | list[float]", horizon: int = 24, step: int = HOUR) -> Series:
    """With times from a Monday on, in UTC; months as 2024, 2025, … have them."""
    known = np.asarray(values, dtype=np.float64)
    count = len(known) + horizon
    if step == MONTH:
        starts = np.arange(np.datetime64("2014-01"), np.datetime64("2014-01") + count)
        return Series(known, starts.astype("datetime64[s]").astype(np.int64), step)
    return Series(known, MONDAY + step * np.arange(count, dtype=np.int64), step)


def days(count: int, seed: int = 1) -> Array:
    """[count] kWh a day: weekends, a year, noise."""
    at = np.arange(count)
    year = 1 + 0.3 * np.cos(2 * np.pi * at / 365.25)
    week = np.where(at % 7 >= 5, 1.2, 1.0)
    return np.asarray(10 * year * week * np.exp(0.06 * np.random.default_rng(seed).standard_normal(count)))


def months(count: int, seed: int = 1) -> Array:
    """[count] kWh a month: a year, noise."""
    at = np.arange(count)
    return np.asarray(
        300
        * (1 + 0.4 * np.cos(2 * np.pi * at / 12))
        * np.exp(0.05 * np.random.default_rng(seed).standard_normal(count))
    )
