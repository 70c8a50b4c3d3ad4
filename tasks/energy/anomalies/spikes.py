"""Hours, and whole days, of much more or much less than was to be expected. Pure.

Of what is left after the regression the hours around are subtracted (a running median): weather that nobody measured
moves a whole day, a fault moves some hours of it. What remains is divided by the usual size of such rests at that hour
of the day and in that season, and judged by its own tail, so that a restless meter is not reported every night.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.anomalies.model import Expected
from tasks.energy.anomalies.robust import median, scale, smooth, threshold
from tasks.energy.series import DAY, HOUR
from tasks.metering.grid import runs
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

AROUND = (9 * HOUR, 37 * HOUR)  # the running medians: what lasts longer than half of the wider is a matter of days
WEEKLY = 0.02  # false alarms that a meter may give a week, if its tail is as assumed
LEAST, LEAST_SHARE = 5.0, 0.08  # deviations, and share of an hour's usual energy: below it nobody cares
DAYS, LEAST_DAYS, DAY_SHARE = 29, 5.0, 0.15  # the same for whole days
_JOIN = 2  # steps between two parts of the same event
_CHRISTMAS, _EXTREME = (
    2.0,
    1.5,
)  # times the threshold, from 23 December to 2 January and on the hottest and coldest days
_EDGE, _YOUNG = 1.4, 0.5  # times: the last hours, which the next look sees with what follows; more in four weeks
_RARE = 0.025  # of the days are the hottest, and as many the coldest: the regression has seen few of them


@dataclass(frozen=True, slots=True)
class Event:
    """Steps first to past (not counted) and what was to be expected in them."""

    first: int
    past: int
    expected: "Floats"


def events(usage: Usage, known: Expected) -> list[Event]:
    """Hours and days out of the usual, in order of time; none within another."""
    days = _days(usage, known) if known.kwh.shape[0] >= 21 else []
    if usage.step == DAY:
        return days
    hours = [one for one in _hours(usage, known) if not any(day.first <= one.first < day.past for day in days)]
    return sorted([*days, *hours], key=lambda one: one.first)


def _hours(usage: Usage, known: Expected) -> list[Event]:
    rest = known.flat(known.residual)
    model = known.flat(known.model)
    eased = _eased(known)[known.day]
    found: list[Event] = []
    for width in AROUND:
        if width < 5 * usage.step:
            continue
        around = smooth(rest, width // usage.step | 1)
        own = rest - around
        score = np.abs(own) / _usual(usage, known, own)
        limit = threshold(score, WEEKLY / len(AROUND) * usage.step / (7 * DAY), LEAST) * eased
        limit[-(width // usage.step // 2) :] *= _EDGE
        expected = model + around
        floor = LEAST_SHARE * np.maximum(np.abs(expected), np.nanmean(np.abs(known.kwh)))
        with np.errstate(invalid="ignore"):
            strong = (score > limit) & (np.abs(own) > floor)
            weak = score > limit / 2
        found += [Event(first, past, expected[first:past]) for first, past in _grown(strong, weak, np.sign(own))]
    return _once(found)


def _once(found: list[Event]) -> list[Event]:
    """Of those that overlap the longest."""
    kept: list[Event] = []
    for one in sorted(found, key=lambda one: one.first - one.past):
        if all(one.past <= other.first or one.first >= other.past for other in kept):
            kept.append(one)
    return kept


def _usual(usage: Usage, known: Expected, own: "Floats") -> "Floats":
    """[n] how large such rests usually are: by step of the day, and by how restless the month is."""
    slots = known.kwh.shape[1]
    laid = np.full(known.kwh.shape, np.nan)
    laid[known.day, known.slot] = own
    by_slot = scale(laid)
    wide = np.pad(by_slot, 2, mode="wrap") if slots >= 5 else by_slot
    by_slot = np.maximum(by_slot, smooth(wide, 5)[2:-2] if slots >= 5 else by_slot)
    floor = 0.005 * float(np.nanmean(np.abs(known.kwh))) + 1e-6
    by_slot = np.maximum(by_slot, floor)
    restless = smooth(scale((laid / by_slot).T), DAYS)
    return np.asarray(by_slot[known.slot] * np.clip(restless, 0.8, 3.0)[known.day])


def _eased(known: Expected) -> "Floats":
    """[days] times the threshold."""
    days = len(known.ordinals)
    found = np.full(days, 1 + _YOUNG * max(0.0, 1 - days / 28))
    for i, ordinal in enumerate(known.ordinals):
        day = date.fromordinal(int(ordinal))
        if (day.month, day.day) >= (12, 23) or (day.month, day.day) <= (1, 2):
            found[i] *= _CHRISTMAS
    if known.degrees is not None:
        low, high = np.quantile(known.degrees, (_RARE, 1 - _RARE))
        found[(known.degrees < low) | (known.degrees > high)] *= _EXTREME
    return found


def _grown(strong: "NDArray[np.bool_]", weak: "NDArray[np.bool_]", sign: "Floats") -> list[tuple[int, int]]:
    """Each strong run with the weaker steps of the same sign beside it; near ones joined."""
    found: list[tuple[int, int]] = []
    for direction in (-1.0, 1.0):
        for first, past in runs(weak & (sign == direction)):
            where = np.flatnonzero(strong[first:past])
            if len(where):
                found.append((int(first), int(past)))
    joined: list[tuple[int, int]] = []
    for first, past in sorted(found):
        if joined and first - joined[-1][1] < _JOIN and sign[first] == sign[joined[-1][0]]:
            joined[-1] = (joined[-1][0], past)
        else:
            joined.append((first, past))
    return joined


def _days(usage: Usage, known: Expected) -> list[Event]:
    """One to six days of another level."""
    whole = np.isfinite(known.kwh).mean(axis=1) >= 0.9
    rest = np.where(whole, median(known.residual.T), np.nan)
    level = smooth(rest, DAYS)
    own = rest - level
    usual = scale(own[:, None])[0] + 0.005 * float(np.nanmean(np.abs(known.kwh))) + 1e-6
    score = np.abs(own) / usual
    limit = threshold(score, WEEKLY / 7, LEAST_DAYS) * _eased(known)
    floor = DAY_SHARE * median(np.abs(known.model).T)
    with np.errstate(invalid="ignore"):
        strong = (score > limit) & (np.abs(own) > floor)
    expected = known.flat(known.model + level[:, None])
    return [
        _event(known, first, past, expected)
        for first, past in _grown(strong, strong, np.sign(own))
        if past - first < 7
    ]  # fmt: skip


def _event(known: Expected, first: int, past: int, expected: "Floats") -> Event:
    low, high = (int(at) for at in np.searchsorted(known.day, (first, past)))
    return Event(low, high, expected[low:high])
