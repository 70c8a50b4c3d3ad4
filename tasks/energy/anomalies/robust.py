"""Medians, scales and tails that a few wrong values do not move. Pure; without warnings where nothing is known."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def median(values: "Floats", nothing: float = 0.0) -> "Floats":
    """[b] of [a, b], over the first axis, without NaN; `nothing` where there is none."""
    ordered = np.sort(values, axis=0)  # NaN last
    many = np.isfinite(values).sum(axis=0)
    at = np.arange(values.shape[1])
    low, high = np.maximum(many - 1, 0) // 2, np.minimum(many // 2, np.maximum(many - 1, 0))
    return np.where(many > 0, (ordered[low, at] + ordered[high, at]) / 2, nothing)


def scale(values: "Floats") -> "Floats":
    """[b] standard deviations by the median absolute deviation from zero, over the first axis."""
    return 1.4826 * median(np.abs(values))


def smooth(values: "Floats", width: int) -> "Floats":
    """[n] running median over `width` values, centred, mirrored at the ends. NaN is drawn through."""
    from scipy.ndimage import median_filter

    known = np.isfinite(values)
    if not known.any():
        return np.zeros_like(values)
    at = np.arange(len(values))
    whole = np.interp(at, at[known], values[known])
    return np.asarray(median_filter(whole, size=min(width, 2 * len(values) - 1), mode="reflect"))


def threshold(scores: "Floats", rate: float, least: float) -> float:
    """Beyond which a score is as rare as `rate` (of all scores), by an exponential tail from 85 to 95 % on.

    The far tail itself is not looked at: what is sought lies there. Pickands (1975): a tail beyond a high quantile is
    nearly generalised Pareto; its shape is taken as exponential, which is safe for lighter ones.
    """
    some = scores[np.isfinite(scores)]
    if len(some) < 50:
        return np.inf
    low, high = np.quantile(some, (0.85, 0.95))
    slope = (high - low) / np.log(3)
    return max(least, float(low + slope * np.log(0.15 / rate)))


def block_limit(most: "Floats", rate: float, least: float) -> float:
    """Beyond which no more than a share `rate` of all days has a score, by the largest score of each day.

    Gumbel (1958): largest values of blocks follow nearly his distribution, whatever the hours within a day have to do
    with each other. Its two parameters are taken from the median and the 90 % quantile, so that a tenth of the days may
    hold what is sought. A kettle in every third day is the meter's way; one fault a month is not.
    """
    if len(most) < 4:
        return np.inf
    middle, high = np.quantile(most, (0.5, 0.9))
    slope = (high - middle) / (np.log(np.log(2)) - np.log(-np.log(0.9)))
    return max(least, float(middle + slope * (np.log(np.log(2)) - np.log(-np.log(1 - rate)))))
