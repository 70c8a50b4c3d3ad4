"""The nets as one ONNX file, held to TensorFlow's own answer before it is trusted."""

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime

from tasks.ecg.spectrogram import COLUMNS, CONTEXT_SIZE, ROWS, Inputs
from tasks.ecg.training.fit import answer
from tasks.ecg.training.network import network

AGREE = 1e-4


def ensemble(models: Sequence[Any]) -> Any:
    """One Keras model that answers the mean of the models' logits."""
    pictures = keras.Input((ROWS, COLUMNS, 2), name="pictures")
    context = keras.Input((CONTEXT_SIZE,), name="context")
    told = [model([pictures, context]) for model in models]
    return keras.Model([pictures, context], keras.layers.Average()(told) if len(told) > 1 else told[0])


def export(models: Sequence[Any], into: Path) -> str:
    """Write `into` and return its digest.

    Raises:
        ValueError: the file and TensorFlow disagree by more than `AGREE`.
    """
    together = ensemble(models)
    given = probe()
    together.predict([given.pictures, given.context], verbose=0)  # Keras exports only what was called once
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # tf2onnx asks numpy for an alias that is gone
        together.export(str(into), format="onnx", verbose=False)
    if (gap := disagreement(models, into, given)) > AGREE:
        raise ValueError(f"The export differs from TensorFlow by {gap:.1e}.")
    return hashlib.sha256(into.read_bytes()).hexdigest()


def keep(models: Sequence[Any], into: Path) -> None:
    """The nets' own numbers as plain arrays, so that a test can ask TensorFlow for its answer later."""
    arrays = {f"{i}_{j:03d}": value for i, model in enumerate(models) for j, value in enumerate(model.get_weights())}
    np.savez_compressed(into, **arrays)


def kept(path: Path) -> list[Any]:
    """The nets that `keep` wrote."""
    models: list[Any] = []
    with np.load(path, allow_pickle=False) as arrays:
        for number in range(len({name.split("_")[0] for name in arrays.files})):
            models.append(network())
            models[-1].set_weights([arrays[name] for name in sorted(arrays.files) if name.startswith(f"{number}_")])
    return models


def disagreement(models: Sequence[Any], path: Path, given: Inputs) -> float:
    """The largest difference of a logit between the file and the models."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    told = session.run(None, {"pictures": given.pictures, "context": given.context})[0]
    return float(np.abs(told - answer(models, given)).max())


def probe(count: int = 64) -> Inputs:
    """Made-up inputs about as large as real ones."""
    rng = np.random.default_rng(0)
    pictures = rng.normal(-2, 1, (count, ROWS, COLUMNS, 2)).astype(np.float32)
    return Inputs(pictures, rng.normal(0, 0.5, (count, CONTEXT_SIZE)).astype(np.float32))
