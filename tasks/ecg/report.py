"""A reading as files: a PDF of one or two A4 pages, and the beats as CSV.

The PDF holds no name and no date but the one it is given; the same reading makes the same bytes.
"""

import csv
import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tasks.ecg.drawing import DISCLAIMER, MM, caption, paint_legend, paint_spectrogram
from tasks.ecg.labels import NAMES, AnyBeat
from tasks.ecg.quality import clock
from tasks.ecg.rhythm import Quality, Rhythm
from tasks.ecg.strips import COLOURS, INK, PAPER, QUIET, Scale, choose_rows, fit_scale, paint_row, row_seconds

_WIDTH, _HEIGHT, _MARGIN = 210.0, 297.0, 14.0
_LINE, _SMALL, _BODY, _TITLE = 4.4, 7.5, 9.0, 17.0
_MOST_SPECTROGRAMS, _IN_A_ROW, _MOST_LINES = 8, 4, 9
_WARNING, _BAR = "#8f2d1f", "#e4ddd8"
# A printed page has a scale of its own.
_PAPER_WORDS = (("25 mm/s, 10 mm/mV", "a large square is 0.2 s and 0.5 mV"), ("25 mm/s", "a large square is 0.2 s"))
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Spectrogram:
    """One beat's spectrogram: (frequencies rising, times), what its columns span and the frequency of its last row."""

    power: NDArray[np.floating]
    seconds: float
    highest_hz: float


@dataclass(frozen=True)
class Report:
    """All that stands in the file.

    Attributes:
        made_at: when the reading was made; the only date in the file.
        not_assessed: what the reading does not look at, full sentences; they come first.
        signal: the lead that was read, 1-D, mV.
        rate: Hz.
        lead: its name.
        calibrated: whether its mV are real.
        beats: classified, in the order of time.
        rhythm: as `describe_rhythm` tells it.
        quality: as `assess_quality` tells it.
        unread: what could not be read and why, full sentences.
        spectrograms: one for each class, by label.
        model_version: of the network.
        limits: its measured limits, full sentences.
        title: on each page; say there when the ECG is simulated.
    """

    made_at: datetime
    not_assessed: Sequence[str]
    signal: NDArray[np.floating]
    rate: float
    lead: str
    calibrated: bool
    beats: Sequence[AnyBeat]
    rhythm: Rhythm
    quality: Quality
    unread: Sequence[str]
    spectrograms: Mapping[str, Spectrogram]
    model_version: str
    limits: Sequence[str]
    title: str = field(default="Reading of an ECG")


def write_pdf(report: Report) -> bytes:
    """The whole reading as a PDF: figures first, then strips and spectrograms, on a second page if need be."""
    out = io.BytesIO()
    told = {"Title": report.title, "CreationDate": report.made_at, "Creator": "Nightshift", "Producer": None}
    with PdfPages(out, metadata=told) as pages:
        page = _Page(report)
        _paint_figures(page, report)
        rows = _Rows.of(report)
        if page.y + rows.room > _HEIGHT - _MARGIN:
            pages.savefig(page.figure)
            page = _Page(report)
        _paint_strips(page, report, rows)
        pages.savefig(page.figure)
    return out.getvalue()


