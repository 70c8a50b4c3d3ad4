"""`python -m tests.bench.ecg_picture`: how true and how fast pictures are read, drawn from simulated ECGs."""

import time
from collections.abc import Callable

import cv2
import numpy as np

from tasks.ecg.picture import read_picture
from tasks.ecg.recording import Recording
from tasks.ecg.render import Image, photograph, render_page, render_strip
from tasks.ecg.simulator import Rhythm, simulate
from tasks.errors import JobError
from tests.bench import figures
from tests.ecg_truth import encoded, page_snr, page_truth, snr

SEEDS = 10
RHYTHMS: tuple[Rhythm, ...] = ("normal", "premature ventricular", "premature atrial", "fibrillation")
FAILED = -10.0  # dB that a picture which could not be read counts
STRIP_AIM_S = 3.0
LEADS = 12

KINDS: dict[str, tuple[str, Callable[[Recording, int], Image]]] = {
    "strip of 10 s, 150 dpi": (".png", lambda recording, seed: render_strip(recording)),
    "clean page, 200 dpi": (".png", lambda recording, seed: render_page(recording)),
    "photo of a page, mild": (".jpg", lambda recording, seed: photograph(render_page(recording), seed, "mild")),
    "photo of a page, hard": (".jpg", lambda recording, seed: photograph(render_page(recording), seed, "hard")),
}


def ratios(truth: Recording, read: Recording) -> dict[str, float]:
    """dB by lead; a page whose leads were not told apart counts as failed."""
    if list(read.leads) == ["unknown"]:
        return {"II": snr(page_truth(truth, "II"), read.leads["unknown"])}
    return page_snr(truth, read) if len(read.leads) == LEADS else dict.fromkeys(truth.leads, FAILED)


def measure(suffix: str, draw: Callable[[Recording, int], Image]) -> dict[str, float]:
    """Median and 10th percentile of the SNR over all leads and over lead II, and the median seconds a picture."""
    rhythm_strip: list[float] = []
    leads: list[float] = []
    seconds: list[float] = []
    for seed in range(SEEDS):
        truth = simulate(10, heart_rate=55 + 6 * seed, rhythm=RHYTHMS[seed % 4], seed=seed).recording
        data = encoded(draw(truth, seed), suffix)
        start = time.perf_counter()
        try:
            found = ratios(truth, read_picture(data))
        except JobError:
            found = {"II": FAILED}
        seconds.append(time.perf_counter() - start)
        rhythm_strip.append(found["II"])
        leads.extend(found.values())
    return {
        "median_db": float(np.median(leads)),
        "p10_db": float(np.percentile(leads, 10)),
        "rhythm_strip_median_db": float(np.median(rhythm_strip)),
        "rhythm_strip_worst_db": min(rhythm_strip),
        "seconds": float(np.median(seconds)),
    }


def main() -> None:
    cv2.setNumThreads(1)
    found = {name: measure(suffix, draw) for name, (suffix, draw) in KINDS.items()}
    rows = [
        (
            f"{name}: SNR of all leads, 10th percentile; lead II, worst",
            f"{one['median_db']:.1f}, {one['p10_db']:.1f}; {one['rhythm_strip_median_db']:.1f},"
            f" {one['rhythm_strip_worst_db']:.1f} dB",
            f"{one['seconds']:.2f} s",
        )
        for name, one in found.items()
    ]
    figures.table(f"Pictures of ECGs read back ({SEEDS} simulated ones each)", rows)
    aim = {"strip_aim_s": STRIP_AIM_S}
    figures.write("ecg_picture", {"kinds": found, **aim}, ["opencv-python-headless", "numpy", "scipy"], seed=0)


if __name__ == "__main__":
    main()
