"""How much of each product goes in a day, from the sales (less returns) of its last weeks; all products at once.

Sales are put into weeks that end today. What sells nearly every week is forecast by its mean. What sells now and then
is not: its mean lies between the weeks without a sale and those with one, and jumps with each. It is told apart and
reckoned as the literature does:

- Syntetos, Boylan, Croston: On the categorization of demand patterns. Journal of the Operational Research Society 56
  (2005), 495-503: the average interval between weeks with sales (ADI, cut at 1.32) and the squared coefficient of
  variation of what these sold (CV², cut at 0.49) make four classes.
- Croston: Forecasting and stock control for intermittent demands. Operational Research Quarterly 23 (1972), 289-303;
  Syntetos, Boylan: The accuracy of intermittent demand estimates. International Journal of Forecasting 21 (2005),
  303-314 (SBA): size and interval are smoothed apart, and Croston's quotient is lowered by 1 - alpha/2, its bias.
- Teunter, Syntetos, Babai: Intermittent demand: linking forecasting to inventory obsolescence. European Journal of
  Operational Research 214 (2011), 606-615 (TSB): the chance of a sale falls each week without one, so that a product
  which died is not ordered for ever, as SBA would: that learns nothing while nothing is sold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.stock.kinds import DYING, ERRATIC, INTERMITTENT, LUMPY, NONE, SMOOTH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEEKS = 8
ADI_CUT, CV2_CUT = 1.32, 0.49
ALPHA = 0.2  # of sizes and intervals: the upper end of what the papers try, since eight weeks are few
BETA = 0.2  # of the chance of a sale
SILENT = 2  # so many of its usual intervals without a sale: it may be dying


@dataclass(frozen=True)
class Demand:
    """Of each product: sold in a day, the spread of a week's sales about it, the class, and how it came about."""

    daily: Floats
    weekly_spread: Floats
    kind: Ints
    adi: Floats  # average interval between weeks with sales, in weeks; 0: nothing was sold
    cv2: Floats
    weeks: Ints  # how many weeks of the window the product has been there


def weekly(net: Floats) -> Floats:
    """Net sales by week without what is below zero: what came back is taken off the weeks before, the nearest first."""
    sold = np.array(net, dtype=np.float64)
    back = np.zeros(len(sold))
    for week in range(sold.shape[1] - 1, -1, -1):
        held = sold[:, week] + back
        back = np.minimum(held, 0)
        sold[:, week] = np.maximum(held, 0)
    return sold


def reckon(net: Floats, days_known: Ints) -> Demand:
    """The demand of each product.

    Args:
        net: products by weeks, the oldest week first; what was sold less what came back.
        days_known: since when each product is known, today counted: of a new one, the weeks before it say nothing.
            One that was sold earlier than that was there earlier.
    """
    sold = weekly(net)
    weeks = _weeks_known(sold, days_known)
    column = np.arange(sold.shape[1])
    there = column >= (sold.shape[1] - weeks)[:, None]
    busy = (sold > 0) & there
    count = busy.sum(axis=1)
    total = sold.sum(axis=1)
    size = _quotient(total, count)
    adi = _quotient(weeks.astype(np.float64), count)
    cv2 = _quotient(_variance(sold, busy, size, count), size**2)
    mean = total / weeks
    spread = np.sqrt(_variance(sold, there, mean, weeks))
    kind = _classes(adi, cv2, count)
    quiet, usual = _silence(busy, weeks, count)
    kind[(count > 1) & (quiet > SILENT * usual)] = DYING
    rate = np.select(
        [count == 0, kind == DYING, (kind == INTERMITTENT) | (kind == LUMPY)],
        [0.0, _tsb(sold, busy, there, usual), _sba(sold, busy, there, adi)],
        mean,
    )
    return Demand(rate / 7, np.where(count > 0, spread, 0.0), kind, adi, cv2, weeks)


def _weeks_known(sold: Floats, days_known: Ints) -> Ints:
    """At least the week that goes on: a day's sales are no reason to order for seven such days."""
    width = sold.shape[1]
    first_sale = np.where(sold.any(axis=1), np.argmax(sold > 0, axis=1), width)
    known = np.clip(-(-days_known // 7), 1, width)
    return np.asarray(np.maximum(known, width - first_sale), dtype=np.int64)


def _variance(values: Floats, which: NDArray[np.bool_], mean: Floats, count: Ints) -> Floats:
    """Of those values in each row, as of a sample; 0 of fewer than two."""
    squares = np.where(which, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return np.where(count > 1, squares / np.maximum(count - 1, 1), 0.0)


def _classes(adi: Floats, cv2: Floats, count: Ints) -> Ints:
    rare, uneven = adi >= ADI_CUT, cv2 >= CV2_CUT
    cases = [count == 0, rare & uneven, rare, uneven]
    return np.select(cases, [NONE, LUMPY, INTERMITTENT, ERRATIC], SMOOTH).astype(np.int64)


def _silence(busy: NDArray[np.bool_], weeks: Ints, count: Ints) -> tuple[Ints, Floats]:
    """The weeks since the last sale, and the interval that was usual until then."""
    quiet = np.argmax(busy[:, ::-1], axis=1)
    return quiet, np.maximum(_quotient((weeks - quiet).astype(np.float64), count), 1.0)


def _sba(sold: Floats, busy: NDArray[np.bool_], there: NDArray[np.bool_], adi: Floats) -> Floats:
    """Weekly rate: sizes begin with the first sale, intervals with their mean."""
    size, interval = np.zeros(len(sold)), adi.copy()
    since = np.ones(len(sold))
    begun = np.zeros(len(sold), dtype=bool)
    for week in range(sold.shape[1]):
        now = busy[:, week]
        again = now & begun
        size = np.where(again, size + ALPHA * (sold[:, week] - size), np.where(now & ~begun, sold[:, week], size))
        interval = np.where(again, interval + ALPHA * (since - interval), interval)
        since = np.where(now, 1.0, since + there[:, week])
        begun |= now
    return (1 - ALPHA / 2) * _quotient(size, interval)


def _tsb(sold: Floats, busy: NDArray[np.bool_], there: NDArray[np.bool_], usual: Floats) -> Floats:
    """Weekly rate: the smoothed chance of a sale, begun with what was usual, times the smoothed size."""
    size, chance = np.zeros(len(sold)), 1 / usual
    begun = np.zeros(len(sold), dtype=bool)
    for week in range(sold.shape[1]):
        now = busy[:, week]
        first, again = now & ~begun, now & begun
        size = np.where(again, size + ALPHA * (sold[:, week] - size), np.where(first, sold[:, week], size))
        chance = np.where(begun & there[:, week], chance + BETA * (now - chance), chance)
        begun |= now
    return chance * size


def _quotient(above: Floats | Ints, below: Floats | Ints) -> Floats:
    """Zero where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros(len(above)), where=np.asarray(below) != 0)
