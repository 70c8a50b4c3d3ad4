"""What is odd in meter files: each kind is found, told by line, and dealt with by the rule that is named."""

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.metering.files import Unreadable, numbers, stamps, zones
from tests.test_meter_files import Given, at, hours, one, read, told

SHARED = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[2] / "shared")) / "data" / "energy"
ABSENT = "needs the data beside the repository: ../shared/data/energy (or NIGHTSHIFT_SHARED)"
NIGHT = "\n".join(f"2024-10-27 {text},{value}" for value, text in enumerate(
    ("01:30", "02:00", "02:30", "02:00", "02:30", "03:00"), 1))  # fmt: skip
PAIRED = "\n".join(f"2024-10-27 {text},{value}" for value, text in enumerate(
    ("01:30", "02:00", "02:00", "02:30", "02:30", "03:00"), 1))  # fmt: skip
BERLIN = {"zone": "Europe/Berlin"}
REST = hours(40).removeprefix("time,kwh\n")

# kind, file, hints, how often, first lines, what must be chosen, and words of the rule
ODD: list[tuple[str, str, Given, int, tuple[int, ...], str, str]] = [
    ("unit", hours(30, head="time,value\n"), {}, 1, (), "unit", "until you choose"),
    ("units", "time,value,unit\n2024-01-31 00:00,5,Wh\n2024-01-31 01:00,6,kWh\n", {}, 1, (), "", "by its own unit"),
    ("power", hours(30, head="time,Power (kW)\n"), {}, 1, (), "", "time from one reading"),
    ("turns", hours(72, lambda n: (n % 7 + 3) * (1000 if n // 10 % 2 else 1)), {}, 32, (12, 13), "turns", "divide"),
    ("turns", hours(72, lambda n: (n % 7 + 3) * (1000 if n % 2 else 1)), {}, 36, (3, 5), "turns", "divide"),
    ("turns", hours(72, lambda n: f"{(1000.5 + n * 0.4) * (1000 if n // 10 % 2 else 1):.1f}"), {}, 32, (12,), "turns",
     "divide"),
    ("turns", hours(72, lambda n: (n % 7 + 3) * (1000 if n // 10 % 2 else 1)), {"turns": "divide"}, 32, (12,), "",
     "as you chose"),
    ("local", "time,kwh\n2024-01-31 00:00,1\n2024-01-31 01:00,2\n", BERLIN, 2, (), "", "Europe/Berlin"),
    ("twice", "time,kwh\n" + NIGHT, BERLIN, 4, (3, 4, 5, 6), "", "second is not"),
    ("never", "time,kwh\n2024-03-31 01:30,1\n2024-03-31 02:30,2\n2024-03-31 03:00,3\n", BERLIN, 1, (3,), "clock",
     "Refused"),
    ("order", hours(5) + "2024-04-30T00:00:00Z,1\n", {}, 1, (7,), "", "Sorted"),
    ("newest first", "time,kwh\n" + "".join(reversed(REST.splitlines(keepends=True))), {}, 1, (), "", "Turned"),
    ("gap", hours(5) + "2024-05-01T09:00:00Z,1\n2024-05-01T10:00:00Z,1\n", {}, 1, (7,), "", "stay gaps"),
    ("same", hours(40) + "2024-05-01T03:00:00Z,4\n", {}, 1, (42,), "", "Left out"),
    ("different", hours(40) + "2024-05-01T03:00:00Z,9\n", {}, 1, (5, 42), "", "last one"),
    ("different", hours(40) + "2024-05-01T03:00:00Z,9\n", {"repeats": "first"}, 1, (5, 42), "", "as you chose"),
    ("different", hours(20) + hours(20, lambda n: 50 - n).removeprefix("time,kwh\n"), {}, 20, (2, 22), "repeats",
     "last one"),
    ("negative", hours(40, lambda n: n % 5 - 1), {}, 8, (2, 7), "", "Kept"),
    ("zeros", hours(40, lambda n: 0), {}, 1, (), "", "as they are"),
    ("constant", hours(40, lambda n: 4), {}, 1, (), "", "as they are"),
    ("few", hours(3), {}, 3, (), "", "too little"),
    ("kind", hours(3), {"unit": "kWh"}, 1, (), "meter_kind", "Choose"),
    ("large", hours(5) + "2024-05-01T05:00:00Z,2e9\n", {}, 1, (7,), "", "Refused"),
    ("reset", hours(60, lambda n: 500 + n if n < 40 else n - 40, "time,Zählerstand kWh\n"), {}, 1, (42,), "", "Kept"),
    ("rollover", hours(60, lambda n: (99960 + n) % 100000, "time,Zählerstand kWh\n"), {}, 1, (42,), "", "Kept"),
    ("irregular", "time,kwh\n2024-01-31 00:00,1\n2024-01-31 01:10,2\n2024-01-31 07:00,1\n2024-02-03 05:00,3\n", {}, 1,
     (), "", "own times"),
    ("header", hours(5) + hours(5).replace("05-01", "05-02"), {}, 1, (7,), "", "Left out"),
    ("total", hours(5) + "Summe,15\n", {}, 1, (7,), "", "Left out"),
    ("total", hours(5) + ",15\n", {}, 1, (7,), "", "Left out"),
    ("units line", hours(5) + "h,kWh\n" + "2024-05-01T05:00:00Z,1\n", {}, 1, (7,), "", "Left out"),
    ("comment", hours(5) + "# end of day,\n", {}, 1, (7,), "", "Left out"),
    ("time", hours(5) + "2024-02-30 00:00,1\n", {}, 1, (7,), "", "Refused"),
    ("width", hours(5) + "2024-05-01T05:00:00Z,1,5\n", {}, 1, (7,), "", "Refused"),
    ("number", hours(5) + "2024-05-01T05:00:00Z,abc\n", {}, 1, (7,), "", "Refused"),
    ("number", hours(5) + "2024-05-01T05:00:00Z,inf\n", {}, 1, (7,), "", "Refused"),
    ("number", hours(5) + "2024-05-01T05:00:00Z,1_000\n", {}, 1, (7,), "", "Refused"),
    ("empty", hours(5) + "2024-05-01T05:00:00Z,NaN\n2024-05-01T06:00:00Z,\n", {}, 2, (7, 8), "", "gap"),
    ("hot", "time,kwh,temperature\n2024-01-31 00:00,1,20\n2024-01-31 01:00,2,2000\n", {}, 1, (3,), "", "Left out"),
    ("24:00", "Datum;Zeit;kWh\n31.01.2024;23:45;1\n31.01.2024;24:00;2\n", {}, 1, (3,), "", "midnight"),
    ("ends", "Datum;Zeit;kWh\n31.01.2024;23:45;1\n31.01.2024;24:00;2\n", {}, 1, (), "stamps", "Choose"),
    ("ends", "Ende;kWh\n31.01.2024 00:15;1\n31.01.2024 00:30;2\n", {}, 1, (), "", "begins"),
    ("future", hours(5) + "2031-05-01T05:00:00Z,1\n", {"now": at("2026-01-01")}, 1, (7,), "", "Refused"),
    ("future", hours(5) + "1971-05-01T05:00:00Z,1\n", {}, 1, (7,), "", "Refused"),
    ("dates", "date,kwh\n01/02/2024,5\n03/04/2024,6\n", {}, 1, (), "dates", "before you choose"),
    ("dates", "date,kwh\n31/01/2024,5\n01/02/2024,6\n", {}, 1, (), "", "day, month, year"),
    ("other order", "date,kwh\n" + "".join(f"{day}/01/2024,1\n" for day in range(13, 20)) + "01/20/2024,5\n", {}, 1,
     (9,), "", "Refused"),
    ("decimal", "date;kwh\n2024-01-31;1.234\n2024-02-01;2.345\n", {}, 1, (), "decimal", "before you choose"),
    ("columns", "date,kwh,remark\n2024-01-31,1,words\n2024-02-01,2,more\n", {}, 1, (), "", "Left out"),
]  # fmt: skip


@pytest.mark.parametrize("case", ODD, ids=[f"{case[0]}-{number}" for number, case in enumerate(ODD)])
def test_an_oddity_is_told_by_line_with_its_rule(tmp_path: Path, case: tuple[Any, ...]) -> None:
    kind, text, hints, count, lines, asks, rule = case
    found = told(read(tmp_path, text, **hints))
    assert kind in found, sorted(found)
    oddity = found[kind]
    assert (oddity.count, oddity.lines[: len(lines)], oddity.asks) == (count, lines, asks)
    assert rule in oddity.rule
    assert oddity.text.endswith(".")


@pytest.mark.parametrize(
    ("text", "hints", "said"),
    [
        (hours(30, lambda n: 2 * 10**9 + n), {}, "Values of more than a terawatt-hour: 30."),
        (hours(30).replace("2024", "2031"), {"now": at("2026-01-01")}, "more than two days ahead, or from before 1990"),
    ],
    ids=["too large", "of the future"],
)
def test_a_file_of_which_nothing_is_left_says_the_true_reason(
    tmp_path: Path, text: str, hints: Given, said: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        read(tmp_path, text, **hints)
    assert said in str(refused.value)
    assert ": 0" not in str(refused.value)


def test_a_clean_file_has_nothing_odd(tmp_path: Path) -> None:
    parsed = read(tmp_path, hours(72))
    assert told(parsed) == {}
    assert one(parsed).refusals == ()


@pytest.mark.parametrize("text", [NIGHT, PAIRED])
def test_the_hour_that_comes_twice_is_told_apart_by_order(tmp_path: Path, text: str) -> None:
    found = one(read(tmp_path, "time,kwh\n" + text, **BERLIN)).readings
    assert np.diff(found.times).tolist() == [1800] * 5
    assert found.times[0] == at("2024-10-26T23:30")
    assert sorted(found.values.tolist()) == [each * 1_000_000 for each in range(1, 7)]


def test_an_hour_that_comes_twice_newest_first(tmp_path: Path) -> None:
    lines = "\n".join(reversed(NIGHT.splitlines()))
    found = one(read(tmp_path, "time,kwh\n" + lines, **BERLIN)).readings
    assert found.values.tolist() == [each * 1_000_000 for each in range(1, 7)]


def test_of_different_values_for_one_time_the_chosen_one_counts(tmp_path: Path) -> None:
    text = hours(40) + "2024-05-01T03:00:00Z,9\n"
    for rule, value in (("", 9), ("last", 9), ("first", 4), ("neither", None)):
        found = one(read(tmp_path, text, repeats=rule)).readings
        there = dict(zip(found.times.tolist(), found.values.tolist(), strict=True))
        assert there.get(at("2024-05-01T03:00")) == (value and value * 1_000_000)


def test_where_kwh_and_wh_come_by_turns_the_larger_are_divided_when_that_is_chosen(tmp_path: Path) -> None:
    text = hours(72, lambda n: (n % 7 + 3) * (1000 if n // 10 % 2 else 1))
    assert "kWh and Wh come by turns" in one(read(tmp_path, text)).refusals[0]
    found = one(read(tmp_path, text, turns="divide"))
    assert found.readings.values.tolist() == [(n % 7 + 3) * 1_000_000 for n in range(72)]
    assert found.refusals == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (hours(3), "3 of the 24 readings"), (hours(8760 // 24, lambda n: 0), "All values are zero"),
        (hours(100, lambda n: 5), "All values are the same"),
    ],
)  # fmt: skip
def test_what_cannot_be_forecast_on_says_why(tmp_path: Path, text: str, words: str) -> None:
    assert words in " ".join(one(read(tmp_path, text)).refusals)


def test_a_base_load_and_a_car_are_no_units_by_turns(tmp_path: Path) -> None:
    text = hours(200, lambda n: 7.2 + n % 3 if n % 24 in (1, 2, 3) else 0.08 + n % 5 / 100)
    assert "turns" not in told(read(tmp_path, text))


def daily(first: str, last: str, swap: Any) -> str:
    lines = []
    for day in range(at(first) // 86_400, at(last) // 86_400 + 1):
        written = np.datetime64(swapped(day) if swap(day) else day, "D").astype(object)
        lines.append(f"{written:%d-%m-%Y},{day * 7919 % 97 + 1}\n")
    return "date,kwh\n" + "".join(lines)


def swapped(day: int) -> int:
    from tasks.metering.files.swapped import changed

    return changed(day) or day


def test_days_and_months_swapped_in_a_part_of_the_file_are_found_and_refused(tmp_path: Path) -> None:
    """The second half of a year was written the other way round wherever that gives a day."""
    text = daily("2023-01-01", "2023-12-31", lambda day: day > at("2023-07-01") // 86_400)
    parsed = read(tmp_path, text)
    assert told(parsed)["swapped"].asks == "swapped"
    assert "the order of its dates is broken" in one(parsed).refusals[0]
    left = read(tmp_path, text, swapped="leave out")
    assert "swapped" not in left.asks
    assert one(left).count < 365
    assert told(left)["left out"].count > 50


def test_a_gap_of_a_week_is_no_swap(tmp_path: Path) -> None:
    lines = daily("2023-01-01", "2023-12-31", lambda day: False).splitlines(keepends=True)
    assert "swapped" not in told(read(tmp_path, "".join(lines[:100] + lines[107:])))


@pytest.mark.skipif(not SHARED.is_dir(), reason=ABSENT)
def test_the_published_india_file_is_refused_for_forecasting_with_its_reasons() -> None:
    from tasks.metering.files import Hints, parse

    parsed = parse(SHARED / "india_states" / "dataset_tk.csv", Hints(zone="Asia/Kolkata", unit="GWh"))
    assert len(parsed.series) == 33
    words = " ".join(parsed.series[0].refusals)
    for said in ("35 days are dated after 23 May 2020", "(lines 470 to 504)", "5 dates stand twice", "7 missing days",
                 "184, 185, 186, 187", "after 5 January 2020 comes 13 January 2020"):  # fmt: skip
        assert said in words, said
    assert parsed.asks == ("swapped",)
    rest = parse(
        SHARED / "india_states" / "dataset_tk.csv", Hints(zone="Asia/Kolkata", unit="GWh", swapped="leave out")
    )
    assert (rest.asks, rest.series[0].count, rest.series[0].refusals) == ((), 458, ()), "503 lines without 35 and 10"


@pytest.mark.skipif(not SHARED.is_dir(), reason=ABSENT)
def test_victoria_reads_without_a_question_but_for_its_unit() -> None:
    from tasks.metering.files import Hints, parse

    parsed = parse(SHARED / "vic_electricity" / "vic_electricity.csv", Hints(zone="Australia/Melbourne"))
    found = one(parsed)
    assert (found.count, found.step, found.kind, found.refusals) == (52_608, 1800, "interval", ())
    assert parsed.asks == ("unit",)
    assert found.temperature
    assert found.temperature.hundredths[:2].tolist() == [2140, 2105]


@given(st.decimals(-(10**6), 10**6, places=3), st.sampled_from([".", ","]), st.booleans())
def test_a_number_reads_back_as_it_was_written(value: Any, decimal: str, grouped: bool) -> None:
    text = f"{value:,.3f}" if grouped else f"{value:.3f}"
    if decimal == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    assert numbers.careful(text, decimal) == (float(value), "")
    fast = numbers.column([text], decimal)
    assert fast is None or fast == [float(value)]


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_numbers_and_times(text: str) -> None:
    with contextlib.suppress(numbers.NoNumber):
        numbers.careful(text, ".")
    stamps.Stamps("dmy").read([text])
    numbers.evidence(text)


@given(st.integers(at("1995-01-01"), at("2035-01-01")), st.sampled_from(["Europe/Berlin", "America/New_York",
       "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca", "UTC"]))  # fmt: skip
def test_a_local_time_reads_back_as_the_moment_it_was(moment: int, zone: str) -> None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    local = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    first, second, state = zones.utc_of(np.array([int(local.timestamp())]), zone)
    assert moment in (int(first[0]), int(second[0]))
    assert state[0] != zones.NEVER
