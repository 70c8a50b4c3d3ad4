"""Draws shelves with barcodes on them, as a phone would see them: the truth that reading is held against."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.inventory import barcodes

Image = NDArray[np.uint8]
QUIET = 11  # modules of white at both sides
TALL = 60  # modules of a symbol's height


@dataclass(frozen=True)
class View:
    """How the photo was taken.

    Attributes:
        turned: degrees that the phone was turned.
        aside: how far it looks from the side: 0 straight, 0.3 much.
        blur: standard deviation in pixels of what is out of focus.
        noise: standard deviation of grey values.
    """

    turned: float = 0.0
    aside: float = 0.0
    blur: float = 0.0
    noise: float = 0.0


def symbol(code: str, module: float) -> Image:
    """One barcode on white paper, its thinnest bar `module` pixels wide."""
    modules = "0" * QUIET + barcodes.bars(code) + "0" * QUIET
    row = np.array([0 if each == "1" else 255 for each in modules], dtype=np.uint8)
    # Drawn at eight times the size, so that edges between pixels are grey as a camera sees them.
    large = np.repeat(np.tile(row, (8, 1)), 8, axis=1)
    size = (round(len(modules) * module), round(TALL * module))
    inner = np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    edge = round(3 * module)
    return np.asarray(cv2.copyMakeBorder(inner, edge, edge, 0, 0, cv2.BORDER_CONSTANT, value=255), dtype=np.uint8)


def shelf(codes: list[str], columns: int, module: float, view: View, seed: int = 1) -> Image:
    """Boxes in rows, each with its code, on a grey shelf."""
    chance = np.random.default_rng(seed)
    labels = [symbol(code, module) for code in codes]
    height, width = max(each.shape[0] for each in labels), max(each.shape[1] for each in labels)
    cell_h, cell_w = int(height * 2.2), int(width * 1.35)
    rows = -(-len(codes) // columns)
    image = np.full((rows * cell_h + 60, columns * cell_w + 60), 120, dtype=np.uint8)
    for number, label in enumerate(labels):
        top, left = 30 + number // columns * cell_h, 30 + number % columns * cell_w
        box = image[top : top + cell_h - 14, left : left + cell_w - 10]
        box[:] = chance.integers(150, 215)
        cv2.putText(box, f"No {number + 1}", (12, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 60, 2, cv2.LINE_AA)
        y, x = int(cell_h * 0.38), int((cell_w - label.shape[1]) * 0.4)
        box[y : y + label.shape[0], x : x + label.shape[1]] = label
    return _seen(image, view, chance)


def _seen(image: Image, view: View, chance: np.random.Generator) -> Image:
    height, width = image.shape
    reach = round(np.hypot(height, width) - min(height, width)) // 2 + 20 if view.turned else 20
    wide = cv2.copyMakeBorder(image, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=120)
    full_h, full_w = wide.shape
    corners = np.array([[0, 0], [full_w, 0], [full_w, full_h], [0, full_h]], dtype=np.float32)
    inward = view.aside * full_h / 2
    aside = corners + np.array([[0, 0], [0, inward], [0, -inward], [0, 0]], dtype=np.float32)
    turn = np.vstack([cv2.getRotationMatrix2D((full_w / 2, full_h / 2), view.turned, 1.0), [0, 0, 1]])
    matrix = turn @ cv2.getPerspectiveTransform(corners, aside.astype(np.float32))
    shown = cv2.warpPerspective(wide, matrix, (full_w, full_h), flags=cv2.INTER_AREA, borderValue=120)
    if view.blur:
        shown = cv2.GaussianBlur(shown, (0, 0), view.blur)
    noisy = shown.astype(np.float64) + chance.normal(0, view.noise, shown.shape) if view.noise else shown
    return np.clip(noisy, 0, 255).astype(np.uint8)
