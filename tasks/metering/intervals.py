"""Readings of an interval meter as stretches of known energy: stamps put onto the grid, coarser parts spread. Pure."""

from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.series import DAY
from tasks.metering import oddities, wording
from tasks.metering.cadence import Cadence, cadence, lengths
from tasks.metering.grid import Pieces, edges
from tasks.metering.usage import Finding, Readings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OFF, _MOST_OFF = 0.1, 300  # of an interval, and seconds: as far as a stamp may lie beside the grid
_RARE = 0.01  # of the readings: fewer are negative by mistake rather than fed in


def pieces(readings: Readings, step: int, zone: str) -> tuple[Pieces, list[Finding]]:
    """What each reading stands for. `readings` are tidy and not empty."""
    readings, found = oddities.without_absurd(readings, zone)
    readings, more = oddities.one_unit(readings, zone)
    found += more
    own = cadence(readings.times)
    readings, more = _onto_the_grid(readings, own, step, zone)
    found += more + _negative(readings, zone)
    length = lengths(readings.times, readings.values, own, zone)
    found += _coarser(readings, length, own, step, zone)
    measured = np.ones(len(length), dtype=bool)
    return Pieces(readings.times, readings.times + length, readings.values.astype(np.float64), measured), found


def _onto_the_grid(readings: Readings, own: Cadence, step: int, zone: str) -> tuple[Readings, list[Finding]]:
    """Stamps a few seconds off, and those that all stand at seven minutes past."""
    if not own.regular or own.seconds > DAY or len(readings.times) < 3:
        text = f"The readings come at no steady interval, about every {wording.every(own.seconds)}; each was spread "
        text += "over the time to the next."
        odd = not own.regular and len(readings.times) >= 3
        return readings, [Finding("step", *_ends(readings), len(readings.times), text)] if odd else []
    times, found = readings.times, list[Finding]()
    off = _off(times, own, step, zone)
    moved = off != 0
    if not moved.any():
        return readings, found
    most = int(np.abs(off).max())
    text = f"{wording.count(int(moved.sum()), 'reading')} stood up to {wording.length(most)} beside a full "
    text += f"{wording.every(own.seconds)}; each was put onto the nearest."
    found.append(Finding("step", int(times[moved][0]), int(times[moved][-1]), int(moved.sum()), text))
    put = times - off
    order = np.argsort(put, kind="stable")
    return oddities.once(put[order], readings.values[order], zone, found)


def _off(times: "NDArray[np.int64]", own: Cadence, step: int, zone: str) -> "NDArray[np.int64]":
    """[n] seconds that a stamp lies after the place where it belongs."""
    if own.seconds == DAY:
        return _off_midnight(times, step, zone)
    every = own.seconds
    base = int(edges(int(times[0]), int(times[0]) + 1, every, zone)[0])
    angle = np.exp(2j * np.pi * (((times - base) % every) / every))
    mean = complex(angle.mean())
    if abs(mean) < 0.5:
        return np.zeros(len(times), dtype=np.int64)
    tolerance = min(every * _OFF, _MOST_OFF)
    phase = round(float(np.angle(mean)) / (2 * np.pi) * every)
    if abs(phase) <= tolerance:
        phase = 0
    beside = (times - base - phase + every // 2) % every - every // 2
    beside = np.where(np.abs(beside) <= tolerance, beside, 0)
    return beside + np.where(np.abs(beside) <= tolerance, phase, 0) if every == step else beside


def _off_midnight(times: "NDArray[np.int64]", step: int, zone: str) -> "NDArray[np.int64]":
    """Daily readings that are stamped at another hour belong to the local day that they mostly cover."""
    none = np.zeros(len(times), dtype=np.int64)
    if step != DAY:
        return none
    borders = edges(int(times[0]) - DAY, int(times[-1]) + DAY, DAY, zone)
    after = np.searchsorted(borders, times + DAY // 2, "right") - 1
    return times - borders[after]


def _ends(readings: Readings) -> tuple[int, int]:
    return int(readings.times[0]), int(readings.times[-1])


def _negative(readings: Readings, zone: str) -> list[Finding]:
    below = readings.values < 0
    if not 0 < below.sum() < _RARE * len(below):
        return []
    first = int(readings.times[below][0])
    text = f"{wording.count(int(below.sum()), 'reading')} below zero, the first {wording.moment(first, zone)}; "
    text += "kept, as energy that was fed in."
    return [Finding("negative", first, int(readings.times[below][-1]), int(below.sum()), text)]


def _coarser(readings: Readings, length: "NDArray[np.int64]", own: Cadence, step: int, zone: str) -> list[Finding]:
    """Where a reading stands for more than a step."""
    long = length > 1.5 * step
    if not long.any():
        return []
    usual = int(np.median(length[long]))
    first, last = int(readings.times[long][0]), int((readings.times + length)[long][-1])
    where = "The readings" if long.mean() > 0.9 else f"{wording.count(int(long.sum()), 'reading')} "
    where += "" if long.mean() > 0.9 else wording.span(first, last, zone)
    text = f"{where} stand for a {wording.every(_near(usual, own))} each; their energy was spread evenly over steps of "
    text += f"a {wording.every(step)}."
    return [Finding("step", first, last, int(long.sum()), text)]


def _near(usual: int, own: Cadence) -> int:
    return own.seconds if abs(usual - own.seconds) < 0.1 * own.seconds else usual
