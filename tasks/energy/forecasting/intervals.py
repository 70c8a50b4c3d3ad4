"""Intervals as wide as the errors made on the series' own past.

Split conformal prediction (Vovk, Gammerman, Shafer 2005; Lei et al. 2018, JASA 113) on the rolling origins of
validation: absolute errors over what is usual at that step ahead and at that level (the root of it: a peak is missed by
more kWh than a night, though by less than in proportion). Windows overlap and are few, so that the quantiles are
widened by their number; how much was chosen on hidden ends of M4's training series (ADR 0023).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.energy.forecasting.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BY_STEP = 0.8  # share of the spread that is each step's own (with its neighbours); the rest is that of all steps
_NEIGHBOURS = 5
_WIDER = {0.80: 0.6, 0.95: 1.2}  # quantiles times 1 + this / windows
_GROWTH = 0.25  # beyond the steps that validation reached, spread grows with this power of the steps ahead
_LOW = 0.05  # of the median: below it, the level makes intervals no narrower
_NORMAL = {0.80: 1.2816, 0.95: 1.9600}


@dataclass(frozen=True, slots=True)
class Intervals:
    """[horizon] each."""

    lower_80: "Floats"
    upper_80: "Floats"
    lower_95: "Floats"
    upper_95: "Floats"


def calibrated(mean: "Floats", past: "Floats", cuts: Sequence[Window], forecasts: "Mapping[int, Floats]") -> Intervals:
    """From what the answering model said in each window of validation.

    Args:
        mean: [horizon] the forecast.
        past: [n] the series.
        cuts: the windows.
        forecasts: by number of the window, [h]; one at least.
    """
    low = _LOW * float(np.median(np.abs(past)))
    errors, counts = [], []
    for number, said in forecasts.items():
        errors.append(np.abs(cuts[number].truth - said) / _level(said, low))
        counts.append(cuts[number].counts)
    off, measured = np.array(errors), np.array(counts)
    spread = _spread(off, measured)
    ratios = (off / spread)[measured]
    widths = {share: float(np.quantile(ratios, share)) * (1 + wider / len(errors)) for share, wider in _WIDER.items()}
    return _about(mean, _longer(spread, len(mean)) * _level(mean, low), widths, past)


def naive(mean: "Floats", past: "Floats", season: int) -> Intervals:
    """Without validation: from the differences over a season (or from step to step) in the past [n >= 1].

    A constant says nothing of what may come: its half width is a share of three in as many as there are readings.
    """
    lag = season if len(past) > season + 1 else 1
    changes = past[lag:] - past[:-lag] if len(past) > lag else np.zeros(0)
    spread = float(np.sqrt(np.mean(changes**2))) if len(changes) else 0.0
    least = abs(float(past[-1])) * 3 / (2 * len(past))
    steps = np.sqrt(1 + np.arange(len(mean)) // season)
    few = 1 + 4 / len(past)  # as Student's t has it, roughly, for so few
    return _about(mean, np.maximum(spread * few, least) * steps, _NORMAL, past)


def _about(mean: "Floats", spread: "Floats", widths: Mapping[float, float], past: "Floats") -> Intervals:
    least = 0.0 if past.min() >= 0 else -np.inf
    bounds = []
    for share in (0.80, 0.95):
        half = widths[share] * spread
        bounds += [np.maximum(mean - half, least), mean + half]
    return Intervals(*bounds)


def _level(mean: "Floats", low: float) -> "Floats":
    return np.asarray(np.sqrt(np.maximum(np.abs(mean), low or 1.0)))


def _spread(off: "Floats", measured: "NDArray[np.bool_]") -> "Floats":
    """[windows, h] absolute errors -> [h] what is usual, > 0."""
    kept = np.where(measured, off, 0.0)
    overall = float(kept.sum() / measured.sum())
    pad = min(_NEIGHBOURS, off.shape[1] - 1)
    sums, rows = (np.pad(each.sum(axis=0).astype(float), pad, mode="edge") for each in (kept, measured))
    near = np.ones(2 * pad + 1)
    total, number = np.convolve(sums, near, "valid"), np.convolve(rows, near, "valid")
    own = np.where(number > 0, total / np.maximum(number, 1), overall)
    return np.maximum(_BY_STEP * own + (1 - _BY_STEP) * overall, np.finfo(float).tiny)


def _longer(spread: "Floats", horizon: int) -> "Floats":
    """[h] -> [horizon]: beyond what was validated, as at its end, growing slowly."""
    known = len(spread)
    if horizon <= known:
        return spread[:horizon]
    further = spread[-min(known, 24) :].mean() * (np.arange(known + 1, horizon + 1) / known) ** _GROWTH
    return np.concatenate([spread, further])
