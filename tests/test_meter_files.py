"""Meter files as real meters, grid operators and Home Assistant write them: what is read, and what is said about it."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.metering.files import Found, Hints, Parsed, Unreadable, parse

HOUR, DAY = 3600, 86_400
Given = dict[str, Any]


def read(folder: Path, text: str | bytes, **hints: Any) -> Parsed:
    path = folder / "House.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return parse(path, Hints(name="House", **hints))


def one(parsed: Parsed) -> Found:
    (series,) = parsed.series
    return series


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def told(parsed: Parsed) -> dict[str, Any]:
    """Oddities by their kind."""
    every = [*parsed.oddities, *(oddity for series in parsed.series for oddity in series.oddities)]
    return {oddity.kind: oddity for oddity in every}


def hours(count: int, value: Any = lambda at: at % 7 + 1, head: str = "time,kwh\n") -> str:
    lines = (f"2024-05-{1 + n // 24:02d}T{n % 24:02d}:00:00Z,{value(n)}\n" for n in range(count))
    return head + "".join(lines)


# What each file says: text, hints, times (UTC) and mWh of its first readings.
READ: dict[str, tuple[str, Given, list[str], list[int]]] = {
    "German, decimal commas": (
        "Zeitstempel;Verbrauch in kWh\n31.01.2024 00:15;0,253\n31.01.2024 00:30;1.000,5\n", {},
        ["2024-01-31T00:15", "2024-01-31T00:30"], [253_000, 1_000_500_000],
    ),
    "American, 12-hour clock in a column of its own": (
        "Date,Start Time,End Time,Usage (kWh)\n1/31/2024,12:00 AM,12:59 AM,0.5\n1/31/2024,12:00 PM,12:59 PM,0.7\n", {},
        ["2024-01-31T00:00", "2024-01-31T12:00"], [500_000, 700_000],
    ),
    "English, AM and PM in one column": (
        "Timestamp,kWh\n31/01/2024 01:00:00 PM,1\n31/01/2024 02:00:00 PM,2\n", {},
        ["2024-01-31T13:00", "2024-01-31T14:00"], [1_000_000, 2_000_000],
    ),
    "ISO with offsets": (
        "time,Wh\n2024-01-31T00:00:00+01:00,1500\n2024-01-31T01:00:00+0100,10\n", {},
        ["2024-01-30T23:00", "2024-01-31T00:00"], [1_500_000, 10_000],
    ),
    "seconds since 1970 and no header": (
        "1706659200,0.5\n1706662800,0.25\n1706666400,nan\n", {"unit": "kWh"},
        ["2024-01-31T00:00", "2024-01-31T01:00"], [500_000, 250_000],
    ),
    "milliseconds since 1970": (
        "ts,energy_wh\n1706659200000,500\n1706662800000,250\n", {},
        ["2024-01-31T00:00", "2024-01-31T01:00"], [500_000, 250_000],
    ),
    "day and time in two columns, 24:00": (
        "Datum;Uhrzeit;kWh\n31.01.2024;23:45;1,5\n31.01.2024;24:00;2,5\n", {"stamps": "start"},
        ["2024-01-31T23:45", "2024-02-01T00:00"], [1_500_000, 2_500_000],
    ),
    "from and to: the beginning counts": (
        "Von;Bis;kWh\n31.01.2024 00:00;31.01.2024 00:15;1,5\n31.01.2024 00:15;31.01.2024 00:30;2,5\n", {},
        ["2024-01-31T00:00", "2024-01-31T00:15"], [1_500_000, 2_500_000],
    ),
    "only the end: moved to the beginning": (
        "Ende;kWh\n31.01.2024 00:15;1,5\n31.01.2024 00:30;2,5\n31.01.2024 00:45;2,5\n", {},
        ["2024-01-31T00:00", "2024-01-31T00:15"], [1_500_000, 2_500_000],
    ),
    "days written together": (
        "date,kWh\n20240131,1.5\n20240201,2.5\n", {}, ["2024-01-31T00:00", "2024-02-01T00:00"], [1_500_000, 2_500_000],
    ),
    "names of months": (
        "Date,kWh\n31 Jan 2024 10:00,1.5\n31 Jan 2024 11:00,2.5\n", {},
        ["2024-01-31T10:00", "2024-01-31T11:00"], [1_500_000, 2_500_000],
    ),
    "local time of a zone": (
        "time,kWh\n2024-07-01 00:00,1.5\n2024-07-01 01:00,2.5\n", {"zone": "Europe/Berlin"},
        ["2024-06-30T22:00", "2024-06-30T23:00"], [1_500_000, 2_500_000],
    ),
    "local time without summer time": (
        "time,kWh\n2024-07-01 00:00,1.5\n2024-07-01 01:00,2.5\n", {"zone": "Europe/Berlin", "clock": "standard"},
        ["2024-06-30T23:00", "2024-07-01T00:00"], [1_500_000, 2_500_000],
    ),
    "a column that says UTC goes before local time": (
        "Local time,UTC time,kWh\n2024-07-01 02:00,2024-07-01 00:00,1.5\n2024-07-01 03:00,2024-07-01 01:00,2.5\n", {},
        ["2024-07-01T00:00", "2024-07-01T01:00"], [1_500_000, 2_500_000],
    ),
    "units behind the numbers": (
        "time,energy\n2024-01-31 00:00,500 Wh\n2024-01-31 01:00,0.6 kWh\n", {},
        ["2024-01-31T00:00", "2024-01-31T01:00"], [500_000, 600_000],
    ),
    "a column of units": (
        "time,value,unit\n2024-01-31 00:00,500,Wh\n2024-01-31 01:00,0.6,kWh\n2024-01-31 02:00,0.001,MWh\n", {},
        ["2024-01-31T00:00", "2024-01-31T01:00", "2024-01-31T02:00"], [500_000, 600_000, 1_000_000],
    ),
    "a line of units, and words above the table": (
        "Load profile of 2024\nCustomer;123\nTime;Energy;Price\n;kWh;EUR\n2024-01-31 00:00;0,5;0,1\n"
        "2024-01-31 01:00;0,6;0,1\n", {}, ["2024-01-31T00:00", "2024-01-31T01:00"], [500_000, 600_000],
    ),
    "mean power": (
        "Time,Power (W)\n" + "".join(f"2024-01-31 0{at // 4}:{at % 4 * 15:02d},400\n" for at in range(12)), {},
        ["2024-01-31T00:00", "2024-01-31T00:15"], [100_000, 100_000],
    ),
    "hours from 1 to 24": (
        "Date,Hour,kWh\n" + "".join(f"2024-01-31,{hour},{hour}\n" for hour in range(1, 25)), {},
        ["2024-01-31T00:00", "2024-01-31T01:00"], [1_000_000, 2_000_000],
    ),
    "UTF-16 with a mark, tabs": (
        "time\tkWh\n2024-01-31 00:00\t1.5\n2024-01-31 01:00\t2.5\n", {},
        ["2024-01-31T00:00", "2024-01-31T01:00"], [1_500_000, 2_500_000],
    ),
    "quotation marks and blanks": (
        '"time" , "kWh"\n"2024-01-31 00:00", "1.5"\n"2024-01-31 01:00", "2.5"\n', {},
        ["2024-01-31T00:00", "2024-01-31T01:00"], [1_500_000, 2_500_000],
    ),
    "letters for how sure a value is are no watts": (
        "Zeit;Wert (kWh);Status\n31.01.2024 00:15;1,5;W\n31.01.2024 00:30;2,5;E\n", {},
        ["2024-01-31T00:15", "2024-01-31T00:30"], [1_500_000, 2_500_000],
    ),
    "newest first": (
        "time,kWh\n2024-01-31 02:00,3\n2024-01-31 01:00,2\n2024-01-31 00:00,1\n", {},
        ["2024-01-31T00:00", "2024-01-31T01:00", "2024-01-31T02:00"], [1_000_000, 2_000_000, 3_000_000],
    ),
    "dates that follow one another in one order alone": (
        "date,kWh\n01/02/2024,1\n02/02/2024,2\n03/02/2024,3\n", {},
        ["2024-02-01T00:00", "2024-02-02T00:00"], [1_000_000, 2_000_000],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_file_of_this_shape_is_read(tmp_path: Path, name: str) -> None:
    text, hints, times, values = READ[name]
    found = one(read(tmp_path, text.encode("utf-16") if "UTF-16" in name else text, **hints))
    assert found.readings.times[: len(times)].tolist() == [at(each) for each in times]
    assert found.readings.values[: len(values)].tolist() == values


def test_a_line_per_day_with_a_column_per_time_is_read(tmp_path: Path) -> None:
    head = ",".join(f"{at // 2:02d}:{at % 2 * 30:02d}" for at in range(48))
    rows = "\n".join(f"2024-01-{day:02d}," + ",".join([str(day)] * 48) for day in (1, 2, 3))
    found = one(read(tmp_path, f"Date,{head}\n{rows}\n", unit="kWh"))
    assert (found.count, found.step, found.kind) == (144, 1800, "interval")
    assert found.readings.values[48] == 2_000_000


def test_a_column_per_meter_and_a_line_per_meter_are_several_series(tmp_path: Path) -> None:
    parsed = read(tmp_path, "Date;A [kWh];B [Wh]\n31.01.2024;1,5;1500\n01.02.2024;1,5;1600\n")
    assert [(each.name, each.unit, int(each.readings.values[0])) for each in parsed.series] == [
        ("A [kWh]", "kWh", 1_500_000), ("B [Wh]", "Wh", 1_500_000),
    ]  # fmt: skip
    text = "MPAN,Date,kWh\n1200012345678,31/01/2024,1\n1200099999999,31/01/2024,2\n1200012345678,01/02/2024,3\n"
    parsed = read(tmp_path, text)
    assert [(each.key, each.count) for each in parsed.series] == [("1200012345678", 2), ("1200099999999", 1)]


def test_temperatures_come_with_the_readings_and_fahrenheit_is_converted(tmp_path: Path) -> None:
    found = one(read(tmp_path, "Time,Energy (kWh),Temp (°F)\n2024-01-31 00:00,1,50\n2024-01-31 01:00,2,n/a\n"))
    assert found.temperature
    assert found.temperature.hundredths.tolist() == [1000]
    assert found.readings.values.tolist() == [1_000_000, 2_000_000]


def test_home_assistant_s_statistics_take_the_sum_and_leave_out_what_is_no_energy(tmp_path: Path) -> None:
    text = (
        "statistic_id,unit,start,min,max,mean,sum,state\n"
        "sensor.energy,kWh,2024-01-01T00:00:00+00:00,,,,1.5,100.5\n"
        "sensor.outside,°C,2024-01-01T00:00:00+00:00,1,2,1.5,,\n"
        "sensor.energy,kWh,2024-01-01T01:00:00+00:00,,,,2.5,0.3\n"
    )
    parsed = read(tmp_path, text)
    found = one(parsed)
    assert (found.key, found.kind, found.readings.values.tolist()) == (
        "sensor.energy",
        "counter",
        [1_500_000, 2_500_000],
    )
    assert told(parsed)["foreign unit"].lines == (3,)


def test_home_assistant_s_history_skips_what_was_unavailable(tmp_path: Path) -> None:
    text = (
        "entity_id,state,last_changed\nsensor.meter,1234.5,2024-01-01T00:00:10.123Z\n"
        "sensor.meter,unavailable,2024-01-01T00:30:10.123Z\nsensor.meter,1234.9,2024-01-01T01:00:10.123Z\n"
    )
    parsed = read(tmp_path, text, unit="kWh", kind="counter")
    assert one(parsed).readings.times.tolist() == [at("2024-01-01T00:00:10"), at("2024-01-01T01:00:10")]
    assert told(parsed)["empty"].lines == (3,)


def test_readings_finer_than_a_minute_are_added_up_or_the_last_counts(tmp_path: Path) -> None:
    lines = "".join(f"2024-05-01 00:{n // 6:02d}:{n % 6 * 10:02d},{{}}\n" for n in range(60))
    power = one(read(tmp_path, "time,Power (W)\n" + lines.format(*[360 + n % 2 for n in range(60)])))
    assert (power.step, power.readings.times.tolist()[:2]) == (60, [at("2024-05-01"), at("2024-05-01T00:01")])
    assert power.readings.values[0] == sum(round((360 + n % 2) / 360 * 1000) for n in range(6))
    counter = one(read(tmp_path, "time,kWh\n" + lines.format(*[5000 + n for n in range(60)])))
    assert counter.readings.values.tolist() == [(5005 + 6 * n) * 1_000_000 for n in range(10)]


def test_a_file_read_in_parts_is_the_same_as_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"2024-{1 + at // 672:02d}-{1 + at // 24 % 28:02d} {at % 24:02d}:00,{at % 9}\n" for at in range(3000)]
    rows[700:700] = rows[690:695]
    whole = read(tmp_path, "time,kWh\n" + "".join(rows), zone="Europe/Berlin")
    monkeypatch.setattr("tasks.metering.files.series.SLICE", 250)
    monkeypatch.setattr("tasks.metering.files.table.CELLS", 900)
    for text in ("".join(rows), "".join(reversed(rows))):
        parts = read(tmp_path, "time,kWh\n" + text, zone="Europe/Berlin")
        assert one(parts).readings.times.tolist() == one(whole).readings.times.tolist()
        assert one(parts).readings.values.tolist() == one(whole).readings.values.tolist()
        assert told(parts)["gap"].count == told(whole)["gap"].count or text != "".join(rows)


@pytest.mark.parametrize("cell", [" " * 40_000 + "x", "1" * 40_000, "9 " * 20_000 + ":", "1.1.1" * 8_000, "k" * 40_000])
def test_a_cell_of_any_length_costs_no_time(tmp_path: Path, cell: str) -> None:
    began = time.process_time()
    for text in (f'2024-05-02T00:00:00Z,"{cell}"\n', f'"{cell}",5\n', f'"{cell[:20_000]}","{cell[:20_000]}"\n'):
        read(tmp_path, hours(30) + text * 20)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,kWh\n", "a header and no line"),
        ("just words\nand more of them\n", "No columns were found"),
        ("name,city\nAda,London\nGrace,New York\n", "No line of this file holds a time and a number"),
        ("time,kwh\n2024-01-31 00:00,0,25\n2024-01-31 01:00,0,25\n", "commas stand between the columns and before"),
        ("time,kwh\n2024-01-31 00:00,\n2024-01-31 01:00,n/a\n", "Every value in this file is missing"),
        ("time,kwh\n2024-01-31 00:00,1\n\x00\x01\x02\n", "NUL"),
        ("<html><body>Sign in</body></html>", "This is a web page"),
        ("<feed><entry/></feed>", "no Green Button file"),
        ('{"a": [1, 2, 3]}', "no statistics of Home Assistant"),
        ("time,kwh\n" + "x" * 60_000, "signs"),
        ('time,kwh\n2024-01-31 00:00,1\n2024-01-31 00:00,"1\n' + "2024-01-31 01:00,1\n" * 200, "quotation mark"),
        ("time," + ",".join("abc" for _ in range(300)) + "\n2024-01-31," + "1," * 299 + "1\n", "columns"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_readings_is_refused_with_a_word_on_what_to_do(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(Unreadable, match=words):
        read(tmp_path, text)
