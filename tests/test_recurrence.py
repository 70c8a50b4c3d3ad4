"""When what comes by itself comes again: short months, leap years, weeks, and a last day."""

from datetime import date
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.books import recurrence

DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))


def first(count: int, *args: object) -> list[str]:
    return [str(day) for day in islice(recurrence.days(*args), count)]  # type: ignore[arg-type]


def test_a_short_month_clamps_and_the_next_keeps_the_day() -> None:
    assert first(4, date(2023, 1, 31), "month", 1) == ["2023-01-31", "2023-02-28", "2023-03-31", "2023-04-30"]
    assert first(3, date(2024, 1, 31), "month", 1) == ["2024-01-31", "2024-02-29", "2024-03-31"]


def test_the_29th_of_february_comes_every_year() -> None:
    expected = ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]
    assert first(5, date(2024, 2, 29), "year", 1) == expected
    assert first(2, date(2096, 2, 29), "year", 4) == ["2096-02-29", "2100-02-28"]  # no leap year


def test_weeks_are_of_seven_days_over_a_leap_day() -> None:
    assert first(3, date(2024, 2, 19), "week", 2) == ["2024-02-19", "2024-03-04", "2024-03-18"]


def test_nothing_comes_after_the_last_day() -> None:
    assert first(9, date(2026, 1, 15), "month", 3, date(2026, 7, 15)) == ["2026-01-15", "2026-04-15", "2026-07-15"]
    assert list(recurrence.following(date(2026, 1, 15), "month", 1, date(2026, 8, 1), date(2026, 7, 31))) == []


@given(DAYS, st.sampled_from(["week", "month", "year"]), st.integers(1, 24), st.integers(0, 4000))
def test_the_days_from_one_on_are_those_of_all_that_are_not_before_it(
    day: date, every: str, steps: int, gap: int
) -> None:
    since = date.fromordinal(day.toordinal() + gap)
    walked = (each for each in recurrence.days(day, every, steps) if each >= since)
    assert list(islice(recurrence.following(day, every, steps, since), 3)) == list(islice(walked, 3))


@given(DAYS, st.sampled_from(["week", "month", "year"]), st.integers(1, 24))
def test_each_day_is_after_the_one_before(day: date, every: str, steps: int) -> None:
    found = list(islice(recurrence.days(day, every, steps), 10))
    assert found == sorted(set(found))
    assert found[0] == day


@pytest.mark.parametrize(("every", "steps", "words"), [("month", 1, "every month"), ("week", 2, "every 2 weeks")])
def test_it_is_said_in_words(every: str, steps: int, words: str) -> None:
    assert recurrence.words(every, steps) == words
