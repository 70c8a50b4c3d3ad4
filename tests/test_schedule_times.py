"""Due times: three years of them against a plain reckoning, day by day, in zones with gaps, folds and odd offsets."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beat_schedule import times
from beat_schedule.times import HOUR, MINUTE, Rule

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
FIRST, LAST = date(2025, 1, 1), date(2027, 12, 31)
CRON = st.sampled_from(["30 2 * * *", "0 * * * *", "*/15 * * * *", "0,30 1-3 * * *", "15 0 * * 1-5", "*/20 2 * * *"])
MOMENTS = st.integers(moment := int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000), moment + 3 * 8766 * HOUR)


def days() -> Iterator[date]:
    return takewhile(lambda day: day <= LAST, (FIRST + timedelta(days=number) for number in range(5000)))


def shown(moment: int, zone: str) -> str:
    """A moment on the clock of a zone, reckoned from UTC alone."""
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def all_of(rule: Rule) -> list[int]:
    """The rule's times from the first day to the last on its zone's clock."""
    start = int(datetime(FIRST.year, 1, 1, tzinfo=ZoneInfo(rule.zone)).timestamp() * 1000)
    end = int(datetime(LAST.year + 1, 1, 1, tzinfo=ZoneInfo(rule.zone)).timestamp() * 1000)
    return list(takewhile(lambda at: at < end, times.walk(rule, start - 1)))


def minutes_of(day: date, zone: str) -> list[tuple[str, int]]:
    """Every minute that a day really has, in order, by the clock of a zone: looked up minute by minute from UTC."""
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1000)
    around = ((shown(at, zone), at) for at in range(noon - 30 * HOUR, noon + 30 * HOUR, MINUTE))
    return [(clock, at) for clock, at in around if clock.startswith(day.isoformat())]


def expected_on(day: date, clock: str, zone: str) -> int:
    """The first minute of the day that the clock shows at or past the time: so gaps end and folds count once."""
    return next(at for told, at in minutes_of(day, zone) if told[11:] >= clock)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", ["02:30", "01:45", "00:00"])
def test_for_three_years_a_daily_time_comes_once_each_day_and_at_its_hour(zone: str, clock: str) -> None:
    hour, minute = clock.split(":")
    found = all_of(Rule("daily", zone, f"{int(minute)} {int(hour)} * * *"))
    assert [shown(at, zone)[:10] for at in found] == [day.isoformat() for day in days()]
    odd = [at for at in found if shown(at, zone)[11:] != clock]
    shifts = [day for day in days() if _shifts(day, zone)]
    assert {shown(at, zone)[:10] for at in odd} <= {day.isoformat() for day in shifts}
    by_day = {shown(at, zone)[:10]: at for at in found}
    for day in shifts:
        assert by_day[day.isoformat()] == expected_on(day, clock, zone)


def _shifts(day: date, zone: str) -> bool:
    """Whether the clock is moved on this day: it then has no 24 hours."""
    after = day + timedelta(days=1)
    starts = [datetime(each.year, each.month, each.day, tzinfo=ZoneInfo(zone)).timestamp() for each in (day, after)]
    return starts[1] - starts[0] != 86_400


@pytest.mark.parametrize("zone", ZONES)
def test_the_reckoning_meets_the_days_on_which_clocks_are_moved(zone: str) -> None:
    assert sum(_shifts(day, zone) for day in days()) == (6 if zone in ZONES[:3] else 0)


@pytest.mark.parametrize("zone", ZONES)
def test_for_three_years_weekdays_come_on_their_days_and_no_others(zone: str) -> None:
    found = all_of(Rule("weekly", zone, "0 7 * * 1,5"))
    assert [shown(at, zone) for at in found] == [f"{day}T07:00" for day in days() if day.weekday() in (0, 4)]


@pytest.mark.parametrize("day_of_month", [1, 28, 29, 30, 31])
def test_for_three_years_a_monthly_day_comes_each_month_and_on_the_last_day_of_shorter_ones(day_of_month: int) -> None:
    found = all_of(Rule("monthly", "Europe/Berlin", f"30 2 {day_of_month} * *"))
    wanted = [
        day for day in days()
        if day.day == day_of_month or (day.day < day_of_month and (day + timedelta(days=1)).day == 1)
    ]  # fmt: skip
    assert len(found) == 36
    assert [shown(at, "Europe/Berlin")[:10] for at in found] == [day.isoformat() for day in wanted]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("step", [1, 15, 60, 90])
def test_every_n_minutes_goes_by_elapsed_time_whatever_the_clocks_do(zone: str, step: int) -> None:
    rule = Rule("minutes", zone, every_minutes=step)
    start = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
    found = list(takewhile(lambda at: at < start + 245 * 24 * HOUR, times.walk(rule, start)))
    assert {later - earlier for earlier, later in pairwise(found)} == {step * MINUTE}
    if step == 15:
        assert {shown(at, zone)[14:] for at in found} == {"00", "15", "30", "45"}


@pytest.mark.parametrize("zone", ZONES)
def test_an_hourly_line_comes_each_hour_of_the_clock_the_doubled_one_twice(zone: str) -> None:
    found = all_of(Rule("cron", zone, "0 * * * *"))
    real = [at for day in days() if _shifts(day, zone) for clock, at in minutes_of(day, zone) if clock.endswith(":00")]
    assert set(real) <= set(found)
    assert {shown(at, zone)[14:] for at in found} == {"00"}
    assert len(found) == len(set(found))


@settings(max_examples=150, deadline=None)
@given(cron=CRON, zone=st.sampled_from([*ZONES, "America/Havana", "Africa/Cairo"]), start=MOMENTS, further=MOMENTS)
def test_the_times_are_the_same_wherever_one_begins_to_ask(cron: str, zone: str, start: int, further: int) -> None:
    rule = Rule("cron", zone, cron)
    found = times.following(rule, start, 40)
    assert all(later > earlier for earlier, later in pairwise([start, *found]))
    middle = start + further % (found[-2] - start)
    assert times.after(rule, middle) == next(at for at in found if at > middle)


@settings(max_examples=60, deadline=None)
@given(minutes=st.integers(1, times.MOST_MINUTES), moment=MOMENTS, zone=st.sampled_from(ZONES))
def test_minutes_are_never_closer_than_their_step_and_stable(minutes: int, moment: int, zone: str) -> None:
    rule = Rule("minutes", zone, every_minutes=minutes)
    first, second = times.following(rule, moment, 2)
    assert 0 < first - moment <= minutes * MINUTE == second - first
    assert times.after(rule, first - 1) == first


@pytest.mark.parametrize("rule", [Rule("minutes", every_minutes=1), Rule(cron="* * * * *"), Rule(cron="0 7 29 2 *")])
def test_after_ten_thousand_missed_slots_the_latest_is_found_at_once(rule: Rule) -> None:
    first = times.following(rule, 0, 1)[0]
    now = first + 10_000 * MINUTE + 30_000
    began = time.monotonic()
    missed = times.missed(rule, first, now)
    assert time.monotonic() - began < 5
    assert missed.latest <= now
    assert (times.after(rule, missed.latest) or 0) > now
    if rule.cron != "0 7 29 2 *":
        assert (missed.latest, missed.count, missed.some) == (now - 30_000, times.COUNTED + 1, [])


def test_few_missed_slots_are_told_one_by_one() -> None:
    missed = times.missed(Rule(cron="0 * * * *"), HOUR, 5 * HOUR + 1)
    assert (missed.latest, missed.count, missed.some) == (5 * HOUR, 4, [HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR])
    assert times.missed(Rule("once", once_at=7), 7, HOUR) == times.Missed(7, 0, [])


def test_once_comes_once_and_never_again() -> None:
    rule = Rule("once", once_at=1000)
    assert times.following(rule, 999) == [1000]
    assert times.after(rule, 1000) is None


@pytest.mark.parametrize(
    ("clock", "zone", "expected"),
    [
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T03:00"),
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-04T02:30"),
        ("2026-05-01T09:00", "Asia/Kathmandu", "2026-05-01T09:00"),
    ],
)
def test_a_time_on_the_clock_is_its_moment_or_the_end_of_the_gap(clock: str, zone: str, expected: str) -> None:
    assert shown(times.at_local(datetime.fromisoformat(clock), zone), zone) == expected


def test_of_a_doubled_time_the_first_is_meant() -> None:
    at = times.at_local(datetime(2026, 10, 25, 2, 30), "Europe/Berlin")
    assert datetime.fromtimestamp(at / 1000, UTC).hour == 0


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 0 31 2 *", "never comes"),
        ("0 0 31 4,6 *", "never comes"),
        ("* * * * * *", "five fields"),  # with seconds: it would fire each second
        ("@daily", "five fields"),
        ("61 * * * *", "five fields"),
        ("", "five fields"),
        ("*/0 * * * *", "five fields"),
    ],
)
def test_a_line_that_never_comes_or_counts_seconds_is_refused(cron: str, said: str) -> None:
    assert said in (times.check(cron) or "")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "America", "../../etc/passwd", "europe/berlin\0"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    assert "no such time zone" in (times.check("0 7 * * *", zone) or "")
