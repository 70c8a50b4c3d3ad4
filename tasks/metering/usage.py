"""What a meter used, step by step, and what had to be done to its readings to say so."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Trouble = Literal["gap", "repeat", "order", "reset", "rollover", "overlap", "negative", "outlier", "step", "units"]


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings as they were taken.

    Attributes:
        times: [n] int64, epoch seconds, rising, no time twice. Of an interval meter: where each interval begins.
        values: [n] int64, milliwatt-hours (a millionth of a kWh): whole numbers, so that sums are exact.
    """

    times: "NDArray[np.int64]"
    values: "NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd in readings, and by which rule it was dealt with.

    Attributes:
        kind: what it is.
        start, end: epoch seconds.
        steps: how many steps it concerns.
        text: for people: what was found and what was done ("The counter went back from 812.4 to 0.0 kWh: …").
    """

    kind: Trouble
    start: int
    end: int
    steps: int
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Readings made regular: one value for each step, holes filled and marked.

    Attributes:
        times: [n] int64, epoch seconds at which each step begins; steps of DAY and MONTH begin at local midnight.
        kwh: [n] float64, filled where `filled`; negative where more was fed in than used.
        filled: [n] bool, where nothing was measured. Filled steps count in no score and no anomaly.
        step: seconds (see tasks.energy.series).
        zone: IANA time zone.
        findings: what was found and done, in order of time.
    """

    times: "NDArray[np.int64]"
    kwh: "NDArray[np.float64]"
    filled: "NDArray[np.bool_]"
    step: int
    zone: str
    findings: tuple[Finding, ...] = ()
