"""A budget's periods tile the calendar, and its forecast keeps what it says."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.budget import words
from tasks.budget.pace import Spending, Standing, reckon
from tasks.budget.periods import Window, index, name, number, window

DAYS = st.dates(date(1970, 1, 1), date(2199, 12, 31))
KINDS = st.one_of(
    st.tuples(st.just("week"), st.integers(1, 7)),
    st.tuples(st.sampled_from(["month", "payday"]), st.integers(1, 31)),
    st.tuples(st.just("year"), st.integers(1, 12)),
)
NOVEMBER = Window(date(2026, 11, 1), date(2026, 12, 1))


@settings(max_examples=300, deadline=None)
@given(KINDS, DAYS)
def test_every_day_lies_in_exactly_one_period_and_they_follow_without_a_gap(kind: tuple[str, int], day: date) -> None:
    found = window(*kind, day)
    assert found.start <= day < found.end
    assert window(*kind, found.end).start == found.end
    assert window(*kind, found.start - timedelta(1)).end == found.start
    assert window(*kind, found.last) == found
    assert number(*kind, index(*kind, day)) == found


@settings(max_examples=200, deadline=None)
@given(KINDS, DAYS, DAYS)
def test_periods_are_counted_without_walking_through_them(kind: tuple[str, int], one: date, other: date) -> None:
    first, last = sorted((one, min(max(other, one - timedelta(2000)), one + timedelta(2000))))
    walked, day = 0, window(*kind, first)
    while day.end <= last:
        day, walked = window(*kind, day.end), walked + 1
    assert index(*kind, last) - index(*kind, first) == walked


@settings(max_examples=200, deadline=None)
@given(KINDS, DAYS, st.integers(-40, 400))
def test_days_gone_and_left_make_the_period(kind: tuple[str, int], day: date, ahead: int) -> None:
    found, today = window(*kind, day), day + timedelta(ahead)
    assert found.gone(today) + found.left(today) == found.days
    assert 0 <= found.gone(today) <= found.days


def test_short_months_clamp_and_the_others_keep_the_day() -> None:
    begins = [window("payday", 31, date(2026, month, 15)).start for month in (2, 3, 4, 5)]
    assert begins == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (("month", 1), "November 2026"),
        (("payday", 25), "25 October to 24 November 2026"),
        (("week", 1), "16 to 22 November 2026"),
        (("year", 1), "2026"),
        (("year", 4), "1 April 2026 to 31 March 2027"),
    ],
)
def test_a_period_is_called_as_people_call_it(kind: tuple[str, int], said: str) -> None:
    assert name(kind[0], window(*kind, date(2026, 11, 21))) == said


def on(day: int, spent: float, largest: float, limit: int = 300) -> Standing:
    """A budget on a day of November: so much spent in purchases of that size."""
    now = Decimal(str(spent))
    return reckon(NOVEMBER, date(2026, 11, day), Decimal(limit), Decimal(0), Spending(now, squares=spent * largest))


def test_many_small_purchases_are_foreseen_and_one_large_one_cries_no_wolf() -> None:
    assert on(12, 180, 12).level == 70
    assert on(12, 180, 180).level == 50
    many, one = on(12, 180, 12).forecast, on(12, 180, 180).forecast
    assert many is not None
    assert one is not None
    assert many.high - many.low < one.high - one.low
    assert one.low == 180  # what is spent stays spent


def test_without_a_third_of_the_period_or_half_of_the_limit_nothing_is_foreseen() -> None:
    assert on(9, 290 / 2, 1).level == 0
    assert on(9, 200, 1).level == 50
    assert on(10, 200, 1).level == 70
    assert on(10, 149, 1).level == 0


def test_a_forecast_is_left_only_past_its_margin() -> None:
    assert on(15, 151, 0.01).level == 70
    near = on(15, 146, 0.01)  # about 292 by the end: not over the limit any more, and not 5 % below it either
    assert (near.level, near.clear) == (0, False)
    assert on(15, 140, 0.01).clear


def test_the_last_day_knows_the_end() -> None:
    seen = on(30, 280, 50)
    assert seen.forecast is not None
    assert (seen.forecast.low, seen.forecast.high, seen.a_day) == (Decimal(280), Decimal(280), None)


@pytest.mark.parametrize(("spent", "level"), [(0, 0), (149.99, 0), (150, 50), (239.99, 50), (240, 80), (300, 100)])
def test_a_level_is_reached_and_not_rounded_up_to(spent: float, level: int) -> None:
    assert on(5, spent, spent).level == level


def test_the_news_stands_in_the_title_without_sums_of_money() -> None:
    told = words.told("Groceries", "month", on(21, 276, 30))
    assert told.title == "Groceries 92 % used, 9 days left"
    assert not any(sign in told.title + told.text + told.end for sign in ("276", "300", "€"))


@settings(max_examples=300, deadline=None)
@given(
    st.decimals(-1000, 5000, places=2), st.decimals(-100, 1000, places=2), st.integers(-3, 35), st.floats(0, 1e7),
    st.decimals(-500, 500, places=2),
)  # fmt: skip
def test_words_and_levels_stand_up_to_all_sums(
    spent: Decimal, limit: Decimal, day: int, squares: float, due: Decimal
) -> None:
    today = NOVEMBER.start + timedelta(day)
    seen = reckon(NOVEMBER, today, limit, Decimal(0), Spending(spent, squares=squares, due=due))
    told = words.told("Rent", "month", seen)
    assert seen.level in (0, 50, 70, 80, 100)
    assert not (seen.clear and seen.level >= 80)
    assert len(told.title) < 200
    if seen.forecast:
        assert seen.forecast.low <= seen.forecast.end <= seen.forecast.high or due < 0
