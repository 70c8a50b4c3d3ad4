"""How near a trace that was read comes to the truth it was drawn from."""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.ecg.recording import Recording
from tasks.ecg.render import LAYOUT, Image

RATE = 360.0


def encoded(image: Image, kind: str = ".png") -> bytes:
    """A picture as a file's bytes."""
    return bytes(cv2.imencode(kind, image)[1].tobytes())


def snr(truth: ArrayLike, trace: ArrayLike, fit_gain: bool = False) -> float:
    """10 log10 (truth² / error²) in dB after removing the offset and the best shift of at most 0.2 s.

    Args:
        truth, trace: signals at 360 Hz.
        fit_gain: also remove a factor: for pictures whose millivolts are not known.
    """
    true, read = np.asarray(truth, dtype=np.float64), np.asarray(trace, dtype=np.float64)
    most = round(0.2 * RATE)
    coarse = max(range(-most, most + 1), key=lambda shift: _snr_at(true, read, shift, fit_gain))
    return max(_snr_at(true, read, coarse + part, fit_gain) for part in np.arange(-1, 1.01, 0.1))


def _snr_at(truth: NDArray[np.float64], trace: NDArray[np.float64], shift: float, fit_gain: bool) -> float:
    at = np.arange(truth.size) + shift
    both = (at >= 0) & (at <= trace.size - 1)
    true, read = truth[both], np.interp(at[both], np.arange(trace.size), trace)
    true, read = true - true.mean(), read - read.mean()
    read = read * (read @ true) / (read @ read) if fit_gain else read
    return float(10 * np.log10((true @ true) / ((true - read) @ (true - read))))


def page_snr(truth: Recording, read: Recording) -> dict[str, float]:
    """The SNR of each lead of a 3x4 page with II as the rhythm strip."""
    return {name: snr(page_truth(truth, name), signal) for name, signal in read.leads.items()}


def page_truth(truth: Recording, name: str) -> NDArray[np.float32]:
    """What a page shows of a lead: ten seconds of II, 2.5 seconds of the others."""
    signal = truth.leads[name]
    if name == "II":
        return signal[:3600]
    column = next(row.index(name) for row in LAYOUT if name in row)
    return signal[column * 900 : (column + 1) * 900]
