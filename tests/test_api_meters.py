"""The API's meters and readings: made, sent one by one and in batches, refused in sentences, read page by page."""

import time
from calendar import timegm
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from werkzeug.test import TestResponse

from models.meter import COUNTER, Meter, Place, Tariff
from tests.conftest import Person
from tests.front import token_of
from web import openapi
from workers.runtime import Runtime

AT = "/api/v1/meters"
START = 1_700_000_100  # 2023-11-14T22:15:00Z


class Program:
    """A client with a token."""

    def __init__(self, client: FlaskClient, token: dict[str, str]) -> None:
        self.client, self.token = client, token

    def __call__(self, method: str, path: str, **more: Any) -> TestResponse:
        return self.client.open(path, method=method, headers={**self.token, **more.pop("headers", {})}, **more)

    def meter(self, **given: Any) -> dict[str, Any]:
        answer = self("POST", AT, json={"name": "House", **given})
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})

    def send(self, meter: dict[str, Any], sent: Any) -> TestResponse:
        return self("POST", meter["readings_url"], json=sent)

    def kept(self, meter: dict[str, Any]) -> list[tuple[str, str]]:
        found = self("GET", meter["readings_url"]).json or {}
        return [(each["time"][11:16], each["value"]) for each in found["readings"]]


@pytest.fixture
def program(app: Flask, runtime: Runtime, ada: Person) -> Program:
    return Program(app.test_client(), token_of(runtime, ada))


def check(app: Flask, name: str, found: Any) -> None:
    with app.test_request_context():
        described = openapi.describe()
    OAS31Validator({"$ref": f"#/components/schemas/{name}", **described}).validate(found)


def quarters(count: int, least: int = 1) -> list[dict[str, Any]]:
    return [{"time": START + number * 900, "value": least + number} for number in range(count)]


def test_a_meter_is_made_listed_changed_and_deleted_with_its_readings(app: Flask, program: Program) -> None:
    made = program.meter(unit="Wh", time_zone="Europe/Berlin", holidays="de-by", source="sensor.energy")
    check(app, "Meter", made)
    assert (made["kind"], made["unit"], made["holidays"], made["step"]) == ("interval", "Wh", "DE-BY", 0)
    assert len(made["mqtt_address"]) >= 20
    assert program.send(made, quarters(4)).status_code == 200
    changed = program("PATCH", made["url"], json={"kind": "counter", "rolls_at": 99999.9, "note": "cellar"}).json or {}
    assert (changed["rolls_at"], changed["note"], changed["source"]) == ("99999.9", "cellar", "sensor.energy")
    assert (changed["first_at"], changed["step"]) == ("2023-11-14T22:15:00Z", 900)
    listed = program("GET", f"{AT}?source=sensor.energy").json or {}
    assert [each["id"] for each in listed["meters"]] == [made["id"]]
    assert (program("GET", f"{AT}?archived=true").json or {})["meters"] == []
    assert program("DELETE", made["url"]).status_code == 204
    assert program("GET", made["url"]).status_code == program("GET", made["readings_url"]).status_code == 404


NO_METERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": ""}, "name"),
    ({"name": "x" * 121}, "name"),
    ({"kind": "gas"}, "kind"),
    ({"unit": "kW"}, "unit"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"holidays": "DE-XX"}, "holidays"),
    ({"holidays": "Atlantis"}, "holidays"),
    ({"step": 7}, "step"),
    ({"step": -900}, "step"),
    ({"kind": "counter", "rolls_at": "many"}, "rolls_at"),
    ({"kind": "counter", "rolls_at": -1}, "rolls_at"),
    ({"tariff_id": "nobody's"}, "tariff_id"),
    ({"place_id": "nobody's"}, "place_id"),
    ({"source": "taken"}, "source"),
    ({"name": "Taken"}, "name"),
    ({"archived": "yes"}, "archived"),
    ({"colour": "red"}, "colour"),
)


def test_what_no_meter_can_be_is_refused_beside_its_field(program: Program) -> None:
    program.meter(name="Taken", source="taken")
    for given, field in NO_METERS:
        answer = program("POST", AT, json={"name": "House", **given})
        assert answer.status_code == 422, given
        assert list((answer.json or {})["errors"]) == [field]


def test_a_meter_takes_the_tariff_and_place_of_its_own_workspace_alone(
    program: Program, runtime: Runtime, ada: Person, grace: Person
) -> None:
    rows: dict[str, Any] = {}
    for person in (ada, grace):
        with runtime.database.write(person.workspace_id) as session:
            rows[person.workspace_id] = [Tariff(name="Night", kind="flat", currency="EUR"), Place(name="Home")]
            session.add_all(rows[person.workspace_id])
    hers, others = rows[ada.workspace_id], rows[grace.workspace_id]
    made = program.meter(tariff_id=hers[0].id, place_id=hers[1].id)
    assert (made["tariff_id"], made["place_id"]) == (hers[0].id, hers[1].id)
    answer = program("PATCH", made["url"], json={"tariff_id": others[0].id, "place_id": others[1].id})
    assert sorted((answer.json or {})["errors"]) == ["place_id", "tariff_id"]


