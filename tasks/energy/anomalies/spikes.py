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
from tasks.energy.anomalies.robust import block_limit, median, scale, smooth, threshold
from tasks.energy.forecasting.calendar import HOLIDAY
from tasks.energy.series import DAY, HOUR
from tasks.metering.grid import runs
from tasks.metering.usage import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

AROUND = (9 * HOUR, 37 * HOUR)  # the running medians: what lasts longer than half of the wider is a matter of days
WEEKLY = 0.02  # false alarms that a meter may give a week, if its tail is as assumed
LEAST, LEAST_SHARE = 5.0, 0.12  # deviations, and share of an hour's usual energy: below it nobody cares
LEAST_DAY = 0.0075  # of a day's usual energy: a spike of less is no news
DAYS, LEAST_DAYS, DAY_SHARE = 29, 5.0, 0.15  # the same for whole days
_ENOUGH = 12  # free days, or working days, of which a scale of their own is known
_JOIN = 2  # steps between two parts of the same event
# Times the threshold: from 23 December to 2 January, on a holiday (of each there is one a year), on the hottest and the
# coldest days, and in the last hours, which the next look sees with what follows; and more in the first four weeks.
_CHRISTMAS, _HOLIDAY, _EXTREME, _EDGE, _YOUNG = 3.0, 1.5, 1.5, 1.4, 0.5
_WEEKS = 21  # days: with fewer none can be called another
_RARE = 0.025  # of the days are the hottest, and as many the coldest: the regression has seen few of them


@dataclass(frozen=True, slots=True)
class Event:
    """Steps first to past (not counted) and what was to be expected in them."""

    first: int
    past: int
    expected: "Floats"


def hours(usage: Usage, known: Expected) -> list[Event]:
    """Hours out of the usual, none over another; none where the steps are days."""
    rest, model = known.flat(known.residual), known.flat(known.model)
    found: list[Event] = []
    for width in AROUND if usage.step < DAY else ():
        around = smooth(rest, width // usage.step | 1)
        own = rest - around
        score = np.abs(own) / _usual(usage, known, own)
        limit = _limit(known, own, score) * _eased(known)[known.day]
        limit[-(width // usage.step // 2) :] *= _EDGE
        expected = model + around
        floor = LEAST_SHARE * np.maximum(np.abs(expected), np.nanmean(np.abs(known.kwh)))
        with np.errstate(invalid="ignore"):
            strong = (score > limit) & (np.abs(own) > floor)
            weak = score > limit / 2
        least = LEAST_DAY * known.kwh.shape[1] * float(np.nanmean(np.abs(known.kwh)))
        events = _grown(strong, weak, np.sign(own))
        found += [Event(*one, expected[slice(*one)]) for one in events if abs(np.nansum(own[slice(*one)])) > least]
    return _once(found)


def _limit(known: Expected, own: "Floats", score: "Floats") -> "Floats":
    """[n] the threshold, for more and for less by itself: what people switch on has the longer tail."""
    rate = WEEKLY / len(AROUND) / 7
    both = []
    for side in (own > 0, own <= 0):
        laid = np.zeros(known.kwh.shape)
        laid[known.day, known.slot] = np.where(side & np.isfinite(score), score, 0.0)
        most = laid.max(axis=1)
        both.append(block_limit(most[most > 0], rate, LEAST))
    return np.where(own > 0, *both)


def _once(found: list[Event]) -> list[Event]:
    """Of those that overlap the longest."""
    kept: list[Event] = []
    for one in sorted(found, key=lambda one: one.first - one.past):
        if all(one.past <= other.first or one.first >= other.past for other in kept):
            kept.append(one)
    return kept


def _usual(usage: Usage, known: Expected, own: "Floats") -> "Floats":
    """[n] how large such rests usually are: by step of the day, and by how restless the month is."""
    laid = np.full(known.kwh.shape, np.nan)
    laid[known.day, known.slot] = own
    floor = 0.005 * float(np.nanmean(np.abs(known.kwh))) + 1e-6
    size = np.empty_like(laid)
    for rows in (known.free, ~known.free):
        size[rows] = np.maximum(_by_slot(laid[rows if rows.sum() >= _ENOUGH else slice(None)]), floor)
    restless = smooth(scale((laid / size).T), DAYS)
    return known.flat(size * np.clip(restless, 0.8, 3.0)[:, None])


def _by_slot(laid: "Floats") -> "Floats":
    """[slots] scales, none smaller than that of the slots around it."""
    found = scale(laid)
    if len(found) < 5:
        return found
    return np.maximum(found, smooth(np.pad(found, 2, mode="wrap"), 5)[2:-2])


def _eased(known: Expected) -> "Floats":
    """[days] times the threshold."""
    days = len(known.ordinals)
    found = np.full(days, 1 + _YOUNG * max(0.0, 1 - days / 28))
    for i, ordinal in enumerate(known.ordinals):
        day = date.fromordinal(int(ordinal))
        if (day.month, day.day) >= (12, 23) or (day.month, day.day) <= (1, 2):
            found[i] *= _CHRISTMAS
    found[known.kinds == HOLIDAY] *= _HOLIDAY
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


def days(usage: Usage, known: Expected) -> list[Event]:
    """One to six days of another level."""
    if len(known.ordinals) < _WEEKS:
        return []
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
