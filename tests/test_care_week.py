"""A day's hours as people type them, a week in words and as a picture, and amounts of time in words."""

import re
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.care import amounts, week
from tasks.care.hours import Hours


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("9-17", ((540, 1020),)),
        ("9:00–12:30, 13:30 – 17.00", ((540, 750), (810, 1020))),
        ("13-17; 9-12", ((540, 720), (780, 1020))),
        ("9am to 12pm and 1 pm until 5pm", ((540, 720), (780, 1020))),
        ("22-6", ((1320, 1800),)),
        ("0-24", ((0, 1440),)),
        ("18-0", ((1080, 1440),)),
        ("8h30-16h", ((510, 960),)),
        ("all day", ((0, 1440),)),
        ("", ()),
        (" closed ", ()),
    ],
)
def test_hours_are_read_as_people_write_them(typed: str, read: tuple[tuple[int, int], ...]) -> None:
    assert week.read_day(typed) == read


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("morning", "could not be read"),
        ("9", "could not be read"),
        ("9-25", "no time of day “25”"),
        ("9-12:75", "no time of day"),
        ("13pm-14", "no time of day “13pm”"),
        ("12am-12am", "ends when it begins"),
        ("24-3", "ends when it begins"),
        ("9-12, 11-14", "there twice"),
        ("1-2,3-4,5-6,7-8,9-10,11-12,13-14", "at most 6"),
        ("٩-١٧", "could not be read"),
    ],
)
def test_what_is_no_hours_is_told_in_a_sentence(typed: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        week.read_day(typed)


SPANS = st.lists(st.integers(0, 1439), max_size=12, unique=True).map(lambda each: tuple(pairwise(sorted(each)))[::2])


@given(SPANS)
def test_hours_read_what_they_show(spans: tuple[tuple[int, int], ...]) -> None:
    assert week.read_day(week.day_words(spans)) == spans


def test_days_that_are_alike_stand_in_one_line() -> None:
    day, short = ((540, 720), (780, 1020)), ((540, 720),)
    assert week.week_words(Hours(week=(day, day, day, day, short, (), ()))) == [
        "Monday to Thursday 09:00–12:00, 13:00–17:00", "Friday 09:00–12:00",
    ]  # fmt: skip
    assert week.week_words(Hours()) == ["Around the clock"]
    assert week.week_words(Hours(week=((),) * 7)) == ["No hours"]


def test_what_goes_past_midnight_is_drawn_on_the_next_day_and_on_sunday_on_monday() -> None:
    drawn = week.bars((((540, 720),), (), (), (), (), (), ((1320, 1800),)))
    assert drawn[6] == [(1320, 1440)]
    assert drawn[0] == [(0, 360), (540, 720)]


def test_amounts_and_moments_are_plain_words() -> None:
    assert [amounts.minutes(each) for each in (None, 0, 1, 60, 90, 4800)] == [
        "no deadline", "0 minutes", "1 minute", "1 hour", "1 hour 30 minutes", "80 hours",
    ]  # fmt: skip

    def at(*when: int) -> int:
        return round(datetime(*when, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)  # type: ignore[arg-type,misc]

    now = at(2026, 12, 30, 23, 30)
    told = [
        amounts.moment(at(*day, 10, 0), "Europe/Berlin", now) for day in ((2026, 12, 30), (2026, 12, 31), (2027, 1, 4))
    ]
    assert told == ["today at 10:00", "tomorrow at 10:00", "on Monday 4 January 2027 at 10:00"]
