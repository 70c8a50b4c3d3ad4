"""Training itself: an epoch is one fresh view of everybody."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tasks.ecg.calibration import calibrated
from tasks.ecg.spectrogram import Inputs
from tasks.ecg.training.examples import Examples, epoch
from tasks.ecg.training.mitdb import Record
from tasks.ecg.training.network import compiled

Floats = NDArray[np.float32]
Score = Callable[[Floats], float]
BATCH = 128
RARER = 0.5  # class weights are the inverse frequency to this power; chosen inside DS1
HEAVIEST = 8.0


def on_people(records: Sequence[Record], epochs: int, seed: int) -> Any:
    """Train on differently disturbed views of the records, one an epoch."""
    keras.utils.set_random_seed(seed)
    model = None
    for view in _views(list(records), epochs, seed):
        model = model or compiled(steps=int(epochs * len(view.targets) / BATCH * 1.02))
        _fit(model, view, class_weights(view.targets))
    return model


def on_beats(examples: Examples, epochs: int, seed: int) -> Any:
    """Train on the same beats again and again, as the intra-patient protocol does."""
    keras.utils.set_random_seed(seed)
    model = compiled(steps=epochs * len(examples.targets) // BATCH)
    for _ in range(epochs):
        _fit(model, examples, None)
    return model


def class_weights(targets: Floats) -> Floats:
    """(n,) a weight for each example, 1 on average."""
    counts = np.maximum(targets.sum(axis=0), 1)
    weights = (counts.sum() / counts) ** RARER
    bounded = np.minimum(weights / np.average(weights, weights=counts), HEAVIEST)
    return np.asarray(targets @ bounded, np.float32)


def average(logits: list[Floats]) -> Floats:
    return np.asarray(np.mean(logits, axis=0), np.float32)


def answer(models: Sequence[Any], given: Inputs) -> Floats:
    """(n, 8) the mean of the models' logits."""
    pair = [given.pictures, given.context]
    return average([np.asarray(model.predict(pair, batch_size=1024, verbose=0), np.float32) for model in models])


def calibration(logits: Floats, targets: Floats, prior: Floats, score: Score) -> tuple[float, Floats]:
    """Bias and temperature from held-out people.

    The bias is a share of the log of how much rarer each class is in life (`prior`) than among the weighted examples:
    the share with the best `score`. The temperature is the one with the least cross-entropy at that share.
    """
    found = []
    for share in np.linspace(0, 1.2, 13):
        bias = (share * prior).astype(np.float32)
        temperature = min(np.geomspace(0.6, 4, 15), key=lambda t: _cross_entropy(calibrated(logits, t, bias), targets))
        found.append((score(calibrated(logits, temperature, bias)), float(temperature), bias))
    _, temperature, bias = max(found, key=lambda each: each[0])
    return temperature, bias


def _cross_entropy(said: Floats, targets: Floats) -> float:
    return -float((targets * np.log(np.maximum(said, 1e-9))).sum() / targets.sum())


def _views(records: list[Record], epochs: int, seed: int) -> Iterator[Examples]:
    # the next view is drawn on one core while the other trains
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(epoch, records, seed * 1_000)
        for number in range(1, epochs + 1):
            view = coming.result()
            if number < epochs:
                coming = ahead.submit(epoch, records, seed * 1_000 + number)
            yield view


def _fit(model: Any, examples: Examples, weights: Floats | None) -> None:
    given = [examples.inputs.pictures, examples.inputs.context]
    model.fit(given, examples.targets, sample_weight=weights, batch_size=BATCH, epochs=1, verbose=0)
