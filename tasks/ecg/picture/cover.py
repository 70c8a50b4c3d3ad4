"""Parts of a picture that somebody blacked out: a name that was covered is neither ink nor trace."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.ecg.picture.decode import Pixels

BLACK = 24  # JPEG leaves a little light in black
THICK = 0.008  # of the longer side: thicker than any pen
LEAST = 12
EDGE = 4  # pixels that scaling and JPEG smear beyond a cover's edge
REACH = 4 * EDGE
FULL = 0.5  # how much of its own frame a cover fills at least (two may overlap); a table round the paper fills less
MOST = 0.25  # of the picture: more than that is a monitor's background


def uncover(image: Pixels) -> Pixels:
    """The picture with each black block painted over in the colour of what is round it; most have none."""
    blue, green, red = cv2.split(image)
    black = np.asarray(cv2.max(cv2.max(blue, green), red) <= BLACK, dtype=np.uint8)
    side = max(LEAST, round(THICK * max(image.shape[:2])))
    solid = cv2.morphologyEx(black, cv2.MORPH_OPEN, np.ones((side, side), dtype=np.uint8))
    if not solid.any() or black.mean() > MOST:
        return image
    painted = image.copy()
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    for number, (left, top, width, height, area) in enumerate(stats[1:], 1):
        if area >= FULL * width * height:
            rows, columns = (
                slice(max(at - REACH, 0), at + size + REACH) for at, size in ((top, height), (left, width))
            )
            _paint(painted[rows, columns], labels[rows, columns] == number)
    return painted


def _paint(part: Pixels, cover: NDArray[np.bool_]) -> None:
    """Fill a cover and its smeared edge, in place, with the median of the rim round it."""
    grown = cv2.dilate(cover.astype(np.uint8), np.ones((2 * EDGE + 1, 2 * EDGE + 1), dtype=np.uint8)) == 1
    part[grown] = np.median(part[~grown], axis=0) if not grown.all() else 255
