"""Forecasts from calendar and weather: households and plants, every zone and step, nothing from the future."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.energy.forecasting.calendar import local_parts, public_holidays
from tasks.energy.forecasting.candidate import Candidate, Deadline, OutOfTime
from tasks.energy.forecasting.days import DAYS
from tasks.energy.forecasting.regression import CANDIDATES
from tasks.energy.series import DAY, HOUR, MONTH, Series
from tests.victoria import ABSENT, FILE, mape, victoria

Array = NDArray[np.float64]
REGRESSION = CANDIDATES[1]
each_candidate = pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)


def starts(zone: str, first: date, count: int, step: int) -> NDArray[np.int64]:
    """When `count` steps begin, from the midnight of `first` on."""
    at = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(zone))
    if step < DAY:
        return int(at.timestamp()) + step * np.arange(count, dtype=np.int64)
    if step == DAY:
        days = [at + timedelta(days=number) for number in range(count)]
        return np.array([int(day.timestamp()) for day in days], dtype=np.int64)
    months = [at.replace(year=at.year + number // 12, month=1 + number % 12) for number in range(count)]
    return np.array([int(month.timestamp()) for month in months], dtype=np.int64)


def household(times: NDArray[np.int64], zone: str, degrees: Array | None = None, noise: float = 0.1) -> Array:
    """Evenings and weekends, heating below 16 °C; by the wall's clock."""
    _, hours, weekdays = local_parts(times, zone)
    course = 0.2 + 0.5 * np.exp(-(((hours - 19) / 2.5) ** 2)) + 0.2 * np.exp(-(((hours - 7.5) / 1.2) ** 2))
    course += 0.25 * (weekdays >= 5) * ((hours > 9) & (hours < 17))
    heating = 0.0 if degrees is None else 0.05 * np.maximum(16 - degrees, 0)
    return np.asarray((course + heating) * np.random.default_rng(5).gamma(1 / noise**2, noise**2, len(times)))


def warmth(times: NDArray[np.int64]) -> Array:
    """Seasons, days and weather that lasts."""
    chance = np.random.default_rng(7).normal(0, 0.25, len(times))
    for i in range(1, len(chance)):
        chance[i] += 0.98 * chance[i - 1]
    return np.asarray(
        11
        - 8 * np.cos(2 * np.pi * times / (365.2425 * DAY))
        + 3 * np.sin(2 * np.pi * times / DAY - 2)
        + (chance if len(times) > 1 else 0)
    )


