"""Readings made regular when they are read: energy is kept, holes are marked, everything is said."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tasks.energy.series import DAY, HOUR, MONTH
from tasks.metering.regular import best_step, regular, to_days, to_hours, to_months
from tasks.metering.usage import Readings, Usage

Whole = np.ndarray[Any, np.dtype[np.int64]]
BEGAN = 1_388_534_400  # 1 January 2014, midnight UTC
KWH = 1_000_000
BERLIN = "Europe/Berlin"


def steps(count: int, step: int = HOUR, start: int = BEGAN) -> Whole:
    found: Whole = start + step * np.arange(count, dtype=np.int64)
    return found


def used(count: int, seed: int = 1) -> Whole:
    """Every hour something else, more by day than by night."""
    day = 1 + np.sin(np.arange(count) * 2 * np.pi / 24)
    found: Whole = (np.random.default_rng(seed).uniform(0.2, 0.4, count) * KWH * (1 + day)).astype(np.int64)
    return found


def made(times: Whole, values: Whole, kind: str = "interval", step: int = HOUR, **more: Any) -> Usage:
    return regular(Readings(times, values), kind=kind, step=step, **{"zone": "UTC", **more})


def kinds(usage: Usage) -> list[str]:
    return [one.kind for one in usage.findings]


def counted(values: Whole, start: int = 500 * KWH) -> Whole:
    return np.concatenate(([start], start + np.cumsum(values)))


def mwh(usage: Usage) -> Whole:
    return np.round(usage.kwh * KWH).astype(np.int64)


# Interval meters


def test_regular_readings_stay_as_they_are_and_nothing_is_said() -> None:
    values = used(24 * 60)
    usage = made(steps(len(values)), values)
    assert np.array_equal(usage.times, steps(len(values)))
    assert np.array_equal(mwh(usage), values)
    assert not usage.filled.any()
    assert usage.findings == ()


@pytest.mark.parametrize("kind", ["interval", "counter"])
@pytest.mark.parametrize("seed", range(4))
def test_making_it_regular_twice_changes_nothing(kind: str, seed: int) -> None:
    chance = np.random.default_rng(seed)
    keep = chance.random(24 * 40) > 0.1
    values = used(24 * 40, seed)
    given = counted(values)[:-1] if kind == "counter" else values
    once = made(steps(len(values))[keep], given[keep], kind)
    again = made(once.times, np.round(once.kwh * KWH).astype(np.int64))
    assert np.array_equal(again.times, once.times)
    np.testing.assert_allclose(again.kwh, once.kwh, atol=1e-6)


@pytest.mark.parametrize("step", [900, HOUR, DAY])
@pytest.mark.parametrize("seed", range(4))
def test_the_energy_of_an_interval_meter_is_kept(step: int, seed: int) -> None:
    values = used(96 * 30, seed)
    usage = made(steps(len(values), 900), values, step=step)
    assert usage.kwh.sum() * KWH == pytest.approx(values.sum(), abs=1)
    assert not usage.filled.any()


def test_stamps_beside_the_grid_are_put_onto_it_and_said() -> None:
    values = used(24 * 30)
    off = np.random.default_rng(3).integers(-90, 91, len(values))
    usage = made(steps(len(values)) + off, values)
    assert np.array_equal(usage.times, steps(len(values)))
    assert np.array_equal(mwh(usage), values)
    assert kinds(usage) == ["step"]
    assert "beside a full hour" in usage.findings[0].text


def test_readings_at_seven_past_belong_to_the_quarter_that_they_mostly_cover() -> None:
    values = used(96 * 10)
    usage = made(steps(len(values), 900) + 420, values, step=900)
    assert np.array_equal(mwh(usage), values)
    assert usage.times[0] == BEGAN


def test_coarser_readings_are_spread_over_their_steps_and_said() -> None:
    usage = made(steps(48), np.full(48, KWH), step=900)
    assert np.allclose(usage.kwh, 0.25)
    assert len(usage.times) == 192
    assert not usage.filled.any()
    assert "spread evenly over steps of a quarter of an hour" in usage.findings[0].text


def test_a_coarser_part_is_no_row_of_gaps() -> None:
    fine, coarse = used(24 * 20), 2 * used(12 * 10)
    times = np.concatenate((steps(480), steps(120, 2 * HOUR, BEGAN + 480 * HOUR)))
    usage = made(times, np.concatenate((fine, coarse)))
    assert not usage.filled.any()
    assert usage.kwh.sum() * KWH == pytest.approx(fine.sum() + coarse.sum(), abs=1)


def test_every_second_reading_missing_is_a_row_of_gaps() -> None:
    values, keep = used(24 * 20), np.ones(480, dtype=bool)
    keep[101:141:2] = False
    usage = made(steps(480)[keep], values[keep])
    assert np.array_equal(usage.filled, ~keep)


def test_of_two_readings_at_a_time_the_last_counts() -> None:
    times = np.append(steps(48), BEGAN + 5 * HOUR)
    usage = made(times, np.append(np.full(48, KWH), 7 * KWH))
    assert usage.kwh[5] == 7
    assert {"order", "repeat"} <= set(kinds(usage))


def test_a_short_hole_gets_a_line_and_is_marked() -> None:
    keep = np.ones(48, dtype=bool)
    keep[10:13] = False
    values = np.arange(48) * KWH
    usage = made(steps(48)[keep], values[keep])
    np.testing.assert_allclose(usage.kwh, np.arange(48))
    assert np.array_equal(usage.filled, ~keep)
    assert "from 10:00 to 13:00 (3 hours): filled by a straight line, and marked." in usage.findings[0].text


def test_a_long_hole_is_filled_by_the_same_hours_of_the_weeks_around() -> None:
    week = used(168)
    values, keep = np.tile(week, 10), np.ones(1680, dtype=bool)
    keep[700:900] = False
    usage = made(steps(1680)[keep], values[keep])
    np.testing.assert_allclose(usage.kwh * KWH, values)
    assert usage.filled.sum() == 200


def test_missing_days_of_a_year_stay_marked() -> None:
    values, keep = used(365 * 24), np.ones(365 * 24, dtype=bool)
    keep[24 * 100 : 24 * 130] = False
    days = to_days(made(steps(365 * 24)[keep], values[keep]))
    assert len(days.times) == 365
    assert np.flatnonzero(days.filled).tolist() == list(range(100, 130))


def test_two_units_by_turns_are_said_and_the_smaller_part_is_missing() -> None:
    values = used(24 * 60)
    values[240:300] *= 1000
    usage = made(steps(len(values)), values)
    assert np.flatnonzero(usage.filled).tolist() == list(range(240, 300))
    assert "as if kWh and Wh came by turns" in next(one.text for one in usage.findings if one.kind == "units")
    assert usage.kwh.max() < 2


def test_a_heat_pump_that_rests_and_works_has_but_one_unit() -> None:
    chance = np.random.default_rng(5)
    works = chance.random(24 * 60) < 0.3
    values = np.where(works, chance.normal(3.2, 0.3, len(works)), chance.normal(0.004, 0.0001, len(works)))
    usage = made(steps(len(values)), (values * KWH).astype(np.int64))
    assert not usage.filled.any()
    assert usage.findings == ()


def test_a_full_register_is_no_reading() -> None:
    values = used(24 * 30)
    values[50] = 2**31 * 1000
    usage = made(steps(len(values)), values)
    assert usage.filled[50]
    assert usage.kwh.max() < 2
    assert kinds(usage) == ["outlier", "gap"]


# The calendar


def local(usage: Usage, zone: str) -> list[datetime]:
    return [datetime.fromtimestamp(int(at), ZoneInfo(zone)) for at in usage.times]


@pytest.mark.parametrize(
    ("zone", "short", "long"),
    [
        (BERLIN, "2014-03-30", "2014-10-26"), ("Australia/Melbourne", "2014-10-05", "2014-04-06"),
        ("America/Sao_Paulo", "2014-10-19", "2014-02-15"), ("Australia/Lord_Howe", "2014-10-05", "2014-04-06"),
    ],
)  # fmt: skip
def test_days_have_23_24_or_25_hours(zone: str, short: str, long: str) -> None:
    usage = made(steps(366 * 48, 1800), np.full(366 * 48, KWH // 2), step=1800, zone=zone)
    days = to_days(usage)
    assert all((at.hour, at.minute) == (0, 0) or at.date().isoformat() == short for at in local(days, zone))
    hours = {at.date().isoformat(): kwh for at, kwh in zip(local(days, zone), days.kwh, strict=True)}
    change = 0.5 if zone == "Australia/Lord_Howe" else 1.0
    assert hours.pop(short) == 24 - change
    assert hours.pop(long) == 24 + change
    assert set(hours.values()) == {24.0}


def test_daily_readings_fall_on_local_days_over_daylight_saving() -> None:
    tz = ZoneInfo(BERLIN)
    midnights = [datetime(2014, month, day, tzinfo=tz) for month in (3, 4) for day in range(1, 31)]
    times = np.array([int(at.timestamp()) for at in midnights if at.month == 4 or at.day <= 30])
    gone = np.array([int(datetime(2014, 3, 31, tzinfo=tz).timestamp())])
    usage = made(times, np.full(60, 10 * KWH), step=DAY, zone=BERLIN)
    assert np.flatnonzero(usage.filled).tolist() == np.flatnonzero(usage.times == gone).tolist()
    np.testing.assert_allclose(usage.kwh, 10)


def test_hours_of_india_begin_on_indias_clock() -> None:
    values = used(24 * 10)
    usage = made(steps(240, start=BEGAN - 1800), values, zone="Asia/Kolkata")
    assert np.array_equal(mwh(usage), values)
    assert {at.minute for at in local(usage, "Asia/Kolkata")} == {0}


def test_months_are_local_and_only_whole_ones_count() -> None:
    usage = made(steps(24 * 100), np.full(2400, KWH), zone=BERLIN)
    whole, so_far = to_months(usage), to_months(usage, whole=False)
    assert [at.month for at in local(whole, BERLIN)] == [2, 3]
    assert whole.kwh.tolist() == [28 * 24, 31 * 24 - 1]
    assert [at.month for at in local(so_far, BERLIN)] == [1, 2, 3, 4]
    assert so_far.filled.tolist() == [False, False, False, True]  # of January one hour is missing
    assert so_far.kwh.sum() == 2400


def test_sums_agree_with_each_other() -> None:
    usage = made(steps(96 * 60, 900), used(96 * 60), step=900, zone=BERLIN)
    days, hours = to_days(usage), to_hours(usage)
    np.testing.assert_allclose(to_days(hours).kwh, days.kwh)
    assert all(after - before in (23 * HOUR, DAY, 25 * HOUR) for before, after in pairwise(days.times.tolist()))
    with pytest.raises(ValueError, match="cannot be cut"):
        to_hours(days)


@pytest.mark.parametrize(
    ("apart", "step"),
    [(10, 900), (300, 900), (900, 900), (1800, 1800), (HOUR, HOUR), (3 * HOUR, DAY), (DAY, DAY), (30 * DAY, MONTH)],
)  # fmt: skip
def test_the_best_step_is_the_finest_with_a_reading_in_each(apart: int, step: int) -> None:
    assert best_step(Readings(steps(100, apart), used(100))) == step


# Little or nothing


@pytest.mark.parametrize("kind", ["interval", "counter"])
@pytest.mark.parametrize("step", [900, HOUR, DAY, MONTH])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 400])
@pytest.mark.parametrize("value", [0, 5 * KWH])
def test_nothing_little_zeros_and_constants_work(kind: str, step: int, count: int, value: int) -> None:
    for end in (None, BEGAN + 5 * DAY):
        usage = made(steps(count), np.full(count, value), kind, step, end=end)
        assert len(usage.times) == len(usage.kwh) == len(usage.filled)
        assert np.isfinite(usage.kwh).all()
        to_months(to_days(usage)) if step <= DAY else to_months(usage)
        assert usage.kwh.sum() <= (count + 5 * 24 + 400) * 5


def test_steps_up_to_an_end_after_the_last_reading_are_filled_and_marked() -> None:
    week = used(168)
    usage = made(steps(1008), np.tile(week, 6), end=BEGAN + (1008 + 48) * HOUR + 1000)
    assert len(usage.times) == 1056
    assert np.flatnonzero(usage.filled).tolist() == list(range(1008, 1056))
    np.testing.assert_allclose(usage.kwh[1008:] * KWH, week[:48])


def test_a_wrong_year_among_the_readings_is_said() -> None:
    times = np.append(steps(100), int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()))
    with pytest.raises(ValueError, match="a time among them is wrong"):
        made(times, np.full(101, KWH), step=900)


def test_a_thousand_gaps_are_told_in_fifty_lines() -> None:
    keep = np.arange(24 * 365) % 8 != 0
    usage = made(steps(len(keep))[keep], used(len(keep))[keep])
    assert len(usage.findings) == 51
    assert any("more like this" in one.text for one in usage.findings)
