"""What the engine is made of: seasons, powers, the weighted median, intervals."""

from datetime import date

import numpy as np
import pytest

from tasks.energy.forecasting import intervals
from tasks.energy.forecasting.autoregression import lags
from tasks.energy.forecasting.choice import weighted_median
from tasks.energy.forecasting.powers import LEVEL, LOG, ROOT, Powered, unfit_power, usual_power
from tasks.energy.forecasting.seasons import places, seasons
from tasks.energy.forecasting.windows import Window, windows
from tasks.energy.series import DAY, HOUR, MONTH, Series
from tests.energy_series import household, months, series


def test_each_step_has_its_seasons() -> None:
    found = {step: (seasons(step).short, seasons(step).long) for step in (900, 1800, HOUR, DAY, MONTH)}
    assert found == {900: (96, 672), 1800: (48, 336), HOUR: (24, 168), DAY: (7, 364), MONTH: (12, None)}


def test_the_hour_of_the_week_goes_by_the_clock_on_the_wall_over_daylight_saving() -> None:
    start = 1_711_753_200  # Saturday 30 March 2024, midnight in Berlin; clocks go forward on Sunday
    times = start + HOUR * np.arange(72, dtype=np.int64)
    _, week = places(Series(np.ones(48), times, HOUR, zone="Europe/Berlin"))
    assert week[:3].tolist() == [5 * 24, 5 * 24 + 1, 5 * 24 + 2]
    assert week[24:28].tolist() == [6 * 24, 6 * 24 + 1, 6 * 24 + 3, 6 * 24 + 4]
    assert week[47:49].tolist() == [0, 1]


def test_a_public_holiday_is_a_sunday_and_months_know_their_number() -> None:
    monday = series(household(48))
    free = Series(monday.values, monday.times, HOUR, holidays=frozenset({date(2024, 1, 1)}))
    assert places(monday)[1][12] == 12
    assert places(free)[1][12] == 6 * 24 + 12
    year = series(months(24), 12, MONTH)
    assert places(year)[0][:13].tolist() == [*range(12), 0]


def test_lags_leave_half_of_the_series_to_learn_from() -> None:
    assert lags(HOUR, 960)[-1] == 170
    assert lags(HOUR, 240)[-1] == 96
    assert lags(900, 28 * 96)[-1] == 674
    assert lags(MONTH, 36).tolist() == [1, 2, 3, 6, 11, 12]


@pytest.mark.parametrize("power", [LOG, ROOT, LEVEL])
def test_a_power_is_undone_exactly(power: float) -> None:
    values = household(200)
    scale = Powered.of(values, power)
    assert scale.back(scale.forward(values)) == pytest.approx(values)


def test_logarithms_are_for_what_stays_above_zero_and_roots_for_what_is_not_negative() -> None:
    plain = household(200)
    night = np.where(np.arange(200) % 3 == 0, 0.0, plain)
    assert [usual_power(each) for each in (plain, night, plain - 1)] == [LOG, ROOT, LEVEL]
    assert not unfit_power(plain, LOG)
    assert unfit_power(plain, LEVEL)
    assert unfit_power(night, LOG)
    assert not unfit_power(night, LEVEL)
    assert unfit_power(plain - 1, ROOT)


def test_the_weighted_median_lies_where_half_of_the_votes_do() -> None:
    ones = [np.array([1.0, 9.0]), np.array([2.0, 2.0]), np.array([30.0, 1.0])]
    assert weighted_median(ones, [1, 1, 1]).tolist() == [2.0, 2.0]
    assert weighted_median(ones, [1, 1, 100])[0] > 28
    assert weighted_median(ones[:1], [0.3]).tolist() == [1.0, 9.0]
    assert weighted_median(ones[:2], [1, 1]).tolist() == [1.5, 5.5]


def _window(truth: list[float]) -> Window:
    past = series(household(96), len(truth))
    return Window(past, np.array(truth), np.ones(len(truth), dtype=bool), 1.0)


def test_intervals_are_wider_where_validation_erred_more_and_with_fewer_windows() -> None:
    said = np.full(20, 10.0)
    noise = np.random.default_rng(2).standard_normal((7, 20)) * np.linspace(0.2, 2.0, 20)
    cuts = [_window((said + each).tolist()) for each in noise]
    past = np.full(96, 10.0)
    seven = intervals.calibrated(said, past, cuts, dict.fromkeys(range(7), said))
    assert seven.upper_95[-1] - said[-1] > 3 * (seven.upper_95[0] - said[0])
    assert (seven.upper_80 < seven.upper_95).all()
    assert (seven.lower_95 < seven.lower_80).all()
    same = [cuts[0]] * 7
    once = intervals.calibrated(said, past, same, {0: said})
    often = intervals.calibrated(said, past, same, dict.fromkeys(range(7), said))
    assert ((once.upper_95 - said) > 1.5 * (often.upper_95 - said)).all()
    further = intervals.calibrated(np.full(60, 10.0), past, cuts, dict.fromkeys(range(7), said))
    assert further.upper_95[-1] > further.upper_95[20] > 10


def test_what_was_filled_in_widens_no_interval() -> None:
    said = np.full(20, 10.0)
    wild = _window([10.5] * 10 + [500.0] * 10)
    counted = Window(wild.past, wild.truth, np.array([True] * 10 + [False] * 10), 1.0)
    found = intervals.calibrated(said, np.full(96, 10.0), [counted], {0: said})
    assert found.upper_95.max() < 12


def test_windows_end_where_the_series_does_and_leave_half_of_it() -> None:
    found = windows(series(household(960), 48))
    assert [len(one.past.values) for one in found] == [912, 888, 864, 840, 816, 792, 768]
    assert all(one.past.horizon == 48 for one in found)
    short = windows(series(household(60), 48))
    assert [(len(one.past.values), one.past.horizon) for one in short] == [(45, 15)]
