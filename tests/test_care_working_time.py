"""Working time: sums of parts, due times as the inverse, weeks on the wall's clock through changes of time."""

import time
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.care import hours
from tasks.care.hours import ALWAYS, NO_HOURS, Hours
from tasks.care.opening import open_time
from tasks.care.working_time import NEVER, WorkingTime

HOUR, MINUTE, DAY = 3_600_000, 60_000, 86_400_000
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = (((540, 720), (780, 1020)),) * 5 + ((), ())  # 9 to 12, 13 to 17, Monday to Friday
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "America/Sao_Paulo")


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, zone: str = "Europe/Berlin") -> int:
    return round(datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def shown(moment: int | None) -> str:
    assert moment is not None
    return f"{datetime.fromtimestamp(moment / 1000, UTC).astimezone(BERLIN):%Y-%m-%d %H:%M}"


def office(**more: object) -> WorkingTime:
    return hours.working_time(Hours.model_validate({"zone": "Europe/Berlin", "week": OFFICE} | more), at(2026, 6, 1))


@st.composite
def times(draw: st.DrawFn) -> WorkingTime:
    """Any intervals one after the other, also such that touch."""
    steps = draw(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), max_size=30))
    ends = np.cumsum([gap + length for gap, length in steps], dtype=np.int64)
    return WorkingTime(ends - np.array([length for _, length in steps], dtype=np.int64), ends)


MOMENTS = st.integers(-100, 3_500)


@given(times(), MOMENTS, MOMENTS, MOMENTS)
def test_work_between_three_moments_is_the_sum_of_its_parts(time: WorkingTime, a: int, b: int, c: int) -> None:
    assert time.worked(a, b) + time.worked(b, c) == time.worked(a, c)
    assert time.worked(a, b) == -time.worked(b, a)


@given(times(), MOMENTS, st.integers(0, 500), st.integers(0, 500))
def test_later_is_never_less_work_and_more_work_is_never_due_earlier(
    time: WorkingTime, start: int, more: int, amount: int
) -> None:
    assert 0 <= time.worked(start, start + more) <= more
    one, other, later = time.due(start, amount), time.due(start, amount + more), time.due(start + more, amount)
    if other is not None:
        assert one is not None
        assert one <= other
    if later is not None:
        assert one is not None
        assert one <= later


@given(times(), MOMENTS, st.integers(-500, 500))
def test_due_is_the_first_moment_by_which_so_much_is_worked(time: WorkingTime, start: int, amount: int) -> None:
    due = time.due(start, amount)
    if due is None:
        assert time.worked(start, 10_000) < amount or time.worked(-1_000, start) < -amount
        return
    assert time.worked(start, due) == amount
    if amount:
        assert time.worked(start, due - 1) < amount or due == time.due(-1_000, 0)


@given(times(), st.lists(st.tuples(MOMENTS, st.integers(-500, 500)), min_size=1, max_size=20))
def test_many_at_once_are_as_each_alone(time: WorkingTime, asked: list[tuple[int, int]]) -> None:
    starts, amounts = (np.array(each, dtype=np.int64) for each in zip(*asked, strict=True))
    assert time.due(starts, amounts).tolist() == [
        NEVER if (one := time.due(start, amount)) is None else one for start, amount in asked
    ]
    assert time.worked(starts, starts + amounts).tolist() == [time.worked(a, a + b) for a, b in asked]


