"""Rate, rhythm and quality follow from beats and signal, and say so when they cannot be told."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ecg.labels import NAMES
from tasks.ecg.rhythm import assess_quality, describe_rhythm
from tests.ecg_files import RATE, heart


@dataclass(frozen=True)
class Beat:
    sample: int
    time_s: float
    label: str
    certainty: float = 0.9


def beats(gaps: Sequence[float], labels: str = "") -> list[Beat]:
    times = np.cumsum([0.5, *gaps])
    marks = labels or "N" * len(times)
    return [Beat(round(t * RATE), float(t), mark) for t, mark in zip(times, marks, strict=True)]


def test_an_even_rhythm_has_its_rate_and_no_variability() -> None:
    rhythm = describe_rhythm(beats([0.8] * 30))
    assert (rhythm.heart_rate_bpm, rhythm.lowest_bpm, rhythm.highest_bpm) == (75.0, 75.0, 75.0)
    assert (rhythm.sdnn_ms, rhythm.rmssd_ms, rhythm.regularity) == (0.0, 0.0, "regular")
    assert (rhythm.pauses, rhythm.runs) == ((), ())


def test_sdnn_and_rmssd_are_those_of_the_task_force() -> None:
    gaps = [0.8, 0.84, 0.78, 0.82, 0.8, 0.86]
    rhythm = describe_rhythm(beats(gaps))
    assert rhythm.sdnn_ms == pytest.approx(1000 * np.std(gaps, ddof=1), abs=0.06)
    assert rhythm.rmssd_ms == pytest.approx(1000 * np.sqrt(np.mean(np.diff(gaps) ** 2)), abs=0.06)


def test_premature_beats_and_their_pauses_do_not_pass_for_variability() -> None:
    gaps = ([0.8] * 5 + [0.5, 1.1]) * 6
    labels = "N" + ("N" * 5 + "VN") * 6
    rhythm = describe_rhythm(beats(gaps, labels))
    assert (rhythm.heart_rate_bpm, rhythm.sdnn_ms) == (75.0, 0.0)
    assert rhythm.regularity == "regular, with premature beats"
    assert {count.label: count.count for count in rhythm.counts} == {"N": 37, "V": 6}


@pytest.mark.parametrize(("cycle", "words"), [("NV", "every second"), ("NNA", "every third"), ("NNNV", "every fourth")])
def test_bigeminy_and_its_kin_are_regularly_irregular(cycle: str, words: str) -> None:
    labels = cycle * 8
    rhythm = describe_rhythm(beats([0.7] * (len(labels) - 1), labels))
    assert rhythm.regularity == f"regularly irregular: {words} beat is premature"


def test_random_intervals_are_irregular() -> None:
    gaps = np.random.default_rng(1).uniform(0.45, 1.1, 60).tolist()
    assert describe_rhythm(beats(gaps)).regularity == "irregular"
    mixed = describe_rhythm(beats(gaps[:30] + [0.8] * 120)).regularity
    assert mixed == "regular with irregular stretches"


def test_slow_breathing_is_regular() -> None:
    gaps = [0.85 + 0.05 * np.sin(i / 2) for i in range(60)]
    assert describe_rhythm(beats(gaps)).regularity == "regular"


def test_a_pause_is_told_unless_the_lead_was_off() -> None:
    made = beats([0.8] * 5 + [2.6] + [0.8] * 5)
    (pause,) = describe_rhythm(made).pauses
    assert (pause.time_s, pause.seconds) == (4.5, 2.6)
    assert describe_rhythm(made, [(5.0, 6.5)]).pauses == ()


def test_runs_of_ventricular_beats_are_told() -> None:
    rhythm = describe_rhythm(beats([0.6] * 11, "NNVVVVNNVVNN"))
    assert [(run.beats, run.label) for run in rhythm.runs] == [(4, "V")]


def test_flutter_has_no_rate() -> None:
    rhythm = describe_rhythm(beats([0.2] * 20, "!" * 21))
    assert rhythm.heart_rate_bpm is None
    assert "flutter" in rhythm.regularity


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_beats_tell_nothing(count: int) -> None:
    rhythm = describe_rhythm(beats([0.8] * 9)[:count])
    assert (rhythm.heart_rate_bpm, rhythm.sdnn_ms) == (None, None)
    assert "cannot be told" in rhythm.regularity


def test_unclassified_beats_still_tell_a_rate() -> None:
    assert describe_rhythm(beats([0.75] * 9, "?" * 10)).heart_rate_bpm == 80.0


@given(st.lists(st.tuples(st.floats(0, 9), st.sampled_from(sorted(NAMES))), max_size=40))
def test_any_beats_have_a_rhythm(drawn: list[tuple[float, str]]) -> None:
    made = [Beat(i, time, label) for i, (time, label) in enumerate(sorted(drawn))]
    rhythm = describe_rhythm(made)
    assert sum(count.count for count in rhythm.counts) == len(made)
    assert rhythm.heart_rate_bpm is None or 20 <= rhythm.heart_rate_bpm <= 300


def noisy_heart(seconds: float = 60) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    signal = heart(seconds) + np.random.default_rng(3).normal(0, 0.004, round(seconds * RATE))
    return np.asarray(signal)


def test_a_clean_signal_is_wholly_readable() -> None:
    quality = assess_quality(noisy_heart(), RATE)
    assert (quality.score, quality.notes, quality.unreadable) == (1.0, (), ())


def test_each_fault_is_told_with_where_it_is() -> None:
    whole = noisy_heart()
    flat, noisy, clipped, swaying = (whole.copy() for _ in range(4))
    flat[2500:5000] = 0.3
    noisy[2500:5000] += np.random.default_rng(1).normal(0, 0.3, 2500)
    clipped[2500:5000] = np.clip(clipped[2500:5000] * 4, -9, 2.0)
    swaying[2500:5000] += 5
    for signal, words in (
        (flat, "flat for 10 s"),
        (noisy, "noise covers 10 s"),
        (clipped, "cut off"),
        (swaying, "jumps"),
    ):
        quality = assess_quality(signal, RATE)
        assert any(words in note and "0:10" in note for note in quality.notes), words
        assert quality.score < 1
    assert assess_quality(flat, RATE).unreadable == ((10.0, 20.0),)
    assert assess_quality(noisy, RATE).score == pytest.approx(50 / 60, abs=0.02)


def test_no_signal_has_no_quality() -> None:
    assert assess_quality(np.zeros(5000), RATE).score == 0
    assert assess_quality(np.full(5000, np.nan), RATE).score == 0
    assert assess_quality(np.empty(0), RATE).score == 0


def test_quality_does_not_depend_on_the_scale_and_takes_one_beat() -> None:
    assert assess_quality(noisy_heart() * 1e-4, RATE).score == 1.0
    assert assess_quality(noisy_heart()[:133], RATE).score == 1.0


def test_gaps_count_as_no_signal() -> None:
    signal = noisy_heart()
    signal[2500:3750] = np.nan
    assert assess_quality(signal, RATE).unreadable == ((10.0, 15.0),)
