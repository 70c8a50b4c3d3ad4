"""Finds the paper's grid and straightens the picture by it: tilt and perspective from the grid alone.

In each tile of the picture the grid is two peaks of the spectrum: the local frequency of its vertical and of its
horizontal lines. Those frequencies are the gradient of the map from pixels to grid cells, so a homography is fitted
to them. Nothing needs the paper's corners, which are often cut off.
"""

import heapq
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft2
from scipy.optimize import least_squares

from tasks.ecg.picture.decode import Pixels

Floats = NDArray[np.float64]
TILE = 256
STRONG = 60.0  # a peak's power over the median's of its sector that counts as a grid
LOWEST, HIGHEST = 4.0, 0.46 * TILE  # cycles a tile


@dataclass(frozen=True)
class Grid:
    """The map from pixels to cells of the grid.

    Attributes:
        matrix: homography, shape (3, 3): pixel (x, y, 1) to cells (X, Y, 1); a cell is one period of the lines that
            were followed, which may be 1 mm, 5 mm or a harmonic of those.
        cell_px: how many pixels a cell measures in the middle of the picture, along x and along y.
        share: the share of tiles in which the grid was seen, 0 to 1.
    """

    matrix: Floats
    cell_px: tuple[float, float]
    share: float


@dataclass(frozen=True)
class _Tiles:
    centres: Floats  # (rows, columns, 2): x, y
    upright: NDArray[np.float32]  # power, (rows, columns, TILE, TILE // 2 + 1)
    across: NDArray[np.float32]  # the same of the transposed tiles


def find_grid(dark: Pixels) -> Grid | None:
    """The grid in a picture of grid darkness, or None when there is none to see."""
    tiles = _survey(dark)
    upright, across = _follow(tiles.upright), _follow(tiles.across)
    if len(upright) < 1 or len(across) < 1:
        return None
    return _fit(tiles, upright, across, dark.shape)


def _survey(dark: Pixels) -> _Tiles:
    height, width = dark.shape
    rows, columns = (_starts(side) for side in (height, width))
    tall, wide = min(TILE, height), min(TILE, width)
    window = np.outer(np.hanning(tall), np.hanning(wide)).astype(np.float32)
    cut = np.stack([[dark[y : y + tall, x : x + wide] for x in columns] for y in rows]).astype(np.float32)
    cut = (cut - cut.mean(axis=(2, 3), keepdims=True)) * window
    size = (TILE, TILE)
    upright = np.abs(rfft2(cut, size)) ** 2
    across = np.abs(rfft2(cut.swapaxes(2, 3), size)) ** 2
    y, x = np.meshgrid(rows + tall / 2, columns + wide / 2, indexing="ij")
    return _Tiles(np.stack([x, y], axis=-1), upright, across)


def _starts(side: int) -> NDArray[np.int64]:
    """Tiles that touch each other and reach both edges."""
    count = max(1, int(np.ceil(side / TILE)))
    return np.linspace(0, max(side - TILE, 0), count).round().astype(np.int64)


def _follow(power: NDArray[np.float32]) -> dict[tuple[int, int], Floats]:
    """Frequency (along, across; cycles a pixel) of one family of lines in the tiles where it is seen.

    It starts at the clearest tile and grows to neighbours, whose peak must be near: perspective shifts it by a few
    per cent from tile to tile, while the next harmonic is a fifth away.
    """
    sector = _sector()
    floor = np.median(power[..., sector], axis=-1) + 1e-9
    strength = np.where(sector, power, 0).max(axis=(2, 3)) / floor
    seed = np.unravel_index(int(np.argmax(strength)), strength.shape)
    first = (int(seed[0]), int(seed[1]))
    found: dict[tuple[int, int], Floats] = {}
    if strength[first] < STRONG * 4:
        return found
    peak = np.unravel_index(int(np.argmax(np.where(sector, power[first], 0))), sector.shape)
    heap = [(-float(strength[first]), first, (float(peak[1]), _wrap(float(peak[0]))))]
    while heap:
        _, tile, expected = heapq.heappop(heap)
        if tile in found:
            continue
        frequency, power_there = _refine(power[tile], expected)
        if power_there < STRONG * floor[tile]:
            continue
        found[tile] = np.array(frequency) / TILE
        for neighbour in _neighbours(tile, strength.shape):
            heapq.heappush(heap, (-float(strength[neighbour]), neighbour, frequency))
    return found