def test_readings_come_one_by_one_and_in_batches_and_twice_is_once(app: Flask, program: Program) -> None:
    meter = program.meter()
    one = program.send(meter, {"time": "2023-11-14T23:15:00+01:00", "value": 1})
    check(app, "Written", one.json)
    assert one.json == {"meter": meter["id"], "new": 1, "changed": 0, "same": 0, "thinned": 0}
    many = program.send(meter, quarters(5))
    assert ((many.json or {})["new"], (many.json or {})["same"]) == (4, 1)
    again = program.send(meter, {"readings": quarters(6, least=2), "keep_old": False})
    assert ((again.json or {})["new"], (again.json or {})["changed"]) == (1, 5)
    kept = program.send(meter, {"readings": [*quarters(6), *quarters(1)], "keep_old": True}).json or {}
    assert (kept["changed"], kept["same"]) == (6, 1)
    assert program.kept(meter)[0] == ("22:15", "2")


def test_values_stay_exact_in_the_unit_they_come_in(program: Program) -> None:
    meter = program.meter(unit="Wh")
    body = f'{{"readings": [{{"time": {START}, "value": 0.1}}, {{"time": {START + 900}, "value": 123456789.123}}]}}'
    assert program("POST", meter["readings_url"], data=body, content_type="application/json").status_code == 200
    assert program.send(meter, {"time": START + 1800, "value": "1.5", "unit": "kWh"}).status_code == 200
    assert [value for _, value in program.kept(meter)] == ["0.1", "123456789.123", "1500"]


def test_a_counter_s_bare_value_is_of_now_and_an_interval_s_is_refused(program: Program) -> None:
    counter, interval = program.meter(name="Total", kind="counter"), program.meter()
    assert program.send(counter, {"value": 4711.2}).json == {
        "meter": counter["id"], "new": 1, "changed": 0, "same": 0, "thinned": 0,
    }  # fmt: skip
    last = (program("GET", counter["url"]).json or {})["last_at"]
    assert abs(time.time() - timegm(time.strptime(last, "%Y-%m-%dT%H:%M:%SZ"))) < 60
    assert "Give its time" in (program.send(interval, {"value": 1}).json or {})["errors"]["readings[0]"]


NO_READINGS = (
    ('{"time": "2023-11-14T22:15:00", "value": 1}', "says no time zone"),
    ('{"time": "2150-01-01T00:00:00Z", "value": 1}', "two days ahead"),
    ('{"time": 12, "value": 1}', "before 1990"),
    (f'{{"time": {START}, "value": 1e400}}', "more than 1 TWh"),
    (f'{{"time": {START}, "value": "NaN"}}', "has to be a number"),
    (f'{{"time": {START}, "value": "unavailable"}}', "“unavailable” is no number"),
    (f'{{"time": {START}, "value": null}}', "Give a value"),
    (f'{{"time": {START}, "value": true}}', "is no number"),
    (f'{{"time": {START}, "value": [1]}}', "is no number"),
    (f'{{"time": {START}, "value": 1, "power": 3}}', "no field “power”"),
    (f'{{"time": {START + 900}, "value": 9}}', "Another value for this time"),
    ('"12"', "is an object"),
)


def test_of_a_batch_with_an_error_nothing_is_written_and_the_entry_is_named(program: Program) -> None:
    meter = program.meter()
    for entry, words in NO_READINGS:
        body = f'[{{"time": {START + 900}, "value": 8}}, {entry}]'
        answer = program("POST", meter["readings_url"], data=body, content_type="application/json")
        assert answer.status_code == 422, answer.text
        assert words in (answer.json or {})["errors"]["readings[1]"]
    assert program.kept(meter) == []


NO_BODIES = (
    ("[", 400), ('[{"time": 1700000100, "value": NaN}]', 400), ("[" * 100_000, 400), ("[]", 422), ("7", 422),
    ('{"readings": {}}', 422), ('{"readings": [], "colour": 1}', 422), ('{"value": 1, "unit": "kW"}', 422),
    ('{"value": 1, "zone": "Europe/Berlin"}', 422), ('{"value": 1, "keep_old": 1}', 422),
    ('{"readings": [{"value": 1}], "unit": []}', 422), ('{"value": 1, "unit": {}}', 422),
    ("[" + "1," * 50_000 + "1]", 413), (" " * 4_000_001, 413),
)  # fmt: skip


def test_a_body_that_holds_no_readings_is_refused(program: Program) -> None:
    meter = program.meter()
    for body, status in NO_BODIES:
        answer = program("POST", meter["readings_url"], data=body, content_type="application/json")
        assert answer.status_code == status, (body[:50], answer.text)
        assert (answer.json or {})["detail"]
    assert program("POST", meter["readings_url"], data="value=1").status_code == 415


