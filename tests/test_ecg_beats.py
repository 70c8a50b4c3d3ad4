"""R peaks: found where they are, at any rate, and never an exception for a bad signal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.ecg.beats import RATE, at_network_rate, find_beats
from tasks.ecg.simulator import simulate


def regular(rate: float, seconds: float = 30, rr: float = 0.8, noise: float = 0.02) -> NDArray[np.float32]:
    """Narrow QRS spikes with a T wave every `rr` seconds, from 0.4 s on."""
    time = np.arange(int(seconds * rate)) / rate
    since = (time - 0.4 + rr / 2) % rr - rr / 2
    wave = np.exp(-((since / 0.012) ** 2)) + 0.25 * np.exp(-(((since - 0.28) / 0.05) ** 2))
    return (wave + noise * np.random.default_rng(0).standard_normal(len(time))).astype(np.float32)


@pytest.mark.parametrize("rate", [100.0, 128.0, 250.0, 253.7, 360.0, 500.0, 1000.0])
def test_every_beat_of_a_regular_rhythm_is_found_at_any_rate(rate: float) -> None:
    found = find_beats(regular(rate), rate) / rate
    true = np.arange(0.4, 30, 0.8)
    assert np.abs(found[:, None] - true).min(axis=0).max() < 0.03
    assert len(found) == len(true)


def test_the_scale_of_the_signal_does_not_matter() -> None:
    signal = regular(360.0)
    assert np.array_equal(find_beats(signal, 360.0), find_beats(signal * 40, 360.0))


def test_a_gap_is_bridged() -> None:
    signal = regular(360.0)
    signal[3600:3960] = np.nan
    found = find_beats(signal, 360.0)
    assert 33 <= len(found) <= 38


@pytest.mark.parametrize("length", [0, 1, 2, 10, 359])
def test_a_signal_shorter_than_a_second_has_no_beats(length: int) -> None:
    assert len(find_beats(regular(360.0)[:length], 360.0)) == 0


@pytest.mark.parametrize("value", [0.0, -3.5, np.nan, np.inf])
def test_a_flat_or_empty_lead_has_no_beats(value: float) -> None:
    assert len(find_beats(np.full(3600, value, np.float32), 360.0)) == 0


@given(st.integers(0, 2000), st.sampled_from([20.0, 50.0, 99.5, 360.0, 2000.0]), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_noise_of_any_length_and_rate_never_raises(length: int, rate: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = (rng.standard_normal(length) * 10.0 ** rng.integers(-6, 6)).astype(np.float32)
    noise[rng.random(length) < 0.1] = np.nan
    found = find_beats(noise, rate)
    assert np.all(np.diff(found) > 0)
    assert np.all((found >= 0) & (found < max(length, 1)))


def test_resampling_does_not_drift_over_half_an_hour() -> None:
    rate, seconds = 253.7, 1800
    time = np.arange(int(rate * seconds)) / rate
    even = at_network_rate(np.sin(2 * np.pi * time).astype(np.float32), rate)
    there = np.arange(len(even)) / RATE
    assert np.abs(even - np.sin(2 * np.pi * there)).max() < 0.01


@pytest.mark.parametrize("seed", range(3))
def test_a_peak_stands_on_the_qrs_also_after_a_premature_beat_and_its_pause(seed: int) -> None:
    made = simulate(60, RATE, rhythm="premature ventricular", leads=("II",), seed=seed)
    found = find_beats(made.recording.leads["II"], RATE) / RATE
    inner = made.times_s[(made.times_s > 1) & (made.times_s < 59)]
    assert np.abs(found[:, None] - inner).min(axis=0).max() < 0.05
    assert abs(len(found) - len(made.times_s)) <= 2
