"""Changes that leave the diagnosis alone: what other machines, papers and cameras do to a signal."""

import numpy as np
from scipy.signal import butter, sosfiltfilt

from tasks.ecg.beats import Peaks, Signal


def disturbed(signal: Signal, rate: float, rng: np.random.Generator) -> Signal:
    """The signal with baseline wander, noise, a narrower band, and now and then upside down or bent in height."""
    time = np.arange(len(signal)) / rate
    size = float(np.std(signal))
    wander = rng.uniform(0, 0.8) * size * np.sin(2 * np.pi * rng.uniform(0.1, 0.6) * time + rng.uniform(0, 6.3))
    hiss = rng.uniform(0, 0.15) * size * _slow_gain(len(signal), rng) * rng.standard_normal(len(signal))
    changed = signal + wander + hiss
    if rng.random() < 0.5:
        low = butter(2, rng.uniform(15, 40), "lowpass", fs=rate, output="sos")
        changed = sosfiltfilt(low, changed)
    if rng.random() < 0.3:
        high = butter(1, rng.uniform(0.3, 1.0), "highpass", fs=rate, output="sos")
        changed = sosfiltfilt(high, changed)
    return (changed * rng.uniform(0.3, 3.0)).astype(np.float32)


def jittered(peaks: Peaks, rate: float, rng: np.random.Generator, seconds: float = 0.012) -> Peaks:
    """The peaks moved by a few samples each, still rising."""
    moved = peaks + np.rint(rng.normal(0, seconds * rate / 2, len(peaks))).astype(np.int64)
    return np.maximum.accumulate(np.maximum(moved, 0))


def _slow_gain(count: int, rng: np.random.Generator) -> Signal:
    # noise comes and goes; a constant level would teach the network to read the whole recording's noise
    knots = rng.uniform(0, 2, max(count // 3600, 2))
    return np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(knots)), knots).astype(np.float32)
