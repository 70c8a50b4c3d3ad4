"""`python -m tasks.ecg.training`: both protocols' figures, then the served weights with their card (`make train`)."""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from tasks.ecg.training import card, inter, intra, mitdb, uses
from tasks.ecg.training.export import export, keep

WEIGHTS = Path(__file__).parents[1] / "weights"


def main() -> int:
    try:
        with mitdb.unpacked(mitdb.place()) as folder:
            train(folder)
    except mitdb.DataMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


def train(folder: Path) -> None:
    """Measure, train, export, write; TensorFlow's seeds are set, so a second run on the same machine says the same."""
    started = time.monotonic()
    measured = intra.measure(folder)
    say(f"Intra-patient: accuracy {measured.accuracy:.4f} of {measured.counts.sum()} beats held out", started)
    how = inter.calibrate(folder)
    say(f"People held out of DS1: temperature {how.temperature:.2f}, threshold {how.threshold:.3f}", started)
    models = inter.served(folder)
    judged = inter.judge(folder, models, how)
    digest = export(models, WEIGHTS / "ecg.onnx")
    keep(models, WEIGHTS / "keras.npz")
    numbers = card.told(card.intra_figures(measured), how, judged, uses.measure(folder, models, how))
    version = f"{datetime.now(UTC):%Y-%m-%d}-{digest[:8]}"
    card.write(WEIGHTS, version, how, numbers)
    say(card.card(version, how, numbers), started)


def say(text: str, started: float) -> None:
    print(f"[{time.monotonic() - started:5.0f} s] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
