"""Tariffs: holes and overlaps are named, and costs are right over months, daylight saving and every kind of tariff."""

import re
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.metering.costs import Cost
from tasks.metering.tariffs import Rates, cost, price_at, problems

BERLIN, UTC_ZONE = "Europe/Berlin", "UTC"
WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]
HOUR, DAY = 3600, 86_400


def flat(price: str = "0.3", **more: Any) -> Rates:
    return Rates.model_validate({"kind": "flat", "price": price, **more})


def times_of(*periods: dict[str, Any], peak: str = "0.4", low: str = "0.2", **more: Any) -> Rates:
    levels = [{"name": "Peak", "price": peak}, {"name": "Low", "price": low}]
    return Rates.model_validate({"kind": "time of use", "levels": levels, "periods": periods, **more})


def tiered(*blocks: tuple[str | None, str], **more: Any) -> Rates:
    given_blocks = [{"up_to": up_to, "price": price} for up_to, price in blocks]
    return Rates.model_validate({"kind": "tiered", "blocks": given_blocks, **more})


def hours(first: str, count: int, zone: str = BERLIN, step: int = HOUR) -> np.ndarray[Any, Any]:
    start = datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(zone)).timestamp()
    return int(start) + step * np.arange(count, dtype=np.int64)


DAYTIME = {"level": "Peak", "days": WORKDAYS, "start": "07:00", "end": "22:00"}


def test_hours_without_a_price_are_named_with_their_weekday_and_hour() -> None:
    holes = times_of(
        {"level": "Peak", "days": WORKDAYS, "start": "07:00", "end": "22:00"},
        {"level": "Low", "days": WORKDAYS, "start": "22:00", "end": "07:00"},
        {"level": "Low", "days": ["sat"], "start": "00:00", "end": "22:00"},
        {"level": "Low", "days": ["sun"]},
    )
    assert problems(holes) == ["Saturday 22:00 to 24:00 has no price."]
    assert problems(holes.model_copy(update={"rest": "Low"})) == []


def test_a_night_over_midnight_means_both_ends_of_the_same_days() -> None:
    night = times_of({"level": "Low", "days": ["mon"], "start": "22:00", "end": "06:00"}, rest="Peak")
    monday = price_at(night, hours("2026-03-02", 24), BERLIN)
    assert [int(at) for at in np.flatnonzero(monday == 0.2)] == [0, 1, 2, 3, 4, 5, 22, 23]
    assert set(price_at(night, hours("2026-03-03", 24), BERLIN)) == {0.4}


def test_holes_and_overlaps_of_a_season_are_said_once_with_its_months() -> None:
    winter = times_of(
        {"level": "Peak", "start": "06:00", "end": "20:00", "months": [10, 3]},
        {"level": "Low", "start": "19:00", "end": "06:00", "months": [10, 3]},
        {"level": "Low", "months": [4, 9], "days": [*WORKDAYS, "sat"]},
    )
    assert problems(winter) == [
        "Every day 19:00 to 20:00 has 2 prices: Peak and Low from October to March.",
        "Sunday has no price from April to September.",
    ]


def test_public_holidays_need_a_price_only_where_they_have_their_own() -> None:
    week = times_of(DAYTIME, {"level": "Low", "days": WORKDAYS, "start": "22:00", "end": "7:00"},
                    {"level": "Low", "days": ["sat", "sun"]})  # fmt: skip
    assert problems(week) == []
    assert problems(week.model_copy(update={"holidays": "own"})) == ["Public holidays have no price."]
    alone = times_of({"level": "Low", "days": ["holiday"]}, rest="Peak")
    assert "choose that these have prices of their own" in problems(alone)[0]


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        (Rates(kind="flat"), "Write what a kilowatt-hour costs."),
        (flat("-0.1"), "below zero"),
        (flat(feed_in="-0.02"), "You would pay for what you feed in"),
        (Rates(kind="time of use"), "Give at least one price."),
        (times_of(rest="Peak"), "“Low” has a price but no hours."),
        (times_of({"level": "Night"}, rest="Low"), "“Night” has no price."),
        (times_of({"level": "Peak", "start": "7:00", "end": "7:00"}, rest="Low"), "begins and ends at 07:00"),
        (Rates(kind="tiered"), "Give at least one price."),
        (tiered(("300", "0.2"), ("600", "0.3")), "Above 600 kWh there is no price"),
        (tiered(("300", "0.2"), ("300", "0.3"), (None, "0.4")), "more than the one before"),
        (tiered((None, "0.2"), ("300", "0.3")), "Only the last price"),
    ],
)
def test_what_cannot_be_reckoned_with_is_said_and_is_not_reckoned_with(rates: Rates, said: str) -> None:
    found = problems(rates)
    assert any(said in text for text in found), found
    with pytest.raises(ValueError, match=re.escape(found[0])):
        cost(rates, hours("2026-01-01", 2), np.ones(2), HOUR, BERLIN)


