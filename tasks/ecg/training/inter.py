"""The inter-patient protocol, and the network that is served: it learns from DS1 and two paced records, DS2 judges it.

Everything chosen (epochs, weights, temperature, bias, threshold) is chosen on people held out of DS1, in three folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tasks.ecg.calibration import calibrated
from tasks.ecg.training import figures, labels
from tasks.ecg.training.examples import epoch, whole
from tasks.ecg.training.fit import answer, calibration, class_weights, on_people
from tasks.ecg.training.mitdb import DS1, DS2, PACED_TRAINED, Record, load

Floats = NDArray[np.float32]

EPOCHS = 5
SEEDS = (0, 1)  # the served network is the mean of one net for each

# 201 and 202 are one man, one on each side of the usual split; 207 alone has "!" and "E", so it always trains.
FOLDS = (
    "201 209 114 119 106 116 230".split(),  # noqa: SIM905
    "220 223 118 203 109 101 112".split(),  # noqa: SIM905
    "124 208 205 215 108 115 122".split(),  # noqa: SIM905
)
SURE = 0.97
"""The threshold is the lowest at which this share of what is said about held-out people is right."""


@dataclass(frozen=True)
class Calibration:
    temperature: float
    bias: Floats
    threshold: float
    held_out: figures.Counts  # AAMI, on the held-out people, before the threshold


@dataclass(frozen=True)
class Judged:
    """DS2's verdict: AAMI counts (5, 5), 8-class counts of the symbols that are classes, coverage by the threshold."""

    aami: figures.Counts
    eight: figures.Counts
    coverage: float
    accuracy_of_said: float


def served(folder: Path) -> list[Any]:
    """The nets to serve."""
    records = _training(folder, DS1 + PACED_TRAINED)
    return [on_people(records, EPOCHS, seed) for seed in SEEDS]


def calibrate(folder: Path) -> Calibration:
    """Temperature, bias and threshold from people held out of DS1, each judged by nets that never met them."""
    logits, symbols = [], []
    for seed, fold in enumerate(FOLDS):
        others = [name for name in DS1 + PACED_TRAINED if name not in fold]
        model = on_people(_training(folder, others), EPOCHS, seed)
        for name in fold:
            record = load(folder, name)
            logits.append(answer([model], whole(record).inputs))
            symbols += record.symbols
    return chosen(np.concatenate(logits), symbols, _prior(_training(folder, DS1 + PACED_TRAINED)))


def chosen(logits: Floats, symbols: list[str], prior: Floats) -> Calibration:
    """Fit the calibration, then the threshold, to held-out logits."""
    goal = labels.targets(symbols)
    temperature, bias = calibration(logits, goal, prior, lambda said: figures.j_kappa(_aami(said, symbols)))
    said = calibrated(logits, temperature, bias)
    sure = threshold(said.max(axis=1), right(said, symbols))
    return Calibration(temperature, bias, sure, _aami(said, symbols))


def right(said: Floats, symbols: list[str]) -> NDArray[np.bool_]:
    """Whether the likeliest class is in the AAMI group of the truth."""
    told = labels.groups([labels.CLASSES[i] for i in said.argmax(axis=1)])
    return np.asarray(told == labels.groups(symbols))


def threshold(certainty: Floats, correct: NDArray[np.bool_]) -> float:
    """The lowest certainty above which a share of `SURE` is right."""
    order = np.argsort(-certainty, kind="stable")
    share = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share >= SURE)
    return float(np.clip(certainty[order[enough[-1]]] if len(enough) else 1.0, 0.4, 0.99))


def judge(folder: Path, models: Sequence[Any], how: Calibration, names: Sequence[str] = tuple(DS2)) -> Judged:
    """All beats of `names`, at the annotated R peaks."""
    records = [load(folder, name) for name in names]
    logits = np.concatenate([answer(models, whole(record).inputs) for record in records])
    symbols = [symbol for record in records for symbol in record.symbols]
    said = calibrated(logits, how.temperature, how.bias)
    sure, correct = said.max(axis=1) >= how.threshold, right(said, symbols)
    return Judged(_aami(said, symbols), _eight(said, symbols), float(sure.mean()), float(correct[sure].mean()))


def _aami(said: Floats, symbols: list[str]) -> figures.Counts:
    return figures.confusion(labels.groups(symbols), labels.group_probabilities(said).argmax(axis=1), len(labels.AAMI))


def _eight(said: Floats, symbols: list[str]) -> figures.Counts:
    known = np.array([symbol in labels.CLASSES for symbol in symbols])
    truth = np.array([labels.CLASSES.index(symbol) for symbol in symbols if symbol in labels.CLASSES], np.int64)
    return figures.confusion(truth, said.argmax(axis=1)[known], len(labels.CLASSES))


def _training(folder: Path, names: Sequence[str]) -> list[Record]:
    # the other lead of the same people is another look at them: what is uploaded is not always MLII
    return [load(folder, name, second) for name in names for second in (False, True)]


def _prior(records: list[Record]) -> Floats:
    """Log of how much rarer each class is among all beats than among the weighted examples of an epoch."""
    life = labels.targets([symbol for record in records for symbol in record.symbols]).sum(axis=0)
    goal = epoch(records, 0).targets
    shown = (goal * class_weights(goal)[:, np.newaxis]).sum(axis=0)
    prior = np.log(life / life.sum()) - np.log(shown / shown.sum())
    return cast(Floats, (prior - prior.max()).astype(np.float32))
