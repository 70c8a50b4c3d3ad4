"""Reads the picture of an ECG: from a file's bytes to signals in millivolts.

The classical recipe, without learning: ink and grid by colour, tilt and perspective from the grid, its pitch from the
spectrum of its lines, baselines by row profile, trace by dynamic programming, QRS apex correction, millivolts.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from tasks.ecg.picture import layout
from tasks.ecg.picture.cover import uncover
from tasks.ecg.picture.decode import Pixels, decode
from tasks.ecg.picture.grid import find_grid, straighten
from tasks.ecg.picture.ink import DARK, flatten, grid_darkness, ink_darkness
from tasks.ecg.picture.pitch import cells_to_mm, paper
from tasks.ecg.picture.seams import mend
from tasks.ecg.picture.trace import follow, is_trace, stroke_of
from tasks.ecg.recording import Recording, Signal
from tasks.errors import JobError

Kind = Literal["auto", "page", "strip", "beat"]

RATE = 360.0  # Hz, MIT-BIH's
BEAT_SAMPLES = 192
NO_TRACE = (
    "No ECG trace was found in this picture: upload a sharp picture in which the trace is darker than its grid, "
    "cropped to the ECG."
)
TURNED = "The picture was turned before it was read: check in the drawn strip that the right side is up."
NO_GRID = (
    "A trace was found but no grid, so its time scale is unknown: say how many seconds the picture shows, or upload "
    "one in which the grid can be seen."
)


@dataclass(frozen=True)
class Sheet:
    """The straightened picture.

    Attributes:
        ink: darkness of ink without grid, 0 to 255, shape (height, width).
        scale: pixels a millimetre, the same along both axes.
        image: the same in colour, evenly lit, for drawing on.
        turned: by how many quarters it was turned against the picture that came.
    """

    ink: Pixels
    scale: float
    image: Pixels
    turned: int = 0


@dataclass(frozen=True)
class Reading:
    """A recording and where it stands in the straightened picture.

    Attributes:
        lines: for each lead, the column (x) and height (y) in pixels of `sheet.image`, shape (columns, 2).
    """

    recording: Recording
    sheet: Sheet
    lines: dict[str, NDArray[np.float64]]


def read_picture(
    data: bytes,
    kind: Kind = "auto",
    speed_mm_s: float = 25.0,
    gain_mm_mv: float = 10.0,
    seconds: float | None = None,
) -> Recording:
    """The signals in the picture of a page, a strip or a single beat, at 360 Hz.

    Args:
        data: a PNG, JPEG, TIFF or BMP file.
        kind: what the picture shows; "auto" tells by the grid and the number of rows.
        speed_mm_s: the paper's speed, mm a second.
        gain_mm_mv: the paper's gain, mm a mV; a calibration pulse in the picture overrules it.
        seconds: what a strip without grid shows from edge to edge of its trace.

    Raises:
        JobError: not a picture, no trace in it, or no grid and no `seconds`.
    """
    # A worker has one core; OpenCV would start a thread for each core of the machine.
    cv2.setNumThreads(1)
    return read_with_lines(decode(data), kind, speed_mm_s, gain_mm_mv, seconds).recording


def read_with_lines(
    image: Pixels, kind: Kind = "auto", speed: float = 25.0, gain: float = 10.0, seconds: float | None = None
) -> Reading:
    """The same from BGR pixels, with the traced lines for drawing on the picture."""
    flat = flatten(uncover(image))
    sheet = None if kind == "beat" else _sheet(flat)
    if sheet is not None:
        sheet = _turned(sheet, 1) if _lies_on_its_side(sheet) else sheet
        return _read_sheet(sheet, kind, speed, gain)
    height, width = flat.shape[:2]
    if kind == "beat" or (kind == "auto" and seconds is None and max(height, width) <= 420 and width < 2.2 * height):
        return _read_beat(flat)
    return _read_plain(flat, speed, seconds)


def _sheet(flat: Pixels) -> Sheet | None:
    """The picture straightened by its grid, or None when it has none."""
    ink = ink_darkness(flat)
    dark = grid_darkness(flat, ink)
    grid = find_grid(dark)
    if grid is None:
        return None
    upright, _ = straighten(dark, grid, grid.cell_px)
    mm = cells_to_mm(upright, grid.cell_px, stroke_of(ink))
    if mm is None:
        return None
    here = paper(upright, grid.cell_px)
    native = float(np.sqrt(grid.cell_px[0] / mm[0] * grid.cell_px[1] / mm[1]))
    scale = float(np.clip(native, 8.0, 11.0))
    image, _ = straighten(flat, grid, (scale * mm[0], scale * mm[1]))
    return _on_paper(image, here, scale)


def _on_paper(image: Pixels, here: NDArray[np.bool_], scale: float) -> Sheet:
    """Cut to the paper, so that neither the table nor the paper's edge is taken for ink."""
    height, width = image.shape[:2]
    mask = cv2.resize(here.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    y, x = (_inside(np.flatnonzero(mask.any(axis=axis)), mask.shape[1 - axis], round(2 * scale)) for axis in (1, 0))
    image = image[y, x]
    return Sheet(ink_darkness(image), scale, image)


def _inside(at: NDArray[np.int64], size: int, rim: int) -> slice:
    """The span of the paper, without its rim at the sides where it ends before the picture does."""
    first, last = int(at[0]), int(at[-1]) + 1
    first, last = first + (rim if first > rim // 2 else 0), last - (rim if last < size - rim // 2 else 0)
    return slice(first, last)


def _read_sheet(sheet: Sheet, kind: Kind, speed: float, gain: float) -> Reading:
    rows, lines, half = _rows(sheet)
    if sheet.turned < 2 and layout.upside_down(rows, sheet.scale, guess=sheet.turned == 1):
        return _read_sheet(_turned(sheet, 2), kind, speed, gain)
    count = layout.columns(sheet.ink, rows, lines, sheet.scale) if len(rows) > 1 and kind != "strip" else 1
    parts, notes = layout.segments(rows, count, sheet.scale)
    rows = mend(sheet.ink, lines, rows, parts, half, sheet.scale)
    gain, gain_notes = _gain(rows, gain)
    per_second = sheet.scale * speed
    leads = {part.name: _resample(rows[part.row].mm[part.first : part.last] / gain, per_second) for part in parts}
    drawn = {part.name: _line(rows[part.row], part, lines[part.row], sheet.scale) for part in parts}
    source: Literal["page", "strip"] = "page" if len(rows) > 1 else "strip"
    turned = (TURNED,) if sheet.turned else ()
    return Reading(Recording(RATE, leads, source, notes=notes + gain_notes + turned), sheet, drawn)


def _turned(sheet: Sheet, quarters: int) -> Sheet:
    ink, image = (np.ascontiguousarray(np.rot90(pixels, quarters)) for pixels in (sheet.ink, sheet.image))
    return Sheet(ink, sheet.scale, image, sheet.turned + quarters)


def _lies_on_its_side(sheet: Sheet) -> bool:
    """Whether ink gathers in columns rather than in rows, as it does along baselines."""
    across, down = (gaussian_filter1d(sheet.ink.mean(axis=axis), sheet.scale).std() for axis in (0, 1))
    return bool(across > 1.5 * down)


def _rows(sheet: Sheet) -> tuple[list[layout.Row], list[int], int]:
    """Each row's trace, its baseline and how far round it was looked for; what is no trace is left out.

    Raises:
        JobError: nothing is left.
    """
    lines = layout.baselines(sheet.ink, sheet.scale)
    if not lines or _is_not_ink(sheet.ink):
        raise JobError(NO_TRACE)
    apart = float(np.median(np.diff(lines))) if len(lines) > 1 else float(sheet.ink.shape[0])
    half = max(8, round(min(0.9 * apart, 45 * sheet.scale)))
    padded = np.pad(sheet.ink, ((half, half), (0, 0)))
    traces = follow([padded[line : line + 2 * half] for line in lines])
    kept = [i for i, trace in enumerate(traces) if is_trace(trace, 8 * sheet.scale)]
    rows = [layout.measure_row(traces[i], half, sheet.scale) for i in kept]
    found = [(row, lines[i]) for i, row in zip(kept, rows, strict=True) if row is not None]
    if not found:
        raise JobError(NO_TRACE)
    return [row for row, _ in found], [line for _, line in found], half


def _is_not_ink(ink: Pixels) -> bool:
    """Whether what is darkest is no line on paper: too much of it, or the grid itself, from edge to edge."""
    mask = ink > DARK
    return bool(mask.mean() > 0.3 or np.mean(mask.mean(axis=0) > 0.6) > 0.01)


def _gain(rows: list[layout.Row], gain: float) -> tuple[float, tuple[str, ...]]:
    """The gain by the calibration pulses when most rows show one, with a word when it is not what was said."""
    pulses = [row.pulse_mm for row in rows if row.pulse_mm is not None]
    if len(pulses) * 2 < len(rows) or not pulses:
        return gain, (f"No calibration pulse was found: {gain:g} mm a millivolt was assumed.",)
    nominal = min(layout.PULSES_MM, key=lambda height: abs(height - float(np.median(pulses))))
    if nominal == gain:
        return gain, ()
    return nominal, (f"The calibration pulse says {nominal:g} mm a millivolt, which was used instead of {gain:g}.",)


def _line(row: layout.Row, part: layout.Segment, baseline: int, scale: float) -> NDArray[np.float64]:
    """Where a lead was traced, in pixels of the straightened picture."""
    return np.column_stack([np.arange(part.first, part.last), baseline - row.mm[part.first : part.last] * scale])


def _resample(values: NDArray[np.float64], per_second: float) -> Signal:
    """From columns of the picture to 360 Hz; gaps in the ink are bridged straight."""
    seen = np.flatnonzero(np.isfinite(values))
    if seen.size < 4:
        raise JobError(NO_TRACE)
    times = np.arange(int(values.size / per_second * RATE)) / RATE
    inside = np.clip(times * per_second, seen[0], seen[-1])
    return np.asarray(PchipInterpolator(seen, values[seen])(inside), dtype=np.float32)


def _read_plain(flat: Pixels, speed: float, seconds: float | None) -> Reading:
    """A strip without grid: its seconds are told, its millivolts are not known."""
    sheet = Sheet(ink_darkness(flat), flat.shape[1] / ((seconds or 10.0) * speed), flat)
    rows, lines, _ = _rows(sheet)
    if seconds is None:
        raise JobError(NO_GRID)
    row, part = rows[0], layout.Segment("unknown", 0, rows[0].first, rows[0].last)
    signal = _resample(_one_millivolt(row.mm[part.first : part.last]), (part.last - part.first) / seconds)
    notes = [f"No grid was found: the trace was taken to last {seconds:g} s, and its millivolts are not known."]
    if len(rows) > 1:
        notes.append("Only the first row of the picture was read.")
    recording = Recording(RATE, {"unknown": signal}, "strip", calibrated=False, notes=tuple(notes))
    return Reading(recording, sheet, {"unknown": _line(row, part, lines[0], sheet.scale)})


def _read_beat(flat: Pixels) -> Reading:
    """One beat of 192 samples at 360 Hz, as the pictures of single beats that people have show it."""
    ink = ink_darkness(flat)
    trace = follow([ink])[0]
    row = layout.measure_row(trace, 0, 1.0) if is_trace(trace, 0.15 * flat.shape[1]) else None
    if row is None or _is_not_ink(ink):
        raise JobError(NO_TRACE)
    part = layout.Segment("unknown", 0, row.first, row.last)
    per_second = (part.last - part.first) / BEAT_SAMPLES * RATE
    signal = _resample(_one_millivolt(row.mm[part.first : part.last]), per_second)
    notes = ("A picture of one beat shows neither rate nor rhythm: it was taken to last 0.53 s.",)
    recording = Recording(RATE, {"unknown": signal}, "beat", calibrated=False, notes=notes)
    return Reading(recording, Sheet(ink, 1.0, flat), {"unknown": _line(row, part, 0, 1.0)})


def _one_millivolt(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scaled to 1 mV from lowest to highest, its median at zero: only the shape is known."""
    low, high = np.nanmin(values), np.nanmax(values)
    return np.asarray((values - np.nanmedian(values)) / max(high - low, 1e-9))
