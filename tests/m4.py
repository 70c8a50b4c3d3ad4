"""The M4 competition's hourly series, where they lie beside the repository, and its official measures.

Makridakis, Spiliotis, Assimakopoulos: "The M4 Competition: 100,000 time series and 61 forecasting methods",
International Journal of Forecasting 36 (2020); the formulas as in github.com/Mcompetitions/M4-methods.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHARED = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[2] / "shared")) / "data"
FOLDER = SHARED / "energy" / "m4_hourly"
ABSENT = "needs the data beside the repository: ../shared/data/energy/m4_hourly (or NIGHTSHIFT_SHARED)"
SEASON, HORIZON, ALPHA = 24, 48, 0.05
NAIVE2_MASE, NAIVE2_SMAPE = 2.395, 18.383  # the official scores of Naive2 on the 414 hourly series

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hourly:
    """One series: its name, what is known [n], and what came next [48]."""

    name: str
    train: Array
    test: Array


def hourly() -> list[Hourly]:
    """All 414, in the competition's order."""
    train, test = _rows("Hourly-train.csv"), _rows("Hourly-test.csv")
    return [Hourly(name, values, test[name]) for name, values in train.items()]


def _rows(name: str) -> dict[str, Array]:
    with (FOLDER / name).open(encoding="ascii", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return {row[0]: np.array([float(cell) for cell in row[1:] if cell]) for row in rows}


def scale(train: Array, season: int = SEASON) -> float:
    """What MASE and MSIS divide by: the seasonal naive's mean absolute error inside the past."""
    return float(np.abs(train[season:] - train[:-season]).mean())


def mase(train: Array, test: Array, mean: Array) -> float:
    """Mean absolute scaled error."""
    return float(np.abs(test - mean).mean()) / scale(train)


def smape(test: Array, mean: Array) -> float:
    """Symmetric mean absolute percentage error, 0..200."""
    return float(200 * (np.abs(test - mean) / (np.abs(test) + np.abs(mean))).mean())


def owa(mases: float, smapes: float) -> float:
    """Overall weighted average of both, relative to Naive2."""
    return (mases / NAIVE2_MASE + smapes / NAIVE2_SMAPE) / 2


def msis(train: Array, test: Array, lower: Array, upper: Array, alpha: float = ALPHA) -> float:
    """Mean scaled interval score: width, and 2/alpha times what lies outside."""
    outside = np.maximum(lower - test, 0) + np.maximum(test - upper, 0)
    return float((upper - lower + 2 / alpha * outside).mean()) / scale(train)
