"""From a file's bytes to pixels, within bounds."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Header
from PIL import UnidentifiedImageError

from tasks.errors import JobError

Pixels = NDArray[np.uint8]

MOST_PIXELS = 40_000_000
WORKING_PIXELS = 6_000_000
WORKING_SIDE = 3600
BAND = 256
UNREADABLE = "This file cannot be read as a picture: upload a PNG, JPEG, TIFF or BMP that opens on your own machine."


def decode(data: bytes) -> Pixels:
    """The picture as BGR, shape (height, width, 3), with at most WORKING_PIXELS; transparent parts are white.

    Raises:
        JobError: not a picture, damaged, or more than MOST_PIXELS.
    """
    width, height, transparent = _header(data)
    if width * height > MOST_PIXELS:
        raise JobError(f"This picture has {width} x {height} pixels: make it smaller than 40 megapixels.")
    flag = cv2.IMREAD_UNCHANGED if transparent else _flag(width * height)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flag)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise JobError(UNREADABLE)
    return _shrink(_on_white(np.asarray(pixels)))


def _header(data: bytes) -> tuple[int, int, bool]:
    """Width, height and whether there is transparency, without decoding anything."""
    try:
        with Header.open(io.BytesIO(data)) as picture:
            return *picture.size, picture.mode in ("RGBA", "LA") or "transparency" in picture.info
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Header.DecompressionBombError) as error:
        raise JobError(UNREADABLE) from error


def _flag(pixels: int) -> int:
    """Large JPEGs are decoded at a half or a quarter, which costs less time and memory than shrinking them."""
    if pixels > 16 * WORKING_PIXELS // 4:
        return cv2.IMREAD_REDUCED_COLOR_2
    return cv2.IMREAD_COLOR


def _on_white(pixels: NDArray[np.generic]) -> Pixels:
    if pixels.dtype == np.uint16:
        pixels = np.asarray(cv2.convertScaleAbs(pixels.astype(np.uint16, copy=False), alpha=1 / 257))
    image = np.asarray(pixels, dtype=np.uint8)
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    if image.shape[2] == 3:
        return image
    white = np.empty((*image.shape[:2], 3), np.uint8)
    # Band by band: forty megapixels as floats would fill two gigabytes.
    for top in range(0, len(image), BAND):
        band = image[top : top + BAND]
        alpha = band[..., 3:].astype(np.float32) / 255
        white[top : top + BAND] = band[..., :3] * alpha + 255 * (1 - alpha)
    return white


def _shrink(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    if min(height, width) < 24:
        raise JobError("This picture is too small to show a trace: upload it in full size.")
    scale = min(1.0, (WORKING_PIXELS / (width * height)) ** 0.5, WORKING_SIDE / max(width, height))
    if scale == 1.0:
        return image
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
