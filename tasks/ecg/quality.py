"""How well a signal can be read: seconds that are flat, clipped, noisy or swaying, and where.

Thresholds were set on MIT-BIH: clipping marks record 116 alone, noise the records that its notes call noisy (104, 108,
203, 228) in 5 to 13 % of their seconds and most others in none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Samples = NDArray[np.float64]

_FLAT, _NOISY, _SWAYING = 0.02, 0.025, 0.5
"""Against the height of the QRS: range within a second, spread of what is faster than 25 ms, baseline step."""
_CLIPPED_RUN = 4
_LEAD_OFF_S = 3
_WORTH_SAYING = 0.001


@dataclass(frozen=True)
class Quality:
    """How well a signal can be read.

    Attributes:
        score: share of its seconds with none of the faults, 0 to 1.
        notes: full sentences for the reader, one for each fault that was found.
        unreadable: (start, end) in seconds of stretches without a signal.
    """

    score: float
    notes: tuple[str, ...] = ()
    unreadable: tuple[tuple[float, float], ...] = ()


def assess_quality(signal: NDArray[np.floating], rate: float) -> Quality:
    """Judge one lead second by second.

    Args:
        signal: 1-D, mV (the scale does not matter); NaN counts as no signal.
        rate: samples a second, Hz.
    """
    values = np.asarray(signal, np.float64)
    known = np.isfinite(values)
    if len(values) < 2 or not known.any():
        return Quality(0.0, ("There is no signal to read.",))
    filled = np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
    second = max(2, min(round(rate), len(values)))
    height, flat = _height_and_flat(filled, second)
    flat |= _by_second(~known, second).mean(axis=1) > 0.2
    if height <= 0 or flat.all():
        return Quality(0.0, ("The line is flat from end to end: no lead was connected.",))
    clipped = _clipped(filled, second) & ~flat
    noisy = _noisy(filled, rate, second, height) & ~flat
    swaying = _swaying(filled, second, height) & ~flat
    step = second / rate
    faulty = flat | clipped | noisy | swaying
    notes = _notes(((flat, _FLAT_NOTE), (clipped, _CLIPPED_NOTE), (noisy, _NOISY_NOTE), (swaying, _SWAYING_NOTE)), step)
    return Quality(round(float(1 - faulty.mean()), 3), notes, _stretches(flat, step))


_FLAT_NOTE = "The line is flat for {}: a lead was probably off, and nothing is read there."
_CLIPPED_NOTE = "Peaks are cut off in {}: the signal is larger than the recorder could hold."
_NOISY_NOTE = "Muscle or mains noise covers {}: beats there are less certain."
_SWAYING_NOTE = "The baseline jumps in {}: the person or a cable moved."


def _by_second(values: NDArray[np.generic], second: int) -> NDArray[np.generic]:
    """(seconds, samples) of the whole seconds."""
    whole = len(values) // second * second
    return values[:whole].reshape(-1, second)


def _height_and_flat(values: Samples, second: int) -> tuple[float, Flags]:
    ranges = np.ptp(_by_second(values, second).astype(np.float64), axis=1)
    lively = ranges[ranges > _FLAT * np.percentile(ranges, 75)]
    height = float(np.percentile(lively, 75)) if len(lively) else 0.0
    return height, ranges <= _FLAT * height


def _clipped(values: Samples, second: int) -> Flags:
    """Seconds in which the signal stays at its very lowest or highest value for some samples."""
    extreme = (values == values.max()) | (values == values.min())
    held = np.convolve(extreme, np.ones(_CLIPPED_RUN), "same") >= _CLIPPED_RUN
    return cast(Flags, _by_second(held, second).any(axis=1))


def _noisy(values: Samples, rate: float, second: int, height: float) -> Flags:
    """Seconds whose fast part is wide by its median: a QRS is too short to move a median, noise is not."""
    fast = np.abs(values - _smooth(values, max(3, round(0.025 * rate))))
    spread = 1.4826 * np.median(_by_second(fast, second).astype(np.float64), axis=1)
    return spread > _NOISY * height


def _swaying(values: Samples, second: int, height: float) -> Flags:
    medians = np.median(_by_second(values, second).astype(np.float64), axis=1)
    return np.abs(np.diff(medians, prepend=medians[:1])) > _SWAYING * height


def _smooth(values: Samples, width: int) -> Samples:
    padded = np.pad(values, (width // 2, width - 1 - width // 2), mode="edge")
    total = np.cumsum(np.concatenate([[0.0], padded]))
    return cast(Samples, (total[width:] - total[:-width]) / width)


def _notes(faults: Sequence[tuple[Flags, str]], step: float) -> tuple[str, ...]:
    return tuple(note.format(_where(flags, step)) for flags, note in faults if flags.mean() > _WORTH_SAYING)


def _where(flags: Flags, step: float) -> str:
    seconds = float(flags.sum()) * step
    first = int(np.argmax(flags)) * step
    return f"{seconds:.0f} s (first at {clock(first)})" if seconds >= 1 else "the whole signal"


def _stretches(flags: Flags, step: float) -> tuple[tuple[float, float], ...]:
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    spans = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return tuple((start * step, end * step) for start, end in spans if end - start >= _LEAD_OFF_S)


def clock(seconds: float) -> str:
    """Minutes and seconds, as in 3:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
