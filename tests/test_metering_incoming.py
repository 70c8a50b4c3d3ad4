"""What programs send as readings: every usual way to write a time and a value is read, all others are told apart."""

from decimal import Decimal
from typing import Any

import pytest

from tasks.metering.incoming import NoJson, batch, energy, isoformat, moment, parse, told

NOW = 1_790_000_000  # 2026-09-21T14:13:20Z
AT = 1_700_000_000  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("given", "unit", "value"),
    [
        (12.345, "kWh", 12_345_000),
        ("12.345", "kWh", 12_345_000),
        (Decimal("0.1234565"), "kWh", 123_456),
        (-3, "Wh", -3000),
        (1e3, "Wh", 1_000_000),
        ("0", "MWh", 0),
        (Decimal("1e-400"), "kWh", 0),
        (0.1 + 0.2, "kWh", 300_000),
    ],
)
def test_values_are_whole_milliwatt_hours(given: Any, unit: str, value: int) -> None:
    assert energy(given, unit) == value


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "Give a value"),
        ("", "Give a value"),
        ("unavailable", "“unavailable” is no number"),
        ("1,5", "is no number"),
        ("1_000", "is no number"),
        ("٣", "is no number"),
        (True, "is no number"),
        ({}, "is no number"),
        (float("nan"), "NaN"),
        (float("inf"), "infinite"),
        ("-Infinity", "infinite"),
        (Decimal("1e400"), "more than 1 TWh"),
        ("1e999999", "more than 1 TWh"),
        (10**4000, "more than 1 TWh"),
        (10**9 + 1, "more than 1 TWh"),
        ("1" * 1000, "is no number"),
    ],
)
def test_what_is_no_value_is_refused_in_a_sentence(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        energy(given, "kWh")


@pytest.mark.parametrize(
    "given",
    [
        AT, float(AT) + 0.7, str(AT), AT * 1000, f"{AT}.5", Decimal(AT), "2023-11-14T22:13:20Z",
        "2023-11-14T23:13:20+01:00", "2023-11-14 22:13:20.999+00:00", "20231114T221320Z",
    ],
)  # fmt: skip
def test_times_are_read_as_programs_write_them(given: Any) -> None:
    assert moment(given, now=NOW) == AT


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "Give its time"),
        ("yesterday", "“yesterday” is no time"),
        ("2023-11-14T22:13:20", "says no time zone"),
        ("2023-13-14T22:13:20Z", "is no time"),
        ("20231114", "says no time zone"),
        ("12", "is no time"),
        (True, "is no time"),
        ([], "is no time"),
        (float("nan"), "is no time"),
        (5, "before 1990"),
        (-1e300, "before 1990"),
        ("1989-12-31T23:59:59Z", "before 1990"),
        (NOW + 3 * 86_400, "two days ahead"),
        (10**30, "two days ahead"),
        (Decimal("1e999"), "two days ahead"),
        ("9999-12-31T23:59:59Z", "two days ahead"),
        ("0001-01-01T00:00:00+23:00", "before 1990"),
    ],
)
def test_what_is_no_time_is_refused_in_a_sentence(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        moment(given, now=NOW)


def test_a_time_without_a_zone_is_read_by_the_meters_clock_where_that_is_asked_for() -> None:
    assert moment("2023-11-14T23:13:20", now=NOW, zone="Europe/Berlin") == AT
    assert moment("2023-11-14T22:13:20Z", now=NOW, zone="Europe/Berlin") == AT
    with pytest.raises(ValueError, match="does not exist by the clock of Europe/Berlin"):
        moment("2024-03-31T02:30:00", now=NOW, zone="Europe/Berlin")
    with pytest.raises(ValueError, match="is no time"):
        moment("0001-01-01T00:00:00", now=NOW, zone="Europe/Berlin")


def test_the_hour_that_comes_twice_is_told_by_the_order_of_the_batch() -> None:
    clock = ["01:00", "02:00", "02:30", "02:00", "02:30", "03:00"]
    entries = [{"time": f"2023-10-29T{each}", "value": number} for number, each in enumerate(clock)]
    found = batch(entries, unit="kWh", now=NOW, zone="Europe/Berlin")
    assert not found.wrong
    start = int(found.readings.times[0])
    assert (found.readings.times - start).tolist() == [0, 3600, 5400, 7200, 9000, 10_800]


def test_a_batch_is_put_in_order_and_tells_each_entry_that_is_wrong() -> None:
    good = [{"time": AT + 60, "value": 2}, [AT, "1"], {"time": AT, "value": 1.0}]
    found = batch(good, unit="kWh", now=NOW)
    assert found.readings.times.tolist() == [AT, AT + 60]
    assert found.readings.values.tolist() == [10**6, 2 * 10**6]
    assert (found.wrong, found.repeated) == ({}, 1)
    bad = batch([*good, 5, {"time": AT, "value": 9}, {"at": 1}, {"time": AT}, [1, 2, 3]], unit="kWh", now=NOW)
    assert sorted(bad.wrong) == [3, 4, 5, 6, 7]
    assert "Another value for this time" in bad.wrong[4]
    assert "no field “at”" in bad.wrong[5]


def test_an_entry_without_a_time_is_of_now_where_that_makes_sense() -> None:
    assert batch([{"value": 1}], unit="kWh", now=NOW, may_lack_time=True).readings.times.tolist() == [NOW]
    assert "Give its time" in batch([{"value": 1}], unit="kWh", now=NOW).wrong[0]


@pytest.mark.parametrize("text", ["{", "NaN", '{"a": Infinity}', "[" * 100_000, "9" * 5000, b"\xff\xfe"])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(NoJson):
        parse(text)


def test_decimals_stay_exact() -> None:
    assert parse("[0.1, 1e400, 3]") == [Decimal("0.1"), Decimal("1e400"), 3]
    assert told(energy(parse("123456789.123456"), "kWh"), "kWh") == "123456789.123456"
    assert (told(0, "kWh"), told(-1, "Wh"), told(10**9, "kWh")) == ("0", "-0.001", "1000")
    assert isoformat(AT) == "2023-11-14T22:13:20Z"
