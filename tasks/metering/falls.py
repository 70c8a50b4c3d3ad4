"""A counter that falls again and again: all its falls at once, in one pass, and one finding for all of them. Pure."""

from typing import TYPE_CHECKING

import numpy as np

from tasks.metering import wording
from tasks.metering.usage import Finding, Readings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Whole = NDArray[np.int64]

MANY = 200  # falls; up to so many each is told, and looked at by itself
RESET = 0.9  # a value below this share of the one before began again from zero
BACKWARDS = (
    "The counter counts backwards: it fell {falls} of the {moves} times that it moved. What is fed in, or a sensor "
    "with the wrong sign, does so. Turn its sign where it is sent and send it again, or make the meter one of "
    "intervals; so far only what is above its former values is counted."
)
OFTEN = (
    "The counter fell {falls} times. A fall of a tenth or more is taken as a reset and counted from zero on, a smaller "
    "one as an error of the sensor, after which only what is above its former value is counted. If it begins again "
    "each day or hour that is right; otherwise look at the sensor."
)


def counted(readings: Readings, limit: "Floats", rolls_at: int | None) -> "tuple[Floats, Flags]":
    """The energy between each two readings in mWh, and whether it is known.

    Args:
        readings: [n] of a counter.
        limit: [n - 1] mWh that may have been used between two readings at most.
        rolls_at: the mWh at which it begins again, if that is known. Without, every large fall is a reset.
    """
    values = readings.values
    rose = np.diff(values)
    before, after, fell = values[:-1], values[1:], rose < 0
    rolled = fell & (before < rolls_at) & (rose + rolls_at <= limit) if rolls_at else np.zeros(len(rose), bool)
    slip = fell & ~rolled & (before > 0) & (after >= RESET * before)
    anew = fell & ~slip
    energy = np.diff(_highest(values, anew)).astype(np.float64)
    energy[anew] = np.maximum(after[anew], 0)
    energy[rolled] = rose[rolled] + float(rolls_at or 0)
    known: Flags = ~(anew & ~rolled & (energy > limit))
    energy[~known] = 0.0
    return energy, known


def _highest(values: "Whole", anew: "Flags") -> "Whole":
    """The highest value so far since it last began anew: by ranks, so that one pass does for all stretches."""
    sizes, ranks = np.unique(values, return_inverse=True)
    base = np.concatenate(([0], np.cumsum(anew))) * len(sizes)
    found: Whole = sizes[np.maximum.accumulate(base + ranks) - base]
    return found


def told(readings: Readings) -> Finding:
    """One finding for all falls; what to do about them."""
    rose = np.diff(readings.values)
    falls, moves = int((rose < 0).sum()), int((rose != 0).sum())
    words = BACKWARDS if 2 * falls > moves else OFTEN
    text = words.format(falls=f"{falls:,}", moves=f"{moves:,}")
    return Finding(
        "negative" if words is BACKWARDS else "reset", int(readings.times[0]), int(readings.times[-1]), falls, text
    )


def some(found: list[Finding], every: "Whole", times: "Whole", zone: str) -> list[Finding]:
    """What was told of the first places, and how many more there are."""
    if len(every) <= len(found):
        return found
    last, more = int(times[every[-1]]), len(every) - len(found)
    text = f"{more:,} more like this, dealt with in the same way, until {wording.moment(last, zone)}."
    return [*found, Finding(found[0].kind, int(times[every[len(found)]]), last, more, text)]