def _sector() -> NDArray[np.bool_]:
    """Where lines within 25 degrees of upright have their peak."""
    down = np.fft.fftfreq(TILE, 1 / TILE)[:, None]
    along = np.arange(TILE // 2 + 1)[None, :]
    return np.asarray((along >= LOWEST) & (along <= HIGHEST) & (np.abs(down) <= 0.47 * along))


def _wrap(frequency: float) -> float:
    return frequency - TILE if frequency > TILE / 2 else frequency


def _neighbours(tile: tuple[int, int], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    near = [(tile[0] + i, tile[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return [(i, j) for i, j in near if 0 <= i < shape[0] and 0 <= j < shape[1]]


def _refine(power: NDArray[np.float32], expected: tuple[float, float]) -> tuple[tuple[float, float], float]:
    """The peak near an expected frequency (cycles a tile), to a fraction of a bin by a parabola through logarithms."""
    reach = max(2, round(0.08 * float(np.hypot(*expected))))
    along, down = round(expected[0]), round(expected[1])
    columns = np.arange(max(along - reach, 2), min(along + reach, TILE // 2 - 1) + 1)
    rows = np.arange(down - reach, down + reach + 1)
    near = power[np.ix_(rows % TILE, columns)]
    i, j = np.unravel_index(int(np.argmax(near)), near.shape)
    row, column = int(rows[i]), int(columns[j])
    sideways = _vertex([float(power[row % TILE, column + d]) for d in (-1, 0, 1)])
    upward = _vertex([float(power[(row + d) % TILE, column]) for d in (-1, 0, 1)])
    return (column + sideways, row + upward), float(near[i, j])


def _vertex(values: list[float]) -> float:
    left, middle, right = np.log(np.array(values) + 1e-12)
    curve = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / curve, -0.5, 0.5)) if curve < 0 else 0.0


def _fit(
    tiles: _Tiles, upright: dict[tuple[int, int], Floats], across: dict[tuple[int, int], Floats], shape: tuple[int, ...]
) -> Grid:
    """The homography whose gradient is nearest to the measured frequencies, robustly."""
    middle, half = np.array([shape[1], shape[0]]) / 2, max(shape) / 2
    at_x, gradient_x = _measured(tiles, upright, middle, half)
    at_y, gradient_y = _measured(tiles, across, middle, half)
    gradient_y = gradient_y[:, ::-1]
    scale_x, scale_y = (float(np.median(np.hypot(*gradient.T))) for gradient in (gradient_x, gradient_y))

    def residuals(h: Floats) -> Floats:
        off_x = (_gradient(h[0:2], h[4:6], at_x) - gradient_x) / scale_x
        off_y = (_gradient(h[2:4], h[4:6], at_y) - gradient_y) / scale_y
        # The last term keeps a perspective that few tiles would leave open at none.
        return np.concatenate([off_x.ravel(), off_y.ravel(), 0.02 * h[4:6]])

    start = np.concatenate([np.median(gradient_x, axis=0), np.median(gradient_y, axis=0), [0.0, 0.0]])
    h = least_squares(residuals, start, loss="soft_l1", f_scale=0.01).x
    normal = np.array([[1, 0, -middle[0]], [0, 1, -middle[1]], [0, 0, half]]) / half
    matrix = np.array([[h[0], h[1], 0], [h[2], h[3], 0], [h[4], h[5], 1]]) @ normal
    cell = (half / float(np.hypot(h[0], h[1])), half / float(np.hypot(h[2], h[3])))
    count = tiles.centres.shape[0] * tiles.centres.shape[1]
    return Grid(matrix, cell, min(len(upright), len(across)) / count)


def _measured(
    tiles: _Tiles, found: dict[tuple[int, int], Floats], middle: Floats, half: float
) -> tuple[Floats, Floats]:
    at = (np.array([tiles.centres[tile] for tile in found]) - middle) / half
    return at, np.array(list(found.values())) * half


def _gradient(line: Floats, tilt: Floats, at: Floats) -> Floats:
    """Gradient of (line . at) / (1 + tilt . at) at points of shape (n, 2)."""
    below = (1 + at @ tilt)[:, None]
    return np.asarray((line * below - tilt * (at @ line)[:, None]) / below**2)


def straighten(image: Pixels, grid: Grid, scale: tuple[float, float]) -> tuple[Pixels, Floats]:
    """The picture with its grid upright, `scale` pixels a cell along x and y, and the matrix from old pixels to new."""
    height, width = image.shape[:2]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], dtype=np.float64)
    stretch = np.diag([scale[0], scale[1], 1.0]) @ grid.matrix
    moved = cv2.perspectiveTransform(corners, stretch)[0]
    low, high = moved.min(axis=0), moved.max(axis=0)
    size = np.minimum(np.ceil(high - low), 6000).astype(int)
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
    matrix = np.asarray(shift @ stretch)
    border = (255, 255, 255) if image.ndim == 3 else 0
    new = cv2.warpPerspective(image, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_CUBIC, borderValue=border)
    return np.asarray(new, dtype=np.uint8), matrix
