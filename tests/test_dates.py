"""Days of the calendar as people type them: what can mean two things is asked about."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import dates


@pytest.mark.parametrize("text", ["2026-03-31", "31.3.2026", "31/03/2026", "31-3-2026", "03/31/2026", " 2026-3-31 "])
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert dates.parse(text) == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("31/02", "with its year"), ("13/13/24", "four digits"), ("1.2.26", "four digits"),
        ("31.02.2026", "no such day"),
        ("13/13/2026", "no such day"), ("03/04/2026", "3 April 2026 or 4 March 2026"), ("2026-02-30", "no such day"),
        ("0000-01-01", "no such day"), ("1000-01-01", "Choose a year"), ("9999-12-31", "Choose a year"), ("", "no day"),
        ("2026", "no day"), ("yesterday", "no day"), ("2026-03-31T10:00", "no day"), ("٣/٤/2026", "no day"),
        ("1/2-2026", "no day"),
    ],
)  # fmt: skip
def test_what_is_no_day_or_two_days_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        dates.parse(text)
    assert str(refused.value).endswith(".")


def test_both_orders_are_one_where_they_are_the_same_day() -> None:
    assert dates.parse("04/04/2026") == date(2026, 4, 4)


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_every_day_is_read_back(day: date) -> None:
    assert dates.parse(day.isoformat()) == day
    assert dates.parse(day.strftime("%d.%m.%Y")) == day


@given(st.text(max_size=20) | st.text("0123456789/.-", max_size=12))
def test_any_text_is_a_day_or_refused(text: str) -> None:
    try:
        assert 1900 <= dates.parse(text).year <= 2200
    except ValueError:
        return
