"""What every reader of ECG files hands on: signals in millivolts with a sampling rate."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float32]
Source = Literal["wfdb", "edf", "csv", "page", "strip", "beat"]


@dataclass(frozen=True)
class Recording:
    """One ECG as signals.

    Attributes:
        rate: samples a second (Hz), the same for all leads.
        leads: lead name (as standard as it can be told: "I", "II", "MLII", "V1" …, or "unknown") to a 1-D float32
            array in mV; all of one length for files, each its own length for the strips of a paper page.
        source: where the signals came from; a "beat" is the picture of one beat, without time axis or neighbours.
        calibrated: False when the mV scale is a guess (no grid was found); amplitudes then mean nothing.
        notes: full sentences for the reader about what could not be read and why.
    """

    rate: float
    leads: dict[str, Signal]
    source: Source
    calibrated: bool = True
    notes: tuple[str, ...] = field(default=())
