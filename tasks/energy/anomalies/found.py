"""What an anomaly is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["spike", "flat", "shift", "missing", "base load", "reset"]
Price = Callable[["NDArray[np.int64]", "NDArray[np.float64]"], float]  # of so many kWh in the steps that begin there


def _none() -> "NDArray[np.float64]":
    return np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Something wrong in a meter's readings.

    Attributes:
        kind: what it is.
        start: epoch seconds.
        end: epoch seconds, not counted; None while it goes on.
        kwh: more (or, below zero, less) than was to be expected; of what is missing, what was probably used; None
            where that cannot be said.
        cost: what that costs, in the tariff's currency; None without a tariff.
        text: what it looks like, for people: one or two sentences.
        times: [m] int64, its steps, for the picture.
        expected: [m] kWh that were to be expected in them.
    """

    kind: Kind
    start: int
    end: int | None
    kwh: float | None
    cost: float | None
    text: str
    times: "NDArray[np.int64]" = field(default_factory=lambda: _none().astype(np.int64))
    expected: "NDArray[np.float64]" = field(default_factory=_none)
