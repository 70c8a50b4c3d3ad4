"""Draws ECGs whose beats are known: ECGSYN's dynamical model, solved at once instead of step by step.

Source: McSharry, Clifford, Tarassenko, Smith, "A dynamical model for generating synthetic electrocardiogram
signals", IEEE Trans. Biomed. Eng. 50(3), 2003. Its limit cycle is attracting, so we start on it: the angle is then
known in closed form and only z, which is linear, needs integrating.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from tasks.ecg.recording import Recording, Signal

Rhythm = Literal["normal", "premature ventricular", "premature atrial", "fibrillation"]
Floats = NDArray[np.float64]
SETTLE = 3.0  # seconds
TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

# The waves' distance from the R peak and their standard deviation, in seconds at 60 beats a minute: P, Q, R, S, T.
CENTRE = {"N": (-0.17, -0.030, 0.0, 0.030, 0.27), "V": (-0.17, -0.075, 0.0, 0.085, 0.31)}
WIDTH = {"N": (0.024, 0.010, 0.0115, 0.010, 0.045), "V": (0.024, 0.026, 0.032, 0.030, 0.055)}
# Heights in mV of P, Q, R, S, T; III and the augmented leads follow from I and II by Einthoven and Goldberger.
NORMAL = {
    "I": (0.08, -0.05, 0.62, -0.10, 0.20),
    "II": (0.14, -0.09, 1.10, -0.17, 0.29),
    "V1": (0.06, 0.00, 0.22, -0.85, -0.06),
    "V2": (0.08, 0.00, 0.42, -1.20, 0.38),
    "V3": (0.08, -0.02, 0.80, -0.80, 0.42),
    "V4": (0.09, -0.07, 1.25, -0.45, 0.40),
    "V5": (0.10, -0.10, 1.25, -0.20, 0.33),
    "V6": (0.10, -0.10, 0.95, -0.08, 0.25),
}
VENTRICULAR = {
    "I": (0.0, -0.05, 0.45, -0.10, -0.16),
    "II": (0.0, -0.20, 1.55, -0.35, -0.48),
    "V1": (0.0, 0.10, -1.00, 0.10, 0.38),
    "V2": (0.0, 0.15, -1.35, 0.10, 0.48),
    "V3": (0.0, 0.10, -0.60, -0.20, 0.20),
    "V4": (0.0, -0.10, 1.00, -0.40, -0.32),
    "V5": (0.0, -0.15, 1.40, -0.30, -0.42),
    "V6": (0.0, -0.15, 1.15, -0.20, -0.34),
}


@dataclass(frozen=True)
class Simulation:
    """An ECG and the truth about it.

    Attributes:
        recording: the signals in mV.
        times_s: the time of each R peak in seconds, shape (beats,).
        labels: the MIT-BIH symbol of each beat: N, V or A.
    """

    recording: Recording
    times_s: Floats
    labels: tuple[str, ...]


def simulate(
    seconds: float,
    rate: float = 360.0,
    heart_rate: float = 70.0,
    rhythm: Rhythm = "normal",
    leads: tuple[str, ...] = TWELVE,
    noise_mv: float = 0.008,
    wander_mv: float = 0.04,
    seed: int = 0,
) -> Simulation:
    """An ECG of so many seconds.

    Args:
        rate: samples a second (Hz).
        heart_rate: mean rate of the sinus beats, beats a minute.
        leads: names out of TWELVE, or "MLII", which is drawn as II.
        noise_mv: standard deviation of the white noise of muscle and amplifier.
        wander_mv: size of the baseline's slow swing.
    """
    rng = np.random.default_rng(seed)
    peaks, labels = _beats(seconds, heart_rate, rhythm, rng)
    # Started before the first sample shown, so that the equation has settled by then.
    early = round(SETTLE * rate)
    time = (np.arange(round(seconds * rate) + early) - early) / rate
    atria = _fibrillation(time, rng) if rhythm == "fibrillation" else None
    signals = _derive({lead: _lead(time, peaks, labels, lead, atria, rng) for lead in NORMAL})
    noisy = {lead: _disturb(signals[lead], time, noise_mv, wander_mv, rng)[early:] for lead in leads}
    shown = (peaks >= 0) & (peaks < seconds)
    recording = Recording(rate, noisy, "wfdb", notes=("Simulated: this is nobody's heart.",))
    return Simulation(
        recording, peaks[shown], tuple(label for label, inside in zip(labels, shown, strict=True) if inside)
    )


def _beats(seconds: float, heart_rate: float, rhythm: Rhythm, rng: np.random.Generator) -> tuple[Floats, list[str]]:
    """R peaks (s), reaching beyond both ends so that no wave is cut, and their symbols."""
    mean = 60.0 / heart_rate
    count = int((seconds + 6) / mean * 1.7) + 8
    intervals = _sinus_intervals(count, mean, rng)
    labels = ["N"] * count
    if rhythm == "fibrillation":
        intervals = np.clip(rng.gamma(22.0, mean / 22.0, count), 0.36, 2.0)
    if rhythm.startswith("premature"):
        _make_premature(intervals, labels, rhythm, rng)
    return np.cumsum(intervals) - SETTLE - mean + rng.uniform(-0.4, 0.4) * mean, labels


def _sinus_intervals(count: int, mean: float, rng: np.random.Generator) -> Floats:
    """RR intervals (s) with the paper's two-humped spectrum: Mayer waves at 0.1 Hz and breathing at 0.25 Hz."""
    frequency = np.fft.rfftfreq(count, mean)
    mayer = np.exp(-0.5 * ((frequency - 0.10) / 0.01) ** 2)
    breath = np.exp(-0.5 * ((frequency - 0.25) / 0.01) ** 2)
    phase = rng.uniform(0, 2 * np.pi, frequency.size)
    swing = np.fft.irfft(np.sqrt(0.5 * mayer + breath) * np.exp(1j * phase), count)
    swing = swing / (swing.std() + 1e-12) * 0.025 + rng.normal(0, 0.006, count)
    return np.asarray(mean * (1 + swing))


