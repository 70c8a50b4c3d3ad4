"""Some readings of one series, as they stand in the file, on their way to being settled."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TEMPERATURE = "\0temperature"  # stands for the series of the file's temperatures; no name of a meter has a NUL
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Readings in the file's order.

    Attributes:
        key, name: of the series.
        lines: [n] lines of the file, from 1.
        wall: [n] seconds since 1970 as of a clock.
        offset: [n] what that clock is ahead of UTC in seconds; `stamps.NO_ZONE` where the file does not say.
        values: [n] mWh, or mW where `power`, or hundredths of a degree.
        power: whether they are mean power over the interval.
        days: [n] days since 1970 as written.
    """

    key: str
    name: str
    lines: Whole
    wall: Whole
    offset: Whole
    values: NDArray[np.float64]
    power: bool
    days: Whole
