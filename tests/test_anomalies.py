"""Anomalies: each kind is found where it was planted, with its size and its cost, and a usual year gives none."""

import time
import warnings
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from tasks.energy.anomalies.find import find
from tasks.energy.anomalies.found import Found
from tasks.energy.forecasting.calendar import local_parts, public_holidays
from tasks.energy.series import DAY, HOUR, MONTH
from tasks.metering.regular import regular, to_days
from tasks.metering.usage import Readings, Usage
from tests.victoria import ABSENT, FILE, Victoria, victoria

Floats = np.ndarray[Any, np.dtype[np.float64]]
BERLIN = "Europe/Berlin"
BEGAN = 1_388_530_800  # 1 January 2014, midnight in Berlin
YEAR = 365 * 24


def degrees(n: int, seed: int = 1) -> Floats:
    """A year of Berlin's sort: cold in January, warm in July, colder at night, and days that differ."""
    hours = np.arange(n)
    season = 10 - 10 * np.cos(2 * np.pi * hours / YEAR)
    days = np.repeat(np.random.default_rng(seed).normal(0, 2.5, n // 24 + 1), 24)[:n]
    return np.asarray(season + days - 4 * np.cos(2 * np.pi * (hours - 3) / 24))


def household(n: int = YEAR, seed: int = 1, step: int = HOUR, warmth: Floats | None = None) -> Usage:
    """People who get up, go out, come home and sleep longer on free days; electric heating where it is cold."""
    times = BEGAN + step * np.arange(n, dtype=np.int64)
    ordinals, hour, weekday = local_parts(times, BERLIN)
    free = (weekday >= 5) | np.isin(ordinals, [day.toordinal() for day in holidays()])
    up = np.exp(-((hour - np.where(free, 9.5, 7)) ** 2) / 4)
    home = np.exp(-((hour - 19.5) ** 2) / 8) + 0.4 * free * np.exp(-((hour - 13) ** 2) / 10)
    cold = np.zeros(n) if warmth is None else 0.05 * np.maximum(16 - warmth, 0)
    kwh = (0.25 + 0.7 * up + 1.1 * home + cold) * np.exp(np.random.default_rng(seed).normal(0, 0.18, n))
    return Usage(times, np.round(kwh * step / HOUR, 6), np.zeros(n, dtype=bool), step, BERLIN)


def holidays() -> frozenset[date]:
    return public_holidays("DE", "BE", (2014, 2015))


def changed(usage: Usage, first: int, past: int, to: Any) -> Usage:
    kwh = usage.kwh.copy()
    kwh[first:past] = to
    return replace(usage, kwh=kwh)


def seen(usage: Usage, **more: Any) -> tuple[Found, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return find(usage, **{"holidays": holidays(), **more})


def at(usage: Usage, one: Found) -> tuple[int, int | None]:
    first, past = np.searchsorted(usage.times, (one.start, one.end or 0))
    return int(first), int(past) if one.end is not None else None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("heated", [True, False])
def test_a_usual_year_gives_no_alarm(seed: int, heated: bool) -> None:
    warmth = degrees(YEAR, seed) if heated else None
    assert len(seen(household(seed=seed, warmth=warmth), temperature=warmth)) <= 1  # a false one in a year at most


def test_a_spike_is_found_with_its_size_and_its_cost() -> None:
    usage = household()
    odd = changed(usage, 5000, 5004, usage.kwh[5000:5004] + 6)
    [one] = seen(odd, price=lambda times, kwh: float(0.3 * kwh.sum()))
    assert (one.kind, *at(usage, one)) == ("spike", 5000, 5004)
    assert one.kwh == pytest.approx(24, abs=1)
    assert one.cost == pytest.approx(0.3 * (one.kwh or 0))
    assert one.expected.sum() == pytest.approx(usage.kwh[5000:5004].sum(), abs=1)
    assert np.array_equal(one.times, usage.times[5000:5004])
    assert "were to be expected" in one.text
    assert "times as much" in one.text


def test_hours_of_much_less_are_found_too() -> None:
    usage = household()
    [one] = seen(changed(usage, 5010, 5015, 0.01 * usage.kwh[5010:5015]))
    assert one.kind == "spike"
    assert (one.kwh or 0) < 0
    assert one.text.startswith("Only ")


def test_a_day_of_twice_as_much_is_one_anomaly() -> None:
    usage = household()
    found = seen(changed(usage, 24 * 200, 24 * 202, 2.5 * usage.kwh[24 * 200 : 24 * 202]))
    assert [one.kind for one in found] == ["spike"]
    assert abs(found[0].start - int(usage.times[24 * 200])) <= DAY


def test_a_value_that_repeats_is_a_line() -> None:
    usage = household()
    [one] = seen(changed(usage, 3000, 3030, usage.kwh[2999]))
    assert (one.kind, *at(usage, one)) == ("flat", 2999, 3030)
    assert "says the same" in one.text
    assert "repeat its last reading" in one.text


def test_a_meter_of_whole_kilowatt_hours_repeats_itself_and_is_no_line() -> None:
    usage = household()
    assert not [one for one in seen(replace(usage, kwh=np.round(usage.kwh))) if one.kind == "flat"]


def test_a_garage_that_mostly_uses_nothing_is_no_line() -> None:
    chance = np.random.default_rng(2)
    usage = household()
    kwh = np.where(chance.random(YEAR) < 0.05, usage.kwh, 0.0)
    assert not [one for one in seen(replace(usage, kwh=kwh)) if one.kind == "flat"]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_year_of_zeros_or_of_a_constant_is_one_line(value: float) -> None:
    usage = household()
    [one] = seen(changed(usage, 0, YEAR, value))
    assert (one.kind, one.start, one.end) == ("flat", BEGAN, None)
    assert one.text.startswith("The meter says")


@pytest.mark.parametrize("size", [1.35, 0.65])
def test_another_level_is_found_by_its_day(size: float) -> None:
    warmth = degrees(YEAR)
    usage = household(warmth=warmth)
    first = 24 * 250
    other = changed(usage, first, first + 720, size * usage.kwh[first : first + 720])
    [shift] = [one for one in seen(other, temperature=warmth) if one.kind == "shift"]
    assert abs(shift.start - int(usage.times[first])) <= 2 * DAY
    assert shift.end is not None
    assert abs(shift.end - int(usage.times[first + 720])) <= 2 * DAY
    assert shift.kwh == pytest.approx((size - 1) * usage.kwh[first : first + 720].sum(), rel=0.35)
    assert ("more" if size > 1 else "less") in shift.text


def test_another_level_that_stays_goes_on_and_is_the_usual_after_eight_weeks() -> None:
    usage = household()
    ends = {}
    for weeks in (3, 20):
        first = YEAR - weeks * 168
        [shift] = [one for one in seen(changed(usage, first, YEAR, 1.5 * usage.kwh[first:])) if one.kind == "shift"]
        ends[weeks] = shift.end
    assert ends[3] is None
    assert ends[20] is not None


def test_a_base_load_that_rises_by_night_is_found_in_watts() -> None:
    usage = household()
    first = 24 * 200
    found = seen(changed(usage, first, YEAR, usage.kwh[first:] + 0.08))
    [one] = [one for one in found if one.kind in ("base load", "shift")]
    assert one.kind == "base load"
    assert abs(one.start - int(usage.times[first])) <= 7 * DAY
    assert one.kwh == pytest.approx(0.08 * 24 * 56, rel=0.35)
    assert "base load at night is" in one.text
    assert " W higher (before: " in one.text


def test_a_hole_is_missing_and_only_an_open_one_has_no_end() -> None:
    usage = household()
    filled = usage.filled.copy()
    filled[2000:2030] = filled[4000:4002] = filled[YEAR - 10 :] = True
    first, last = seen(replace(usage, filled=filled))
    assert (first.kind, *at(usage, first)) == ("missing", 2000, 2030)
    assert (last.kind, *at(usage, last)) == ("missing", YEAR - 10, None)
    assert first.kwh == pytest.approx(usage.kwh[2000:2030].sum())


def test_a_reset_of_the_counter_is_told_with_the_words_of_the_cleaning() -> None:
    usage = household(24 * 60)
    counted = np.cumsum(np.round(usage.kwh * 1e6)).astype(np.int64)
    counted[700:] -= counted[699]
    made = regular(Readings(usage.times, counted), kind="counter", step=HOUR, zone=BERLIN)
    [one] = seen(made)
    assert (one.kind, one.kwh) == ("reset", None)
    assert "taken as a reset" in one.text


def test_neither_holidays_nor_christmas_nor_the_clocks_are_an_alarm() -> None:
    usage = household()
    hours = np.isin(local_parts(usage.times, BERLIN)[0], [day.toordinal() for day in holidays()])
    christmas = usage.times >= int(usage.times[24 * 357])
    quiet = replace(usage, kwh=np.where(hours | christmas, 0.6 * usage.kwh, usage.kwh))
    assert seen(quiet) == ()


def test_the_heat_that_the_thermometer_saw_is_no_alarm() -> None:
    warmth = degrees(YEAR)
    warmth[24 * 200 : 24 * 206] += 14
    usage = household()
    cooled = replace(usage, kwh=usage.kwh + 0.12 * np.maximum(warmth - 20, 0))
    known, unknown = (seen(cooled, temperature=given) for given in (warmth, None))
    assert known == ()
    assert unknown  # so it was not for want of looking


@pytest.mark.parametrize("step", [900, 1800, DAY])
def test_other_steps_are_judged_likewise(step: int) -> None:
    usage = household(step=min(step, HOUR), n=YEAR * HOUR // min(step, HOUR))
    usage = to_days(usage) if step == DAY else usage
    middle = len(usage.kwh) // 2
    past = middle + max(1, 2 * HOUR // step)
    [one] = seen(changed(usage, middle, past, usage.kwh[middle:past] * 6))
    assert (one.kind, at(usage, one)[0]) == ("spike", middle)


@pytest.mark.parametrize("step", [900, HOUR, DAY, MONTH])
@pytest.mark.parametrize("count", [0, 1, 3, 24, 200, 700])
@pytest.mark.parametrize("what", ["usual", "zeros", "missing", "weather unknown"])
def test_little_and_nothing_are_looked_at_without_a_word(step: int, count: int, what: str) -> None:
    times = BEGAN + step * np.arange(count, dtype=np.int64)
    kwh = np.zeros(count) if what != "usual" else np.random.default_rng(1).uniform(1, 2, count)
    usage = Usage(times, kwh, np.full(count, what == "missing"), step, BERLIN)
    found = seen(usage, temperature=np.full(count, np.nan) if what == "weather unknown" else None)
    assert all(np.isfinite(one.kwh) for one in found if one.kwh is not None)
    assert len(found) <= 2


def test_of_a_restless_meter_the_newest_are_told() -> None:
    filled = np.arange(YEAR * 3) % 12 < 6
    usage = replace(household(YEAR * 3), filled=filled)
    found = seen(usage)
    assert len(found) == 200
    assert found[-1].start > int(usage.times[-24])


def test_a_year_takes_a_third_of_a_second_at_most() -> None:
    warmth = degrees(YEAR)
    usage = household(warmth=warmth)
    seen(usage, temperature=warmth)  # loads scipy
    began = time.thread_time()
    seen(usage, temperature=warmth)
    assert time.thread_time() - began < 0.3


@pytest.fixture(scope="module")
def real() -> Victoria:
    if not FILE.exists():
        pytest.skip(ABSENT)
    return victoria()


def of_2014(real: Victoria, load: Floats) -> tuple[Usage, Floats]:
    begin = real.midnights(2014)[0]
    year = slice(begin, begin + YEAR)
    kwh = load[year] * 1000
    return Usage(real.times[year], kwh, np.zeros(len(kwh), dtype=bool), HOUR, "Australia/Melbourne"), real.degrees[year]


def test_victorias_hottest_year_gives_hardly_an_alarm(real: Victoria) -> None:
    usage, warmth = of_2014(real, real.load)
    assert len(find(usage, temperature=warmth, holidays=real.marked)) <= 6


def test_faults_planted_in_victoria_are_found(real: Victoria) -> None:
    begin, load = real.midnights(2014)[0], real.load.copy()
    spikes = [begin + 24 * day + 15 for day in range(40, 340, 30)]
    for first in spikes:
        load[first : first + 3] *= 1.3
    usage, warmth = of_2014(real, load)
    found = [one for one in find(usage, temperature=warmth, holidays=real.marked) if one.kind == "spike"]
    starts = [int(real.times[first]) for first in spikes]
    hits = [any(abs(one.start - start) <= 2 * HOUR for one in found) for start in starts]
    assert sum(hits) >= 9
