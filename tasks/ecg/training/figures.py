"""The figures of both protocols, computed from counts and nothing else."""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def confusion(truth: NDArray[np.int64], said: NDArray[np.int64], size: int) -> Counts:
    """(size, size): rows are the truth, columns what was said."""
    return np.bincount(truth * size + said, minlength=size * size).reshape(size, size)


def accuracy(counts: Counts) -> float:
    return float(np.trace(counts) / max(counts.sum(), 1))


def kappa(counts: Counts) -> float:
    """Cohen's kappa: agreement beyond what the two margins alone would give."""
    total = max(int(counts.sum()), 1)
    chance = float(counts.sum(axis=0) @ counts.sum(axis=1)) / total**2
    return float((accuracy(counts) - chance) / max(1 - chance, 1e-9))


def j_kappa(counts: Counts, s: int = 1, v: int = 2) -> float:
    """jκ = κ/2 + j/8, with j the sum of S's and V's sensitivity and +P (Mar et al. 2011)."""
    se, pp, _ = by_class(counts)
    return kappa(counts) / 2 + float(se[s] + se[v] + pp[s] + pp[v]) / 8


def by_class(counts: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sensitivity, positive predictive value and F1 of each class; 0 where there is nothing to divide."""
    hits = np.diag(counts).astype(np.float64)
    sensitivity = hits / np.maximum(counts.sum(axis=1), 1)
    predictive = hits / np.maximum(counts.sum(axis=0), 1)
    f1 = 2 * hits / np.maximum(counts.sum(axis=0) + counts.sum(axis=1), 1)
    return sensitivity, predictive, f1
