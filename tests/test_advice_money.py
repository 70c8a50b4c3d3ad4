"""Advice in money: tariffs compared on the same readings, break-even, hours worth moving, what cannot be told."""

import json
from decimal import Decimal

import numpy as np
import pytest

from tasks.energy.advice.advise import advise
from tasks.energy.advice.told import Advice
from tasks.metering.tariffs import TariffFacts
from tests.used import DAY, FLAT, NIGHT, found, heated, household, kinds, usage, weather


def test_a_tip_has_energy_without_money_where_there_is_no_tariff_and_that_is_said() -> None:
    advice = advise(usage(household()))
    assert found(advice, "base load").kwh == pytest.approx(175.2)
    assert found(advice, "base load").money is None
    assert any("has no tariff" in text for text in advice.missing)


def test_where_much_was_not_measured_no_tariffs_are_compared() -> None:
    kwh, hidden = household(), np.zeros(24 * 400, bool)
    hidden[24 * 100 : 24 * 160] = True
    advice = advise(usage(kwh, filled=hidden), tariff=FLAT, tariffs=[NIGHT])
    assert advice.tariffs == []
    assert any("16 % of the steps were not measured" in text for text in advice.missing)
    assert all(tip.money is None for tip in advice.tips)
    assert advice.period.per == "365 days"


def test_days_allow_less_than_hours_and_months_nothing() -> None:
    days = advise(usage(household().reshape(-1, 24).sum(axis=1), DAY), tariff=FLAT, tariffs=[NIGHT])
    assert (days.base, days.peaks, days.profile) == (None, None, None)
    assert any("base load needs readings of every hour" in text for text in days.missing)
    night = next(each for each in days.tariffs if each.id == "night")
    assert (night.total, "every hour or finer" in night.note) == (None, True)
    assert "months" in advise(usage(np.ones(24), 2_629_800)).missing[0]


def test_a_cheaper_tariff_is_named_with_the_difference_of_the_same_year() -> None:
    advice = advise(usage(household()), tariff=NIGHT, tariffs=[FLAT, NIGHT])
    tip, (best, now) = found(advice, "tariff"), advice.tariffs
    assert (best.id, now.id, now.current) == ("flat", "night", True)
    assert Decimal(str(tip.money)) == Decimal(str(now.total)) - Decimal(str(best.total))
    assert tip.kwh is None
    assert best.total_text in tip.how
    assert now.total_text in tip.how


def test_a_dearer_tariff_says_how_much_would_have_to_move_until_it_breaks_even() -> None:
    kwh = household()
    night = next(each for each in advise(usage(kwh), tariff=FLAT, tariffs=[NIGHT]).tariffs if each.id == "night")
    assert night.difference_text.endswith("dearer")
    share = float(night.note.rpartition("day: ")[2].partition(" %")[0]) / 100
    year = kwh[-24 * 365 :]
    hour = np.arange(len(year)) % 24
    movable = np.maximum(year - 0.2, 0)[(hour >= 6) & (hour < 22)].sum()
    assert share * movable * 0.2 == pytest.approx(float(str(night.difference)), rel=0.03)


def test_moving_a_tenth_to_cheap_hours_saves_the_difference_of_the_prices() -> None:
    kwh = household()
    tip = found(advise(usage(kwh), tariff=NIGHT, tariffs=[]), "shift")
    year = kwh[-24 * 365 :]
    hour = np.arange(len(year)) % 24
    moved = 0.1 * np.maximum(year - 0.2, 0)[(hour >= 6) & (hour < 22)].sum()
    assert float(str(tip.money)) == pytest.approx(moved * 0.2, abs=0.02)
    assert "shift" not in kinds(advise(usage(kwh), tariff=FLAT))


def test_tariffs_of_other_currencies_and_with_holes_are_listed_with_the_reason() -> None:
    dollars = TariffFacts("usd", "Abroad", "USD", FLAT.rates)
    holes = TariffFacts("holes", "Half", "EUR", NIGHT.rates.model_copy(update={"rest": None}))
    listed = {each.id: each for each in advise(usage(household()), tariff=FLAT, tariffs=[dollars, holes]).tariffs}
    assert listed["usd"].note == "It is in another currency."
    assert (listed["holes"].total, "has no price" in listed["holes"].note) == (None, True)
    broken = advise(usage(household()), tariff=holes)
    assert any("“Half” cannot be reckoned" in text for text in broken.missing)
    assert found(broken, "base load").money is None


def test_tips_stand_in_the_order_of_their_money_and_are_json() -> None:
    degrees = weather(760)
    advice = advise(usage(heated(degrees)), tariff=NIGHT, tariffs=[FLAT, NIGHT], temperature=degrees)
    amounts = [Decimal(str(tip.money)) for tip in advice.tips]
    assert len(amounts) >= 3
    assert amounts == sorted(amounts, reverse=True)
    told = json.loads(json.dumps(advice.model_dump(mode="json"), allow_nan=False))
    assert Advice.model_validate(told) == advice
    assert all(tip["how"] and tip["sure"] and tip["per"] for tip in told["tips"])
    assert len(json.dumps(told)) < 30_000
