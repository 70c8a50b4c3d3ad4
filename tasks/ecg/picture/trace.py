"""Follows the trace through the ink by dynamic programming and gives it to a fraction of a pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import grey_dilation, grey_erosion, median_filter

from tasks.ecg.picture.decode import Pixels
from tasks.ecg.picture.ink import DARK

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

FINER = 4  # points a column at which the pen is undone
ALONG_INK, ALONG_PAPER = 0.004, 0.04  # what a pixel up or down costs; a column without ink costs 1


@dataclass(frozen=True)
class Trace:
    """One row's trace.

    Attributes:
        y: height in pixels for each column of the picture, shape (width,), NaN where there is no ink.
        top, bottom: where the ink that the trace runs through begins and ends in each column, shape (width,).
        stroke, pen: how thick the line is in pixels, up and down where it is flat and sideways where it is steep.
    """

    y: NDArray[np.float64]
    top: Rows
    bottom: Rows
    stroke: float
    pen: float


def stroke_of(ink: Pixels) -> float:
    """The thickness of lines in pixels: the median length of upright runs of ink."""
    mask = (ink > DARK).astype(np.int8)
    edges = np.diff(np.pad(mask, ((1, 1), (0, 0))), axis=0).T
    starts, ends = np.nonzero(edges == 1)[1], np.nonzero(edges == -1)[1]
    return float(np.median(ends - starts)) if starts.size else 1.0


def follow(bands: list[Pixels]) -> list[Trace]:
    """The trace in each band of ink, all of one shape (height, width): the cheapest way from left to right.

    A step to the next column costs what is missing in ink; moving up or down inside a column is cheap through ink and
    dear through paper, so a steep stroke is followed and a letter above the trace is not.
    """
    # Columns first: each step of the search reads one piece of memory.
    ink = np.ascontiguousarray(np.stack(bands).transpose(2, 0, 1))
    missing = (1.0 - np.minimum(np.arange(256) / 200.0, 1.0)).astype(np.float32)[ink]
    climb = np.cumsum(ALONG_INK + ALONG_PAPER * missing, axis=2)
    path = _cheapest(missing, climb)
    return [_measure(band, way) for band, way in zip(bands, path, strict=True)]


def _cheapest(missing: Floats, climb: Floats) -> Rows:
    """Viterbi's path, shape (bands, width). Each column's best predecessors come from two running minima."""
    width, bands, _ = missing.shape
    total = np.empty_like(missing)
    total[0] = missing[0]
    for x in range(1, width):
        level, before = climb[x], total[x - 1]
        down = np.minimum.accumulate(before - level, axis=1) + level
        up = np.minimum.accumulate((before + level)[:, ::-1], axis=1)[:, ::-1] - level
        total[x] = missing[x] + np.minimum(down, up)
    path = np.empty((width, bands), dtype=np.int64)
    path[-1] = total[-1].argmin(axis=1)
    every = np.arange(bands)
    for x in range(width - 1, 0, -1):
        here = climb[x, every, path[x]][:, None]
        path[x - 1] = (total[x - 1] + np.abs(climb[x] - here)).argmin(axis=1)
    return path.T


def _measure(ink: Pixels, path: Rows) -> Trace:
    top, bottom = _runs(ink > DARK, path)
    empty = bottom < top
    upper, lower = _edges(ink, top, bottom)
    stroke = float(np.median((lower - upper)[~empty])) if (~empty).any() else 1.0
    pen = _sideways(ink, top, bottom, stroke)
    y = _under_pen(upper, lower, (pen / 2, stroke / 2), empty)
    return Trace(np.where(empty, np.nan, y), top, bottom, stroke, pen)


def _runs(mask: Mask, path: Rows) -> tuple[Rows, Rows]:
    """First and last row of the ink that the path touches in each column (last < first where it touches none)."""
    height, width = mask.shape
    rows = np.arange(height)[:, None]
    starts = np.maximum.accumulate(np.where(mask, -1, rows), axis=0) + 1
    ends = np.minimum.accumulate(np.where(mask, height, rows)[::-1], axis=0)[::-1] - 1
    columns = np.arange(width)
    came = np.concatenate([path[:1], path[:-1]])
    touched = np.stack([path, came, np.clip(path - 1, 0, height - 1), np.clip(path + 1, 0, height - 1)])
    inside = mask[touched, columns]
    at = touched[inside.argmax(axis=0), columns]
    found = inside.any(axis=0)
    return np.where(found, starts[at, columns], 0), np.where(found, ends[at, columns], -1)


def _edges(ink: Pixels, top: Rows, bottom: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The runs' ends to a fraction of a pixel: where the darkness between two pixels crosses DARK."""
    columns = np.arange(ink.shape[1])
    padded = np.pad(ink, ((1, 1), (0, 0))).astype(np.float64)
    last = np.maximum(bottom, top)

    def beyond(inside: Rows, outside: Rows) -> NDArray[np.float64]:
        dark, pale = padded[inside + 1, columns], padded[outside + 1, columns]
        return np.clip((dark - DARK) / np.maximum(dark - pale, 1.0), 0.0, 1.0)

    return top - beyond(top, top - 1), last + beyond(last, last + 1)


