"""Whether one series comes in kWh and in Wh by turns: values a thousand times as large as others of their kind."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
GAP = 0.5  # decades without a single value between the two kinds
NEAR = 0.35  # decades by which the two kinds may differ once the factor of 1000 is taken out
LEAST, SHARE = 3, 0.01
COUNTER = (900.0, 1110.0)


def threshold(values: Values, *, rising: bool) -> float | None:
    """What lies between the small and the large values, where the large are the small times 1000; else None.

    Of a counter: a jump to about a thousand times what it showed, or back. Of intervals: two groups of values with
    half a decade of nothing between them, whose tenths, medians and nine tenths differ by a factor of 1000.
    """
    known = np.abs(values[values != 0])
    if len(known) < 2 * LEAST:
        return None
    if jump := _jump(values):
        return jump
    if rising:
        return None
    logs = np.sort(np.log10(known))
    widths = np.diff(logs)
    at = int(widths.argmax())
    low, high = logs[: at + 1], logs[at + 1 :]
    if widths[at] < GAP or min(len(low), len(high)) < max(LEAST, SHARE * len(logs)):
        return None
    apart = np.quantile(high, (0.1, 0.5, 0.9)) - np.quantile(low, (0.1, 0.5, 0.9))
    return float(10 ** ((logs[at] + logs[at + 1]) / 2)) if bool((np.abs(apart - 3) < NEAR).all()) else None


def _jump(values: Values) -> float | None:
    """A counter's: most steps are small beside the value, and some make it a thousand times as large."""
    before, after = values[:-1], values[1:]
    known = (before > 0) & (after > 0)
    ratio = np.where(known, after, 1.0) / np.where(known, before, 1.0)
    quiet = (ratio > 0.5) & (ratio < 2)
    up = (ratio > COUNTER[0]) & (ratio < COUNTER[1])
    down = (ratio > 1 / COUNTER[1]) & (ratio < 1 / COUNTER[0])
    if not (up | down).any() or (quiet | up | down).mean() < 0.95 or np.abs(np.log10(ratio[quiet])).max() > 0.1:
        return None
    at = int(np.flatnonzero(up | down)[0])
    return float(np.sqrt(before[at] * after[at]))
