"""Beats → classes: the served network, its calibration, and what it says when it is not sure."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tasks.ecg.beats import Peaks, Signal, at_network_rate, find_beats
from tasks.ecg.calibration import calibrated
from tasks.ecg.spectrogram import COLUMNS, ROWS, Inputs, batches, person, single_inputs, spectrograms, windows

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "weights"
UNSURE = "?"
THREADS = 2  # beside other workers; one recording never needs the whole machine


@dataclass(frozen=True)
class Model:
    """What the training run wrote beside the weights.

    Attributes:
        version: date and digest of the weights.
        classes: MIT-BIH symbols in the order of the network's outputs.
        temperature: the logits are divided by it.
        bias: added to the logits, by class: training shows rare classes more often than life does.
        threshold: a beat less certain than this is "?".
        figures: measured limits, as in card.md: {"intra": {…}, "inter": {…}, "served": {…}}.
    """

    version: str
    classes: tuple[str, ...]
    temperature: float
    bias: tuple[float, ...]
    threshold: float
    figures: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Model":
        told = json.loads((folder / "model.json").read_text("utf-8"))
        return cls(**{**told, "classes": tuple(told["classes"]), "bias": tuple(told["bias"])})


MODEL = Model.read(WEIGHTS)


@dataclass(frozen=True)
class Beat:
    """One classified beat.

    Attributes:
        sample: index of the R peak in the signal that was given.
        time_s: the same in seconds.
        label: N L R A V / ! E as in MIT-BIH, or "?" where the network is not sure.
        certainty: calibrated probability (0 to 1) of the likeliest class, also where that was not enough to say it.
    """

    sample: int
    time_s: float
    label: str
    certainty: float


def classify(signal: Signal, rate: float, peaks: Peaks | None = None) -> list[Beat]:
    """Find (unless given) and classify the beats of one lead.

    Args:
        signal: 1-D, mV (any scale: each recording is measured by its own QRS height).
        rate: Hz.
        peaks: rising R peak indices; `find_beats` when None.
    """
    places = find_beats(signal, rate) if peaks is None else np.asarray(peaks, np.int64)
    if not len(places):
        return []
    said = np.concatenate([probabilities(part) for part in batches(person(signal, rate, places))])
    return [_beat(int(place), rate, row) for place, row in zip(places, said, strict=True)]


def classify_single(beat_window: Signal, rate: float) -> Beat:
    """Classify one beat seen alone, R in the middle of `beat_window` (±96 samples at 360 Hz, ±0.27 s, are looked at).

    Prematurity cannot be seen in one beat: expect fewer A, and lower certainty.
    """
    even = at_network_rate(beat_window, rate)
    middle = len(beat_window) // 2
    return _beat(middle, rate, probabilities(single_inputs(even[np.newaxis]))[0])


def beat_spectrograms(signal: Signal, rate: float, peaks: Peaks) -> Floats:
    """(n, 16, 38) log magnitudes, 0–42 Hz by one second round each peak: what the network sees, for showing."""
    of = person(signal, rate, np.asarray(peaks, np.int64))
    return spectrograms(windows(of.signal, of.peaks)) if len(peaks) else np.zeros((0, ROWS, COLUMNS), np.float32)


def probabilities(given: Inputs) -> Floats:
    """(n, classes) calibrated probabilities."""
    return calibrated(logits(given), MODEL.temperature, np.array(MODEL.bias, np.float32))


def logits(given: Inputs) -> Floats:
    """(n, classes) as the exported network says them."""
    answer = session().run(None, {"pictures": given.pictures, "context": given.context})
    return cast(Floats, answer[0])


@lru_cache(maxsize=1)
def session() -> Any:
    """The process's one session; made at first use, so after any fork."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(
        str(WEIGHTS / "ecg.onnx"), sess_options=options, providers=["CPUExecutionProvider"]
    )


def _beat(sample: int, rate: float, row: Floats) -> Beat:
    best = int(row.argmax())
    certainty = float(row[best])
    label = MODEL.classes[best] if certainty >= MODEL.threshold else UNSURE
    return Beat(sample, sample / rate, label, certainty)