def series(
    step: int = HOUR,
    days: int = 60,
    ahead: int = 2,
    zone: str = "Europe/Berlin",
    first: date = date(2023, 1, 9),
    weather: bool = True,
) -> tuple[Series, Array]:
    """A household's past, and what comes."""
    steps = [span * DAY // step for span in (days, ahead)] if step < DAY else [days, ahead]
    times = starts(zone, first, sum(steps), step)
    degrees = warmth(times)
    values = household(times, zone, degrees)
    told = np.append(degrees[: steps[0]], np.full(steps[1], np.nan)) if weather else None
    return Series(values[: steps[0]], times, step, zone=zone, temperature=told), values[steps[0] :]


def again(known: Series) -> Array:
    """Last week, or the last year's months, once more."""
    season = 12 if known.step >= MONTH else 7 if known.step == DAY else 7 * DAY // known.step
    return np.resize(known.values[-season:], known.horizon)


def off(truth: Array, mean: Array) -> float:
    return float(np.abs(truth - mean).mean())


def predict(candidate: Candidate, known: Series) -> Array:
    assert candidate.unfit(known) == ""
    found = candidate.predict(known, Deadline(60))
    assert found.shape == (known.horizon,)
    assert np.isfinite(found).all()
    return found


@each_candidate
@pytest.mark.parametrize(
    ("step", "days", "ahead", "zone"),
    [
        (900, 24, 2, "Asia/Kathmandu"),
        (1800, 40, 4, "Australia/Lord_Howe"),
        (HOUR, 25, 3, "America/St_Johns"),
        (HOUR, 100, 14, "Europe/Berlin"),
        (2 * HOUR, 60, 7, "Pacific/Apia"),
    ],
)
def test_a_household_is_forecast_better_than_by_last_week(
    candidate: Candidate, step: int, days: int, ahead: int, zone: str
) -> None:
    ours, naive = 0.0, 0.0
    for first, weather in ((date(2023, 1, 9), True), (date(2023, 6, 22), False), (date(2023, 9, 5), True)):
        known, truth = series(step, days, ahead, zone, first, weather)
        ours += off(truth, predict(candidate, known))
        naive += off(truth, again(known))
    assert ours < naive


@each_candidate
def test_nothing_that_happens_later_changes_a_forecast(candidate: Candidate) -> None:
    times = starts("Europe/Berlin", date(2023, 9, 1), 70 * 24, HOUR)
    degrees = warmth(times)
    values = household(times, "Europe/Berlin", degrees)
    end = 60 * 24

    def forecast(values: Array, degrees: Array) -> Array:
        told = np.append(degrees[:end], np.full(48, np.nan))
        return predict(candidate, Series(values[:end], times[: end + 48], HOUR, zone="Europe/Berlin", temperature=told))

    before = forecast(values, degrees)
    values[end:], degrees[end:] = 1e6, -40
    assert np.array_equal(forecast(values, degrees), before)


@each_candidate
def test_habits_stay_on_the_walls_clock_when_summer_time_begins(candidate: Candidate) -> None:
    zone = "Europe/Berlin"
    for last in (date(2023, 3, 26), date(2023, 10, 29)):  # the day of the change is the day ahead
        first = last - timedelta(days=56)
        midnight = datetime(last.year, last.month, last.day, tzinfo=ZoneInfo(zone))
        begins = int(starts(zone, first, 1, HOUR)[0])
        count = (int(midnight.timestamp()) - begins) // HOUR
        times = starts(zone, first, count + 48, HOUR)
        values = household(times, zone, noise=0.02)
        found = predict(candidate, Series(values[:count], times, HOUR, zone=zone))
        _, hours, _ = local_parts(times[count:], zone)
        assert off(values[count:], found) < 0.5 * off(values[count:], np.roll(values[count:], 1))
        tomorrow = np.arange(48) >= 25
        assert hours[np.argmax(np.where(tomorrow, found, 0))] in (18, 19, 20)


@each_candidate
def test_a_public_holiday_is_no_working_day(candidate: Candidate) -> None:
    zone, free = "Europe/Berlin", public_holidays("DE", "BE", (2023, 2024))
    times = starts(zone, date(2023, 1, 2), 485 * 24, HOUR)  # up to May Day 2024, a Wednesday
    ordinals, _, weekdays = local_parts(times, zone)
    closed = (weekdays >= 5) | np.isin(ordinals, [day.toordinal() for day in free])
    values = np.where(closed, 10.0, 50.0) + np.random.default_rng(2).normal(0, 0.5, len(times))
    end = int(np.flatnonzero(ordinals == date(2024, 5, 1).toordinal())[0])
    known = Series(values[:end], times[: end + 24], HOUR, zone=zone, holidays=free)
    assert predict(candidate, known).mean() < 20
    assert predict(candidate, replace(known, holidays=frozenset())).mean() > 40


@each_candidate
def test_a_weather_forecast_helps_and_none_at_all_is_no_obstacle(candidate: Candidate) -> None:
    known, truth = series(HOUR, 200, 1, first=date(2023, 8, 1), weather=True)
    assert known.temperature is not None
    cold = known.temperature.copy()
    cold[-24:] = -15
    warm = known.temperature.copy()
    warm[-24:] = 12
    assert predict(candidate, replace(known, temperature=cold)).mean() > 1.1 * truth.mean()
    assert (
        predict(candidate, replace(known, temperature=cold)).mean()
        > predict(candidate, replace(known, temperature=warm)).mean() + 0.2
    )
    unknown = predict(candidate, replace(known, temperature=None))
    assert off(truth, unknown) < off(truth, again(known))


@each_candidate
@pytest.mark.parametrize("value", [0.0, 2.5, -1.0, 1e12, 1e-9])
def test_a_constant_stays_what_it_is(candidate: Candidate, value: float) -> None:
    known, _ = series()
    found = predict(candidate, replace(known, values=np.full(len(known.values), value)))
    assert found == pytest.approx(np.full(48, value), rel=1e-6, abs=1e-12)


@each_candidate
def test_odd_meters_give_numbers_that_can_be(candidate: Candidate) -> None:
    known, _ = series(HOUR, 60, 2)
    count = len(known.values)
    chance = np.random.default_rng(11)
    rare: Array = np.where(chance.random(count) < 0.03, 7.0, 0.0)
    new: Array = np.append(np.zeros(count - 24), np.ones(24))
    odd: list[Array] = [rare, new, 1e9 * known.values, 1e-6 * known.values]
    for values in odd:
        found = predict(candidate, replace(known, values=values))
        assert found.min() >= 0
        assert found.max() <= 1.5 * values.max()
    solar = known.values - chance.random(count) * 2
    assert predict(candidate, replace(known, values=solar)).min() < 0


@each_candidate
def test_what_the_cleaning_filled_in_teaches_nothing(candidate: Candidate) -> None:
    known, truth = series(HOUR, 90, 1)
    values = known.values.copy()
    filled = np.zeros(len(values), dtype=bool)
    filled[30 * 24 : 45 * 24] = True
    values[filled] = values.mean()
    found = predict(candidate, replace(known, values=values, filled=filled))
    assert off(truth, found) < 1.3 * off(truth, predict(candidate, known))
    assert np.isfinite(predict(candidate, replace(known, filled=np.ones(len(values), dtype=bool)))).all()


def test_days_and_months_are_forecast_by_the_regression() -> None:
    zone = "Europe/Berlin"
    times = starts(zone, date(2021, 1, 1), 3 * 365, DAY)
    degrees = warmth(times)
    _, _, weekdays = local_parts(times, zone)
    values = 8 + np.maximum(16 - degrees, 0) + 3.0 * (weekdays >= 5) + np.random.default_rng(1).normal(0, 0.3, 1095)
    for past, ahead in ((40, 14), (730, 365)):
        known = Series(
            values[:past], times[: past + ahead], DAY, zone=zone,
            temperature=np.append(degrees[:past], np.full(ahead, np.nan)),
        )  # fmt: skip
        for candidate in CANDIDATES[1:]:
            assert off(values[past : past + ahead], predict(candidate, known)) < off(
                values[past : past + ahead], again(known)
            )
    months = starts(zone, date(2018, 1, 1), 60, MONTH)
    ours, naive = 0.0, 0.0
    for seed in range(5):
        used = 300 + 120 * np.cos(2 * np.pi * np.arange(60) / 12) + np.random.default_rng(seed).normal(0, 20, 60)
        ours += off(used[48:], predict(REGRESSION, Series(used[:48], months, MONTH, zone=zone)))
        naive += off(used[48:], used[36:48])
    assert ours < 0.9 * naive


def test_each_says_what_it_cannot_do_in_words() -> None:
    known, _ = series(HOUR, 20, 1)
    assert [candidate.unfit(known) for candidate in CANDIDATES] == ["It needs three weeks of readings."] * 3
    long, _ = series(HOUR, 60, 15)
    assert DAYS.unfit(long) == "It looks at most 14 days ahead."
    assert REGRESSION.unfit(long) == ""
    daily, _ = series(DAY, 60, 7)
    assert DAYS.unfit(daily) == "It needs steps of less than a day."
    odd = Series(np.ones(2000), 5000 * np.arange(2010, dtype=np.int64), 5000)
    assert DAYS.unfit(odd) != ""
    assert REGRESSION.unfit(odd) == "It needs steps that fill whole days, or months."
    assert REGRESSION.unfit(Series(np.ones(23), starts("UTC", date(2020, 1, 1), 24, MONTH), MONTH)) != ""
    assert REGRESSION.unfit(replace(known, calendar=False)) == "It needs to know the dates."


def test_a_series_of_unknown_dates_is_forecast_by_its_days() -> None:
    known, truth = series(HOUR, 40, 2, weather=False)
    undated = replace(known, times=HOUR * np.arange(len(known.times), dtype=np.int64), calendar=False, zone="UTC")
    assert off(truth, predict(DAYS, undated)) < off(truth, again(known))


@each_candidate
def test_a_budget_that_is_spent_ends_a_fit(candidate: Candidate) -> None:
    known, _ = series(HOUR, 60, 2)
    with pytest.raises(OutOfTime):
        candidate.predict(known, Deadline(0))


@pytest.mark.skipif(not FILE.is_file(), reason=ABSENT)
def test_victorias_next_day_is_forecast_from_what_was_known_at_midnight() -> None:
    data = victoria()
    origins = data.midnights(2013)[5::60]
    for candidate, most in zip(CANDIDATES, (4.5, 5.5, 5.5), strict=True):
        errors = [mape(data.load[at : at + 24], predict(candidate, data.until(at))) for at in origins]
        assert np.mean(errors) < most


@pytest.mark.skipif(not FILE.is_file(), reason=ABSENT)
def test_the_librarys_holidays_are_those_that_victoria_kept() -> None:
    marked = victoria().marked
    known = public_holidays("AU", "VIC", (2012, 2013, 2014))
    assert marked <= known
    assert {day.weekday() for day in known - marked} == {5}  # Easter Saturday: law, and a weekend anyway
