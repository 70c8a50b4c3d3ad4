"""The served network: sensible on rhythms it never saw, the same as TensorFlow's, and light."""

import hashlib
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.ecg import classify as classifying
from tasks.ecg.beats import find_beats
from tasks.ecg.classify import MODEL, WEIGHTS, Model, beat_spectrograms, classify, classify_single
from tasks.ecg.spectrogram import CONTEXT_SIZE, batches, inputs, person, single_inputs

RATE = 360.0
MITDB = Path(os.environ.get("MITDB") or Path(__file__).parents[2] / "shared/data/ecg/mitdb.tar.xz")


NORMAL = ((-0.16, 0.12, 0.028), (-0.028, -0.12, 0.009), (0, 1.1, 0.012), (0.03, -0.2, 0.011), (0.26, 0.28, 0.055))
WIDE = ((0, 1.6, 0.045), (0.08, -0.5, 0.05), (0.27, -0.5, 0.07))


def draw(on: NDArray[np.float64], at: float, waves: tuple[tuple[float, float, float], ...]) -> None:
    """Add waves (seconds from `at`, mV, width in seconds) to the signal."""
    first = max(int((at - 0.4) * RATE), 0)
    part = on[first : first + int(0.9 * RATE)]
    time = (first + np.arange(len(part))) / RATE - at
    for centre, height, width in waves:
        part += height * np.exp(-(((time - centre) / width) ** 2))


