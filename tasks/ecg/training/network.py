"""The network: four convolutions and four poolings on the spectrogram (Ullah et al. 2020), context beside."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tasks.ecg.spectrogram import COLUMNS, CONTEXT_SIZE, ROWS, Inputs
from tasks.ecg.training.labels import CLASSES

Floats = NDArray[np.float32]
FILTERS = (16, 32, 48, 64)


def network() -> Any:
    """A fresh Keras model: (pictures, context) → logits of the 8 classes."""
    pictures = keras.Input((ROWS, COLUMNS, 2), name="pictures")
    context = keras.Input((CONTEXT_SIZE,), name="context")
    seen = pictures
    for filters in FILTERS:
        seen = _block(seen, filters)
    seen = keras.layers.Dropout(0.3)(keras.layers.Flatten()(seen))
    beside = keras.layers.Dense(48, activation="relu")(keras.layers.BatchNormalization()(context))
    both = keras.layers.Concatenate()([seen, keras.layers.Dropout(0.2)(beside)])
    both = keras.layers.Dropout(0.3)(keras.layers.Dense(64, activation="relu")(both))
    logits = keras.layers.Dense(len(CLASSES), name="logits")(both)
    return keras.Model([pictures, context], logits)


def _block(seen: Any, filters: int) -> Any:
    seen = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(seen)
    seen = keras.layers.ReLU()(keras.layers.BatchNormalization()(seen))
    return keras.layers.MaxPooling2D(2, padding="same")(seen)


def compiled(steps: int, rate: float = 2e-3) -> Any:
    """A model ready to `fit` for `steps` batches, its learning rate falling by a cosine."""
    model = network()
    falling = keras.optimizers.schedules.CosineDecay(rate, steps)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.02)
    model.compile(keras.optimizers.AdamW(falling, weight_decay=1e-3), loss)
    return model


def logits(model: Any, given: Inputs) -> Floats:
    """The model's answer for all beats, (n, 8)."""
    return np.asarray(model.predict([given.pictures, given.context], batch_size=1024, verbose=0), np.float32)
