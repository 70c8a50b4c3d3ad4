"""Advice on electricity: every tip has its energy, its money and its reckoning; without readings nothing is said."""

import csv
import json
import os
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.energy.advice import words
from tasks.energy.advice.advise import advise
from tasks.metering.usage import Usage
from tests.used import FLAT, NIGHT, found, heated, household, kinds, office, usage, weather

SHARED = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[2] / "shared")) / "data"
VICTORIA = SHARED / "energy" / "vic_electricity" / "vic_electricity.csv"
ABSENT = "needs the data beside the repository: ../shared/data/energy/vic_electricity (or NIGHTSHIFT_SHARED)"


def test_the_base_load_is_what_nine_tenths_of_the_night_hours_exceed_and_each_watt_has_its_price() -> None:
    advice = advise(usage(household()), tariff=FLAT)
    assert advice.base
    assert advice.base.watts == pytest.approx(200)
    assert advice.base.kwh == pytest.approx(0.2 * 8760)
    tip = found(advice, "base load")
    assert tip.title == "Each 20 W less of what runs all night and day"
    assert tip.kwh == pytest.approx(175.2)
    assert (tip.money, tip.per) == ("52.56", "a year")
    assert "200 W run at all hours" in tip.how
    assert tip.money_text == "€52.56"


def test_a_month_with_a_lower_base_load_shows_what_is_possible() -> None:
    kwh = household()
    march = (np.arange(len(kwh)) >= 24 * 60) & (np.arange(len(kwh)) < 24 * 91)
    advice = advise(usage(np.where(march, kwh - 0.1, kwh)), tariff=FLAT, temperature=weather(400))
    tip = found(advice, "quiet month")
    assert "March in all months: 100 W, not 200 W" in tip.title
    assert tip.kwh == pytest.approx(0.1 * 24 * (365 - 31), rel=0.01)


def test_a_month_that_is_low_by_chance_or_by_the_season_shows_nothing() -> None:
    chance = np.random.default_rng(4).gamma(1.0, 0.3, 24 * 400)
    degrees = weather(400)
    assert "quiet month" not in kinds(advise(usage(chance), temperature=degrees))
    for known in (None, degrees):
        assert "quiet month" not in kinds(advise(usage(heated(degrees)), temperature=known))


def test_the_highest_load_and_the_busiest_hours_are_told_from_what_was_measured_alone() -> None:
    kwh = household()
    kwh[24 * 200 + 19] = 9.0
    kwh[24 * 300 + 3] = 50.0
    hidden = np.zeros(len(kwh), bool)
    hidden[24 * 300 + 3] = True
    advice = advise(usage(kwh, filled=hidden))
    assert advice.peaks
    assert (advice.peaks.kw, advice.peaks.at) == (9.0, "2024-07-19T19:00:00+00:00")
    assert advice.peaks.busiest in {(18, 21), (19, 22)}
    assert advice.peaks.load_factor < 0.1


def test_the_profile_holds_medians_by_weekday_hour_and_season() -> None:
    profile = advise(usage(office())).profile
    assert profile
    assert [len(profile.week), len(profile.week[0]), len(profile.seasons)] == [7, 24, 4]
    assert (profile.week[0][12], profile.week[6][12], profile.week[6][2]) == (10.0, 3.0, 2.0)
    assert profile.seasons[2].workdays[12] == 10.0
    assert "% less than one of a working day" in profile.text


def test_a_place_of_work_hears_what_runs_while_it_is_closed_and_a_household_does_not() -> None:
    advice = advise(usage(office()), tariff=FLAT)
    tip = found(advice, "weekends")
    assert tip.title == "Weekends and public holidays at the base load: 2 kW, not 2.94 kW"
    assert tip.kwh == pytest.approx(52 * (45 + 0), rel=0.05)
    assert "nights" in kinds(advice)
    assert not kinds(advise(usage(household()), tariff=FLAT)) & {"weekends", "nights"}


