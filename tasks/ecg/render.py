"""Draws ECGs as people upload them: paper pages, strips, single beats and phone photos of them.

What is drawn is known exactly, so these pictures are the truth that reading a picture is measured against.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.ecg.recording import Recording, Signal

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

SPEED = 25.0  # mm a second
GAIN = 10.0  # mm a mV
PAGE_MM = (297.0, 210.0)
PAGE_SECONDS = 10.0
LAYOUT = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
LEFT_MM, PULSE_MM, TOP_MM = 14.0, 10.0, 48.0

PINK: tuple[Colour, Colour, Colour] = ((243, 246, 255), (205, 205, 250), (160, 160, 240))  # paper, 1 mm, 5 mm (BGR)
INK: Colour = (30, 25, 25)
# cv2 draws at sixteenths of a pixel when it is given this many fractional bits.
SHIFT = 4


class Sheet:
    """Paper measured in millimetres, from the top left."""

    def __init__(self, width_mm: float, height_mm: float, dpi: float, paper: Colour = PINK[0]) -> None:
        self.scale = dpi / 25.4
        self.size_mm = (width_mm, height_mm)
        shape = (round(height_mm * self.scale), round(width_mm * self.scale), 3)
        self.image: Image = np.full(shape, paper, dtype=np.uint8)

    def line(self, points_mm: NDArray[np.float64], colour: Colour, width_mm: float) -> None:
        points = np.rint((points_mm * self.scale - 0.5) * (1 << SHIFT)).astype(np.int32)
        thickness = max(1, round(width_mm * self.scale - 0.8))
        cv2.polylines(self.image, [points.reshape(-1, 1, 2)], False, colour, thickness, cv2.LINE_AA, SHIFT)

    def grid(self, minor: Colour = PINK[1], major: Colour = PINK[2]) -> None:
        width, height = self.size_mm
        for step, colour, thick in ((1.0, minor, 0.08), (5.0, major, 0.16)):
            for x in np.arange(0.5, width, step):
                self.line(np.array([[x, 0], [x, height]]), colour, thick)
            for y in np.arange(0.5, height, step):
                self.line(np.array([[0, y], [width, y]]), colour, thick)

    def text(self, words: str, x_mm: float, y_mm: float, height_mm: float = 3.0, colour: Colour = INK) -> None:
        at = (round(x_mm * self.scale), round(y_mm * self.scale))
        size = height_mm * self.scale / 22.0
        thickness = max(1, round(0.25 * self.scale))
        cv2.putText(self.image, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thickness, cv2.LINE_AA)

    def signal(self, signal: Signal, rate: float, x_mm: float, y_mm: float, colour: Colour = INK) -> None:
        """Draws a signal in mV from x_mm on, its zero at y_mm."""
        x = x_mm + np.arange(signal.size) / rate * SPEED
        y = y_mm - np.asarray(signal, dtype=np.float64) * GAIN
        self.line(np.column_stack([x, y]), colour, 0.35)

    def pulse(self, x_mm: float, y_mm: float) -> None:
        """The calibration pulse: 1 mV for 0.2 s."""
        outline = np.array([[0, 0], [2, 0], [2, -GAIN], [7, -GAIN], [7, 0], [9, 0]], dtype=np.float64)
        self.line(outline + np.array([x_mm, y_mm]), INK, 0.35)


def render_page(recording: Recording, dpi: float = 200.0, title: str = "SIMULATED") -> Image:
    """An A4 page at 25 mm/s and 10 mm/mV, BGR: 3x4 leads and the rhythm strip II, or a row of 10 s for each lead
    when the twelve are not all there (at most four rows)."""
    sheet = Sheet(*PAGE_MM, dpi)
    sheet.grid()
    sheet.text(title, LEFT_MM, 14, 5)
    sheet.text("25 mm/s   10 mm/mV   not a medical device", LEFT_MM, 22)
    whole = {name for row in LAYOUT for name in row} <= recording.leads.keys()
    rows = [*LAYOUT, ("II",)] if whole else [(name,) for name in list(recording.leads)[:4]]
    for number, names in enumerate(rows):
        _draw_row(sheet, recording, names, TOP_MM + number * 42.0)
    return sheet.image


def _draw_row(sheet: Sheet, recording: Recording, names: tuple[str, ...], y_mm: float) -> None:
    sheet.pulse(LEFT_MM, y_mm)
    span = PAGE_SECONDS / len(names)
    for column, name in enumerate(names):
        first, last = (round(part * span * recording.rate) for part in (column, column + 1))
        x = LEFT_MM + PULSE_MM + column * span * SPEED
        sheet.signal(recording.leads[name][first:last], recording.rate, x, y_mm)
        sheet.text(name, x + 1.5, y_mm - 13.5)


def render_strip(
    recording: Recording, lead: str = "II", dpi: float = 150.0, grid: bool = True, title: str = "SIMULATED"
) -> Image:
    """One lead as a strip, BGR, with its grid or as a plain plot from edge to edge on white."""
    signal = recording.leads[lead]
    margin = 5.0 if grid else 0.0
    width = signal.size / recording.rate * SPEED + 2 * margin
    top, bottom = float(signal.max()) * GAIN + 10.0, float(-signal.min()) * GAIN + 7.0
    sheet = Sheet(width, top + bottom, dpi, PINK[0] if grid else (255, 255, 255))
    if grid:
        sheet.grid()
        sheet.text(f"{lead}  {title}", 6.0, 5.5)
    sheet.signal(signal, recording.rate, margin, top)
    return sheet.image


def render_beat(signal: Signal, peak: int, title: str = "") -> Image:
    """A beat as student projects plot it: 192x128, grey levels in BGR, ±96 samples, no axes, scaled to fill."""
    beat = np.asarray(signal[peak - 96 : peak + 96], dtype=np.float64)
    low, high = beat.min(), beat.max()
    y = 118.0 - (beat - low) / max(high - low, 1e-9) * 108.0
    image: Image = np.full((128, 192, 3), 255, dtype=np.uint8)
    # Pale, so that the note is seen by people and not taken for the trace.
    cv2.putText(image, title, (4, 125), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (205, 205, 205), 1, cv2.LINE_AA)
    points = np.rint(np.column_stack([np.arange(192), y]) * (1 << SHIFT)).astype(np.int32)
    cv2.polylines(image, [points.reshape(-1, 1, 2)], False, (40, 40, 40), 1, cv2.LINE_AA, SHIFT)
    return image


def photograph(image: Image, seed: int, severity: Literal["mild", "hard"] = "mild") -> Image:
    """The picture as a phone would take it, BGR: on a table, tilted, in perspective, unevenly lit, tinted, blurred,
    with noise and JPEG's traces. The same seed gives the same photo."""
    rng = np.random.default_rng(seed)
    force = {"mild": 1.0, "hard": 2.2}[severity]
    photo = _pose(image, rng, force)
    photo = _light(photo, rng, force)
    blurred = np.asarray(cv2.GaussianBlur(photo, (0, 0), 0.45 * force * photo.shape[1] / 2600))
    photo = (blurred + rng.normal(0, 2.0 * force, photo.shape)).astype(np.float32)
    quality = [cv2.IMWRITE_JPEG_QUALITY, round(92 - 12 * force)]
    _, data = cv2.imencode(".jpg", np.clip(photo, 0, 255).astype(np.uint8), quality)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def _pose(image: Image, rng: np.random.Generator, force: float) -> NDArray[np.float32]:
    height, width = image.shape[:2]
    margin = 0.06 * width
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    angle = np.deg2rad(rng.uniform(-2.2, 2.2) * force)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([width / 2, height / 2])
    away = (corners - middle) @ turn.T + rng.uniform(-0.014, 0.014, (4, 2)) * force * width
    target = (away + middle + margin).astype(np.float32)
    size = (round(width + 2 * margin), round(height + 2 * margin))
    table = rng.uniform((40, 50, 60), (90, 110, 130))
    warp = cv2.getPerspectiveTransform(corners, target)
    photo = cv2.warpPerspective(image, warp, size, flags=cv2.INTER_AREA, borderValue=table.tolist())
    return photo.astype(np.float32)


def _light(photo: NDArray[np.float32], rng: np.random.Generator, force: float) -> NDArray[np.float32]:
    """A slope of light, the soft shadow of a hand and the lamp's colour."""
    height, width = photo.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    slope = 1 - 0.10 * force * (1 + np.cos(direction) * x + np.sin(direction) * y) / 2
    edge = np.cos(direction + 1) * x + np.sin(direction + 1) * y - rng.uniform(0.1, 0.6)
    shadow = 1 - 0.14 * force / (1 + np.exp(-edge / 0.06))
    tint = 1 + rng.uniform(-0.05, 0.05, 3) * force
    return np.asarray(photo * (slope * shadow)[..., None] * np.minimum(tint, 1.0), dtype=np.float32)
