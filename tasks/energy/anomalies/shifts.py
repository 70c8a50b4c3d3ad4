"""Changes of level, and when they came. Pure.

For every day the median of the days after it less that of the days before, over windows of one, two and four weeks. A
change is one whose difference stands out among all of the record's differences (their median absolute deviation: a
year that drifts with its seasons has large ones everywhere) and that a step explains better than a slope.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.anomalies.robust import smooth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WINDOWS = (7, 14, 28)
STAYS = 56  # days after which a new level is the usual one
_LIMIT = 5.0  # deviations
_SEEN = 0.6  # of a window's days must be known
_STEP = 0.8  # of a slope's squared error: as much is left by a step at most


@dataclass(frozen=True, slots=True)
class Shift:
    """From day `first` on (until `past`, None: still) the level lies `size` above or below the one before, `before`."""

    first: int
    past: int | None
    size: float
    before: float
    score: float


def shifts(
    daily: "Floats", least: float, windows: tuple[int, ...] = WINDOWS, abrupt: bool = True, limit: float = _LIMIT
) -> list[Shift]:
    """The changes of a series of days, in order of time.

    Args:
        daily: [days] what is left of each day after season, kind of day and weather; NaN where nothing is known.
        least: a smaller change is none.
        windows: days that are compared before (twice as many) and after.
        abrupt: whether a slope is no change.
    """
    known = np.isfinite(daily)
    if known.sum() < 3 * windows[0]:
        return []
    at = np.arange(len(daily))
    whole = np.interp(at, at[known], daily[known])
    noise = 1.4826 * float(np.median(np.abs(whole - smooth(whole, 15)))) + 1e-9
    scored = [_scored(whole, known, width, noise) for width in windows if len(whole) >= 3 * width]
    found: list[Shift] = []
    while scored:
        peaks = [(float(np.abs(score).max()), i) for i, (score, _) in enumerate(scored)]
        best, i = max(peaks)
        if best < limit or len(found) >= 20:
            break
        score, size = scored[i]
        day, width = int(np.abs(score).argmax()), windows[i]
        first = _refined(whole, day, width)
        known_already = any(abs(first - one.first) < windows[0] for one in found)
        if abs(size[day]) >= least and not known_already and (not abrupt or _is_step(whole, first, width)):
            before = float(np.median(whole[max(0, first - 2 * width) : first]))
            found.append(Shift(first, None, float(size[day]), before, float(score[day])))
        for (other, _), own in zip(scored, windows, strict=False):
            other[max(0, day - max(width, own)) : day + max(width, own) + 1] = 0.0
    return _ended(sorted(found, key=lambda one: one.first), len(daily), least)


def _scored(whole: "Floats", known: "NDArray[np.bool_]", width: int, noise: float) -> "tuple[Floats, Floats]":
    """[days] how far the difference at each day stands out, [days] the difference; 0 near the ends."""
    n = len(whole)
    after = np.lib.stride_tricks.sliding_window_view(whole, width)
    before = np.lib.stride_tricks.sliding_window_view(whole, 2 * width)
    days = np.arange(2 * width, n - width + 1)
    size = np.zeros(n + 1)
    size[days] = np.median(after[days], axis=1) - np.median(before[days - 2 * width], axis=1)
    usual = 1.4826 * float(np.median(np.abs(size[days])))
    floor = noise * np.sqrt(np.pi / 2 * 1.5 / width) * 1.5  # days follow on each other: not as many as they seem
    total = np.concatenate(([0], np.cumsum(known)))
    seen = np.minimum(total[days + width] - total[days], (total[days] - total[days - 2 * width]) / 2)
    size[days[seen < _SEEN * width]] = 0.0  # days that nothing is known of prove nothing
    return size / max(usual, floor), size


def _refined(whole: "Floats", day: int, width: int) -> int:
    """The day near by at which two levels leave the least error."""
    reach = max(3, width // 2)
    low, high = max(0, day - 2 * width), min(len(whole), day + width)
    days = range(max(low + 2, day - reach), min(high - 2, day + reach) + 1)
    return min(days, key=lambda at: _off(whole[low:at]) + _off(whole[at:high]), default=day)


def _off(part: "Floats") -> float:
    return float(np.abs(part - np.median(part)).sum()) if len(part) else 0.0


def _is_step(whole: "Floats", first: int, width: int) -> bool:
    part = whole[max(0, first - width) : first + width]
    at = first - max(0, first - width)
    days = np.arange(len(part))
    slope = part - np.polyval(np.polyfit(days, part, 1), days)
    step = np.concatenate((part[:at] - part[:at].mean(), part[at:] - part[at:].mean()))
    return float((step**2).sum()) < _STEP * float((slope**2).sum())


def _ended(found: list[Shift], days: int, least: float) -> list[Shift]:
    """A change that goes back ends there, and its going back is no change of its own."""
    kept: list[Shift] = []
    left = list(found)
    while left:
        one = left.pop(0)
        past = one.first + STAYS if days - one.first > STAYS else None
        back = next((other for other in left if _goes_back(one, other, least)), None)
        if back:
            left.remove(back)
            past = back.first
        kept.append(Shift(one.first, past, one.size, one.before, one.score))
    return kept


def _goes_back(one: Shift, other: Shift, least: float) -> bool:
    near = abs(one.size + other.size) < max(0.5 * max(abs(one.size), abs(other.size)), least)
    return near and other.first - one.first <= STAYS and one.size * other.size < 0


def without_christmas(daily: "Floats", ordinals: "NDArray[np.int64]") -> "Floats":
    """Between 20 December and 12 January half the world is on leave: its level says nothing."""
    days = [date.fromordinal(int(one)) for one in ordinals]
    away = np.array([(day.month, day.day) >= (12, 20) or (day.month, day.day) <= (1, 12) for day in days])
    return np.where(away, np.nan, daily)
