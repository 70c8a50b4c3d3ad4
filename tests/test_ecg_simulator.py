"""The simulator's beats are where and what it says; its pictures are drawn to scale."""

import json

import numpy as np

from tasks.ecg.render import PAGE_MM, photograph, render_beat, render_page, render_strip
from tasks.ecg.samples import FOLDER
from tasks.ecg.simulator import TWELVE, simulate


def test_the_same_seed_gives_the_same_ecg_and_another_seed_another() -> None:
    first, again, other = (simulate(5, seed=seed).recording.leads["II"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_ecg_has_its_twelve_leads_and_they_obey_einthoven() -> None:
    recording = simulate(4, rate=500, noise_mv=0, wander_mv=0).recording
    assert tuple(recording.leads) == TWELVE
    assert {signal.size for signal in recording.leads.values()} == {2000}
    assert np.allclose(recording.leads["I"] + recording.leads["III"], recording.leads["II"], atol=1e-5)


def test_r_peaks_are_the_highest_points_of_their_beats() -> None:
    simulation = simulate(20, noise_mv=0, seed=3)
    lead = simulation.recording.leads["II"]
    for time in simulation.times_s[1:-1]:
        peak = round(time * 360)
        near = lead[peak - 60 : peak + 60]
        assert abs(int(near.argmax()) - 60) <= 2


def test_the_mean_rate_is_the_one_asked_for() -> None:
    times = simulate(60, heart_rate=84, seed=4).times_s
    assert abs(60 / np.diff(times).mean() - 84) < 3


def test_a_ventricular_beat_comes_early_is_wide_and_is_followed_by_a_compensatory_pause() -> None:
    simulation = simulate(60, rhythm="premature ventricular", noise_mv=0, wander_mv=0, seed=5)
    intervals = np.diff(simulation.times_s)
    usual = float(np.median(intervals))
    beats = [i for i, label in enumerate(simulation.labels) if label == "V" and 0 < i < len(intervals)]
    assert len(beats) > 5
    for i in beats:
        assert intervals[i - 1] < 0.75 * usual
        assert abs(intervals[i - 1] + intervals[i] - 2 * usual) < 0.15 * usual
    lead = simulation.recording.leads["II"]
    widths = {label: _width(lead, simulation.times_s[simulation.labels.index(label)]) for label in ("N", "V")}
    assert widths["V"] > 2 * widths["N"]


def _width(lead: np.ndarray, time: float) -> int:
    peak = round(time * 360)
    near = lead[peak - 40 : peak + 40]
    return int((near > 0.5 * near.max()).sum())


def test_an_atrial_beat_comes_early_and_the_next_does_not_wait() -> None:
    simulation = simulate(60, rhythm="premature atrial", seed=6)
    intervals = np.diff(simulation.times_s)
    beats = [i for i, label in enumerate(simulation.labels) if label == "A" and 0 < i < len(intervals)]
    assert set(simulation.labels) == {"N", "A"}
    assert all(intervals[i - 1] < 0.75 * np.median(intervals) < 1.2 * intervals[i] for i in beats)


def test_fibrillation_is_irregular_where_a_sinus_rhythm_is_not() -> None:
    spread = {rhythm: _spread(simulate(60, rhythm=rhythm, seed=7).times_s) for rhythm in ("normal", "fibrillation")}
    assert spread["normal"] < 0.06 < 0.15 < spread["fibrillation"]


def _spread(times: np.ndarray) -> float:
    intervals = np.diff(times)
    return float(intervals.std() / intervals.mean())


def test_pictures_have_the_size_of_their_paper() -> None:
    recording = simulate(10).recording
    assert render_page(recording, dpi=100).shape[:2] == (round(PAGE_MM[1] / 0.254), round(PAGE_MM[0] / 0.254))
    assert render_strip(recording, dpi=100).shape[1] == round(260 / 0.254)
    assert render_beat(recording.leads["II"], 1000).shape == (128, 192, 3)


def test_a_photo_is_another_picture_and_the_same_for_the_same_seed() -> None:
    page = render_page(simulate(10).recording, dpi=60)
    first, again, other = (photograph(page, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_samples_are_there_say_that_they_are_simulated_and_are_small() -> None:
    samples = json.loads((FOLDER / "samples.json").read_text("utf-8"))
    files = [FOLDER / name for sample in samples for name in sample["files"]]
    assert len(files) == 7
    assert all("simulated" in sample["title"] for sample in samples)
    assert sum(file.stat().st_size for file in files) < 1_500_000
