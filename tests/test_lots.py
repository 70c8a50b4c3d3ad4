"""Lots: what is left of each delivery when whatever expires first goes first."""

from datetime import date
from decimal import Decimal

from tasks.inventory.lots import Lot, Step, expiring, left

JAN, FEB, MAR = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)


def step(day: int, quantity: str, expires_on: date | None = None) -> Step:
    return Step(date(2025, 12, day), Decimal(quantity), expires_on)


def lot(expires_on: date | None, quantity: str) -> Lot:
    return Lot(expires_on, Decimal(quantity))


def test_what_expires_first_goes_first_whenever_it_came() -> None:
    assert left([step(1, "10", MAR), step(2, "10", JAN), step(3, "-12")]) == [lot(MAR, "8")]


def test_a_lot_that_came_after_a_sale_was_not_sold_by_it() -> None:
    steps = [step(1, "10", MAR), step(2, "-10"), step(3, "10", JAN)]
    assert left(steps) == [lot(JAN, "10")], "by the sum alone, March's would be left"


def test_what_has_no_date_goes_last() -> None:
    assert left([step(1, "5"), step(1, "5", JAN), step(2, "-7")]) == [lot(None, "3")]


def test_a_delivery_counts_before_the_sales_of_its_day_in_whatever_order_they_are_written() -> None:
    assert left([step(1, "-4"), step(1, "10", JAN)]) == [lot(JAN, "6")]


def test_two_deliveries_of_one_date_are_one_lot() -> None:
    assert left([step(1, "2.5", JAN), step(2, "2.5", JAN)]) == [lot(JAN, "5.0")]


def test_a_lot_that_is_written_off_is_taken_from_itself() -> None:
    assert left([step(1, "5", JAN), step(1, "5", FEB), step(2, "-3", FEB)]) == [lot(JAN, "5"), lot(FEB, "2")]
    assert left([step(1, "5", JAN), step(1, "5", FEB), step(2, "-7", FEB)]) == [lot(JAN, "3")]


def test_what_was_sold_before_it_was_booked_in_is_paid_by_the_next_delivery() -> None:
    assert left([step(1, "-4"), step(2, "10", JAN), step(3, "-1")]) == [lot(JAN, "5")]


def test_a_lot_comes_again_after_it_was_empty() -> None:
    assert left([step(1, "1", FEB), step(2, "-1"), step(3, "2", FEB), step(3, "2", JAN), step(4, "-1")]) == [
        lot(JAN, "1"),
        lot(FEB, "2"),
    ]
    emptied = [step(1, "1", FEB), step(1, "1", JAN), step(2, "-1", FEB), step(3, "2", FEB), step(4, "-2")]
    assert left(emptied) == [lot(FEB, "1")], "a day that was written off empty and came again is there once"


def test_a_lot_is_good_on_its_last_day_and_expired_on_the_next() -> None:
    assert not lot(JAN, "1").expired(JAN)
    assert lot(JAN, "1").expired(date(2026, 2, 1))
    assert not lot(None, "1").expired(MAR)


def test_what_expires_soon_is_found_up_to_the_last_day_of_the_stretch() -> None:
    lots = [lot(JAN, "1"), lot(FEB, "2"), lot(None, "3")]
    assert expiring(lots, JAN, 0) == lots[:1]
    assert expiring(lots, JAN, 28) == lots[:2]
    assert expiring(lots, JAN, 27) == lots[:1]
