"""What the weather does to a meter: daily energy as a function of the day's mean temperature, with fitted base
temperatures.

Change-point models with 1 to 5 parameters, ASHRAE Guideline 14-2014 and Kissock, Haberl, Claridge (2003), "Inverse
Modeling Toolkit", ASHRAE Transactions 109(2): a base load; below one temperature energy rises with cold (heating),
above another with heat (cooling). Base temperatures by search, the rest by least squares, the number of parameters by
BIC; as CalTRACK 2.0 has it, a model whose heating or cooling would save energy, or rests on under ten days, is none.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_DAYS = 30
_MIN_AFFECTED = 10  # days with heating (or cooling) that a slope must rest on
_STEP, _FINE = 0.5, 0.25  # °C between the base temperatures tried, far and near the best
_MAX_TRIED = 40  # of each kind
_OUTLIER = 5.0  # robust standard deviations beyond which a day (holidays, a party, a fault) does not count
_ROUNDS = 3  # of leaving outliers out


@dataclass(frozen=True, slots=True)
class Degrees:
    """How daily energy hangs on temperature.

    Attributes:
        kind: "mean", "heating", "cooling", "heating and cooling".
        base: kWh a day without heating and cooling.
        heating, cooling: kWh per degree and day, 0 where there is none.
        heats_below, cools_above: base temperatures in °C, None where there is no such slope.
        r2: share of the days' variance explained, 0..1.
        spread: standard deviation of the residuals, kWh a day.
        memory: autocorrelation of the residuals from day to day, 0..1.
        days: how many days it rests on; days without energy or temperature and outliers left out.
        coldest, warmest: the range of temperatures seen, °C. Beyond it `expected` is a guess.
    """

    kind: str
    base: float
    heating: float
    cooling: float
    heats_below: float | None
    cools_above: float | None
    r2: float
    spread: float
    memory: float
    days: int
    coldest: float
    warmest: float

    def expected(self, daily_temp: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """[n] kWh that days of these mean temperatures [n] would take; NaN where the temperature is NaN."""
        base, heating, cooling = self.parts(daily_temp)
        return base + heating + cooling

    def parts(
        self, daily_temp: "NDArray[np.float64]"
    ) -> "tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]":
        """Base load, heating and cooling, [n] kWh each."""
        t = np.asarray(daily_temp, dtype=float)
        cold = _below(t, self.heats_below) if self.heats_below is not None else 0.0 * t
        warm = _above(t, self.cools_above) if self.cools_above is not None else 0.0 * t
        return self.base + 0.0 * t, self.heating * cold, self.cooling * warm

    def margin(self, days: int) -> float:
        """Half the width of the 95 % interval of the measured less the expected total of `days` days, kWh.

        ASHRAE Guideline 14-2014, annex B, after Reddy and Claridge (2000): autocorrelated days count for fewer.
        """
        alone = max(2.0, self.days * (1 - self.memory) / (1 + self.memory))
        return 1.96 * 1.26 * self.spread * math.sqrt(days * self.days / alone * (1 + 2 / alone))


def fit(daily_kwh: "NDArray[np.float64]", daily_temp: "NDArray[np.float64]") -> Degrees:
    """The change-point model that describes these days best.

    Args:
        daily_kwh: [n] energy of whole days in their order, NaN where unknown.
        daily_temp: [n] mean temperature of the same days in °C, NaN where unknown.

    Raises:
        ValueError: fewer than MIN_DAYS days have both; the text is for people.
    """
    energy, temp = np.asarray(daily_kwh, dtype=float), np.asarray(daily_temp, dtype=float)
    known = np.isfinite(energy) & np.isfinite(temp)
    energy, temp = energy[known], temp[known]
    if len(energy) < MIN_DAYS:
        raise ValueError(f"{len(energy)} days have both energy and temperature; {MIN_DAYS} are needed.")
    near = _near(energy - _typical(energy, temp))
    for _ in range(_ROUNDS):
        found = _best(energy[near], temp[near])
        near = _near(energy - found.expected(temp))
    return found


def _typical(energy: "NDArray[np.float64]", temp: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """[n] the median of the days about as warm, which a few odd days do not bend as they bend a first fit."""
    edges = np.quantile(temp, np.linspace(0, 1, max(2, min(13, len(temp) // 10)))[1:-1])
    group = np.searchsorted(edges, temp)
    there, where = np.unique(group, return_inverse=True)
    return np.array([np.median(energy[group == g]) for g in there])[where]


def _near(off: "NDArray[np.float64]") -> "NDArray[np.bool_]":
    """[n] bool: the residuals that are no outliers among them; at most a tenth are."""
    off = np.abs(off - np.median(off))
    return np.asarray(off <= max(_OUTLIER * 1.4826 * np.median(off) + 1e-9, np.quantile(off, 0.9)))


def _below(t: "NDArray[np.float64]", base: float) -> "NDArray[np.float64]":
    return np.maximum(base - t, 0.0)


def _above(t: "NDArray[np.float64]", base: float) -> "NDArray[np.float64]":
    return np.maximum(t - base, 0.0)


def _best(energy: "NDArray[np.float64]", temp: "NDArray[np.float64]") -> Degrees:
    found = [(_mean(energy, temp), _bic(energy - energy.mean(), 1))]
    # Each kind is searched to its end: between coarse base temperatures a kind too many fits better than the true one.
    for kind in _kinds(temp):
        rough = _search(energy, temp, kind, found[0])
        found.append(_search(energy, temp, _beside(rough[0].heats_below, rough[0].cools_above), rough))
    return min(found, key=lambda one: one[1])[0]


def _search(
    energy: "NDArray[np.float64]",
    temp: "NDArray[np.float64]",
    bases: Iterable[tuple[float | None, float | None]],
    start: tuple[Degrees, float],
) -> tuple[Degrees, float]:
    """The model of least BIC among these base temperatures and `start`, and that BIC."""
    found, least = start
    for low, high in bases:
        tried = _least_squares(energy, temp, low, high)
        if tried is None:
            continue
        points = {b for b in (low, high) if b is not None}  # one shared base is one parameter
        bic = _bic(energy - tried.expected(temp), 1 + (low is not None) + (high is not None) + len(points))
        if bic < least:
            found, least = tried, bic
    return found, least


def _beside(low: float | None, high: float | None) -> Iterator[tuple[float | None, float | None]]:
    """Base temperatures finer and close to those found."""
    lows = [low] if low is None else [low + i * _FINE for i in range(-4, 5)]
    highs = [high] if high is None else [high + i * _FINE for i in range(-4, 5)]
    yield from ((a, b) for a in lows for b in highs if a is None or b is None or a <= b)


def _kinds(temp: "NDArray[np.float64]") -> list[list[tuple[float | None, float | None]]]:
    """Base temperatures to try first for heating, cooling and both, over all but the ends that too few days reach."""
    inner = np.sort(temp)[_MIN_AFFECTED - 1 : -_MIN_AFFECTED + 1]
    low, high = math.ceil(inner[0] / _STEP), math.floor(inner[-1] / _STEP)
    every = max(1, math.ceil((high - low) / _MAX_TRIED))
    tried = [i * _STEP for i in range(low, high + 1, every)]
    both: list[tuple[float | None, float | None]] = [(one, other) for i, one in enumerate(tried) for other in tried[i:]]
    return [[(one, None) for one in tried], [(None, one) for one in tried], both]


def _least_squares(
    energy: "NDArray[np.float64]", temp: "NDArray[np.float64]", low: float | None, high: float | None
) -> Degrees | None:
    """The model with these base temperatures; None where a slope is negative or rests on too few days."""
    columns = [_below(temp, low)] if low is not None else []
    columns += [_above(temp, high)] if high is not None else []
    if any(np.count_nonzero(c) < _MIN_AFFECTED for c in columns):
        return None
    x = np.column_stack([np.ones_like(temp), *columns])
    try:
        b = np.linalg.solve(x.T @ x, x.T @ energy)
    except np.linalg.LinAlgError:
        return None
    if (b[1:] <= 0).any():
        return None
    heating = float(b[1]) if low is not None else 0.0
    cooling = float(b[-1]) if high is not None else 0.0
    kind = " and ".join(n for n, base in (("heating", low), ("cooling", high)) if base is not None)
    return _judged(kind, float(b[0]), heating, cooling, low, high, energy - x @ b, energy, temp)


def _mean(energy: "NDArray[np.float64]", temp: "NDArray[np.float64]") -> Degrees:
    base = float(energy.mean())
    return _judged("mean", base, 0.0, 0.0, None, None, energy - base, energy, temp)


def _judged(
    kind: str,
    base: float,
    heating: float,
    cooling: float,
    low: float | None,
    high: float | None,
    off: "NDArray[np.float64]",
    energy: "NDArray[np.float64]",
    temp: "NDArray[np.float64]",
) -> Degrees:
    """The model with what its residuals `off` say of it."""
    left, total = float(off @ off), float(np.sum((energy - energy.mean()) ** 2))
    r2 = max(0.0, 1 - left / total) if total > 0 else 0.0
    memory = float(off[1:] @ off[:-1]) / left if left > 1e-12 * max(1.0, total) else 0.0
    spread = math.sqrt(left / max(1, len(off) - 5))
    return Degrees(
        kind,
        base,
        heating,
        cooling,
        low,
        high,
        r2,
        spread,
        min(0.95, max(0.0, memory)),
        len(off),
        float(temp.min()),
        float(temp.max()),
    )


def _bic(off: "NDArray[np.float64]", parameters: int) -> float:
    """Bayesian information criterion of a least-squares fit, up to a constant. A perfect fit has no minus infinity."""
    n = len(off)
    return n * math.log(max(float(off @ off) / n, 1e-12)) + parameters * math.log(n)
