"""Pictures of a reading: the annotated strip and a beat's spectrogram, as PNG on paper of their own.

Matplotlib's object interface only: no pyplot, so nothing is kept after a picture is drawn.
"""

import io
from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from tasks.ecg.labels import NAMES, AnyBeat
from tasks.ecg.strips import COLOURS, INK, PAPER, QUIET, ROW_S, choose_rows, fit_scale, paint_row, row_seconds

DISCLAIMER = "Not a medical device. A clinician decides."
MM = 1 / 25.4
_MM_A_SECOND, _MM_A_MILLIVOLT = 25.0, 10.0
_MARGIN, _HEAD, _FOOT, _GAP = 6.0, 13.0, 14.0, 3.0
_NARROWEST = 120.0
_DPI = 120
_MOST_CELLS = 256


def draw_strip(
    signal: NDArray[np.floating], rate: float, beats: Sequence[AnyBeat], *, lead: str = "", calibrated: bool = True
) -> bytes:
    """Draw the strip with each beat marked, at 25 mm/s and 10 mm/mV.

    Args:
        signal: one lead, 1-D, mV.
        rate: Hz.
        beats: of that lead, in the order of time.
        lead: its name, for the caption.
        calibrated: False when the mV are a guess; the caption then says so.

    Returns:
        A PNG: at most six rows of ten seconds, of a longer recording the most telling ones (the caption says so).
    """
    seconds = len(signal) / rate
    starts = choose_rows(beats, seconds)
    scale = fit_scale(signal, rate, starts)
    across = row_seconds(seconds)
    zoom = min(3, max(1, int(_NARROWEST / (across * _MM_A_SECOND))))
    row_width, row = across * _MM_A_SECOND * zoom, scale.height * _MM_A_MILLIVOLT * zoom
    width = max(row_width, _NARROWEST) + 2 * _MARGIN
    height = _HEAD + len(starts) * (row + _GAP) + _FOOT
    figure = Figure(figsize=(width * MM, height * MM), dpi=_DPI, facecolor=PAPER)
    for number, start in enumerate(starts):
        bottom = height - _HEAD - (number + 1) * row - number * _GAP
        box = (_MARGIN / width, bottom / height, row_width / width, row / height)
        paint_row(figure.add_axes(box), signal, rate, beats, start, scale)
    left = _MARGIN / width
    _write(figure, left, 1 - 4 / height, DISCLAIMER, QUIET)
    _write(figure, left, 1 - 8.5 / height, caption(lead, seconds, starts, calibrated, zoom), INK)
    paint_legend(figure, left, (_FOOT - 4) / height, beats)
    return _png(figure)


def caption(lead: str, seconds: float, starts: Sequence[float], calibrated: bool, zoom: int = 1) -> str:
    """One line above the rows: lead, scale, and which part of the recording they are."""
    parts = [f"Lead {lead}"] if lead and lead != "unknown" else []
    parts.append(f"{25 * zoom} mm/s, " + (f"{10 * zoom} mm/mV" if calibrated else "heights not calibrated"))
    if seconds > len(starts) * ROW_S + 1:
        rows = f"{len(starts)} rows of ten seconds"
        parts.append(f"{rows} out of {seconds / 60:.0f} minutes, chosen where the unusual beats are")
    return " · ".join(parts)


def draw_spectrogram(
    power: NDArray[np.floating], *, seconds: float, highest_hz: float, label: str, certainty: float | None = None
) -> bytes:
    """Draw one beat's spectrogram.

    Args:
        power: (frequencies rising, times), any scale; NaN is drawn as the lowest value.
        seconds: what the columns span.
        highest_hz: of the last row.
        label: the beat's class, for the title.
        certainty: 0 to 1, for the title.

    Returns:
        A PNG of 320 x 220 pixels.
    """
    figure = Figure(figsize=(3.2, 2.2), dpi=100, facecolor=PAPER)
    paint_spectrogram(figure, (0.15, 0.2, 0.81, 0.64), power, seconds, highest_hz)
    sure = f", {certainty:.0%} certain" if certainty is not None else ""
    _write(figure, 0.15, 0.91, f"{label}  {NAMES.get(label, 'unclassified')}{sure}", COLOURS.get(label, INK))
    return _png(figure)


def paint_spectrogram(
    figure: Figure,
    box: tuple[float, float, float, float],
    power: NDArray[np.floating],
    seconds: float,
    highest_hz: float,
) -> None:
    """Draw a spectrogram into a part of a figure; `box` is left, bottom, width, height as shares of it."""
    axes = figure.add_axes(box)
    rows, columns = (slice(None, None, -(-size // _MOST_CELLS)) for size in power.shape)
    shown = np.asarray(power[rows, columns], np.float64)
    known = shown[np.isfinite(shown)]
    shown = np.where(np.isfinite(shown), shown, known.min() if len(known) else 0.0)
    extent = (-seconds / 2, seconds / 2, 0.0, highest_hz)
    axes.imshow(shown, origin="lower", aspect="auto", extent=extent, cmap="viridis", interpolation="bilinear")
    axes.tick_params(labelsize=6, colors=QUIET, length=2, pad=1.5)
    axes.set_xlabel("s from the R peak", size=6, color=QUIET, labelpad=1)
    axes.set_ylabel("Hz", size=6, color=QUIET, labelpad=1)
    for side in axes.spines.values():
        side.set_visible(False)


def paint_legend(figure: Figure, x: float, y: float, beats: Sequence[AnyBeat]) -> None:
    """Symbol, name and number of each class there is, in its colour, in lines from `y` downwards."""
    counts = Counter(beat.label for beat in beats)
    left, right, renderer = x, 1 - x, FigureCanvasAgg(figure).get_renderer()
    for label in (label for label in NAMES if counts[label]):
        text = _write(figure, x, y, f"{label}  {NAMES[label]} {counts[label]:,}", COLOURS[label])
        width = text.get_window_extent(renderer).width / figure.bbox.width
        if x + width > right and x > left:
            x, y = left, y - 4 * MM / figure.get_figheight()
            text.set_position((x, y))
        x += width + 5 * MM / figure.get_figwidth()


def _write(figure: Figure, x: float, y: float, words: str, colour: str, align: str = "left") -> Text:
    return figure.text(x, y, words, size=7.5, color=colour, ha=align, va="center", parse_math=False)


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    # No "Software" text: the file says nothing about where it was made.
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None}, pil_kwargs={"optimize": True})
    return out.getvalue()
