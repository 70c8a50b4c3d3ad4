"""Says which part of the traces is which lead: rows, calibration pulses, columns."""

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from tasks.ecg.picture.decode import Pixels
from tasks.ecg.picture.ink import DARK
from tasks.ecg.picture.trace import Trace, long_pieces

Floats = NDArray[np.float64]

THREE_BY_FOUR = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
SIX_BY_TWO = (("I", "V1"), ("II", "V2"), ("III", "V3"), ("aVR", "V4"), ("aVL", "V5"), ("aVF", "V6"))
TWELVE_ROWS = tuple((name,) for name in ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"))
RHYTHM = ("II", "V1", "V5")
PULSES_MM = (5.0, 10.0, 20.0)
PAGE_MM = 250.0  # 10 s at 25 mm/s


@dataclass(frozen=True)
class Row:
    """One row's trace in millimetres.

    Attributes:
        mm: height above the row's baseline in each column of the picture, NaN where there is no ink, shape (width,).
        first, last: the columns in which the signal begins and ends, without the calibration pulse.
        pulse_mm: the height of the calibration pulse (1 mV), or None when there is none.
    """

    mm: Floats
    first: int
    last: int
    pulse_mm: float | None


@dataclass(frozen=True)
class Segment:
    """One lead: its name, its row and its columns."""

    name: str
    row: int
    first: int
    last: int


def baselines(ink: Pixels, scale: float) -> list[int]:
    """The y of each row's baseline by the row profile: a trace lies on its baseline most of the time.

    Args:
        scale: pixels a millimetre.
    """
    pieces = long_pieces(ink, 10 * scale)
    profile = gaussian_filter1d(pieces.sum(axis=1, dtype=np.float64), 0.8 * scale)
    if profile.max() < 2:
        return []
    peaks, _ = find_peaks(np.pad(profile, 1), height=0.3 * profile.max(), distance=max(1, round(11 * scale)))
    found = [int(peak) - 1 for peak in peaks]
    # What runs along the rim is the paper's edge, unless there is nothing else.
    return [y for y in found if 4 * scale < y < ink.shape[0] - 4 * scale] or found


def measure_row(trace: Trace, baseline: float, scale: float) -> Row | None:
    """A trace in millimetres, with the calibration pulse found and cut off at either end."""
    seen = _longest(np.isfinite(trace.y), round(8 * scale))
    if seen.size < 2:
        return None
    mm = (baseline - trace.y) / scale
    # The pen's round ends reach beyond the signal by half its width, unless the picture ends first.
    cap = round(trace.pen / 2)
    first = int(seen[0]) + (cap if seen[0] > 0 else 0)
    last = int(seen[-1]) + 1 - (cap if seen[-1] < trace.y.size - 1 else 0)
    reach = round(22 * scale)
    left = _pulse(mm[first : first + reach], scale)
    right = _pulse(mm[max(last - reach, first) : last][::-1], scale)
    if left:
        first = _after_pulse(mm, first + left[1], scale)
    elif right:
        last = last - right[1] - round(scale)
    pulse = left or right
    return Row(mm, first, last, pulse[0] if pulse else None)


def _longest(seen: NDArray[np.bool_], gap: int) -> NDArray[np.int64]:
    """The columns of the longest stretch without a gap of so many: without marks beyond the ends of the trace."""
    at = np.flatnonzero(seen)
    pieces = np.split(at, np.flatnonzero(np.diff(at) > gap) + 1)
    return np.asarray(max(pieces, key=len))


def _pulse(mm: Floats, scale: float) -> tuple[float, int] | None:
    """Height of a calibration pulse at the start of a row and the column in which it ends."""
    if mm.size < 8 * scale or scale < 2:
        return None
    filled = np.nan_to_num(mm, nan=0.0)
    # The pulse stands on its own foot, which the signal's baseline may lie below or above.
    for foot, height in product((float(np.median(filled[: round(1.2 * scale)])), 0.0), PULSES_MM):
        end = _plateau(filled - foot, height, scale)
        if end:
            return float(np.median(filled[end - round(2 * scale) : end - 2]) - foot), end
    return None


def _plateau(mm: Floats, height: float, scale: float) -> int:
    """The column in which a pulse of about this height ends, 0 when there is none."""
    flat = np.abs(mm - height) < 0.09 * height + 0.2
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat.astype(np.int8), [0]])))
    foot = round(1.2 * scale)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        before, after = mm[max(start - foot, 0)], mm[min(end + foot, mm.size - 1)]
        if 2.0 < (end - start) / scale < 6.5 and max(abs(after), abs(before)) < 0.25 * height:
            return int(end)
    return 0