def test_prices_below_zero_are_taken_where_they_are_meant() -> None:
    assert problems(flat("-0.1", below_zero=True)) == []
    assert cost(flat("-0.1", below_zero=True), hours("2026-01-01", 2), np.ones(2), HOUR, BERLIN).total == Decimal(
        "-0.2"
    )


@pytest.mark.parametrize(
    "given_rates",
    [
        {"kind": "flat", "price": "0.1234567"}, {"kind": "flat", "price": "NaN"}, {"kind": "flat", "price": "1e9"},
        {"kind": "flat", "price": "0.1", "tax": "101"}, {"kind": "flat", "price": "0.1", "standing": "-1"},
        {"kind": "weekly"}, {"kind": "flat", "prize": "1"}, {"kind": "tiered", "blocks": [{"up_to": 0, "price": 1}]},
        {"kind": "time of use", "levels": [{"name": " ", "price": 1}]}, {"kind": "tiered", "starts": 29},
        {"kind": "time of use", "periods": [{"level": "a", "start": "25:00"}]},
        {"kind": "time of use", "periods": [{"level": "a", "days": []}]},
        {"kind": "time of use", "periods": [{"level": "a", "months": [0, 13]}]},
    ],
)  # fmt: skip
def test_what_is_no_tariff_is_refused(given_rates: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rates.model_validate(given_rates)


def test_rates_come_back_from_json_as_they_were() -> None:
    rates = times_of(DAYTIME, rest="Low", peak="0.123456", tax="19", standing="0.4")
    assert Rates.model_validate(rates.model_dump(mode="json")) == rates


def test_the_day_on_which_clocks_go_back_has_twenty_five_hours_of_energy_and_one_standing_charge() -> None:
    night = times_of({"level": "Low", "start": "00:00", "end": "06:00"}, rest="Peak", standing="1")
    autumn = cost(night, hours("2026-10-25", 25), np.ones(25), HOUR, BERLIN)
    assert (autumn.days, int(autumn.standing)) == (1, 1)
    assert [level.kwh for level in autumn.levels] == [18, 7]
    spring = cost(night, hours("2026-03-29", 23), np.ones(23), HOUR, BERLIN)
    assert [level.kwh for level in spring.levels] == [18, 5]


def test_months_are_those_of_the_place_and_not_of_greenwich() -> None:
    found = cost(flat(), hours("2026-01-01", 24 * 59), np.ones(24 * 59), HOUR, BERLIN)
    assert [(month.month, month.days, int(month.kwh)) for month in found.months] == [
        ("2026-01", 31, 744), ("2026-02", 28, 672),
    ]  # fmt: skip


def test_a_price_that_changes_within_a_step_shares_its_energy_to_the_milliwatt_hour() -> None:
    half = times_of({"level": "Peak", "start": "06:30", "end": "24:00"}, rest="Low")
    found = cost(half, hours("2026-01-01 06:00", 1), np.array([0.333333]), HOUR, BERLIN)
    assert [level.kwh for level in found.levels] == [Decimal("0.166666"), Decimal("0.166667")]
    odd = cost(half, hours("2026-01-01 06:15", 1), np.array([4.0]), HOUR, BERLIN)
    assert [level.kwh for level in odd.levels] == [3, 1]


def test_days_are_priced_by_time_of_use_only_where_the_whole_day_has_one_price() -> None:
    weekend = times_of({"level": "Low", "days": ["sat", "sun"]}, rest="Peak")
    days = hours("2026-03-02", 7, step=DAY)
    assert [level.kwh for level in cost(weekend, days, np.ones(7), DAY, BERLIN).levels] == [5, 2]
    with pytest.raises(ValueError, match="every hour or finer"):
        cost(times_of(DAYTIME, rest="Low"), days, np.ones(7), DAY, BERLIN)


def test_blocks_begin_anew_with_each_month_with_each_billing_month_or_with_each_day() -> None:
    blocks = (("100", "0.2"), (None, "0.4"))
    winter = hours("2026-01-01", 59, step=DAY, zone=UTC_ZONE)
    ten = np.full(59, 10.0)
    assert [e.kwh for e in cost(tiered(*blocks), winter, ten, DAY, UTC_ZONE).levels] == [200, 390]
    billed = cost(tiered(*blocks, starts=15), winter, ten, DAY, UTC_ZONE)
    assert [e.kwh for e in billed.levels] == [300, 290]
    assert [month.energy for month in billed.months] == [84, 92]
    daily = cost(tiered(("4", "0.2"), (None, "0.4"), per="day"), winter, ten, DAY, UTC_ZONE)
    assert [e.kwh for e in daily.levels] == [236, 354]


def test_what_is_fed_in_earns_its_own_price_without_tax_and_fills_no_block() -> None:
    sunny = np.array([2.0, -3.0, 1.0])
    rates = tiered(("2", "0.5"), (None, "1"), feed_in="0.1", tax="10")
    found = cost(rates, hours("2026-06-01", 3), sunny, HOUR, BERLIN)
    assert (found.energy, found.tax, found.fed_in, found.total) == tuple(
        Decimal(each) for each in ("2", "0.2", "0.3", "1.9")
    )
    assert (found.levels[-1].name, found.levels[-1].kwh, found.levels[-1].amount) == (
        "Fed in",
        Decimal(-3),
        Decimal("-0.3"),
    )
    assert cost(flat("1"), hours("2026-06-01", 3), sunny, HOUR, BERLIN).total == 3


def test_holidays_take_the_prices_that_the_tariff_gives_them() -> None:
    friday = frozenset({date(2026, 5, 1)})
    week = times_of(DAYTIME, rest="Low", holidays="sunday")
    assert cost(week, hours("2026-05-01", 24), np.ones(24), HOUR, BERLIN, friday).levels[0].kwh == 0
    assert cost(week, hours("2026-05-01", 24), np.ones(24), HOUR, BERLIN).levels[0].kwh == 15
    own = times_of({"level": "Low", "days": ["holiday"]}, rest="Peak", holidays="own")
    assert cost(own, hours("2026-05-01", 48), np.ones(48), HOUR, BERLIN, friday).levels[1].kwh == 24


def test_one_more_kilowatt_hour_costs_what_the_block_costs_that_has_been_reached() -> None:
    rates = tiered(("2", "0.2"), (None, "0.4"), tax="50")
    at = hours("2026-01-01", 4)
    assert price_at(rates, at, BERLIN, kwh=np.ones(4)).round(6).tolist() == [0.3, 0.6, 0.6, 0.6]
    assert price_at(rates, at, BERLIN).round(6).tolist() == [0.3] * 4


def test_a_month_as_one_step_costs_what_its_days_cost() -> None:
    starts = np.array([datetime(2026, m, 1, tzinfo=UTC).timestamp() for m in (1, 2, 3)], dtype=np.int64)
    rates = tiered(("100", "0.2"), (None, "0.4"), standing="0.5")
    found = cost(rates, starts, np.array([310.0, 280.0, 310.0]), 2_629_800, UTC_ZONE)
    assert [month.days for month in found.months] == [31, 28, 31]
    days = np.arange(int(starts[0]), int(datetime(2026, 4, 1, tzinfo=UTC).timestamp()), DAY)
    assert found == cost(rates, days, np.full(90, 10.0), DAY, UTC_ZONE)


@pytest.mark.parametrize("bad", [np.array([1.0, np.nan]), np.array([1.0, np.inf]), np.array([1e13, 1.0])])
def test_no_amount_and_too_large_an_amount_are_refused(bad: Any) -> None:
    with pytest.raises(ValueError, match="energy"):
        cost(flat(), hours("2026-01-01", 2), bad, HOUR, BERLIN)


def test_nothing_costs_nothing() -> None:
    nothing = cost(flat(standing="1"), np.array([], dtype=np.int64), np.array([]), HOUR, BERLIN)
    assert (int(nothing.total), len(nothing.months)) == (0, 0)


def test_a_year_of_quarters_of_an_hour_is_priced_at_once() -> None:
    quarters, used = hours("2025-01-01", 35_040, step=900), np.full(35_040, 0.1)
    rates = times_of(DAYTIME, rest="Low")
    cost(rates, quarters, used, 900, BERLIN)
    start = time.process_time()
    cost(rates, quarters, used, 900, BERLIN)
    assert time.process_time() - start < 0.5


RATES = (
    flat("0.312345", standing="0.123", tax="7.7"),
    times_of(DAYTIME, rest="Low", standing="0.4", tax="19", peak="0.333333"),
    tiered(("20", "0.21"), ("40.5", "0.3"), (None, "0.2"), tax="5"),
    tiered(("1", "0.21"), (None, "0.2"), per="day", feed_in="0.08"),
)
energies = st.lists(st.integers(-2_000, 9_000), min_size=48, max_size=48)


@settings(max_examples=25, deadline=None)
@given(energies, st.sampled_from(RATES))
def test_months_days_and_levels_add_up_to_the_whole_exactly(milli: list[int], rates: Rates) -> None:
    used = np.tile(np.array(milli) / 1000, 40)
    whole = cost(rates, hours("2026-01-01", len(used)), used, HOUR, BERLIN)
    january = 31 * 24
    parts = [(0, january), (january, january + 28 * 24), (january + 28 * 24, len(used))]
    each = [cost(rates, hours("2026-01-01", len(used))[a:b], used[a:b], HOUR, BERLIN) for a, b in parts]
    assert sum(part.total for part in each) == whole.total == sum(month.total for month in whole.months)
    assert sum(level.amount for level in whole.levels) == whole.energy - whole.fed_in
    assert whole.total == whole.energy + whole.standing + whole.tax - whole.fed_in


@settings(max_examples=25, deadline=None)
@given(energies, st.decimals(0, 2, places=4))
def test_times_of_use_with_one_price_and_blocks_with_one_price_cost_what_a_flat_tariff_costs(
    milli: list[int], price: Decimal
) -> None:
    used, at = np.array(milli) / 1000, hours("2026-03-28", 48)
    text = str(price)

    def total(rates: Rates) -> Decimal:
        return cost(rates, at, used, HOUR, BERLIN).energy

    wanted = total(flat(text))
    assert abs(total(times_of(DAYTIME, rest="Low", peak=text, low=text)) - wanted) <= Decimal("0.0002")
    assert abs(total(tiered(("10", text), (None, text))) - wanted) <= Decimal("0.0002")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9_000), min_size=2, max_size=60), st.lists(st.integers(0, 500), min_size=1, max_size=4))
def test_more_energy_never_costs_less_in_blocks(milli: list[int], prices: list[int]) -> None:
    bounds: list[str | None] = [str(5 * (at + 1)) for at in range(len(prices) - 1)]
    rates = tiered(*zip([*bounds, None], [str(Decimal(each) / 1000) for each in prices], strict=True))

    def at_most(top: int) -> Cost:
        return cost(rates, hours("2026-01-01", len(milli)), np.minimum(milli, top) / 1000, HOUR, BERLIN)

    assert all(less.total <= more.total for less, more in pairwise(at_most(top) for top in (0, 1_000, 5_000, 9_000)))
