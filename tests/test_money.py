"""Amounts of money, as people and banks write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import money

AMOUNTS = st.decimals(min_value=-(10**10), max_value=10**10, places=2)
FINE = st.decimals(min_value=-(10**10), max_value=10**10, places=4)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12.50", "12.50"), ("12,50", "12.50"), ("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("(12.00)", "-12"),
        ("£12", "12"), ("12-", "-12"), ("−5", "-5"), ("–5", "-5"), ("+5", "5"), ("€ 1.234.567", "1234567"),
        ("1 234,5 kr", "1234.5"), ("1\u202f234,50\u00a0€", "1234.50"), ("1'234.50 CHF", "1234.50"), ("EUR 12", "12"),
        ("-$5.20", "-5.20"), ("$-5", "-5"), ("US$ 3.5", "3.5"), ("(€12.00)", "-12"), ("-12 kr", "-12"), (".5", "0.5"),
        ("5.", "5"), ("0.500", "0.5"), ("1,23,456.00", "123456"), ("¥１２", "12"), ("12.50000", "12.5"), ("0", "0"),
        ("1234.567", "1234.567"), ("  7 ", "7"), ("-0", "0"),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_its_writer_meant_it(text: str, amount: str) -> None:
    assert money.parse(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1e9", "exponent"), ("1E-3", "exponent"), ("NaN", "no amount"), ("inf", "no amount"), ("", "no amount"),
        ("-", "no amount"), ("abc", "no amount"), ("12%", "no amount"), ("1_000", "no amount"), ("€", "no amount"),
        ("1.23456", "four decimals"), ("-12.00000000000000000000000000000000001", "four decimals"),
        ("10000000000.01", "thousand millions"), ("9" * 40, "thousand millions"), ("(-5)", "two signs"),
        ("-5-", "two signs"), ("1,234", "1234 or 1.2340"), ("1.234", "1234 or 1.2340"), ("1,2,3", "do not fit"),
        ("12.5 0", "do not fit"), ("1.2.3,4", "do not fit"), ("1,234.567,8", "do not fit"), ("9" * 200, "no amount"),
        ("=1+1", "no amount"), ("<b>5</b>", "no amount"), ("5 XYZ", "no amount"), ("--5", "no amount"),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        money.parse(text)
    assert str(refused.value).endswith(".")
    assert len(str(refused.value)) < 200


def test_where_the_decimal_sign_is_known_nothing_is_guessed() -> None:
    assert money.parse("1.234", decimal=",") == 1234
    assert money.parse("1.234", decimal=".") == Decimal("1.234")
    assert money.parse("1,234", decimal=".") == 1234
    with pytest.raises(ValueError, match="do not fit"):
        money.parse("12.50", decimal=",")


@given(AMOUNTS)
def test_what_is_shown_is_read_back(amount: Decimal) -> None:
    for currency in ("EUR", "USD", "GBP", "CHF", "INR"):
        assert money.parse(money.show(amount, currency)) == amount
    swapped = f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
    assert money.parse(swapped) == amount
    assert money.parse(swapped, decimal=",") == amount


@given(FINE)
def test_what_stands_in_a_field_is_read_back(amount: Decimal) -> None:
    for currency in ("", "EUR", "JPY", "KWD"):
        assert money.parse(money.typed(amount, currency), decimal=".") == amount
    assert money.parse(money.quantity(amount), decimal=".") == amount


@given(st.text(max_size=30) | st.text("0123456789.,-+() €e'$A\u00a0", max_size=20))
def test_any_text_is_an_amount_that_can_be_kept_or_refused(text: str) -> None:
    try:
        amount = money.parse(text)
    except ValueError:
        return
    assert (amount * 10_000) % 1 == 0
    assert abs(amount) <= money.MOST


def test_money_is_shown_with_its_currency_s_decimals_and_never_rounded_away() -> None:
    assert money.show(Decimal("-1234.5"), "EUR") == "-€1,234.50"
    assert money.show(Decimal("1200"), "JPY") == "¥1,200"
    assert money.show(Decimal("1.2"), "KWD").endswith("1.200")
    assert money.show(Decimal("0.0049"), "EUR") == "€0.0049"
    assert money.quantity(Decimal("1234.5000")) == "1,234.5"


def test_currencies_are_those_of_the_world() -> None:
    codes = [code for code, _ in money.currencies()]
    assert {"EUR", "USD", "JPY", "CHF", "INR"} <= set(codes)
    assert "DEM" not in codes
    assert money.known("DEM")  # which old entries may be in
    assert not money.known("XXX")
    assert not money.known("eur")
    assert not money.known("ABC")


def test_a_currency_has_only_its_own_decimals() -> None:
    assert money.fits(Decimal("1.25"), "EUR")
    assert not money.fits(Decimal("1.255"), "EUR")
    assert not money.fits(Decimal("1.5"), "JPY")
    assert money.fits(Decimal("1.255"), "KWD")


def test_a_zone_s_people_pay_with_their_currency() -> None:
    assert money.of_zone("Europe/Berlin") == "EUR"
    assert money.of_zone("Europe/London") == "GBP"
    assert money.of_zone("America/New_York") == "USD"
    assert money.of_zone("Asia/Kolkata") == "INR"
    assert money.of_zone("UTC") == "EUR"
