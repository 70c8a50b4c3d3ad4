"""How a beat and its neighbours differ from the person's usual beat: before the QRS (the P wave), in it, after it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STEP = 4
"""The windows come at every fourth sample: 90 Hz, enough for what is measured here."""

_PARTS = {"p": slice(20, 40), "qrs": slice(38, 54), "t": slice(54, 80)}
_NEIGHBOURS = (-1, 0, 1)
_SLOPES = slice(34, 62)
SHAPE_SIZE = 3 * len(_PARTS) * len(_NEIGHBOURS) + 4


def shape(beats: Floats, usual: Floats | None) -> Floats:
    """Likeness, height and difference of each part of the beat to the usual beat's, for it and both neighbours.

    Args:
        beats: (n, 90): a second round R at 90 Hz.
        usual: (360,) the person's median beat at 360 Hz, or None where the person is not known.

    Returns:
        (n, SHAPE_SIZE) float32; the last column is 1 where the person is known, else all is 0.
    """
    if usual is None or not len(beats):
        return np.zeros((len(beats), SHAPE_SIZE), np.float32)
    each = np.concatenate([_compare(beats[:, part], usual[::STEP][part]) for part in _PARTS.values()], axis=1)
    padded = np.pad(each, ((1, 1), (0, 0)), mode="edge")
    sides = [padded[1 + k : 1 + k + len(each)] for k in _NEIGHBOURS]
    return np.concatenate([*sides, _width(beats), np.ones((len(each), 1), np.float32)], axis=1)


def _width(beats: Floats) -> Floats:
    """Where the slopes of the QRS lie, how widely they spread, and the share that comes late (bundle branch blocks)."""
    steep = np.diff(beats[:, _SLOPES], axis=1) ** 2
    steep = steep / (steep.sum(axis=1, keepdims=True) + 1e-6)
    time = np.arange(steep.shape[1]) / 10 - 1.1  # tenths of a second or so, R at zero
    middle = steep @ time
    spread = np.sqrt((steep * (time - middle[:, np.newaxis]) ** 2).sum(axis=1))
    return np.stack([middle, 2 * spread, steep[:, 15:].sum(axis=1)], axis=1).astype(np.float32)


def _compare(parts: Floats, usual: Floats) -> Floats:
    parts = parts - parts.mean(axis=1, keepdims=True)
    usual = usual - usual.mean()
    sizes, size = np.sqrt((parts**2).mean(axis=1)), np.sqrt((usual**2).mean())
    likeness = (parts @ usual) / len(usual) / (sizes * size + 1e-3)
    height = np.log((sizes + 0.01) / (size + 0.01))
    away = np.log1p(np.sqrt(((parts - usual) ** 2).mean(axis=1)) / (size + 0.02))
    return np.stack([likeness, np.clip(height, -2, 2), np.clip(away, 0, 2)], axis=1).astype(np.float32)
