"""An ECG on its paper: rows of ten seconds with every beat marked, for the PNG and the PDF alike.

Which rows are shown of a long recording is decided here; how they look is `paint_row`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.markers import TICKDOWN
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from tasks.ecg.labels import AnyBeat
from tasks.ecg.quality import clock

Samples = NDArray[np.float64]

ROW_S = 10.0
PAPER, FINE, BOLD, INK, QUIET = "#fffaf6", "#f7dcd8", "#e9b3ad", "#20242c", "#6b7078"
# Okabe and Ito's palette, its light colours darkened to be read on paper; the symbols say the same without colour.
COLOURS: Mapping[str, str] = {
    "N": "#3b4252",
    "L": "#b3508c",
    "R": "#a86d00",
    "A": "#00805f",
    "V": "#d04a00",
    "/": "#0072b2",
    "!": "#7b3294",
    "E": "#8a5a2b",
    "?": "#7a7a7a",
}
_WEIGHTS: Mapping[str, float] = {
    "V": 3.0,
    "!": 3.0,
    "E": 3.0,
    "A": 2.0,
    "?": 0.7,
    "L": 0.5,
    "R": 0.5,
    "/": 0.5,
    "N": 0.1,
}
_STEP_S = 5.0
_MOST_POINTS = 4000
_QRS_S = 0.12
_HEIGHTS_MV = (1.5, 5.0)


@dataclass(frozen=True)
class Scale:
    """The vertical extent of all rows of one drawing, in mV (guessed ones, when the recording is not calibrated)."""

    low: float
    high: float

    @property
    def height(self) -> float:
        """Of the paper, with room above for the symbols."""
        return self.high - self.low + 0.6


def choose_rows(beats: Sequence[AnyBeat], seconds: float, most: int = 6) -> list[float]:
    """Where the rows to be drawn begin, in seconds.

    Everything, when `most` rows hold it; else the stretches that tell most: each next one is that with the most beats
    of weight, where a label counts less the more it has been shown.
    """
    if seconds <= most * ROW_S:
        return [row * ROW_S for row in range(max(1, int(np.ceil(seconds / ROW_S - 0.05))))]
    starts = np.arange(0, seconds - ROW_S + 1e-9, _STEP_S)
    held = _labels_by_row(beats, starts)
    shown: Counter[str] = Counter()
    chosen: list[float] = []
    while len(chosen) < most:
        free = [i for i in range(len(starts)) if all(abs(starts[i] - start) >= ROW_S for start in chosen)]
        if not free:
            break
        best = max(free, key=lambda i: _telling(held[i], shown))
        chosen.append(float(starts[best]))
        shown += held[best]
    return sorted(chosen)


def _labels_by_row(beats: Sequence[AnyBeat], starts: Samples) -> list[Counter[str]]:
    held: list[Counter[str]] = [Counter() for _ in starts]
    for beat in beats:
        last = int(beat.time_s // _STEP_S)
        for row in range(last - round(ROW_S / _STEP_S) + 1, last + 1):
            if 0 <= row < len(held):
                held[row][beat.label] += 1
    return held


def _telling(labels: Counter[str], shown: Counter[str]) -> float:
    return sum(_WEIGHTS.get(label, 1.0) * min(count, 5) / (1 + shown[label]) for label, count in labels.items())


def row_seconds(seconds: float) -> float:
    """What one row spans, of a lead of so many seconds."""
    return min(ROW_S, max(0.2, seconds))


def fit_scale(signal: NDArray[np.floating], rate: float, starts: Sequence[float]) -> Scale:
    """A scale that holds the shown rows but for their rarest peaks, in whole large squares."""
    shown = np.concatenate([cut(signal, rate, start)[1] for start in starts])
    low, high = np.nanpercentile(shown, [0.2, 99.8]) if np.isfinite(shown).any() else (-0.5, 0.5)
    low, high = max(float(low), -_HEIGHTS_MV[1]), min(float(high), _HEIGHTS_MV[1])
    spare = max(0.0, _HEIGHTS_MV[0] - (high - low)) / 2
    return Scale(np.floor((low - spare) * 2) / 2, np.ceil((high + spare) * 2) / 2)


def cut(signal: NDArray[np.floating], rate: float, start: float) -> tuple[Samples, Samples]:
    """Times in seconds and values about their median of the row that begins at `start`; thinned when very dense."""
    first, last = round(start * rate), round((start + ROW_S) * rate)
    values = np.asarray(signal[first:last], np.float64)
    stride = max(1, len(values) // _MOST_POINTS)
    times = (np.arange(first, first + len(values)) / rate)[::stride]
    middle = np.nanmedian(values) if np.isfinite(values).any() else 0.0
    return times, (values - middle)[::stride]


def paint_row(
    axes: Axes, signal: NDArray[np.floating], rate: float, beats: Sequence[AnyBeat], start: float, scale: Scale
) -> None:
    """Draw one row: paper, trace, and each beat's QRS in its colour below its symbol.

    Args:
        axes: fills the row; its limits are set here.
        signal: the whole lead, 1-D.
        rate: Hz.
        beats: of the whole lead.
        start: of the row, seconds.
        scale: as `fit_scale` gave it.
    """
    times, values = cut(signal, rate, start)
    whole = len(signal) / rate
    _paper(axes, start, row_seconds(whole), scale)
    values = np.clip(values, scale.low, scale.high)
    axes.plot(times, values, color=INK, linewidth=0.8, solid_joinstyle="round", zorder=3)
    for beat in beats:
        if start <= beat.time_s < start + ROW_S:
            _mark(axes, beat, times, values, scale)
    if whole > ROW_S:
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
        axes.text(start + 0.06, scale.low + 0.08, clock(start), size=7, color=QUIET, va="bottom", bbox=box, zorder=5)


def _paper(axes: Axes, start: float, seconds: float, scale: Scale) -> None:
    top = scale.low + scale.height
    axes.set_xlim(start, start + seconds)
    axes.set_ylim(scale.low, top)
    axes.set_axis_off()
    for across, up, colour, width in ((0.04, 0.1, FINE, 0.35), (0.2, 0.5, BOLD, 0.6)):
        xs = start + np.arange(0, seconds + across / 2, across)
        ys = scale.low + np.arange(0, scale.height + up / 2, up)
        lines = [[(x, scale.low), (x, top)] for x in xs] + [[(start, y), (start + seconds, y)] for y in ys]
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, zorder=1))


def _mark(axes: Axes, beat: AnyBeat, times: Samples, values: Samples, scale: Scale) -> None:
    colour = COLOURS.get(beat.label, COLOURS["?"])
    near = np.abs(times - beat.time_s) <= _QRS_S / 2
    axes.plot(times[near], values[near], color=colour, linewidth=1.5, solid_capstyle="round", zorder=4)
    top = scale.low + scale.height
    weight = "normal" if beat.label == "N" else "bold"
    # Placed in points below the upper edge, so that symbol and tick stay together at any scale.
    inches = cast(Figure, axes.figure).dpi_scale_trans
    symbol, tick = (axes.transData + ScaledTranslation(0, down / 72, inches) for down in (-2.5, -12))
    look: dict[str, Any] = {"size": 8, "color": colour, "weight": weight, "ha": "center", "va": "top"}
    axes.text(beat.time_s, top, beat.label, parse_math=False, transform=symbol, zorder=5, **look)
    axes.plot([beat.time_s], [top], marker=TICKDOWN, markersize=3, color=colour, transform=tick, zorder=5)