def beats_csv(beats: Sequence[AnyBeat]) -> str:
    """The beats as a table: time_s, label, certainty. Text that a spreadsheet would calculate is quoted for it."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["time_s", "label", "certainty"])
    table.writerows([f"{beat.time_s:.3f}", escape_cell(beat.label), f"{beat.certainty:.4f}"] for beat in beats)
    return out.getvalue()


def escape_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


class _Page:
    """An A4 page with its heads and feet drawn, filled from the top: positions in mm from the left and the top."""

    def __init__(self, report: Report) -> None:
        self.figure = Figure(figsize=(_WIDTH * MM, _HEIGHT * MM), facecolor="white")
        self.write(_MARGIN, 18, report.title, _TITLE, INK)
        self.write(_WIDTH - _MARGIN, 18, f"{report.made_at:%Y-%m-%d %H:%M}", _SMALL, QUIET, "right")
        self.write(_MARGIN, 26, DISCLAIMER, _BODY, _WARNING, weight="bold")
        self.write(_MARGIN, _HEIGHT - 8, f"{DISCLAIMER} Model {report.model_version}.", _SMALL, QUIET)
        self.y = 34.0

    def write(
        self, x: float, y: float, words: str, size: float, colour: str, align: str = "left", weight: str = "normal"
    ) -> None:
        at = (x / _WIDTH, 1 - y / _HEIGHT)
        self.figure.text(*at, words, size=size, color=colour, ha=align, va="center", weight=weight, parse_math=False)

    def head(self, words: str) -> None:
        self.y += 4
        self.write(_MARGIN, self.y, words, 10.5, INK, weight="bold")
        self.y += 6

    def sentences(self, sentences: Sequence[str]) -> None:
        lines = [
            line for sentence in sentences for line in textwrap.wrap(f"• {sentence}", 112, subsequent_indent="   ")
        ]
        if len(lines) > _MOST_LINES:
            lines = [*lines[: _MOST_LINES - 1], "   … the page of the reading says more."]
        for line in lines:
            self.write(_MARGIN, self.y, line, _BODY, INK)
            self.y += _LINE

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        corner = (x / _WIDTH, 1 - (y + height / 2) / _HEIGHT)
        size = (width / _WIDTH, height / _HEIGHT)
        self.figure.add_artist(Rectangle(corner, *size, facecolor=colour, edgecolor="none"))

    def box(self, x: float, width: float, height: float) -> tuple[float, float, float, float]:
        """A part of the page from the present height downwards, as shares of it."""
        return x / _WIDTH, 1 - (self.y + height) / _HEIGHT, width / _WIDTH, height / _HEIGHT


def _paint_figures(page: _Page, report: Report) -> None:
    page.head("What is not assessed")
    page.sentences(report.not_assessed)
    page.y += 4
    _paint_tiles(page, report)
    page.head("Rhythm")
    page.sentences(_rhythm_sentences(report.rhythm))
    page.head("Beats")
    _paint_counts(page, report.rhythm)
    page.head("What could not be read, and why")
    page.sentences([*report.quality.notes, *report.unread] or ["Everything was read."])
    page.head("The model and its limits")
    page.sentences([f"Model {report.model_version}.", *report.limits])


def _paint_tiles(page: _Page, report: Report) -> None:
    rhythm = report.rhythm
    tiles = (
        ("Heart rate", _figure(rhythm.heart_rate_bpm, "bpm")),
        ("Lowest to highest", f"{_figure(rhythm.lowest_bpm)} to {_figure(rhythm.highest_bpm, 'bpm')}"),
        ("Signal quality", f"{report.quality.score:.0%}"),
        (f"Read of lead {report.lead[:14]}", f"{clock(len(report.signal) / report.rate)} min"),
    )
    width = (_WIDTH - 2 * _MARGIN) / len(tiles)
    page.bar(_MARGIN, page.y + 6, _WIDTH - 2 * _MARGIN, 18, PAPER)
    for number, (name, value) in enumerate(tiles):
        x = _MARGIN + 4 + number * width
        page.write(x, page.y + 2, name, _SMALL, QUIET)
        page.write(x, page.y + 9, value, 12.5, INK, weight="bold")
    page.y += 18


def _figure(value: float | None, unit: str = "") -> str:
    return "?" if value is None else f"{value:.0f} {unit}".strip()


def _rhythm_sentences(rhythm: Rhythm) -> list[str]:
    said = [f"{rhythm.regularity[:1].upper()}{rhythm.regularity[1:]}."]
    if rhythm.sdnn_ms is not None and rhythm.rmssd_ms is not None:
        said.append(f"Variability of normal intervals: SDNN {rhythm.sdnn_ms:.0f} ms, RMSSD {rhythm.rmssd_ms:.0f} ms.")
    if rhythm.pauses:
        longest = max(rhythm.pauses, key=lambda pause: pause.seconds)
        number = len(rhythm.pauses)
        said.append(
            f"Pauses of more than 2 s: {number}, the longest {longest.seconds:.1f} s at {clock(longest.time_s)}."
        )
    if rhythm.runs:
        longest_run = max(rhythm.runs, key=lambda run: run.beats)
        said.append(
            f"Runs of three or more in a row: {len(rhythm.runs)}, the longest of {longest_run.beats} "
            f"({NAMES[longest_run.label]}) at {clock(longest_run.time_s)}."
        )
    return said


def _paint_counts(page: _Page, rhythm: Rhythm) -> None:
    total = sum(count.count for count in rhythm.counts)
    if not total:
        page.sentences(["No beats were found."])
    for count in rhythm.counts:
        colour = COLOURS.get(count.label, QUIET)
        page.write(_MARGIN, page.y, count.label, _BODY, colour, weight="bold")
        page.write(_MARGIN + 6, page.y, count.name, _BODY, INK)
        page.write(_MARGIN + 74, page.y, f"{count.count:,}", _BODY, INK, "right")
        page.bar(_MARGIN + 80, page.y, 60, 2.6, _BAR)
        page.bar(_MARGIN + 80, page.y, max(0.4, 60 * count.count / total), 2.6, colour)
        page.write(_MARGIN + 146, page.y, f"{count.mean_certainty:.0%} certain on average", _SMALL, QUIET)
        page.y += 5.4


@dataclass(frozen=True)
class _Rows:
    """The rows of the strip as they fit on paper: their starts, common scale, width and height in mm, and the room that
    they take with the spectrograms below them."""

    starts: list[float]
    scale: Scale
    width: float
    height: float
    room: float

    @classmethod
    def of(cls, report: Report) -> "_Rows":
        seconds = len(report.signal) / report.rate
        starts = choose_rows(report.beats, seconds, most=5)
        scale = fit_scale(report.signal, report.rate, starts)
        # A short strip at twice the usual scale, at most; a high one as flat as the page asks.
        second = min((_WIDTH - 2 * _MARGIN) / row_seconds(seconds), 40.0)
        height = min(scale.height * second * 0.4, 165 / len(starts) - 3)
        spectrograms = 12 + 37 * -(-min(len(report.spectrograms), _MOST_SPECTROGRAMS) // _IN_A_ROW)
        return cls(starts, scale, second * row_seconds(seconds), height, 28 + len(starts) * (height + 3) + spectrograms)


def _paint_strips(page: _Page, report: Report, rows: _Rows) -> None:
    page.head("The strip")
    said = caption(report.lead, len(report.signal) / report.rate, rows.starts, report.calibrated)
    for printed, here in _PAPER_WORDS:
        said = said.replace(printed, here)
    page.write(_MARGIN, page.y - 1, said, _SMALL, QUIET)
    page.y += 2
    for start in rows.starts:
        axes = page.figure.add_axes(page.box(_MARGIN, rows.width, rows.height))
        paint_row(axes, report.signal, report.rate, report.beats, start, rows.scale)
        page.y += rows.height + 3
    page.y += 2
    paint_legend(page.figure, _MARGIN / _WIDTH, 1 - page.y / _HEIGHT, report.beats)
    page.y += 8
    _paint_spectrograms(page, report)


def _paint_spectrograms(page: _Page, report: Report) -> None:
    shown = [label for label in NAMES if label in report.spectrograms][:_MOST_SPECTROGRAMS]
    if not shown:
        return
    page.head("A spectrogram of each class")
    width = (_WIDTH - 2 * _MARGIN) / _IN_A_ROW
    for number, label in enumerate(shown):
        if number == _IN_A_ROW:
            page.y += 37
        x = _MARGIN + number % _IN_A_ROW * width
        page.write(x + 6, page.y, f"{label}  {NAMES[label]}", _SMALL, COLOURS[label])
        one = report.spectrograms[label]
        left, bottom, across, up = page.box(x + 6, width - 9, 26)
        box = (left, bottom - 3 / _HEIGHT, across, up)
        paint_spectrogram(page.figure, box, one.power, one.seconds, one.highest_hz)
