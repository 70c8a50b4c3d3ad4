"""Green Button XML and Home Assistant's JSON: several meters in one file, and files that mean harm."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.metering.files import Unreadable
from tests.test_meter_files import at, one, read, told

HEAD = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="http://naesb.org/espi">'
POINT = "/espi/1_1/resource/UsagePoint/"


def entry(own: str, body: str, *related: str, title: str = "", up: str = "") -> str:
    links = "".join(f'<link rel="related" href="{each}"/>' for each in related)
    links += f'<link rel="up" href="{up}"/>' if up else ""
    return f'<entry><link rel="self" href="{own}"/>{links}<title>{title}</title><content>{body}</content></entry>'


def typed(number: int, **said: int) -> str:
    fields = "".join(f"<espi:{name}>{value}</espi:{name}>" for name, value in said.items())
    return entry(f"/ReadingType/{number}", f"<espi:ReadingType>{fields}</espi:ReadingType>")


def block(meter: str, values: list[int], start: int, step: int = 3600, quality: str = "") -> str:
    told_of = f"<espi:ReadingQuality><espi:quality>{quality}</espi:quality></espi:ReadingQuality>" if quality else ""
    rows = "".join(
        f"<espi:IntervalReading>{told_of}<espi:timePeriod><espi:duration>{step}</espi:duration><espi:start>"
        f"{start + at * step}</espi:start></espi:timePeriod><espi:value>{value}</espi:value></espi:IntervalReading>"
        for at, value in enumerate(values)
    )
    up = f"{meter}/IntervalBlock"
    return entry(f"{up}/1", f"<espi:IntervalBlock>{rows}</espi:IntervalBlock>", up=up)


def meter(point: int, number: int, reading_type: int) -> tuple[str, str]:
    own = f"{POINT}{point}/MeterReading/{number}"
    return own, entry(own, "<espi:MeterReading/>", f"/ReadingType/{reading_type}")


def feed(*entries: str) -> str:
    return f"{HEAD}{''.join(entries)}</feed>"


def test_several_points_types_and_directions_are_several_series(tmp_path: Path) -> None:
    flat, flat_entry = meter(1, 1, 1)
    roof, roof_entry = meter(2, 1, 2)
    start = at("2024-01-31")
    text = feed(
        entry(f"{POINT}1", "<espi:UsagePoint/>", title="Flat"), entry(f"{POINT}2", "<espi:UsagePoint/>", title="Roof"),
        flat_entry, roof_entry, block(flat, [500, 250], start), block(roof, [5, 7], start),
        typed(1, uom=72, powerOfTenMultiplier=0), typed(2, uom=72, powerOfTenMultiplier=3, flowDirection=19),
    )  # fmt: skip
    parsed = read(tmp_path, text)
    found = {each.name: each.readings.values.tolist() for each in parsed.series}
    assert found == {"Flat 1": [500_000, 250_000], "Roof 2 (fed in)": [5_000_000, 7_000_000]}, "types stand at the end"
    assert parsed.series[0].readings.times[0] == start
    assert parsed.asks == ()


def test_power_counters_estimates_and_gas_are_told_apart(tmp_path: Path) -> None:
    start = at("2024-01-31")
    for said, kind, value in (
        ({"uom": 38}, "interval", 250_000), ({"uom": 72, "accumulationBehaviour": 3}, "counter", 1_000_000),
    ):  # fmt: skip
        own, own_entry = meter(1, 1, 1)
        text = feed(own_entry, typed(1, **said), block(own, [1000, 1000, 1000], start, 900, quality="8"))
        parsed = read(tmp_path, text)
        assert (one(parsed).kind, int(one(parsed).readings.values[0])) == (kind, value)
        assert told(parsed)["estimated"].count == 3
    own, own_entry = meter(1, 1, 1)
    with pytest.raises(Unreadable, match=r"no electricity in Wh or W: 3, in .*therms"):
        read(tmp_path, feed(own_entry, typed(1, uom=169), block(own, [1, 2, 3], start)))


def test_a_block_without_a_type_is_wh_and_readings_that_are_none_are_told(tmp_path: Path) -> None:
    text = feed(block(f"{POINT}1/MeterReading/1", [100, 200], at("2024-01-31")))
    broken = text.replace("<espi:value>200</espi:value>", "<espi:value>two</espi:value>")
    assert one(read(tmp_path, text)).readings.values.tolist() == [100_000, 200_000]
    parsed = read(tmp_path, broken)
    assert one(parsed).count == 1
    assert told(parsed)["number"].lines == (2,)


BILLION = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]>'
    + HEAD + "<entry><title>&lol2;</title></entry></feed>"
)  # fmt: skip
MANY = " ".join(f'a{number}="1"' for number in range(100))
OUTSIDE = f'<!DOCTYPE feed [<!ENTITY secret SYSTEM "file:///etc/passwd">]>{HEAD}<title>&secret;</title></feed>'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BILLION, "document type or entities"),
        (OUTSIDE, "document type or entities"),
        (f'<!DOCTYPE feed SYSTEM "http://example.org/x.dtd">{HEAD}</feed>', "document type or entities"),
        (f"{HEAD}<entry>&what;</entry></feed>", "damaged"),
        (HEAD + "<entry>" * 60, "nested more than 40 deep"),
        (HEAD + "<entry><content>" + "x" * 100_000, "far too long"),
        (f"{HEAD}<entry {MANY}/></feed>", "far too long"),
        (HEAD + "<entry></feed>", "damaged in line 1"),
        (feed(entry(f"{POINT}1", "<espi:UsagePoint/>")), "holds no readings: only UsagePoint"),
    ],
)  # fmt: skip
def test_xml_that_means_harm_or_holds_nothing_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read(tmp_path, text)


def statistics(**more: Any) -> dict[str, Any]:
    start = at("2024-01-31") * 1000
    rows = [{"start": start + 3_600_000 * n, "end": 0, "state": 5 + n, "sum": 100.5 + n} for n in range(30)]
    return {"sensor.energy": rows, **more}


def test_home_assistant_s_json_is_read_by_statistic_and_as_a_list(tmp_path: Path) -> None:
    parsed = read(tmp_path, json.dumps({"id": 1, "result": statistics(empty=[])}), unit="kWh")
    found = one(parsed)
    assert (found.key, found.kind, found.count, found.step) == ("sensor.energy", "counter", 30, 3600)
    assert found.readings.values[0] == 100_500_000
    rows = [
        {"statistic_id": "sensor.a", "unit_of_measurement": "Wh", "start": "2024-01-31T00:00:00+00:00", "change": 5},
        {"statistic_id": "sensor.t", "unit_of_measurement": "°C", "start": "2024-01-31T00:00:00+00:00", "mean": 5},
        {"statistic_id": "sensor.a", "unit_of_measurement": "Wh", "start": "2024-01-31T01:00:00+00:00", "change": None},
    ]
    parsed = read(tmp_path, json.dumps(rows, indent=1))
    assert (one(parsed).kind, one(parsed).readings.values.tolist()) == ("interval", [5_000])
    assert (told(parsed)["foreign unit"].count, told(parsed)["empty"].lines) == (1, (3,))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [{"start": 1, "sum": 1}, 5]}',
        '{"a": [{"start": 1706659200000, "sum": ' + "[" * 10_000,
        '{"a": [{"start": 1706659200000, "sum": 1e999}]}',
        '{"a": [{"start": "x", "sum": true}]}',
        '{"a": [{"start": 1706659200000, "x": "' + "y" * 100_000 + '"}]}',
        '[{"start": 1706659200000, "sum": 1',
    ],
)  # fmt: skip
def test_json_that_is_damaged_or_holds_nothing_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Unreadable):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("start", "value", "kind"),
    [("START", "9" * 400, "number"), ("9" * 30, "7", "time"), ("START", "many", "number"), ("START", "", "empty")],
    ids=["400 nines", "a time of 30 digits", "a word", "nothing"],
)
def test_a_reading_that_no_number_holds_is_refused_by_its_line(
    tmp_path: Path, start: str, value: str, kind: str
) -> None:
    own, meter_entry = meter(1, 1, 1)
    first = at("2024-01-31")
    good = block(own, [5, 6], first)
    reading = good[good.index("<espi:IntervalReading>") : good.index("</espi:IntervalReading>") + 23]
    bad = reading.replace(str(first), start.replace("START", str(first + 7200))).replace(">5<", f">{value}<")
    text = feed(meter_entry, good.replace("</espi:IntervalBlock>", bad + "</espi:IntervalBlock>"), typed(1, uom=72))
    parsed = read(tmp_path, text)
    assert one(parsed).readings.values.tolist() == [5000, 6000]
    assert (told(parsed)[kind].count, told(parsed)[kind].lines) == (1, (3,))
    assert {"time", "number", "empty"} & told(parsed).keys() == {kind}
    with pytest.raises(Unreadable, match="Cells that are no numbers: 2, such as “x”"):
        read(tmp_path, feed(meter_entry, good.replace("<espi:value>5<", "<espi:value>x<").replace(">6<", ">x<")))