def rhythm(seconds: float = 60, early: tuple[int, ...] = ()) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A sinus rhythm at 75/min; the beats numbered `early` come early, wide and without P wave. → signal, R peaks."""
    rng = np.random.default_rng(1)
    times = 0.5 + np.cumsum(0.8 + 0.015 * rng.standard_normal(int(seconds / 0.8) - 1))
    time = np.arange(int(seconds * RATE)) / RATE
    signal = 0.01 * rng.standard_normal(len(time)) + 0.05 * np.sin(2 * np.pi * 0.25 * time)
    for number in early:
        times[number] -= 0.28
    for number, at in enumerate(times):
        draw(signal, at, WIDE if number in early else NORMAL)
    return signal.astype(np.float32), np.rint(times * RATE).astype(np.int64)


def run(script: str, *arguments: str) -> str:
    """What the script prints in a process of its own."""
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_simulated_sinus_rhythm_is_normal_at_75_a_minute() -> None:
    signal, _ = rhythm()
    beats = classify(signal, RATE)
    assert 72 <= len(beats) <= 75
    assert sum(beat.label == "N" for beat in beats) >= 0.9 * len(beats)


def test_wide_early_beats_are_ventricular_and_their_neighbours_normal() -> None:
    early = (10, 22, 40, 55)
    signal, peaks = rhythm(early=early)
    labels = [beat.label for beat in classify(signal, RATE, peaks)]
    assert sum(labels[number] == "V" for number in early) >= 3
    assert sum(label == "N" for label in labels) >= 0.85 * (len(labels) - len(early))


@pytest.mark.parametrize("rate", [125.0, 250.0, 1000.0])
def test_the_sampling_rate_hardly_changes_the_answer(rate: float) -> None:
    signal, peaks = rhythm(early=(10, 40))
    there = np.arange(0, len(signal) / RATE, 1 / rate)
    other = np.interp(there, np.arange(len(signal)) / RATE, signal).astype(np.float32)
    same = [
        a.label == b.label
        for a, b in zip(
            classify(signal, RATE, peaks),
            classify(other, rate, np.rint(peaks * rate / RATE).astype(np.int64)),
            strict=True,
        )
    ]
    assert np.mean(same) > 0.95


def test_the_scale_of_the_signal_does_not_matter() -> None:
    signal, peaks = rhythm(early=(10, 40))
    pairs = zip(classify(signal, RATE, peaks), classify(signal * 7, RATE, peaks), strict=True)
    assert max(abs(a.certainty - b.certainty) for a, b in pairs) < 1e-3


def test_certainties_are_probabilities_and_low_ones_are_unclassified() -> None:
    noise = np.random.default_rng(0).standard_normal(3600 * 5).astype(np.float32)
    for beat in classify(noise, RATE):
        assert 0 <= beat.certainty <= 1
        assert (beat.label == "?") == (beat.certainty < MODEL.threshold)
        assert beat.label in (*MODEL.classes, "?")


@pytest.mark.parametrize("count", [0, 1, 2, 4, 5])
def test_few_beats_are_a_legal_input(count: int) -> None:
    signal, peaks = rhythm(early=(10,))
    assert len(classify(signal[: 360 * 6], RATE, peaks[:count])) == count


def test_a_beat_alone_is_classified_without_its_neighbours() -> None:
    signal, peaks = rhythm(early=(10,))
    normal, wide = (classify_single(signal[peaks[n] - 96 : peaks[n] + 97], RATE) for n in (20, 10))
    assert normal.sample == 96
    assert normal.label in ("N", "?")
    assert wide.label != "N"


def test_a_flat_signal_has_no_beats_and_a_flat_beat_does_not_raise() -> None:
    assert classify(np.zeros(3600, np.float32), RATE) == []
    assert 0 <= classify_single(np.zeros(193, np.float32), RATE).certainty <= 1


def test_parts_say_the_same_as_the_whole() -> None:
    signal, peaks = rhythm(seconds=600)
    of = person(signal, RATE, peaks)
    parts, whole = list(batches(of)), inputs(of)
    assert len(parts) > 1
    assert np.array_equal(np.concatenate([part.pictures for part in parts]), whole.pictures)
    assert np.array_equal(np.concatenate([part.context for part in parts]), whole.context)


def test_a_beat_alone_has_no_context() -> None:
    alone = single_inputs(np.random.default_rng(0).standard_normal((3, 193)).astype(np.float32))
    assert not alone.context.any()
    assert not alone.pictures[..., 1].any()
    assert alone.context.shape == (3, CONTEXT_SIZE)


def test_spectrograms_are_one_for_each_peak() -> None:
    signal, peaks = rhythm(seconds=10)
    grams = beat_spectrograms(signal, RATE, peaks)
    assert grams.shape == (len(peaks), 16, 38)
    assert grams.mean(axis=(0, 1)).argmax() in range(16, 22)  # the QRS is in the middle


def test_the_metadata_is_what_stands_beside_the_weights() -> None:
    told = json.loads((WEIGHTS / "model.json").read_text("utf-8"))
    assert Model.read(WEIGHTS) == MODEL
    assert told["threshold"] == MODEL.threshold
    assert list(MODEL.classes) == ["N", "L", "R", "A", "V", "/", "!", "E"]
    assert MODEL.version in (WEIGHTS / "card.md").read_text("utf-8")
    assert (WEIGHTS / "ecg.onnx").stat().st_size < 3_000_000


def test_the_version_names_the_very_weights() -> None:
    assert MODEL.version.endswith(hashlib.sha256((WEIGHTS / "ecg.onnx").read_bytes()).hexdigest()[:8])


def test_the_card_tells_both_protocols_and_that_it_is_no_device() -> None:
    card = (WEIGHTS / "card.md").read_text("utf-8")
    for words in ("Not a medical device", "Inter-patient", "Intra-patient", "ODC-By", "always normal", "104 and 217"):
        assert words in card


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_serving_imports_no_tensorflow_and_stays_light() -> None:
    script = (
        "import sys, numpy as np\n"
        "from tasks.ecg.classify import classify\n"
        "classify(np.random.default_rng(0).standard_normal(100_000).astype(np.float32), 360.0)\n"
        "assert not {'tensorflow', 'keras', 'wfdb'} & set(sys.modules), 'a training library was imported'\n"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    # Not ru_maxrss: it survives exec, so it would tell of the process that runs the tests.
    assert int(done.stdout) // 1024 < 400


def test_the_session_is_made_once() -> None:
    assert classifying.session() is classifying.session()


@pytest.mark.slow
@pytest.mark.skipif(not MITDB.exists(), reason="the MIT-BIH database is not here (MITDB= names it)")
def test_record_100_is_mostly_normal_at_about_75_a_minute() -> None:
    from tasks.ecg.training.mitdb import load, unpacked

    with unpacked(MITDB) as folder:
        record = load(folder, "100")
    beats = classify(record.signal, record.rate)
    assert len(beats) == pytest.approx(2273, abs=5)
    assert 60 * (len(beats) - 1) / (beats[-1].time_s - beats[0].time_s) == pytest.approx(75, abs=2)
    assert sum(beat.label == "N" for beat in beats) > 0.95 * len(beats)
    assert np.abs(find_beats(record.signal, record.rate)[:50] - record.peaks[:50]).max() <= 5


@pytest.mark.training
def test_the_served_export_agrees_with_tensorflow(tmp_path: Path) -> None:
    if find_spec("tensorflow") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must install requirements/train.txt")
        pytest.skip("TensorFlow is not installed (make train installs it)")
    signal, peaks = rhythm(early=(10, 22, 40))
    given = inputs(person(signal, RATE, peaks))
    np.savez(tmp_path / "given.npz", pictures=given.pictures, context=given.context)
    told = run(
        "import sys, numpy as np; from pathlib import Path\n"
        "from tasks.ecg.spectrogram import Inputs\n"
        "from tasks.ecg.training.export import disagreement, kept, probe\n"
        "models = kept(Path(sys.argv[1], 'keras.npz')); rhythm = Inputs(**np.load(sys.argv[2]))\n"
        "print(max(disagreement(models, Path(sys.argv[1], 'ecg.onnx'), given) for given in (rhythm, probe(200))))\n",
        str(WEIGHTS),
        str(tmp_path / "given.npz"),
    )
    assert float(told.split()[-1]) < 1e-4