def _make_premature(intervals: Floats, labels: list[str], rhythm: Rhythm, rng: np.random.Generator) -> None:
    """Moves every fourth to seventh beat forward, in place.

    After a ventricular beat the pause is compensatory (the sinus node keeps its time); an atrial beat resets the node.
    """
    symbol = "V" if rhythm == "premature ventricular" else "A"
    beat = int(rng.integers(4, 7))
    while beat < len(labels) - 1:
        early = rng.uniform(0.32, 0.42) * intervals[beat]
        labels[beat] = symbol
        intervals[beat] -= early
        if symbol == "V":
            intervals[beat + 1] += early
        beat += int(rng.integers(4, 8))


def _lead(
    time: Floats, peaks: Floats, labels: list[str], lead: str, atria: Floats | None, rng: np.random.Generator
) -> Floats:
    """One lead without noise, mV: dz/dt = -sum of the waves' pulls - (z - z0), the paper's third equation."""
    forcing = np.zeros_like(time)
    for peak, label, following in zip(peaks[:-1], labels[:-1], np.diff(peaks), strict=True):
        shape = "V" if label == "V" else "N"
        heights = np.array((VENTRICULAR if shape == "V" else NORMAL)[lead]) * rng.normal(1, 0.02, 5)
        heights[0] *= 0.0 if atria is not None else 0.55 if label == "A" else 1.0
        first, last = np.searchsorted(time, (peak - 0.5, peak + 0.8))
        forcing[first:last] += _pull(time[first:last] - peak, shape, heights, min(following, 1.1))
    step = float(time[1] - time[0])
    z = lfilter([step], [1.0, step - 1.0], forcing)
    # Fibrillating atria are seen in each lead as their P wave would be.
    return np.asarray(z if atria is None else z + atria * NORMAL[lead][0] / NORMAL["II"][0])


def _pull(offset: Floats, shape: str, heights: Floats, interval: float) -> Floats:
    """Slope in mV/s that the five waves give at so many seconds from the R peak (T moves with the root of RR)."""
    centre = np.array(CENTRE[shape]) * np.array([1, 1, 1, 1, np.sqrt(interval)])
    width = np.array(WIDTH[shape])
    away = offset[:, None] - centre
    slopes = -heights * away / width**2 * np.exp(-0.5 * (away / width) ** 2)
    return np.asarray(slopes.sum(axis=1))


def _fibrillation(time: Floats, rng: np.random.Generator) -> Floats:
    """The restless baseline of fibrillating atria, mV: waves near 6 Hz whose frequency drifts."""
    drift = np.cumsum(rng.normal(0, 0.02, time.size))
    return np.asarray(0.045 * np.sin(2 * np.pi * 6.0 * time + drift + rng.uniform(0, 6)))


def _derive(limb: dict[str, Floats]) -> dict[str, Floats]:
    one, two = limb["I"], limb["II"]
    derived = {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2, "MLII": two}
    return limb | derived


def _disturb(signal: Floats, time: Floats, noise_mv: float, wander_mv: float, rng: np.random.Generator) -> Signal:
    breath = wander_mv * np.sin(2 * np.pi * 0.25 * time + rng.uniform(0, 6))
    drift = wander_mv * np.sin(2 * np.pi * 0.07 * time + rng.uniform(0, 6))
    return np.asarray(signal + breath + drift + rng.normal(0, noise_mv, time.size), dtype=np.float32)
