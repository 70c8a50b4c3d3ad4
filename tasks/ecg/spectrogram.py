"""What the network eats: each beat's spectrogram, how it differs from the person's own, and its place in the rhythm.

The same functions serve training and reading. Comparing a person with themselves is what carries over to people
the network never met, so the second channel of each picture is the beat minus the person's median beat.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from tasks.ecg.beats import RATE, Peaks, Signal, at_network_rate
from tasks.ecg.rhythm_context import RHYTHM_SIZE, rhythm
from tasks.ecg.shape_context import SHAPE_SIZE, shape

Floats = NDArray[np.float32]

BEAT = 360  # samples of one picture: a second, R in the middle
SEGMENT, HOP, PADDED = 64, 8, 128  # samples: 0.18 s segments every 22 ms, zero-padded to 2.8 Hz a row
ROWS, COLUMNS = 16, (BEAT - SEGMENT) // HOP + 1
HALF_SINGLE = 96  # samples on each side of R in the picture of a single beat
ENOUGH_BEATS = 5  # fewer tell no person's own median
BATCH = 512
FLOOR = 0.02  # of the person's QRS height; keeps silence from becoming minus infinity
CONTEXT_SIZE = RHYTHM_SIZE + SHAPE_SIZE
_TAPER = np.hanning(SEGMENT + 2)[1:-1].astype(np.float32)


@dataclass(frozen=True)
class Inputs:
    """The network's two inputs for n beats.

    Attributes:
        pictures: (n, 16, 38, 2) float32: log magnitude by frequency (0–42 Hz) and time (1 s), and the same minus the
            person's median; the second is all zeros where the person is not known.
        context: (n, CONTEXT_SIZE) float32: rhythm first (`rhythm_context`), then shape (`shape_context`).
    """

    pictures: Floats
    context: Floats


@dataclass(frozen=True)
class Person:
    """One recording made ready: filtered, scaled to its own QRS height, with its own median spectrogram."""

    signal: Signal
    peaks: Peaks
    median: Floats | None
    context: Floats


def person(signal: Signal, rate: float, peaks: Peaks) -> Person:
    """Make a recording ready for `inputs`.

    Args:
        signal: one lead, 1-D, mV (any scale).
        rate: Hz.
        peaks: rising R peak indices into `signal`.
    """
    even = _band(at_network_rate(signal, rate))
    places = np.clip(np.rint(peaks * (RATE / rate)).astype(np.int64), 0, max(len(even) - 1, 0))
    sample = windows(even, places[_spread(len(places), 500)])
    even = even / qrs_height(sample)
    enough = len(places) >= ENOUGH_BEATS
    sample = windows(even, places[_spread(len(places), 500)])
    median = np.median(spectrograms(sample), axis=0).astype(np.float32) if enough else None
    usual = np.median(sample, axis=0).astype(np.float32) if enough else None
    context = np.concatenate([rhythm(places / RATE), shape(windows(even, places, 4), usual)], axis=1)
    return Person(even, places, median, context.astype(np.float32))


def inputs(of: Person, which: Peaks | None = None) -> Inputs:
    """The network's inputs for the beats `which` (indices into the person's peaks; all when None)."""
    chosen = np.arange(len(of.peaks)) if which is None else which
    grams = spectrograms(windows(of.signal, of.peaks[chosen]))
    return Inputs(_pictures(grams, of.median), of.context[chosen])


def batches(of: Person) -> Iterator[Inputs]:
    """All beats in parts of `BATCH`, so that a day's recording takes no more memory than a minute's."""
    for start in range(0, len(of.peaks), BATCH):
        yield inputs(of, np.arange(start, min(start + BATCH, len(of.peaks))))


def single_inputs(beats: Floats) -> Inputs:
    """Inputs for beats seen alone, without neighbours: (n, samples at `RATE`, R in the middle) → `Inputs`."""
    middle = beats.shape[1] // 2
    reach = min(HALF_SINGLE, middle)
    seen = beats[:, middle - reach : middle + reach + 1]
    seen = _smooth(seen - np.median(seen, axis=1, keepdims=True))
    wide = np.pad(seen, ((0, 0), (BEAT // 2 - reach, BEAT // 2)), mode="edge")[:, :BEAT]
    grams = spectrograms(wide / np.maximum(np.ptp(wide, axis=1, keepdims=True), 1e-6))
    return Inputs(_pictures(grams, None), np.zeros((len(beats), CONTEXT_SIZE), np.float32))


def windows(signal: Signal, peaks: Peaks, step: int = 1) -> Floats:
    """(n, BEAT / step): a second round each peak; beyond the ends the signal stands still."""
    if not len(signal):
        return np.zeros((0, BEAT // step), np.float32)
    padded = np.pad(signal, BEAT // 2, mode="edge")
    return sliding_window_view(padded, BEAT)[peaks, ::step]


def spectrograms(beats: Floats) -> Floats:
    """(n, BEAT) → (n, ROWS, COLUMNS): log of the short-time Fourier magnitude."""
    parts = [_spectrograms(beats[i : i + BATCH]) for i in range(0, len(beats), BATCH)]
    return np.concatenate(parts) if parts else np.zeros((0, ROWS, COLUMNS), np.float32)


def qrs_height(beats: Floats) -> float:
    """The person's usual height from deepest to highest within 0.1 s of R; 1 where there is none."""
    if not len(beats):
        return 1.0
    middle = beats[:, BEAT // 2 - 36 : BEAT // 2 + 36]
    return max(float(np.median(np.ptp(middle, axis=1))), 1e-6)


def _spectrograms(beats: Floats) -> Floats:
    segments = sliding_window_view(beats, SEGMENT, axis=1)[:, ::HOP] * _TAPER
    spectrum = np.abs(np.fft.rfft(segments, PADDED)[:, :, :ROWS])
    logs = np.log(FLOOR + spectrum * (2 / SEGMENT))
    return np.ascontiguousarray(logs.transpose(0, 2, 1), np.float32)


def _pictures(grams: Floats, median: Floats | None) -> Floats:
    own = np.zeros_like(grams) if median is None else grams - median
    return np.stack([grams, own], axis=-1)


def _band(signal: Signal) -> Signal:
    # 0.5-40 Hz is what a paper strip still shows; the network should lean on nothing that a picture lacks
    if len(signal) < 4:
        return signal
    band = butter(2, (0.5, 40.0), "bandpass", fs=RATE, output="sos")
    return cast(Signal, sosfiltfilt(band, signal, padlen=min(720, len(signal) - 1)).astype(np.float32))


def _smooth(beats: Floats) -> Floats:
    low = butter(2, 40.0, "lowpass", fs=RATE, output="sos")
    return cast(Floats, sosfiltfilt(low, beats, axis=1, padlen=min(15, beats.shape[1] - 1)).astype(np.float32))


def _spread(count: int, most: int) -> Peaks:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64)) if count else np.empty(0, np.int64)
