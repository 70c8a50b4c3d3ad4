"""Records → training examples: a fresh, differently disturbed view of every person for each epoch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.ecg.beats import Peaks, find_beats
from tasks.ecg.rhythm_context import RHYTHM_SIZE
from tasks.ecg.spectrogram import Inputs, inputs, person, single_inputs, windows
from tasks.ecg.training.augment import disturbed, jittered
from tasks.ecg.training.labels import targets
from tasks.ecg.training.mitdb import Record

Floats = NDArray[np.float32]

MOST_OF_ONE = 700  # beats of one symbol from one record and epoch: thousands alike teach the person, not the class
TOLERANCE_S = 0.15  # a detected peak is an annotated beat within this (ANSI/AAMI EC57)
ALONE = 0.1  # share of beats also shown as a single picture
STRANGER = 0.1  # share shown without the person's own median
TIMELESS = 0.05  # share shown without the rhythm


@dataclass(frozen=True)
class Examples:
    """Inputs with their targets, (n, 8) float32."""

    inputs: Inputs
    targets: Floats


def whole(record: Record) -> Examples:
    """Every annotated beat, undisturbed."""
    return Examples(inputs(person(record.signal, record.rate, record.peaks)), targets(record.symbols))


def epoch(records: list[Record], seed: int) -> Examples:
    """One view of all records: disturbed, cut into strips of one length, and thinned."""
    rng = np.random.default_rng(seed)
    return joined([part for record in records for part in _view(record, rng)])


def joined(parts: list[Examples]) -> Examples:
    return Examples(
        Inputs(
            np.concatenate([part.inputs.pictures for part in parts]),
            np.concatenate([part.inputs.context for part in parts]),
        ),
        np.concatenate([part.targets for part in parts]),
    )


def _view(record: Record, rng: np.random.Generator) -> Iterator[Examples]:
    wanted = _thinned(record.symbols, rng)
    detected = find_beats(record.signal, record.rate) if rng.random() < 0.5 else None
    signal = disturbed(record.signal, record.rate, rng) if rng.random() < 0.7 else record.signal
    shifted = Record(record.name, record.rate, signal, jittered(record.peaks, record.rate, rng), record.symbols)
    for start, stop in _cuts(len(signal) / record.rate, rng):
        yield from _strip(shifted, wanted, detected, (start, stop), rng)


def _cuts(seconds: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    length = seconds if rng.random() < 0.5 else float(np.exp(rng.uniform(np.log(10), np.log(300))))
    return [(start, min(start + length, seconds)) for start in np.arange(0, seconds - 5, length)]


def _strip(
    record: Record,
    wanted: NDArray[np.bool_],
    detected: Peaks | None,
    cut: tuple[float, float],
    rng: np.random.Generator,
) -> Iterator[Examples]:
    first, last = int(cut[0] * record.rate), int(cut[1] * record.rate)
    signal = record.signal[first:last]
    inside = np.flatnonzero((record.peaks >= first) & (record.peaks < last))
    peaks, rows, beats = record.peaks[inside] - first, np.arange(len(inside)), inside
    if detected is not None:
        peaks = detected[(detected >= first) & (detected < last)] - first
        rows, matched = match(peaks, record.peaks[inside] - first, TOLERANCE_S * record.rate)
        beats = inside[matched]
    keep = wanted[beats]
    rows, beats = rows[keep], beats[keep]
    if not len(rows):
        return
    of = person(signal, record.rate, peaks)
    goal = targets([record.symbols[i] for i in beats])
    yield Examples(_forgetful(inputs(of, rows), rng), goal)
    alone = rng.random(len(rows)) < ALONE
    yield Examples(single_inputs(windows(of.signal, of.peaks[rows[alone]])), goal[alone])


def match(found: Peaks, truth: Peaks, within: float) -> tuple[Peaks, Peaks]:
    """Indices of found peaks, and of the nearest true beats, that belong together."""
    if not len(found) or not len(truth):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    after = (
        np.clip(np.searchsorted(truth, found), 1, max(len(truth) - 1, 1)) if len(truth) > 1 else np.zeros_like(found)
    )
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(truth[before] - found) <= np.abs(truth[after] - found), before, after)
    near = np.flatnonzero(np.abs(truth[nearest] - found) <= within)
    return near, nearest[near]


def _thinned(symbols: list[str], rng: np.random.Generator) -> NDArray[np.bool_]:
    names = np.array(symbols)
    keep = np.zeros(len(names), bool)
    for name in sorted(set(symbols)):  # a set has another order in each process
        places = rng.permutation(np.flatnonzero(names == name))
        keep[places[:MOST_OF_ONE]] = True
    keep &= targets(symbols).sum(axis=1) > 0
    return keep


def _forgetful(given: Inputs, rng: np.random.Generator) -> Inputs:
    """Some beats without the person's median, some without rhythm: a missing context is a legal input."""
    count = len(given.context)
    stranger, timeless = rng.random(count) < STRANGER, rng.random(count) < TIMELESS
    given.pictures[stranger, :, :, 1] = 0
    given.context[stranger, RHYTHM_SIZE:] = 0
    given.context[timeless, :RHYTHM_SIZE] = 0
    return given
