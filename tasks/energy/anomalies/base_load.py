"""The night's base load, and when it rose. Pure."""

from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.anomalies.model import COOLING, HEATING, Expected
from tasks.energy.anomalies.robust import scale, smooth
from tasks.energy.anomalies.shifts import Shift, shifts
from tasks.energy.series import DAY, HOUR
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NIGHT = 6 * HOUR  # from midnight on
WINDOWS = (14, 28)
_SHARE = 0.1  # of the base load: a smaller rise is none
_LEAST = 0.01  # kW
_LIMIT = 6.0


def nightly(usage: Usage, known: Expected) -> "Floats":
    """[days] kW, the mean of the calmer half of each night; NaN where a night was not measured."""
    many = NIGHT // usage.step
    night = np.sort(known.kwh[:, :many], axis=1)  # NaN last
    found = night[:, : max(1, many // 2)].mean(axis=1) * (HOUR / usage.step)
    return np.where(np.isfinite(known.kwh[:, :many]).mean(axis=1) >= 0.75, found, np.nan)


def rises(usage: Usage, known: Expected) -> list[Shift]:
    """When the base load rose, kW. Needs steps of three hours at most, and six weeks."""
    if usage.step > 3 * HOUR:
        return []
    base = nightly(usage, known)
    if np.isfinite(base).sum() < 42:
        return []
    level = float(np.nanmedian(base))
    rest = base - level - _by_weather(base - level, known)
    least = max(_LEAST, _SHARE * abs(level))
    return [one for one in shifts(rest, least, WINDOWS, abrupt=False, limit=_LIMIT) if one.size > 0]


def _by_weather(base: "Floats", known: Expected) -> "Floats":
    """[days] what warmth and cold explain: least squares, once more without what lies far off."""
    if known.degrees is None:
        return np.zeros_like(base)
    slow = smooth(known.degrees, 3)
    parts = [np.ones_like(slow), np.maximum(HEATING - slow, 0), np.maximum(slow - COOLING, 0)]
    design = np.stack(parts, axis=1)
    use = np.isfinite(base)
    found = np.zeros_like(base)
    for _ in range(3):
        found = design @ np.linalg.lstsq(design[use], base[use], rcond=None)[0]
        off = np.abs(base - found)
        with np.errstate(invalid="ignore"):
            use = np.isfinite(base) & (off <= 3 * scale(off[:, None])[0] + 1e-9)
    return found


def a_day(rise: Shift) -> float:
    """kWh a day."""
    return rise.size * DAY / HOUR
