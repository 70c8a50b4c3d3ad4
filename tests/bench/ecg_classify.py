"""`python -m tests.bench.ecg_classify`: half an hour of beats, beside Keras `predict` beat by beat."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.bench import figures

ROOT = Path(__file__).parents[2]
SEED = 0
RATE = 360.0
BEATS = 2_200
PEER_BEATS = 100
TARGET_RATIO, TARGET_MB = 50, 400

PEER = f"""
import os, sys, time; os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
from pathlib import Path
from tests.bench.ecg_classify import recording
from tasks.ecg.spectrogram import inputs, person
from tasks.ecg.training.export import ensemble, kept
from tasks.ecg.classify import WEIGHTS
model = ensemble(kept(WEIGHTS / "keras.npz"))
signal, peaks = recording()
given = inputs(person(signal, {RATE}, peaks), np.arange({PEER_BEATS}))
model.predict([given.pictures[:1], given.context[:1]], verbose=0)
start = time.perf_counter()
for i in range({PEER_BEATS}):
    model.predict([given.pictures[i:i + 1], given.context[i:i + 1]], verbose=0)
print(time.perf_counter() - start)
"""

OURS = f"""
import json, time
from tests.bench.ecg_classify import recording
from tasks.ecg.classify import classify
signal, peaks = recording()
start = time.perf_counter(); classify(signal[:3600], {RATE}, peaks[:10]); cold = time.perf_counter() - start
times = []
for _ in range(5):
    start = time.perf_counter(); beats = classify(signal, {RATE}, peaks); times.append(time.perf_counter() - start)
start = time.perf_counter(); classify(signal, {RATE}); found = time.perf_counter() - start
def memory(name): return int(next(x for x in open("/proc/self/status") if x.startswith(name)).split()[1]) // 1024
told = dict(beats=len(beats), seconds=sorted(times)[2], cold_start_s=cold, with_peaks_s=found)
print(json.dumps(told | dict(rss_mb=memory("VmRSS"), peak_rss_mb=memory("VmHWM"))))
"""


def recording() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Half an hour at 360 Hz with about 2,200 simulated beats → signal in mV, R peaks."""
    rng = np.random.default_rng(SEED)
    times = 0.5 + np.cumsum(0.815 + 0.02 * rng.standard_normal(BEATS))
    peaks = np.rint(times[times < 1799] * RATE).astype(np.int64)
    signal = 0.02 * rng.standard_normal(int(1800 * RATE))
    offsets = np.arange(-100, 140)
    beat = np.zeros(len(offsets))
    for centre, height, width in ((-58, 0.12, 10), (-10, -0.1, 3), (0, 1.1, 4), (11, -0.2, 4), (94, 0.3, 20)):
        beat += height * np.exp(-(((offsets - centre) / width) ** 2))
    for peak in peaks:
        signal[peak - 100 : peak + 140] += beat
    return signal.astype(np.float32), peaks


def measure() -> dict[str, Any]:
    """Both sides, each in a process of its own, so that neither's memory or threads weigh on the other."""
    told: dict[str, Any] = json.loads(_run(OURS))
    if find_spec("tensorflow") is not None:
        peer = float(_run(PEER).split()[-1])
        told["keras_predict_s_extrapolated"] = peer / PEER_BEATS * told["beats"]
        told["keras_predict_beats_measured"] = PEER_BEATS
        told["ratio"] = told["keras_predict_s_extrapolated"] / told["seconds"]
    return told


def main() -> None:
    """Measure and tell."""
    told = measure()
    peer = "not measured: make train installs TensorFlow"
    if "ratio" in told:
        peer = f"{told['keras_predict_s_extrapolated']:.1f} s"
    figures.table(
        f"{told['beats']} beats of 30 minutes, beside Keras `predict` beat by beat (extrapolated from {PEER_BEATS})",
        [
            ("spectrograms and classes", f"{told['seconds']:.2f} s", f"first call {told['cold_start_s']:.2f} s"),
            ("  with R peaks", f"{told['with_peaks_s']:.2f} s", ""),
            (
                "  Keras, its spectrograms not counted",
                peer,
                f"ratio {told.get('ratio', 0):.0f}, at least {TARGET_RATIO}",
            ),
            ("memory with the network loaded", f"{told['rss_mb']} MB", f"under {TARGET_MB} MB"),
            ("  at its peak", f"{told['peak_rss_mb']} MB", ""),
        ],
    )
    packages = ["numpy", "scipy", "onnxruntime", *(["keras"] if find_spec("keras") else [])]
    figures.write("ecg_classify", told, packages, SEED)


def _run(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout


if __name__ == "__main__":
    main()
