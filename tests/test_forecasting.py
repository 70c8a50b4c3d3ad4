"""The forecast engine: accurate beside the seasonal naive, honest about itself, and an answer for every series."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tasks.energy.forecasting.baseline import NAIVE
from tasks.energy.forecasting.candidate import Deadline, Forecast
from tasks.energy.forecasting.candidates import CANDIDATES
from tasks.energy.forecasting.engine import MOST_STEPS, forecast
from tasks.energy.forecasting.windows import windows
from tasks.energy.series import DAY, HOUR, MONTH
from tests.energy_series import Array, days, household, months, series

AMPLE = 60.0  # CPU-seconds that nothing here needs: no choice hangs on the machine
FAST = tuple(one for one in CANDIDATES if not one.name.startswith("SARIMAX"))


def in_order(found: Forecast) -> bool:
    """All bounds are numbers, and the wider lie around the narrower."""
    bounds = [found.lower_95, found.lower_80, found.mean, found.upper_80, found.upper_95]
    assert all(np.isfinite(each).all() for each in bounds)
    return all((low <= high + 1e-9).all() for low, high in itertools.pairwise(bounds))


def test_a_household_is_forecast_far_better_than_by_the_seasonal_naive() -> None:
    whole = household(35 * 24 + 48)
    past, truth = whole[:-48], whole[-48:]
    found = forecast(series(past, 48), budget=AMPLE, candidates=FAST)
    naive = np.abs(truth - np.resize(past[-24:], 48)).mean()
    assert np.abs(truth - found.mean).mean() < 0.65 * naive
    assert in_order(found)
    assert not found.fallback
    inside = (truth >= found.lower_95) & (truth <= found.upper_95)
    assert inside.mean() >= 0.85


def test_the_result_names_every_trial_best_first_and_the_naive_beside_it() -> None:
    found = forecast(series(household(28 * 24)), budget=AMPLE)
    names = [one.model for one in found.trials]
    assert {one.name for one in CANDIDATES} <= set(names)
    naive = next(one for one in found.trials if one.model == NAIVE.name)
    own = next(one for one in found.trials if one.model == found.model)
    assert own.mase is not None
    assert naive.mase is not None
    assert own.mase < naive.mase
    assert f"{own.mase:.2f}" in found.reason
    assert f"{naive.mase:.2f}" in found.reason
    assert all(one.note for one in found.trials if one.mase is None)


def test_the_same_series_is_answered_the_same_twice() -> None:
    asked = series(household(21 * 24))
    one, two = (forecast(asked, budget=AMPLE, candidates=FAST) for _ in range(2))
    assert one.model == two.model
    assert np.array_equal(one.mean, two.mean)
    assert np.array_equal(one.upper_95, two.upper_95)


@pytest.mark.parametrize("factor", [1000.0, 1e-6])
def test_watt_hours_are_forecast_like_kilowatt_hours(factor: float) -> None:
    plain = household(21 * 24)
    one, two = (forecast(series(values), budget=AMPLE, candidates=FAST) for values in (plain, plain * factor))
    assert one.model == two.model
    for name in ("mean", "lower_80", "upper_95"):
        assert getattr(two, name) == pytest.approx(factor * getattr(one, name), rel=1e-6, abs=1e-9 * factor)


def test_a_shift_of_what_may_be_negative_shifts_the_forecast() -> None:
    solar = household(21 * 24) - 1.2
    one, two = (forecast(series(values), budget=AMPLE, candidates=FAST) for values in (solar, solar - 0.1))
    assert one.mean.min() < 0
    assert one.lower_95.min() < one.mean.min()
    assert two.mean == pytest.approx(one.mean - 0.1, abs=0.05)


def test_no_window_of_validation_sees_what_came_later() -> None:
    values, seen = household(21 * 24), []
    asked = series(values)
    for window in windows(asked):
        end = len(window.past.values)
        spoilt = values.copy()
        spoilt[end:] = 99.0
        again = next(one for one in windows(series(spoilt)) if len(one.past.values) == end)
        for candidate in FAST:
            if not candidate.unfit(window.past):
                answers = [candidate.predict(one.past, Deadline(AMPLE)) for one in (window, again)]
                assert np.array_equal(answers[0], answers[1]), candidate.name
                seen.append(candidate.name)
    assert len(set(seen)) >= 6


def test_temperatures_measured_after_an_origin_are_not_known_in_its_window() -> None:
    asked = series(household(21 * 24))
    warm = np.random.default_rng(3).normal(15, 5, len(asked.times))
    hot = np.concatenate([warm[: 20 * 24], np.full(len(warm) - 20 * 24, 45.0)])
    one, two = (windows(replace(asked, temperature=each))[0].past.temperature for each in (warm, hot))
    assert one is not None
    assert two is not None
    assert len(one) == 21 * 24
    assert np.array_equal(one, two)


def test_what_the_cleaning_filled_in_counts_as_no_truth() -> None:
    asked = series(household(21 * 24))
    filled = np.zeros(21 * 24, dtype=bool)
    filled[-24:-12] = True
    window = windows(replace(asked, filled=filled))[0]
    assert window.counts.tolist() == [False] * 12 + [True] * 12
    everything = replace(asked, filled=np.ones(21 * 24, dtype=bool))
    assert windows(everything) == []
    assert "too few readings to try" in forecast(everything).fallback


@pytest.mark.parametrize(
    ("values", "horizon", "step"),
    [
        (household(28 * 96, per_day=96), 96, 900),
        (household(28 * 48, per_day=48), 48, 1800),
        (household(60 * 24), 14 * 24, HOUR),
        (days(800), 60, DAY),
        (days(60), 30, DAY),
        (months(60), 12, MONTH),
        (months(30), 12, MONTH),
    ],
)
def test_every_step_and_horizon_is_answered_about_as_well_as_by_the_naive(
    values: Array, horizon: int, step: int
) -> None:
    found = forecast(series(values[:-horizon], horizon, step), budget=3.0, candidates=FAST)
    truth, season = values[-horizon:], {900: 96, 1800: 48, HOUR: 24, DAY: 7, MONTH: 12}[step]
    naive = np.abs(truth - np.resize(values[-horizon - season : -horizon], horizon)).mean()
    assert np.abs(truth - found.mean).mean() < 1.25 * naive  # one year of months can be kind to it
    assert in_order(found)


@pytest.mark.parametrize("step", [900, HOUR, DAY, MONTH])
@pytest.mark.parametrize(
    "values",
    [
        [1.0],
        [1.0, 2.0, 3.0],
        [2.0] * 400,
        [0.0] * 400,
        [0.0] * 399 + [1.0],
        [1e-300] * 50 + [2e-300] * 50,
        [-1.0, 4.0] * 40,
    ],
    ids=["one", "three", "constant", "zeros", "one blip", "denormal", "alternating"],
)
def test_odd_series_are_answered_with_numbers_and_say_what_answered(values: list[float], step: int) -> None:
    found = forecast(series(values, 12, step), candidates=FAST)
    assert in_order(found)
    assert len(found.mean) == 12
    assert found.reason
    if len(set(values)) == 1 or len(values) < 4:
        assert found.model in found.fallback
    if min(values) >= 0:
        assert found.lower_95.min() >= 0


def test_zeros_stay_zero_and_three_readings_get_wide_intervals() -> None:
    zeros = forecast(series([0.0] * 8760))
    assert zeros.upper_95.max() == 0
    assert "All readings are zero." in zeros.fallback
    three = forecast(series([1.0, 2.0, 6.0]))
    assert three.mean == pytest.approx(np.full(24, 3.0))
    assert three.upper_95[0] - three.lower_95[0] > 5
    constant = forecast(series([5.0] * 100))
    assert 0 < constant.upper_95[0] - 5.0 < 0.5


def test_hardly_any_or_broken_readings_and_far_horizons_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no readings"):
        forecast(series([]))
    with pytest.raises(ValueError, match="no numbers"):
        forecast(series([1.0, float("nan"), 2.0] * 20))
    with pytest.raises(ValueError, match=r"87,600 hours ahead .* 2,208 or fewer"):
        forecast(series(household(500), 87_600))
    assert MOST_STEPS[MONTH] < 120
