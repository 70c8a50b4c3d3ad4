"""The series as it stood earlier: cut off at an origin, with nothing in it that was not known then."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.seasons import seasons
from tasks.energy.forecasting.temperature import ahead as weather_ahead
from tasks.energy.series import Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_WINDOWS = 7


@dataclass(frozen=True, slots=True)
class Window:
    """One origin of validation.

    Attributes:
        past: the series up to the origin, with the steps after it ahead.
        truth: [h] what came.
        counts: [h] False where the cleaning filled in: that is no truth.
        scale: mean absolute error of the seasonal naive inside the past, > 0.
    """

    past: Series
    truth: "Floats"
    counts: "NDArray[np.bool_]"
    scale: float


def windows(series: Series, most: int = MOST_WINDOWS) -> list[Window]:
    """Rolling origins, the latest first: Tashman (2000), International Journal of Forecasting 16(4).

    The first hides as much as is to be forecast; each further one begins half of that, and at least a season, earlier.
    At least half of the series stays in the past. Too short a series, or one of which the end was filled in, has none.
    """
    count, season = len(series.values), seasons(series.step).short
    ahead = min(series.horizon, count // 4)
    if ahead < 1 or count < season + 2:
        return []
    origins = range(count - ahead, max(count // 2, season), -max(season, ahead // 2))
    made = (_window(series, origin, ahead, season) for origin in list(origins)[:most])
    return [window for window in made if window is not None]


def _window(series: Series, origin: int, ahead: int, season: int) -> Window | None:
    end = origin + ahead
    counts = np.ones(ahead, dtype=bool) if series.filled is None else ~series.filled[origin:end]
    past = series.values[:origin]
    scale = float(np.abs(past[season:] - past[:-season]).mean()) or float(np.abs(past).mean())
    if not counts.any() or scale <= 0:
        return None
    return Window(cut(series, origin, ahead), series.values[origin:end], counts, scale)


def cut(series: Series, origin: int, ahead: int) -> Series:
    """As it was known when step `origin` began.

    Later temperatures are replaced by what could have been expected from the earlier ones. A weather service would have
    said it better, so that models with temperature look a little worse in validation than they are: the safe side.
    """
    temperature, times = series.temperature, series.times[: origin + ahead]
    expected = None if temperature is None else weather_ahead(times, temperature[:origin], ahead)
    return replace(
        series,
        values=series.values[:origin],
        times=times,
        filled=None if series.filled is None else series.filled[:origin],
        temperature=None if temperature is None or expected is None else np.append(temperature[:origin], expected),
    )