SPANS = st.lists(st.integers(0, 2880).map(lambda each: each // 15 * 15), min_size=2, max_size=4, unique=True)
WEEKS = st.lists(SPANS.map(lambda each: tuple(pairwise(sorted(each)))[::2]), min_size=7, max_size=7)
TURNS = st.sampled_from(
    [date(2026, 3, 28), date(2026, 10, 24), date(2026, 10, 31), date(2026, 4, 4), date(2025, 12, 30)]
)


def brute(week: list[tuple[tuple[int, int], ...]], zone: str, closed: date, moment: int) -> bool:
    """Whether the clock on the wall says that it is open."""
    local = datetime.fromtimestamp(moment / 1000, UTC).astimezone(ZoneInfo(zone))
    minute, today = local.hour * 60 + local.minute, local.date()
    yesterday = today - timedelta(days=1)
    return any(
        since <= minute + late < until
        for day, late in ((today, 0), (yesterday, 1440))
        if day != closed
        for since, until in week[day.weekday()]
    )


@settings(max_examples=60, deadline=None)
@given(WEEKS, st.sampled_from(ZONES), TURNS, st.integers(0, 3))
def test_it_is_open_when_the_clock_on_the_wall_says_so(
    week: list[tuple[tuple[int, int], ...]], zone: str, day: date, closed: int
) -> None:
    shut = day + timedelta(days=closed)
    found = open_time(week, zone, [shut], day - timedelta(days=3), day + timedelta(days=5))
    moments = np.arange(
        at(day.year, day.month, day.day, zone="UTC"),
        at(day.year, day.month, day.day, zone="UTC") + 2 * DAY,
        15 * MINUTE,
    )
    assert found.worked(moments, moments + 15 * MINUTE).tolist() == [
        15 * MINUTE if brute(week, zone, shut, moment) else 0 for moment in moments.tolist()
    ]


def test_friday_afternoon_goes_on_after_the_weekend_and_lunch_is_a_gap() -> None:
    assert shown(office().due(at(2026, 6, 5, 16), 2 * HOUR)) == "2026-06-08 10:00"
    assert shown(office().due(at(2026, 6, 8, 11), 2 * HOUR)) == "2026-06-08 14:00"
    assert shown(office().due(at(2026, 6, 8, 9), 7 * HOUR)) == "2026-06-08 17:00"  # and not the next morning
    assert shown(office().due(at(2026, 6, 6, 12), 0)) == "2026-06-06 12:00"


def test_a_working_day_is_as_long_as_ever_when_clocks_change_at_the_weekend() -> None:
    for friday, monday in (((2026, 3, 27), "2026-03-30 09:30"), ((2026, 10, 23), "2026-10-26 09:30")):
        assert shown(office().due(at(*friday, 16, 30), HOUR)) == monday


def test_a_night_shift_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    nights = office(week=(((1320, 1800),),) * 7)  # 22 to 6
    for evening, length in (((2026, 3, 28), 7), ((2026, 10, 24), 9), ((2026, 6, 1), 8)):
        assert nights.worked(at(*evening, 20), at(*evening, 20) + 12 * HOUR) == length * HOUR


def test_hours_that_are_left_out_do_not_exist_and_those_repeated_count_twice() -> None:
    early = office(week=(((120, 180),),) * 7)  # 2 to 3
    assert early.worked(at(2026, 3, 29), at(2026, 3, 30)) == 0
    assert early.worked(at(2026, 10, 25), at(2026, 10, 26)) == 2 * HOUR


def test_around_the_clock_counts_every_millisecond_of_every_day() -> None:
    always = hours.working_time(ALWAYS, at(2026, 6, 1))
    since, until = at(2025, 1, 1), at(2027, 12, 31)
    assert always.worked(since, until) == until - since
    assert len(hours.working_time(Hours(zone="Europe/Berlin"), at(2026, 6, 1)).starts) == 1  # 23, 24 and 25 hours


def test_a_year_ends_without_a_seam() -> None:
    assert shown(office(holidays="DE").due(at(2025, 12, 31, 16), 2 * HOUR)) == "2026-01-02 10:00"
    assert shown(office().due(at(2025, 12, 31, 16), 2 * HOUR)) == "2026-01-01 10:00"


def test_a_deadline_in_a_holiday_waits_for_the_next_working_day() -> None:
    assert shown(office(holidays="DE-BE").due(at(2026, 4, 2, 16), 2 * HOUR)) == "2026-04-07 10:00"  # over Easter
    assert shown(office(closed=["2026-06-09"]).due(at(2026, 6, 8, 16), 2 * HOUR)) == "2026-06-10 10:00"


def test_a_closed_day_takes_the_shift_that_begins_on_it_and_leaves_the_one_before() -> None:
    nights = office(week=(((1320, 1800),),) * 7, closed=["2026-06-09"])
    assert nights.worked(at(2026, 6, 9), at(2026, 6, 9, 12)) == 6 * HOUR
    assert nights.worked(at(2026, 6, 9, 12), at(2026, 6, 10, 12)) == 0


def test_hours_of_nobody_never_come_due_and_are_named() -> None:
    nobody = Hours(week=((),) * 7)
    assert hours.working_time(nobody, at(2026, 6, 1)).due(at(2026, 6, 1), 1) is None
    assert hours.problems(nobody) == [NO_HOURS]


def test_what_is_due_beyond_the_calendar_is_never() -> None:
    assert office().due(at(2026, 6, 1), 30 * 365 * 8 * HOUR) is None
    assert office().due(np.array([at(2026, 6, 1)]), 30 * 365 * 8 * HOUR).tolist() == [NEVER]


def test_what_began_long_ago_is_known_when_it_is_asked_for() -> None:
    known = hours.working_time(Hours(zone="Europe/Berlin", week=OFFICE), at(2026, 6, 1), at(2016, 2, 29))
    assert known.worked(at(2016, 2, 29), at(2016, 3, 1)) == 7 * HOUR


def test_strange_hours_are_told_in_a_sentence() -> None:
    week = (((540, 720), (700, 800)), ((1320, 2040),), ((480, 900),), (), (), (), ())
    told = hours.problems(Hours(week=week, holidays="DE-XX"))
    assert told[0].startswith("Monday")
    assert told[1].startswith("Tuesday’s hours reach into Wednesday’s")
    assert "XX in DE" in told[2]
    assert len(told) == 3
    every = tuple(date(2026, 1, 1) + timedelta(days=day) for day in range(800))
    assert len(hours.problems(Hours(closed=every), at(2026, 6, 1))) == 1
    assert not hours.problems(Hours(week=OFFICE, holidays="DE"), at(2026, 6, 1))


def test_intervals_that_do_not_follow_each_other_are_refused() -> None:
    for starts, ends in (([5], [5]), ([0, 5], [6, 8]), ([0, 1], [1])):
        with pytest.raises(ValueError, match="follow"):
            WorkingTime(np.array(starts), np.array(ends))


def test_a_million_due_times_take_seconds() -> None:
    numbers = np.random.default_rng(1)
    starts = at(2026, 1, 1) + numbers.integers(0, 365 * DAY, 1_000_000)
    amounts = numbers.integers(0, 100 * HOUR, 1_000_000)
    known, began = office(holidays="DE"), time.process_time()
    due = known.due(starts, amounts)
    assert time.process_time() - began < 5  # 0.3 s here: 200,000 a second is what the scan wants
    assert (known.worked(starts, due) == amounts).all()