def _sideways(ink: Pixels, top: Rows, bottom: Rows, stroke: float) -> float:
    """The width of the pen along x, pixels: how wide steep strokes are. It decides how narrow a QRS may be, and
    differs from the stroke's height by noise, blur and the way lines are drawn."""
    dark = np.pad(ink, ((0, 0), (1, 1))).astype(np.float64)
    change = np.diff((dark > DARK).astype(np.int8), axis=1)
    row, begin = np.nonzero(change == 1)  # the pale pixel before the run
    _, end = np.nonzero(change == -1)  # the run's last dark pixel
    left = begin + 1 - (dark[row, begin + 1] - DARK) / (dark[row, begin + 1] - dark[row, begin])
    right = end + (dark[row, end] - DARK) / (dark[row, end] - dark[row, end + 1])
    middle = np.clip((begin + end) // 2, 0, ink.shape[1] - 1)
    steep = (row > top[middle] + stroke) & (row < bottom[middle] - stroke)
    return float(np.percentile((right - left)[steep], 25)) if steep.sum() > 20 else 0.8 * stroke


def _under_pen(
    upper: NDArray[np.float64], lower: NDArray[np.float64], pen: tuple[float, float], empty: Mask
) -> NDArray[np.float64]:
    """The curve that a round pen of these radii (x, y) followed to leave these edges: the QRS apex correction.

    The upper edge is the curve eroded by the pen; dilating it gives peaks back exactly and fills narrow dips, and the
    lower edge does the opposite. Where the two disagree the pen's own width has closed a spike, and the one farther
    from the neighbourhood is the spike.
    """
    columns = np.arange(upper.size)
    fine = np.arange(FINER * (upper.size - 1) + 1) / FINER
    upper = np.interp(fine, columns, np.where(empty, -1e6, upper))
    lower = np.interp(fine, columns, np.where(empty, 1e6, lower))
    reach = int(pen[0] * FINER)
    across = np.arange(-reach, reach + 1) / FINER / pen[0]
    ball = pen[1] * np.sqrt(np.maximum(1 - across**2, 0.0))
    high = grey_dilation(upper, size=ball.size, structure=ball)[::FINER]
    low = grey_erosion(lower, size=ball.size, structure=ball)[::FINER]
    middle = (high + low) / 2
    around = median_filter(np.where(empty, np.median(middle), middle), round(16 * pen[0]) + 1)
    spike = np.where(np.abs(high - around) > np.abs(low - around), high, low)
    return np.asarray(np.where(low - high > pen[1], spike, middle))


def is_trace(trace: Trace, shortest: float) -> bool:
    """Whether what was followed is a drawn curve: long unbroken pieces that are neither a ruled line nor a scribble.

    Args:
        shortest: how many columns a piece must be long to count.
    """
    seen = np.isfinite(trace.y)
    joined = seen[1:] & seen[:-1] & (trace.top[1:] <= trace.bottom[:-1] + 2) & (trace.bottom[1:] >= trace.top[:-1] - 2)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], joined.astype(np.int8), [0]])))
    pieces = edges[1::2] - edges[::2]
    if pieces[pieces >= shortest].sum() < 0.6 * max(int(seen.sum()), 1) or seen.sum() < 2 * shortest:
        return False
    lengths = (trace.bottom - trace.top + 1)[seen]
    swing = float(np.ptp(np.percentile(trace.y[seen], (0.5, 99.5))))
    return swing > 2.0 * trace.stroke and float(np.mean(lengths > 4 * trace.stroke)) < 0.35


def long_pieces(ink: Pixels, shortest: float) -> Pixels:
    """A mask of the ink's pieces at least `shortest` pixels wide: without letters, and without ruled lines and the
    paper's edges, which are far longer and quite flat."""
    mask = (ink > DARK).astype(np.uint8)
    joined = cv2.dilate(mask, np.ones((3, 3), dtype=np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    wide, tall = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    keep = (wide >= shortest) & ~((wide > 3 * shortest) & (tall < 0.1 * shortest))
    keep[0] = False
    return np.asarray(mask * keep[labels], dtype=np.uint8)
