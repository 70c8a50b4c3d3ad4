"""Tells ink from grid from paper by colour."""

import cv2
import numpy as np

from tasks.ecg.picture.decode import Pixels

DARK = 110  # ink darkness from which a pixel is the trace's
PAPER = np.uint8(230)  # what flatten makes of bare paper


def flatten(image: Pixels) -> Pixels:
    """The picture evenly lit: paper becomes PAPER in each channel, whatever the lamp, the shadow and the tint.

    A picture that is dark nearly everywhere (a monitor's; not a strip on a dark table) becomes its negative first.
    """
    if np.mean(image[::7, ::7].max(axis=2) > 110) < 0.15:
        image = np.asarray(255 - image, dtype=np.uint8)
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(width // 8, 8), max(height // 8, 8)), interpolation=cv2.INTER_AREA)
    # Closing takes away what is thin and dark and keeps the paper's edge, which a median would smear.
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((9, 9), dtype=np.uint8))
    paper = cv2.medianBlur(closed, 5)
    lit = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(image, np.maximum(lit, 1), scale=float(PAPER)), dtype=np.uint8)


def grid_darkness(flat: Pixels, ink: Pixels) -> Pixels:
    """How much darker than paper the grid is, shape (height, width): the darkest channel, the ink painted over with
    the mean of what is round it."""
    darkest = np.minimum(np.minimum(flat[..., 0], flat[..., 1]), flat[..., 2])
    dark = PAPER - np.minimum(darkest, PAPER)
    keep = cv2.erode((ink < DARK // 2).astype(np.uint8), np.ones((3, 3), dtype=np.uint8))
    share = cv2.blur(keep.astype(np.float32), (41, 41))
    mean = cv2.blur(dark * keep, (41, 41)).astype(np.float32) / np.maximum(share, 0.05)
    return np.asarray(np.where(keep == 1, dark, np.minimum(mean, 255)), dtype=np.uint8)


def ink_darkness(flat: Pixels) -> Pixels:
    """The ink without the grid, shape (height, width), 0 to 255 (255 = as dark as the trace).

    Of the three colours and their maximum, the channel is taken in which trace and grid lie furthest apart: red for a
    pink grid under black ink. What is as pale as the grid there becomes 0.
    """
    blue, green, red = (np.ascontiguousarray(flat[..., i]) for i in range(3))
    channels = [blue, green, red, np.maximum(np.maximum(blue, green), red)]
    best = max((_contrast(channel) for channel in channels), key=lambda found: found[2] - found[1])
    dark, grid, trace = best
    over = dark - np.minimum(dark, round(grid))
    return np.asarray(cv2.convertScaleAbs(over, alpha=255.0 / max(trace - grid, 1.0)), dtype=np.uint8)


def _contrast(channel: Pixels) -> tuple[Pixels, float, float]:
    """Darkness, and the levels of the grid and of the trace in it.

    Lines of the grid cover a fifth of the paper and the trace a fiftieth, so the 90th percentile is a line's.
    """
    dark = np.asarray(PAPER - np.minimum(channel, PAPER), dtype=np.uint8)
    grid, trace = np.percentile(dark[::2, ::2], (90, 99.6))
    return dark, float(grid), float(trace)
