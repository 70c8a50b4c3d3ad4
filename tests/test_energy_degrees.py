"""People's calendar and the weather's share of a meter, on cases whose answers are known."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.energy.forecasting.calendar import (
    BRIDGE,
    HOLIDAY,
    countries,
    day_kinds,
    local_parts,
    public_holidays,
    regions,
)
from tasks.energy.forecasting.degrees import MIN_DAYS, fit


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def temperatures(days: int) -> NDArray[np.float64]:
    noise = np.random.default_rng(3).normal(0, 3, days)
    return np.asarray(15 + 9 * np.sin(np.arange(days) * 2 * np.pi / 365.25) + noise)


@pytest.mark.parametrize(
    "zone",
    ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca"],
)
def test_local_parts_agree_with_the_clock_of_every_zone_over_its_changes(zone: str) -> None:
    times = np.arange(at("2011-12-25"), at("2013-01-10"), 2700, dtype=np.int64)
    ordinals, hours, weekdays = local_parts(times, zone)
    for t, o, h, w in zip(times, ordinals, hours, weekdays, strict=True):
        clock = datetime.fromtimestamp(int(t), ZoneInfo(zone))
        assert (clock.toordinal(), clock.hour + clock.minute / 60, clock.weekday()) == (o, h, w)


def test_the_day_of_the_change_has_23_or_25_hours() -> None:
    times = np.arange(at("2026-01-01"), at("2026-12-31"), 3600, dtype=np.int64)
    ordinals, _, _ = local_parts(times, "Europe/Berlin")
    hours = {date.fromordinal(int(o)): int(n) for o, n in zip(*np.unique(ordinals, return_counts=True), strict=True)}
    assert (hours[date(2026, 3, 29)], hours[date(2026, 10, 25)], hours[date(2026, 7, 1)]) == (23, 25, 24)


def test_holidays_and_the_working_day_between_two_free_ones_are_kinds_of_their_own() -> None:
    days = [date(2026, 5, 13), date(2026, 5, 14), date(2026, 5, 15), date(2026, 5, 16), date(2026, 8, 15)]
    ordinals = np.array([d.toordinal() for d in days])
    free = public_holidays("DE", "BY", (2026,))
    kinds = day_kinds(ordinals, np.array([d.weekday() for d in days]), free)
    assert kinds.tolist() == [2, HOLIDAY, BRIDGE, 5, 5]  # Ascension Day; Assumption Day 2026 is a Saturday.


def test_holidays_are_those_of_the_region_and_an_unknown_place_is_said() -> None:
    assert date(2014, 11, 4) in public_holidays("AU", "VIC", (2014,))  # Melbourne Cup
    assert date(2014, 11, 4) not in public_holidays("AU", "NSW", (2014,))
    assert public_holidays("", "", (2014,)) == frozenset()
    assert "VIC" in regions("AU")
    assert regions("XX") == ()
    assert {"AU", "DE"} <= set(countries())
    for country, region in (("AU", "QQ"), ("XX", "")):
        with pytest.raises(ValueError, match="Choose another region"):
            public_holidays(country, region, (2014,))


@pytest.mark.parametrize(("heating", "cooling"), [(0.0, 0.0), (1.2, 0.0), (0.0, 0.9), (1.0, 0.7)])
def test_the_base_load_slopes_and_base_temperatures_that_made_the_days_are_found(
    heating: float, cooling: float
) -> None:
    temp = temperatures(730)
    made = 8 + heating * np.maximum(14 - temp, 0) + cooling * np.maximum(temp - 22, 0)
    measured = made + np.random.default_rng(1).normal(0, 0.5, 730)
    measured[100:110] = 60  # a fault of ten days
    measured[5] = np.nan
    found = fit(measured, temp)
    assert found.base == pytest.approx(8, abs=0.25)
    assert (found.heating, found.cooling) == pytest.approx((heating, cooling), abs=0.12)
    assert (found.heats_below is None, found.cools_above is None) == (heating == 0, cooling == 0)
    assert found.heats_below in (None, pytest.approx(14, abs=1.5))
    assert found.cools_above in (None, pytest.approx(22, abs=1.5))
    assert found.expected(temp).sum() == pytest.approx(made.sum(), rel=0.01)
    assert np.allclose(np.sum(found.parts(temp), axis=0), found.expected(temp))


def test_the_margin_of_a_year_holds_the_difference_that_chance_makes() -> None:
    held = 0
    temp = temperatures(730)
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(0, 1, 730)
        for i in range(1, 730):
            noise[i] += 0.5 * noise[i - 1]
        measured = 10 + np.maximum(15 - temp, 0) + noise
        found = fit(measured[:365], temp[:365])
        held += abs(float(np.sum(measured[365:] - found.expected(temp[365:])))) <= found.margin(365)
    assert held >= 34


def test_days_that_cannot_tell_are_refused_or_described_by_their_mean() -> None:
    with pytest.raises(ValueError, match=f"29 days have both energy and temperature; {MIN_DAYS} are needed"):
        fit(np.ones(29), np.arange(29.0))
    assert fit(np.zeros(60), temperatures(60)).kind == "mean"
    assert fit(np.arange(60.0), np.full(60, 20.0)).kind == "mean"
    saving = fit(50 - temperatures(365), temperatures(365))  # a meter behind solar panels falls with warmth
    assert saving.cooling == 0