def test_of_very_many_errors_the_first_hundred_are_told(program: Program) -> None:
    answer = program.send(program.meter(), [{"time": START}] * 300)
    errors = (answer.json or {})["errors"]
    assert len(errors) == 101
    assert errors["readings"].startswith("300 readings")


def test_times_without_a_zone_are_the_meter_s_where_that_is_said(program: Program) -> None:
    meter = program.meter(time_zone="Europe/Berlin")
    entries = [{"time": "2023-11-14T23:15:00", "value": 1}]
    assert program.send(meter, {"readings": entries, "zone": "meter"}).status_code == 200
    assert program.kept(meter) == [("22:15", "1")]


def test_readings_by_source_find_their_meters_and_all_or_none_are_written(app: Flask, program: Program) -> None:
    total, solar = program.meter(name="Total", source="sensor.total", kind="counter"), program.meter(source="solar")
    one = program("POST", "/api/v1/readings", json={"source": "sensor.total", "time": START, "value": "7.5"})
    check(app, "WrittenBySource", one.json)
    assert (one.json or {})["new"] == 1
    mixed = [{"source": "solar", **each} for each in quarters(3)]
    mixed.insert(1, {"source": "sensor.total", "time": START, "value": "8.5"})
    told = program("POST", "/api/v1/readings", json=mixed).json or {}
    assert (told["new"], told["changed"], len(told["meters"])) == (3, 1, 2)
    wrong = [*mixed, {"source": "sensor.unknown", "value": 1}, {"source": "solar", "time": START + 9, "value": "?"}]
    errors = (program("POST", "/api/v1/readings", json=wrong).json or {})["errors"]
    assert sorted(errors) == ["readings[4]", "readings[5]"]
    assert "No meter takes “sensor.unknown”" in errors["readings[4]"]
    assert (program("POST", "/api/v1/readings", json={"value": 1}).json or {})["errors"]["readings[0]"]
    assert program.kept(total) == [("22:15", "8.5")]
    assert len(program.kept(solar)) == 3


def test_an_archived_meter_takes_no_readings(program: Program) -> None:
    meter = program.meter(source="old")
    program("PATCH", meter["url"], json={"archived": True})
    assert program.send(meter, quarters(1)).status_code == 409
    assert program("POST", "/api/v1/readings", json={"source": "old", **quarters(1)[0]}).status_code == 422


def test_intervals_closer_than_a_minute_are_refused_in_a_sentence(program: Program) -> None:
    answer = program.send(program.meter(), [{"time": START, "value": 1}, {"time": START + 10, "value": 1}])
    assert answer.status_code == 422
    assert "less than a minute apart" in (answer.json or {})["errors"]["readings"]


def test_readings_are_read_page_by_page_as_json_and_csv(app: Flask, program: Program) -> None:
    meter = program.meter()
    program.send(meter, quarters(250))
    first = program("GET", f"{meter['readings_url']}?limit=100").json or {}
    check(app, "Readings", first)
    found, following = first["readings"], first["next"]
    while following:
        page = program("GET", following).json or {}
        found, following = found + page["readings"], page["next"]
    assert [each["value"] for each in found] == [str(number) for number in range(1, 251)]
    some = program("GET", f"{meter['readings_url']}?from=2023-11-14T22:30:00Z&to={START + 2700}").json or {}
    assert [each["value"] for each in some["readings"]] == ["2", "3"]
    table = program("GET", f"{meter['readings_url']}?limit=2", headers={"Accept": "text/csv"})
    assert table.text.splitlines()[:2] == ["\ufefftime,kWh", "2023-11-14T22:15:00Z,1"]
    assert 'rel="next"' in table.headers["Link"]
    whole = program("GET", f"{meter['readings_url']}?format=csv")
    assert len(whole.text.splitlines()) == 251
    assert "Link" not in whole.headers
    for wrong in ("from=tomorrow", "limit=0", "to=2023-01-01"):
        assert program("GET", f"{meter['readings_url']}?{wrong}").status_code == 422


def test_a_span_of_readings_is_taken_away(program: Program) -> None:
    meter = program.meter()
    program.send(meter, quarters(10))
    answer = program("DELETE", f"{meter['readings_url']}?from={START + 900}&to={START + 2700}")
    assert (answer.json or {})["removed"] == 2
    assert program("DELETE", meter["readings_url"]).status_code == 422
    assert len(program.kept(meter)) == 8


def test_a_counter_read_every_ten_seconds_says_what_it_thinned(program: Program, runtime: Runtime, ada: Person) -> None:
    meter = program.meter(kind=COUNTER)
    entries = [{"time": START + 10 * number, "value": number} for number in range(12)]
    assert program.send(meter, entries).json == {
        "meter": meter["id"], "new": 2, "changed": 0, "same": 0, "thinned": 10,
    }  # fmt: skip
    with runtime.database.read(ada.workspace_id) as session:
        assert session.get_one(Meter, meter["id"]).last_at == START + 110
