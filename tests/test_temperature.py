"""The temperature ahead: from what is known, and nothing else."""

from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.energy.forecasting.temperature import ahead, doubtful, known
from tasks.energy.series import DAY, HOUR, Series
from tests.victoria import ABSENT, FILE, victoria

Array = NDArray[np.float64]
START = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp())


def clock(steps: int, step: int = HOUR) -> NDArray[np.int64]:
    return START + step * np.arange(steps, dtype=np.int64)


def usual(times: NDArray[np.int64]) -> Array:
    """A year of northern temperatures, warmest in July and at 14 h."""
    year = (times - START) / (365.2425 * DAY)
    return np.asarray(12 - 9 * np.cos(2 * np.pi * (year - 0.04)) + 4 * np.sin(2 * np.pi * (times % DAY) / DAY - 2.09))


def measured(times: NDArray[np.int64], seed: int = 0) -> Array:
    """Usual temperatures, and weather that lasts for days."""
    chance = np.random.default_rng(seed).normal(0, 0.4, len(times))
    for i in range(1, len(chance)):
        chance[i] += 0.985 * chance[i - 1]
    return usual(times) + chance


def test_without_a_forecast_the_latest_warmth_lasts_a_while_and_then_the_season_is_what_is_left() -> None:
    times = clock(730 * 24 + 240)
    past = measured(times[:-240])
    past[-72:] = usual(times[-312:-240]) + 8
    found = ahead(times, past, 240) - usual(times[-240:])
    assert 3.5 < found[:6].mean() < 9
    assert found[:6].mean() > found[24:30].mean() > found[72:78].mean()
    assert abs(found[-48:].mean()) < 1.5


def test_it_is_nearer_to_what_comes_than_yesterday_again() -> None:
    times = clock(730 * 24)
    degrees = measured(times)
    own, again = [], []
    for cut in range(400 * 24, 720 * 24, 17 * 24):
        own.append(np.abs(ahead(times[: cut + 48], degrees[:cut], 48) - degrees[cut : cut + 48]).mean())
        again.append(np.abs(np.tile(degrees[cut - 24 : cut], 2) - degrees[cut : cut + 48]).mean())
    assert np.mean(own) < 0.85 * np.mean(again)


def test_a_weather_forecast_is_taken_as_it_is_and_its_deviation_fades_after_its_end() -> None:
    times = clock(400 * 24 + 240)
    past = measured(times[:-240])
    own = ahead(times, past, 240)
    told = np.full(240, np.nan)
    told[:48] = usual(times[-240:-192]) + 5
    told[10:14] = np.nan  # a hole
    found = ahead(times, past, 240, told)
    assert np.array_equal(found[:10], told[:10])
    assert np.array_equal(found[14:48], told[14:48])
    assert np.isfinite(found).all()
    beyond = np.abs(found - own)[48:]
    assert (np.diff(beyond) <= 1e-9).all()
    assert beyond[-1] < 0.1
    assert np.array_equal(ahead(times, past, 240, np.full(240, np.nan)), own)


def test_a_weather_service_that_is_wrong_by_40_degrees_is_not_believed() -> None:
    times = clock(400 * 24 + 48)
    past = measured(times[:-48])
    own = ahead(times, past, 48)
    right = usual(times[-48:])
    for wrong in (right + 40, right - 40, right * 1.8 + 32 + 20):  # the last one in Fahrenheit
        assert doubtful(times, past, wrong).all()
        assert np.array_equal(ahead(times, past, 48, wrong), own)
    assert not doubtful(times, past, right + 6).any()


@pytest.mark.parametrize("step", [900, 1800, HOUR, DAY])
def test_holes_short_pasts_and_all_steps_give_numbers_within_reason(step: int) -> None:
    for days in (4, 21, 400):
        steps = days * DAY // step
        times = clock(steps + 14 * DAY // step, step)
        past = measured(times[:steps])
        past[steps // 3 : steps // 2] = np.nan
        past[-2:] = np.nan
        found = ahead(times, past, len(times) - steps)
        if days == 4 and step == DAY:
            assert np.isnan(found).all()  # one day is left
        else:
            assert np.isfinite(found).all()
            assert np.nanmin(past) - 15 < found.min()
            assert found.max() < np.nanmax(past) + 15


def test_without_measured_temperatures_only_a_forecast_says_anything() -> None:
    times = clock(48)
    assert np.isnan(ahead(times, np.full(24, np.nan), 24)).all()
    told = np.append(np.full(12, 7.0), np.full(12, np.nan))
    assert np.array_equal(ahead(times, np.full(24, np.nan), 24, told), told, equal_nan=True)
    with pytest.raises(ValueError, match="48 times do not match 20 temperatures and 24 steps"):
        ahead(times, np.zeros(20), 24)


def test_models_are_told_which_steps_have_a_weather_forecast_behind_them() -> None:
    times = clock(60 * 24 + 48)
    past = measured(times[:-48])
    own = ahead(times, past, 48)

    def given(future: Array, behind: Array = past) -> NDArray[np.bool_]:
        told = known(Series(np.ones(len(past)), times, HOUR, temperature=np.append(behind, future)))
        assert told is not None
        assert np.isfinite(told[0]).all()
        assert np.isfinite(told[1]).all()
        return told[2]

    assert not given(own).any()
    assert not given(np.full(48, np.nan)).any()
    assert given(np.append(own[:24] + 3, own[24:])).tolist() == [True] * 24 + [False] * 24
    holes = past.copy()
    holes[50:60] = np.nan
    assert given(own + 1, holes).all()
    assert known(Series(np.ones(len(past)), times, HOUR)) is None
    assert known(Series(np.ones(len(past)), times, HOUR, temperature=np.full(len(times), np.nan))) is None


@pytest.mark.skipif(not FILE.is_file(), reason=ABSENT)
def test_melbournes_next_day_is_told_from_its_past_better_than_by_yesterday() -> None:
    data = victoria()
    own, again = [], []
    for at in data.midnights(2013)[::15]:
        truth = data.degrees[at : at + 24]
        own.append(np.abs(ahead(data.times[: at + 24], data.degrees[:at], 24) - truth).mean())
        again.append(np.abs(data.degrees[at - 24 : at] - truth).mean())
    assert np.mean(own) < 2.2
    assert np.mean(own) < 0.8 * np.mean(again)