@pytest.mark.parametrize("count", [0, 1, 3, 24 * 27])
def test_too_few_readings_give_no_tip_but_what_is_missing(count: int) -> None:
    advice = advise(usage(household()[:count]), tariff=FLAT, tariffs=[FLAT, NIGHT])
    assert (advice.tips, advice.tariffs, advice.base) == ([], [], None)
    assert "Advice needs 28 measured days" in advice.missing[0]


def test_half_a_year_is_never_told_as_a_year() -> None:
    advice = advise(usage(household(181)), tariff=FLAT, tariffs=[NIGHT])
    assert advice.period.per == "181 days"
    assert {tip.per for tip in advice.tips} == {"181 days"}
    assert found(advice, "base load").kwh == pytest.approx(0.02 * 24 * 181)
    assert any("not scaled up to a year" in text for text in advice.missing)
    assert "a year" not in json.dumps([tip.model_dump() for tip in advice.tips])
    assert any("measured in both years; there are 0" in text for text in advice.missing)


def test_a_year_of_zeros_has_nothing_to_save() -> None:
    advice = advise(usage(np.zeros(24 * 365)), tariff=FLAT, tariffs=[NIGHT])
    assert (advice.tips, len(advice.missing)) == ([], 1)
    assert advice.missing[0].startswith("Nothing was used in 365 days")


def test_a_meter_that_feeds_in_gets_no_advice_on_use() -> None:
    advice = advise(usage(household() - 3.0), tariff=FLAT)
    assert advice.tips == []
    assert "More was fed in than used" in advice.missing[0]


def test_with_some_own_generation_no_tip_comes_of_the_weather_or_of_last_year() -> None:
    hour = np.arange(24 * 760) % 24
    degrees = weather(760)
    kwh = heated(degrees) - 1.2 * ((hour > 10) & (hour < 15))
    kwh[24 * 395 :] *= 1.3
    advice = advise(usage(kwh), tariff=FLAT, temperature=degrees)
    assert not kinds(advice) & {"more", "heating", "rising", "shift"}
    assert any("own generation" in text for text in advice.missing)


def test_a_constant_use_is_base_load_alone() -> None:
    advice = advise(usage(np.ones(24 * 400)), tariff=FLAT, tariffs=[NIGHT], temperature=weather(400))
    assert advice.base
    assert advice.base.share == 1.0
    assert kinds(advice) <= {"base load", "tariff"}
    assert advice.weather
    assert advice.weather.kind == "mean"


def test_nothing_measured_gives_no_advice() -> None:
    everywhere = np.ones(24 * 400, bool)
    advice = advise(usage(household(), filled=everywhere), tariff=FLAT, tariffs=[NIGHT])
    assert (advice.tips, advice.tariffs) == ([], [])
    assert "there are 0" in advice.missing[0]


def test_a_milder_year_is_no_saving_and_a_changed_habit_is_one() -> None:
    degrees = weather(760)
    degrees[24 * 380 :] += 2.0
    same = advise(usage(heated(degrees)), tariff=FLAT, temperature=degrees).last_year
    assert same
    assert (same.corrected, (same.percent or 0) < -10) == (True, True)
    assert abs(same.rest or 0) <= (same.margin or 0)
    assert "nothing has changed for certain" in same.text
    more = heated(degrees)
    more[24 * 396 :] *= 1.2
    advice = advise(usage(more), tariff=FLAT, temperature=degrees)
    tip = found(advice, "more")
    assert tip.kwh == pytest.approx(more[24 * 396 :].sum() / 6, rel=0.03)
    assert float(str(tip.money)) == pytest.approx(0.3 * (tip.kwh or 0), rel=0.02)
    assert "52 weeks apart" in tip.how
    assert "rising" not in kinds(advice)


def test_without_temperatures_the_comparison_says_that_it_is_not_corrected_and_gives_no_tip() -> None:
    advice = advise(usage(heated(weather(760))), tariff=FLAT)
    assert advice.last_year
    assert (advice.last_year.corrected, "not corrected for the weather" in advice.last_year.text) == (False, True)
    assert "more" not in kinds(advice)
    assert any("Nothing is known of the weather" in text for text in advice.missing)


