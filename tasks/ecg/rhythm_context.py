"""A beat's place in the rhythm: how early it comes, against its neighbours and the person's own pace."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

REACH = 4
"""RR intervals told before and after each beat's own."""

ENOUGH = 3
"""Beats below which there is no rhythm to tell."""

RHYTHM_SIZE = 2 * REACH + 10


def rhythm(times: NDArray[np.float64]) -> Floats:
    """Describe each beat's timing by logarithms of ratios of RR intervals (premature is below zero).

    Args:
        times: rising times of the R peaks, seconds.

    Returns:
        (n, RHYTHM_SIZE) float32: the RR intervals from 3 before to 4 after against the person's median; this one and
        the next against the local mean and median; local irregularity; the person's pace; and a last column that is
        1 where there is a rhythm and 0 (with all others) where there are too few beats.
    """
    if len(times) < ENOUGH:
        return np.zeros((len(times), RHYTHM_SIZE), np.float32)
    gaps = np.log(np.clip(np.diff(times), 0.15, 4.0))
    own = np.concatenate([[np.median(gaps)], gaps])
    usual = float(np.median(gaps))
    around = np.pad(own - usual, REACH, mode="edge")
    near = np.stack([around[REACH + k : REACH + k + len(own)] for k in range(1 - REACH, REACH + 1)], axis=1)
    columns = [near, _local(own), _pace(gaps, len(own)), np.ones((len(own), 1))]
    return np.clip(np.concatenate(columns, axis=1), -2, 2).astype(np.float32)


def _local(own: NDArray[np.float64]) -> NDArray[np.float64]:
    wide = 10
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(own, wide, mode="reflect" if len(own) > wide else "edge"), 2 * wide + 1
    )
    mean, median = np.log(np.exp(around).mean(axis=1)), np.median(around, axis=1)
    late = np.quantile(around, 0.8, axis=1)
    following = np.append(own[1:], own[-1])
    jumps = np.abs(np.diff(around, axis=1))
    return np.stack(
        [
            own - mean,
            following - mean,
            own - median,
            own - late,
            around.std(axis=1),
            np.median(jumps, axis=1),
            own + 0.2,
        ],
        axis=1,
    )


def _pace(gaps: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    values = [np.median(gaps) + 0.2, np.log(np.exp(gaps).mean()) - np.median(gaps), np.std(gaps)]
    return np.tile(values, (count, 1))[:, :2]
