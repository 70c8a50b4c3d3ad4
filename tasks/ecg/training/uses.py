"""The served network as people use it, beyond the protocol: R peaks found, strips, a beat alone."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.ecg.beats import RATE, at_network_rate, find_beats
from tasks.ecg.calibration import calibrated
from tasks.ecg.spectrogram import HALF_SINGLE, inputs, person, single_inputs
from tasks.ecg.training import figures, labels
from tasks.ecg.training.examples import TOLERANCE_S, Examples, joined, match
from tasks.ecg.training.fit import answer
from tasks.ecg.training.inter import Calibration, right
from tasks.ecg.training.mitdb import DS2, Record, load

STRIP_S = 10.0
View = Callable[[Record], list[tuple[Examples, list[str]]]]


def found(record: Record) -> list[tuple[Examples, list[str]]]:
    """The whole recording with the R peaks of `find_beats`."""
    return _strip(record, 0, len(record.signal))


def strips(record: Record) -> list[tuple[Examples, list[str]]]:
    """Strips of ten seconds, each read as if there were nothing else."""
    length = int(STRIP_S * record.rate)
    starts = range(0, len(record.signal) - length + 1, length)
    return [part for start in starts for part in _strip(record, start, start + length)]


def alone(record: Record) -> list[tuple[Examples, list[str]]]:
    """Each annotated beat as a picture of one beat shows it."""
    padded = np.pad(at_network_rate(record.signal, record.rate), HALF_SINGLE, mode="edge")
    places = np.rint(record.peaks * (RATE / record.rate)).astype(np.int64)
    beats = np.lib.stride_tricks.sliding_window_view(padded, 2 * HALF_SINGLE + 1)[places]
    return [(Examples(single_inputs(beats), labels.targets(record.symbols)), record.symbols)]


def measure(folder: Path, models: Sequence[Any], how: Calibration) -> dict[str, dict[str, float]]:
    """Figures on DS2 for each way of use: coverage, and S and V of all beats whether said or not."""
    first = [load(folder, name) for name in DS2]
    second = [load(folder, name, second_lead=True) for name in DS2]
    views: dict[str, tuple[View, list[Record]]] = {
        "found peaks": (found, first),
        "strips of 10 s": (strips, first),
        "a beat alone": (alone, first),
        "the other lead": (found, second),
    }
    return {
        name: _judged([part for r in records for part in view(r)], models, how)
        for name, (view, records) in views.items()
    }


def _strip(record: Record, first: int, last: int) -> list[tuple[Examples, list[str]]]:
    signal = record.signal[first:last]
    inside = np.flatnonzero((record.peaks >= first) & (record.peaks < last))
    peaks = find_beats(signal, record.rate)
    rows, beats = match(peaks, record.peaks[inside] - first, TOLERANCE_S * record.rate)
    symbols = [record.symbols[i] for i in inside[beats]]
    if not symbols:
        return []
    return [(Examples(inputs(person(signal, record.rate, peaks), rows), labels.targets(symbols)), symbols)]


def _judged(parts: list[tuple[Examples, list[str]]], models: Sequence[Any], how: Calibration) -> dict[str, float]:
    symbols = [symbol for _, told in parts for symbol in told]
    said = calibrated(answer(models, joined([part for part, _ in parts]).inputs), how.temperature, how.bias)
    sure, correct = said.max(axis=1) >= how.threshold, right(said, symbols)
    groups = labels.group_probabilities(said).argmax(axis=1)
    counts = figures.confusion(labels.groups(symbols), groups, len(labels.AAMI))
    _, _, f1 = figures.by_class(counts)
    shares = {
        "accuracy": figures.accuracy(counts),
        "f1_s": float(f1[1]),
        "f1_v": float(f1[2]),
        "coverage": float(sure.mean()),
        "accuracy_of_said": float(correct[sure].mean()),
    }
    return {"beats": len(symbols)} | {name: round(value, 4) for name, value in shares.items()}
