"""The intra-patient protocol: the seed's 8 classes, beats of every person on both sides; weights not kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.ecg.spectrogram import Inputs
from tasks.ecg.training import figures
from tasks.ecg.training.examples import Examples, joined, whole
from tasks.ecg.training.fit import answer, on_beats
from tasks.ecg.training.labels import CLASSES
from tasks.ecg.training.mitdb import DS1, DS2, PACED, load

EPOCHS = 5
SEED = 0
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Intra:
    """Confusion matrix (8, 8) of the held-out fifth, and how many beats there were in all."""

    counts: figures.Counts
    beats: int

    @property
    def accuracy(self) -> float:
        return figures.accuracy(self.counts)


def measure(folder: Path) -> Intra:
    """Train on a stratified 80 % of all 107,668 beats and judge the rest."""
    examples = joined([_eight_classes(folder, name) for name in sorted(DS1 + DS2 + PACED)])
    truth = examples.targets.argmax(axis=1)
    test = held_out(truth, SEED)
    model = on_beats(_part(examples, ~test), EPOCHS, SEED)
    said = answer([model], _part(examples, test).inputs).argmax(axis=1)
    return Intra(figures.confusion(truth[test], said, len(CLASSES)), len(truth))


def held_out(truth: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """A fifth of each class, drawn by `seed`."""
    rng = np.random.default_rng(seed)
    test = np.zeros(len(truth), bool)
    for number in range(len(CLASSES)):
        places = rng.permutation(np.flatnonzero(truth == number))
        test[places[: round(TEST_SHARE * len(places))]] = True
    return test


def _eight_classes(folder: Path, name: str) -> Examples:
    record = load(folder, name)
    told = np.array([symbol in CLASSES for symbol in record.symbols])
    return _part(whole(record), told)


def _part(examples: Examples, which: NDArray[np.bool_] | Sequence[bool]) -> Examples:
    given = examples.inputs
    return Examples(Inputs(given.pictures[which], given.context[which]), examples.targets[which])
