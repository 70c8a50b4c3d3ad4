"""What sells how much: hand-reckoned values of the published methods, and what new, rare and dying products come to."""

import numpy as np
import pytest

from tasks.stock import cover, demand
from tasks.stock.kinds import DYING, ERRATIC, INTERMITTENT, LUMPY, NONE, SMOOTH

OLD = 10_000


def reckon(*weeks: float, days_known: int = OLD) -> demand.Demand:
    return demand.reckon(np.array([weeks], dtype=float), np.array([days_known]))


def test_what_sells_every_week_is_forecast_by_its_mean() -> None:
    found = reckon(7, 7, 7, 7, 7, 7, 7, 7)
    assert found.kind[0] == SMOOTH
    assert found.daily[0] == pytest.approx(1)
    assert found.weekly_spread[0] == 0
    assert (found.adi[0], found.cv2[0]) == (1, 0)


def test_what_sells_every_week_but_unevenly_is_erratic_and_its_spread_is_a_sample_s() -> None:
    found = reckon(1, 9, 1, 9, 1, 9, 1, 9)
    assert found.kind[0] == ERRATIC
    assert found.daily[0] == pytest.approx(5 / 7)
    # Squares about the mean of 5: 8 times 16, by 7 of a sample: 128 / 7; CV² is that by 25.
    assert found.cv2[0] == pytest.approx(128 / 7 / 25)
    assert found.weekly_spread[0] == pytest.approx((128 / 7) ** 0.5)


def test_what_sells_now_and_then_is_reckoned_by_croston_lowered_by_its_bias() -> None:
    found = reckon(0, 4, 0, 0, 6, 0, 0, 4)
    assert found.kind[0] == INTERMITTENT
    assert found.adi[0] == pytest.approx(8 / 3)
    # Sizes: 4, then 4 + 0.2 * (6 - 4) = 4.4, then 4.4 + 0.2 * (4 - 4.4) = 4.32.
    # Intervals: 8/3, then 8/3 + 0.2 * (3 - 8/3), then the same again with 3.
    first = 8 / 3 + 0.2 * (3 - 8 / 3)
    second = first + 0.2 * (3 - first)
    assert found.daily[0] == pytest.approx(0.9 * 4.32 / second / 7)
    assert found.daily[0] < 14 / 8 / 7, "SBA is below the plain mean here"


def test_rare_and_uneven_sales_are_lumpy() -> None:
    found = reckon(0, 1, 0, 0, 20, 0, 0, 1)
    assert found.kind[0] == LUMPY


def test_what_died_is_ordered_less_each_week_by_tsb() -> None:
    found = reckon(5, 5, 5, 5, 0, 0, 0, 0)
    assert found.kind[0] == DYING
    # A sale in each week until the last one: the chance is 1, and 0.8 of it is left after each week without.
    assert found.daily[0] == pytest.approx(5 * 0.8**4 / 7)
    later = reckon(5, 5, 5, 0, 0, 0, 0, 0)
    assert later.daily[0] < found.daily[0]


def test_a_pause_that_is_usual_for_it_is_no_death() -> None:
    assert reckon(0, 4, 0, 0, 4, 0, 0, 0).kind[0] == INTERMITTENT
    assert reckon(7, 7, 7, 7, 7, 7, 0, 0).kind[0] != DYING
    assert reckon(0, 0, 0, 4, 0, 0, 0, 0).kind[0] == INTERMITTENT, "of one sale nobody knows what is usual"


def test_what_was_never_sold_has_no_demand() -> None:
    found = reckon(0, 0, 0, 0, 0, 0, 0, 0)
    assert found.kind[0] == NONE
    assert (found.daily[0], found.weekly_spread[0], found.adi[0]) == (0, 0, 0)


def test_a_new_product_is_judged_by_the_weeks_it_has_been_there() -> None:
    assert reckon(0, 0, 0, 0, 0, 0, 7, 7, days_known=14).daily[0] == pytest.approx(1)
    assert reckon(0, 0, 0, 0, 0, 0, 7, 7).daily[0] < 0.6
    young = reckon(0, 0, 0, 0, 0, 0, 0, 7, days_known=1)
    assert young.daily[0] == pytest.approx(1), "a day's sales are no reason to order for seven such days"
    assert young.weeks[0] == 1


def test_a_product_that_was_imported_today_was_there_when_it_was_sold() -> None:
    assert reckon(0, 0, 0, 0, 7, 7, 7, 7, days_known=1).weeks[0] == 4


def test_what_came_back_is_taken_off_the_weeks_before() -> None:
    assert demand.weekly(np.array([[5.0, 5, -3, 0]])).tolist() == [[5, 2, 0, 0]]
    assert demand.weekly(np.array([[1.0, 2, -9, 4]])).tolist() == [[0, 0, 0, 4]], "more than there was: no sales"
    assert demand.weekly(np.array([[1.0, 9, -4, -4]])).tolist() == [[1, 1, 0, 0]]


def test_many_products_at_once_come_to_what_each_alone_comes_to() -> None:
    chance = np.random.default_rng(5)
    sold = chance.poisson(0.7, (500, 8)) * chance.geometric(0.4, (500, 8)).astype(float)
    known = chance.integers(1, 90, 500)
    together = demand.reckon(sold, known)
    for number in range(0, 500, 7):
        alone = demand.reckon(sold[number : number + 1], known[number : number + 1])
        assert alone.daily[0] == pytest.approx(together.daily[number])
        assert alone.kind[0] == together.kind[number]
    assert np.isfinite(together.daily).all()
    assert (together.daily >= 0).all()


def test_no_products_are_no_trouble() -> None:
    found = demand.reckon(np.zeros((0, 8)), np.zeros(0, dtype=np.int64))
    assert len(found.daily) == 0


def test_cover_is_how_long_it_lasts() -> None:
    left, daily = np.array([10.0, 10, 0, -3, 0]), np.array([2.0, 0, 2, 2, 0])
    assert cover.days(left, daily).tolist() == [5, np.inf, 0, 0, np.inf]
    lead = np.array([5.0, 5, 5, 5, 5])
    assert cover.shorter(left, daily, lead).tolist() == [False, False, True, True, False]
    assert cover.shorter(left, daily, lead, 0.1).tolist() == [True, False, True, True, False]
