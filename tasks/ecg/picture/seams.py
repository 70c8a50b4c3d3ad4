"""Reads the ends of neighbouring leads again, each on its own.

Where one lead of a row ends and the next begins the trace jumps. Followed as one curve, the jump is cut short and
the ends are lost; followed from each side up to the seam, nothing has to jump.
"""

from dataclasses import replace

import numpy as np

from tasks.ecg.picture.decode import Pixels
from tasks.ecg.picture.layout import Row, Segment
from tasks.ecg.picture.trace import follow

FOLLOWED_MM, TAKEN_MM = 14.0, 8.0


def mend(ink: Pixels, lines: list[int], rows: list[Row], parts: list[Segment], half: int, scale: float) -> list[Row]:
    """The rows with the last and first millimetres at each seam followed apart.

    Args:
        lines: the rows' baselines, pixels.
        half: how far above and below its baseline a row's trace is looked for, pixels.
        scale: pixels a millimetre.
    """
    wide, taken = round(FOLLOWED_MM * scale), round(TAKEN_MM * scale)
    ends = sorted({(part.row, part.first) for part in parts if part.first > rows[part.row].first + wide})
    seams = [(row, x) for row, x in ends if wide <= x <= ink.shape[1] - wide]
    if not seams:
        return rows
    padded = np.pad(ink, ((half, half), (0, 0)))
    before = [padded[lines[row] : lines[row] + 2 * half, x - wide : x] for row, x in seams]
    after = [padded[lines[row] : lines[row] + 2 * half, x : x + wide] for row, x in seams]
    traces = follow(before + after)
    mended = [replace(row, mm=row.mm.copy()) for row in rows]
    for (row, x), left, right in zip(seams, traces[: len(seams)], traces[len(seams) :], strict=True):
        mended[row].mm[x - taken : x] = (half - left.y[-taken:]) / scale
        mended[row].mm[x : x + taken] = (half - right.y[:taken]) / scale
    return mended
