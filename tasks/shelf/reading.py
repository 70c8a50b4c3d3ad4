"""Finds the barcodes on a photo and reads them: OpenCV's detector, on the whole picture and on pieces of it.

The detector looks for codes that take up a good part of what it is given, so of a shelf with many small ones it sees
few. It is therefore asked again for overlapping pieces, and for these once more enlarged, until time is up. A code
counts when its check digit is right; what two pieces both saw is one.

Measured on drawn shelves of 24 labels (as in tests/test_shelf.py): all are read when a label's thinnest bar is 1.5
pixels wide or more, at any turn, seen from the side by up to 40 % of the height, and with ordinary noise; of the whole
picture at once the detector reads 0 to 21 of them. Blur is what ends it: with a standard deviation of half a bar nearly
all are read, with three quarters of a bar none.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.inventory import barcodes

Image = NDArray[np.uint8]
Corners = NDArray[np.float64]  # four points, in pixels of the whole picture

LONGEST = 4000  # pixels of the longer side: of a larger photo nothing more is read
TILES = (1200, 640)  # pixels of a piece's side
OVERLAP = 0.35  # of a side: a code that one piece cuts is whole in the next
ENLARGED = 2.0
SMALL = 800  # pieces up to this are looked at enlarged as well


@dataclass(frozen=True)
class Sighting:
    """One code, where it was seen."""

    code: str
    corners: Corners

    @property
    def centre(self) -> Corners:
        return np.asarray(self.corners.mean(axis=0))

    @property
    def size(self) -> float:
        """Its longer side."""
        return float(max(np.ptp(self.corners[:, 0]), np.ptp(self.corners[:, 1])))


@dataclass(frozen=True)
class Reading:
    """What was seen, in reading order; and whether there was time to look everywhere."""

    sightings: list[Sighting]
    complete: bool


def decode(data: bytes) -> Image | None:
    """A picture in grey, upright as its photographer held it, no larger than it is read; None: it is damaged."""
    found = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    if found is None:
        return None
    scale = LONGEST / max(found.shape)
    if scale < 1:
        found = cv2.resize(found, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(found, dtype=np.uint8)


def read(image: Image, seconds: float) -> Reading:
    """All codes on a picture; after `seconds` with what was seen until then."""
    until, complete = time.monotonic() + seconds, True
    detector = cv2.barcode.BarcodeDetector()
    places: list[list[Sighting]] = []
    for piece, left, top, scale in _pieces(image):
        if time.monotonic() > until:
            complete = False
            break
        for sighting in _look(detector, piece, left, top, scale):
            here = next((place for place in places if _same_place(sighting, place[0])), None)
            if here is None:
                places.append([sighting])
            else:
                here.append(sighting)
    return Reading(_in_order([_most_seen(place) for place in places]), complete)


def _pieces(image: Image) -> Iterator[tuple[Image, int, int, float]]:
    """What is looked at, with its place on the picture and how much it was enlarged."""
    yield image, 0, 0, 1.0
    height, width = image.shape
    for side in TILES:
        for top in _starts(height, side):
            for left in _starts(width, side):
                piece = image[top : top + side, left : left + side]
                if piece.shape != image.shape:
                    yield piece, left, top, 1.0
                if max(piece.shape) <= SMALL:
                    larger = cv2.resize(piece, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
                    yield np.asarray(larger, dtype=np.uint8), left, top, ENLARGED


def _starts(length: int, side: int) -> list[int]:
    """Where pieces begin, so that the last one ends where the picture does."""
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side * (1 - OVERLAP)))) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def _look(detector: cv2.barcode.BarcodeDetector, piece: Image, left: int, top: int, scale: float) -> Iterator[Sighting]:
    """What the detector reads on one piece. It answers no points, or codes of nothing, when it sees none."""
    _, codes, _, points = detector.detectAndDecodeWithType(piece)
    if points is None or codes is None:
        return
    for code, corners in zip(codes, np.asarray(points, dtype=np.float64).reshape(-1, 4, 2), strict=False):
        if barcodes.kind(code):
            yield Sighting(code, corners / scale + (left, top))


def _same_place(one: Sighting, other: Sighting) -> bool:
    """Whether it is the same label: the pieces' boxes differ a little, and more when a piece cut it."""
    apart = float(np.hypot(*(one.centre - other.centre)))
    if one.code == other.code:
        return apart < 0.75 * max(one.size, other.size)
    return apart < 0.4 * min(one.size, other.size)


def _most_seen(place: list[Sighting]) -> Sighting:
    """One in ten misread codes has a right check digit by chance; of the same label others say what it is."""
    votes = Counter(sighting.code for sighting in place)
    return max(place, key=lambda one: votes[one.code])


def _in_order(seen: list[Sighting]) -> list[Sighting]:
    """From top to bottom, of one shelf from left to right."""
    tall = max((sighting.size for sighting in seen), default=1.0)
    return sorted(seen, key=lambda one: (round(one.centre[1] / tall), one.centre[0]))


def marked(image: Image, known: list[tuple[Sighting, bool]]) -> bytes:
    """The picture as a PNG with a frame about each code and its number."""
    shown = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    thick = max(2, round(max(image.shape) / 600))
    for number, (sighting, is_known) in enumerate(known, 1):
        colour = (150, 69, 61) if is_known else (28, 84, 181)
        corners = sighting.corners.round().astype(np.int32)
        cv2.polylines(shown, [corners], isClosed=True, color=colour, thickness=thick)
        at = (int(corners[:, 0].min()), max(int(corners[:, 1].min()) - 2 * thick, 12 * thick))
        for ink, width in (((255, 255, 255), 4 * thick), (colour, thick)):
            cv2.putText(shown, str(number), at, cv2.FONT_HERSHEY_SIMPLEX, 0.4 * thick, ink, width, cv2.LINE_AA)
    scale = min(1.0, 2000 / max(image.shape))
    small = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    done, png = cv2.imencode(".png", small)
    if not done:
        raise ValueError("OpenCV could not write a PNG")
    return png.tobytes()
