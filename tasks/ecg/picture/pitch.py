"""Says how many millimetres a cell of the grid is, and where the paper is."""

from math import gcd

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from tasks.ecg.picture.decode import Pixels

Floats = NDArray[np.float64]
CLEAR = 30.0  # a line's power over the spectrum's floor that counts
FAINT = 0.4  # grey levels; a profile that swings less shows no lines
THICK = 0.17  # a trace is about 0.4 mm thick: 0.4 of a 1 mm cell, 0.08 of a 5 mm one


def cells_to_mm(dark: Pixels, cell_px: tuple[float, float], stroke_px: float) -> tuple[float, float] | None:
    """Millimetres a cell along x and y (with the cell's length corrected), or None when there is no grid after all.

    Args:
        dark: grid darkness of the straightened picture.
        cell_px: pixels a cell in it, along x and y.
        stroke_px: how thick the trace is: it decides when all lines are alike.
    """
    axes = [_Spectrum(dark.mean(axis=axis), cell_px[axis]) for axis in (0, 1)]
    if any(axis.power(1.0) < CLEAR or axis.swing < FAINT for axis in axes):
        return None
    # The axis with fine and bold lines speaks for both, else the one with more lines: cells of the paper are square.
    pitches = [_pitch(axis, stroke_px) for axis in axes]
    best = max((0, 1), key=lambda i: (pitches[i][1], axes[i].cells))
    scale = pitches[best][0] / axes[best].cell
    sizes = [_harmonic(axis.cell * scale) * axis.exact for axis in axes]
    return (sizes[0], sizes[1]) if all(sizes) else None


def _harmonic(mm: float) -> float:
    """The length nearest to `mm` that lines 5 mm apart or a harmonic of them can have, 0 when none is near."""
    nominal = 5.0 / max(round(5.0 / mm), 1)
    return nominal if 0.85 < mm / nominal < 1.18 else 0.0


def _pitch(spectrum: "_Spectrum", stroke: float) -> tuple[float, bool]:
    """Millimetres a cell along one axis, and whether fine and bold lines were both seen."""
    divisors = [d for d in (5, 4, 3, 2) if spectrum.cells / d >= 4]
    divisor = next((d for d in divisors if _has_between(spectrum, d)), 1)
    # The pattern repeats after so many cells: 5 mm when each fifth line is bold, else the trace's thickness tells.
    fifth = spectrum.power(5 / divisor)
    beside = max(spectrum.power(4 / divisor), spectrum.power(6 / divisor), 1.0)
    if fifth > 3 * beside and fifth > CLEAR:
        return 5.0 / divisor, True
    return (1.0 if stroke / (divisor * spectrum.cell) > THICK else 5.0) / divisor, False


def _has_between(spectrum: "_Spectrum", divisor: int) -> bool:
    """Whether the pattern's own period is so many times that of the lines followed."""
    parts = [m / divisor for m in range(1, divisor) if gcd(m, divisor) == 1]
    return sum(spectrum.power(part) > CLEAR for part in parts) > 0.6 * len(parts)


class _Spectrum:
    """The power of a profile at multiples of the followed frequency, over the floor of the spectrum.

    Attributes:
        cell: pixels a cell. cells: how many cells the profile has. swing: the profile's standard deviation.
        exact: what the cell is to be multiplied by, from the peak of the whole profile.
    """

    def __init__(self, profile: Floats, cell: float) -> None:
        self.cell, self.cells = cell, profile.size / cell
        fine = profile - gaussian_filter1d(profile, 3 * cell)
        self.swing = float(fine.std())
        self._bins = 8 * self.cells  # of one cycle a cell
        self._power = np.abs(np.fft.rfft(fine * np.hanning(fine.size), 8 * fine.size)) ** 2
        self._floor = float(np.median(self._power)) + 1e-9
        near = self._near(1.0, 0.015 * self._bins)
        peak = float(near[int(np.argmax(self._power[near]))])
        self.exact = peak / self._bins
        self._bins = peak

    def _near(self, multiple: float, reach: float) -> NDArray[np.int64]:
        middle = multiple * self._bins
        bins = np.arange(round(middle - reach - 3), round(middle + reach + 3) + 1)
        return np.clip(bins, 1, self._power.size - 1)

    def power(self, multiple: float) -> float:
        if multiple * self._bins > self._power.size - 8:
            return 0.0
        return float(self._power[self._near(multiple, 0.0)].max()) / self._floor


def paper(dark: Pixels, cell_px: tuple[float, float]) -> NDArray[np.bool_]:
    """Where the grid is, shape of `dark`: there is the paper, and not the table or a margin with other print."""
    height, width = dark.shape
    fine = dark.astype(np.float32) - cv2.blur(dark, (31, 31)).astype(np.float32)
    along = _demodulate(fine, np.arange(width)[None, :] / cell_px[0], max(cell_px))
    down = _demodulate(fine, np.arange(height)[:, None] / cell_px[1], max(cell_px))
    strength = np.minimum(along, down)
    mask = (strength > 0.3 * np.percentile(strength, 80)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return np.ones(dark.shape, dtype=np.bool_)
    largest = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y = np.flatnonzero(largest.any(axis=0)), np.flatnonzero(largest.any(axis=1))
    box = np.zeros(largest.shape, dtype=np.bool_)
    box[y[0] : y[-1] + 1, x[0] : x[-1] + 1] = True
    return np.asarray(
        cv2.resize(box.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.bool_
    )


def _demodulate(fine: NDArray[np.float32], cycles: Floats, cell: float) -> NDArray[np.float32]:
    """How strong the lines of one family are, in blocks of a few cells (shrunk to a quarter)."""
    angle = (2 * np.pi * cycles).astype(np.float32)
    side = round(max(4 * cell, 24))
    parts = [cv2.boxFilter(fine * wave(angle), -1, (side, side)) for wave in (np.cos, np.sin)]
    small = [cv2.resize(part, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) for part in parts]
    return np.asarray(np.hypot(small[0], small[1]), dtype=np.float32)