def upside_down(rows: list[Row], scale: float, guess: bool) -> bool:
    """Whether the calibration pulses hang: then the page lies on its head.

    Args:
        guess: without any pulse, take it to lie so when most of the trace's spikes point down.
    """
    if any(row.pulse_mm is not None for row in rows):
        return False
    reach = round(22 * scale)
    ends = [(-row.mm[row.first : row.first + reach], -row.mm[row.last - reach : row.last][::-1]) for row in rows]
    hanging = [_pulse(left, scale) or _pulse(right, scale) for left, right in ends if right.size]
    if any(hanging):
        return sum(pulse is not None for pulse in hanging) * 2 > len(rows)
    return guess and float(np.mean([_skew(row.mm) for row in rows])) < 0


def _skew(mm: Floats) -> float:
    seen = mm[np.isfinite(mm)]
    return float(np.mean((seen - np.median(seen)) ** 3))


def _after_pulse(mm: Floats, end: int, scale: float) -> int:
    """Where the signal begins: after the gap that follows the pulse's foot, else a millimetre behind the pulse."""
    window = np.isnan(mm[end : end + round(7 * scale)])
    gaps = np.flatnonzero(window)
    return end + int(gaps[-1]) + 1 if gaps.size else end + round(scale)


def columns(ink: Pixels, rows: list[Row], lines: list[int], scale: float) -> int:
    """How many leads stand side by side: 4, 2 or 1, by the names printed where they begin."""
    letters = _letters(ink, scale)
    first = float(np.median([row.first for row in rows]))
    width = float(np.median([row.last - row.first for row in rows]))
    for count in (4, 2):
        starts = [first + width * part / count for part in range(1, count)]
        named = [sum(_named(letters, start, line, scale) for line in lines) for start in starts]
        if min(named) >= max(1, 0.5 * min(len(lines), 3 if count == 4 else 6)):
            return count
    return 1


def _letters(ink: Pixels, scale: float) -> Floats:
    """Middles (x, y) of pieces of ink of a letter's size, shape (n, 2)."""
    mask = (ink > DARK).astype(np.uint8)
    _, _, stats, middles = cv2.connectedComponentsWithStats(mask)
    tall, wide = stats[:, cv2.CC_STAT_HEIGHT] / scale, stats[:, cv2.CC_STAT_WIDTH] / scale
    return np.asarray(middles[(tall > 1.2) & (tall < 6) & (wide > 0.2) & (wide < 8)], dtype=np.float64)


def _named(letters: Floats, start: float, line: int, scale: float) -> bool:
    x, y = (letters[:, 0] - start) / scale, (line - letters[:, 1]) / scale
    return bool(np.any((x > -3) & (x < 10) & (y > 3) & (y < 25)))


def segments(rows: list[Row], count: int, scale: float) -> tuple[list[Segment], tuple[str, ...]]:
    """The leads by the usual layouts, and sentences about what was assumed."""
    table = {4: THREE_BY_FOUR, 2: SIX_BY_TWO, 1: TWELVE_ROWS}[count]
    if len(rows) < len(table):
        if len(rows) == 1:
            return [Segment("unknown", 0, rows[0].first, rows[0].last)], ()
        note = "The layout of the page is not a usual one: each row was read as one lead without a name."
        names = ["unknown"] + [f"unknown {number}" for number in range(2, len(rows) + 1)]
        return [Segment(name, i, rows[i].first, rows[i].last) for i, name in enumerate(names)], (note,)
    found = [part for i, names in enumerate(table) for part in _split(rows[i], i, names, scale)]
    extra = range(len(table), min(len(rows), len(table) + len(RHYTHM)))
    rhythm = [part for k, i in enumerate(extra) for part in _split(rows[i], i, RHYTHM[k : k + 1], scale)]
    layout = {4: "3x4", 2: "6x2", 1: "12x1"}[count]
    notes = [f"Lead names were assumed from the usual {layout} layout."]
    if rhythm:
        notes.append(f"The long row at the bottom was taken as the rhythm strip of lead {rhythm[0].name}.")
    taken = {part.name for part in rhythm}
    return rhythm + [part for part in found if part.name not in taken], tuple(notes)


def _split(row: Row, number: int, names: tuple[str, ...], scale: float) -> list[Segment]:
    """A row cut into equal leads; a row of nearly 10 s is taken as exactly that, counted from its end."""
    whole = (row.last - row.first) / scale
    first = row.last - PAGE_MM * scale if abs(whole - PAGE_MM) < 4 else row.first
    edges = np.linspace(first, row.last, len(names) + 1).round().astype(int)
    return [Segment(name, number, int(edges[i]), int(edges[i + 1])) for i, name in enumerate(names)]