def test_only_days_that_were_measured_in_both_years_are_compared() -> None:
    kwh = household(760)
    hidden = np.zeros(len(kwh), bool)
    hidden[24 * 40 : 24 * 240] = True
    kwh[24 * 40 : 24 * 240] = 99.0
    compared = advise(usage(kwh, filled=hidden)).last_year
    assert compared
    assert (compared.days, abs(compared.percent or 9) < 2) == (165, True)


def test_one_degree_less_saves_the_slope_on_every_day_with_heating() -> None:
    degrees = weather(400)
    advice = advise(usage(heated(degrees)), tariff=FLAT, temperature=degrees)
    assert advice.weather
    assert advice.weather.heating == pytest.approx(2.4, rel=0.05)
    assert advice.weather.heats_below == pytest.approx(15, abs=1)
    tip = found(advice, "heating")
    year = degrees[-24 * 365 :: 24]
    assert tip.kwh == pytest.approx(2.4 * np.clip(15 - year, 0, 1).sum(), rel=0.05)
    assert "cooling" not in kinds(advice)


def test_use_that_creeps_up_under_the_weather_is_found_and_chance_is_not() -> None:
    degrees = weather(365)
    steady = heated(degrees)
    assert "rising" not in kinds(advise(usage(steady), tariff=FLAT, temperature=degrees))
    creeping = steady + np.linspace(0, 0.3, len(steady))
    tip = found(advise(usage(creeping), tariff=FLAT, temperature=degrees), "rising")
    assert tip.kwh == pytest.approx(0.15 * len(steady), rel=0.15)


def test_figures_are_said_in_the_size_that_they_have() -> None:
    assert [words.energy(each) for each in (0.0412, 412, 12_345, 80.8e9)] == [
        "0.0412 kWh", "412 kWh", "12.3 MWh", "80.8 TWh",
    ]  # fmt: skip
    assert [words.power(each) for each in (3.21, 312, 4210, 6.54e9)] == ["3.21 W", "312 W", "4.21 kW", "6.54 GW"]
    assert [words.nice(each) for each in (31, 20, 9.9, 0.7, 1000)] == [20, 20, 5, 0.5, 1000]


@cache
def victoria() -> dict[str, Any]:
    with VICTORIA.open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    times = np.array([int(datetime.fromisoformat(row["Time"]).timestamp()) for row in rows], dtype=np.int64)
    kwh = np.array([float(row["Demand"]) for row in rows]) * 1000
    free = frozenset(date.fromisoformat(row["Date"]) for row in rows if row["Holiday"] == "TRUE")
    degrees = np.array([float(row["Temperature"]) for row in rows])
    used = Usage(times, kwh, np.zeros(len(times), bool), 1800, "Australia/Melbourne")
    return {"usage": used, "temperature": degrees, "holidays": free}


@pytest.mark.skipif(not VICTORIA.exists(), reason=ABSENT)
def test_victorias_2014_was_milder_than_2013_and_otherwise_the_same() -> None:
    known = victoria()
    advice = advise(known["usage"], temperature=known["temperature"], holidays=known["holidays"])
    assert (advice.period.first, advice.period.last, advice.period.per) == ("2014-01-01", "2014-12-31", "a year")
    compared, response = advice.last_year, advice.weather
    assert compared
    assert response
    assert (compared.days, compared.corrected) == (365, True)
    assert compared.percent == pytest.approx(-0.86, abs=0.02)
    assert compared.weather is not None
    assert compared.weather < -4e8
    assert abs(compared.rest or 0) < (compared.margin or 0)
    assert response.kind == "heating and cooling"
    assert 14 <= (response.heats_below or 0) <= 18
    assert response.r2 > 0.7
    assert advice.peaks
    assert advice.peaks.at.startswith("2014-01-16T17:00:00")
