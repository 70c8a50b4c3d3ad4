"""What sends to emoncms sends here: the same addresses and parameters, and the same answers."""

import io
import json
import logging
import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from deploy import logs
from models.meter import COUNTER, INTERVAL, Meter
from tasks.metering.incoming import told
from tasks.metering.readings import read
from tests.conftest import Person
from tests.front import browser_of, member_of, token_of
from workers.runtime import Runtime

AT = 1_700_000_100
POST, BULK = "/emoncms/input/post", "/emoncms/input/bulk"


class Sender:
    """A program with a key."""

    def __init__(self, app: Flask, runtime: Runtime, person: Person, scope: str = "write") -> None:
        self.client, self.runtime, self.person = app.test_client(), runtime, person
        self.key = token_of(runtime, person, scope)["Authorization"].removeprefix("Bearer ")

    def meter(self, source: str, kind: str = COUNTER, unit: str = "kWh") -> str:
        with self.runtime.database.write(self.person.workspace_id) as session:
            meter = Meter(name=source, source=source, kind=kind, unit=unit)
            session.add(meter)
        return meter.id

    def get(self, path: str, **sent: Any) -> TestResponse:
        return self.client.get(path, query_string={"apikey": self.key, **sent})

    def post(self, path: str, **sent: Any) -> TestResponse:
        return self.client.post(path, data={"apikey": self.key, **sent})

    def kept(self, meter_id: str) -> list[tuple[int, str]]:
        with self.runtime.database.read(self.person.workspace_id) as session:
            found = read(session, meter_id, 0, 2**33)
            unit = session.scalars(select(Meter.unit).where(Meter.id == meter_id)).one()
        rows = zip(found.times.tolist(), found.values.tolist(), strict=True)
        return [(at - AT, told(value, unit)) for at, value in rows]


@pytest.fixture
def sender(app: Flask, runtime: Runtime, ada: Person) -> Sender:
    return Sender(app, runtime, ada)


@pytest.mark.parametrize("how", ["get", "post"])
def test_one_moment_comes_in_every_shape_that_emoncms_takes(sender: Sender, how: str) -> None:
    meter = sender.meter("emontx:wh")
    shapes: tuple[dict[str, str], ...] = (
        {"fulljson": '{"wh": 12.5, "power": 250}'},
        {"fulljson": '{"wh": "12.5", "temperature": null}'},
        {"json": "{wh:12.5,power:250}"},
        {"json": '{"wh": 12.5, "power": 250}'},
        {"data": "{power:250,wh:12.5}"},
    )
    for number, sent in enumerate(shapes):
        answer = getattr(sender, how)(f"{POST}.json", node="emontx", time=AT + 60 * number, **sent)
        assert answer.status_code == 200, answer.text
        assert answer.text == ('{"success": true}' if "fulljson" in sent else "ok")
    assert sender.kept(meter) == [(60 * number, "12.5") for number in range(len(shapes))]


def test_numbers_without_keys_are_counted_and_the_node_may_stand_in_the_address(sender: Sender) -> None:
    first, third = sender.meter("0:1"), sender.meter("5:3")
    assert sender.get(POST, csv="100,200,300", time=AT).text == "ok"
    assert sender.post(f"{POST}/5.json", csv="1,2,3", time=AT).text == "ok"
    assert (sender.kept(first), sender.kept(third)) == ([(0, "100")], [(0, "3")])


def test_home_assistants_emoncms_history_is_understood(sender: Sender) -> None:
    meter = sender.meter("19:sensor.energy_total")
    states = json.dumps({"sensor.energy_total": 4711.25, "sensor.cpu_use": 7.0})
    answer = sender.post(POST, node="19", fulljson=states)
    assert answer.json == {"success": True}
    ((at, value),) = sender.kept(meter)
    assert abs(at + AT - time.time()) < 60
    assert value == "4711.25"


def test_the_key_may_stand_in_the_header_and_the_time_in_the_object(sender: Sender) -> None:
    meter = sender.meter("n:e")
    header = {"Authorization": f"Bearer {sender.key}"}
    answer = sender.client.post(POST, data={"node": "n", "fulljson": f'{{"e": 1, "time": {AT}}}'}, headers=header)
    assert answer.json == {"success": True}
    assert sender.kept(meter) == [(0, "1")]


@pytest.mark.parametrize(
    ("data", "reference", "times"),
    [
        ([[520, 16, 1137], [580, 16, 1138]], {"time": AT}, [520, 580]),
        ([[-120, 16, 1137], [-60, 16, 1138]], {"time": AT}, [-120, -60]),
        ([[0, 16, 1], [60, 17, 2, 3], [120, 16, 4]], {"time": AT}, [0, 120]),
    ],
)
def test_many_moments_come_at_once(sender: Sender, data: Any, reference: dict[str, int], times: list[int]) -> None:
    meter = sender.meter("16:1", unit="Wh")
    for _ in range(2):  # sent again, nothing changes
        assert sender.post(f"{BULK}.json", data=json.dumps(data), **reference).text == "ok"
        assert [at for at, _ in sender.kept(meter)] == times


def test_the_times_of_a_bulk_are_relative_to_now_as_emoncms_says(sender: Sender) -> None:
    meter = sender.meter("16:1")
    before = int(time.time())
    for sent in ({}, {"sentat": 543}, {"offset": -10}):
        last = {"": 480, "sentat": 540, "offset": -70}["".join(sent)]
        data = [[last - 6000, 16, 1], [last, 16, 2]]
        assert sender.get(BULK, data=json.dumps(data), **sent).text == "ok"
    found = [at + AT - before for at, _ in sender.kept(meter)]
    expected = sorted([-6000, 0, -6003, -3, -6060, -60])
    assert len(found) <= 6
    assert all(min(abs(at - each) for each in expected) < 60 for at in found)


def test_values_of_a_bulk_may_have_names_and_gaps(sender: Sender) -> None:
    named, second = sender.meter("emontx:wh"), sender.meter("7:2")
    data = [[0, "emontx", {"wh": 5}, {"power": 3}], [60, 7, None, 9], [120, 7]]
    assert sender.post(BULK, data=json.dumps(data), time=AT).text == "ok"
    assert (sender.kept(named), sender.kept(second)) == ([(0, "5")], [(60, "9")])


BAD: tuple[tuple[str, dict[str, Any], str], ...] = (
    (POST, {}, "no data"),
    (POST, {"json": "{}"}, "no data"),
    (POST, {"fulljson": "{"}, "Error decoding JSON"),
    (POST, {"fulljson": '{"wh": NaN}'}, "Error decoding JSON"),
    (POST, {"fulljson": "[1]"}, "must be a JSON object"),
    (POST, {"fulljson": "{}"}, "no data"),
    (POST, {"node": "n", "fulljson": '{"wh": 1e400}'}, "n:wh: This is more than 1 TWh"),
    (POST, {"node": "n", "fulljson": '{"wh": "unavailable"}'}, "n:wh: “unavailable” is no number"),
    (POST, {"node": "n", "fulljson": '{"wh": {"a": 1}}'}, "n:wh: “this” is no number"),
    (POST, {"json": "{:5}"}, "json key missing"),
    (POST, {"node": "n", "json": "{wh:x}"}, "n:wh: “x” is no number"),
    (POST, {"node": "n", "fulljson": '{"wh": 1}', "time": "soon"}, "“soon” is no time"),
    (POST, {"node": "n", "fulljson": '{"wh": 1}', "time": "4102444800"}, "two days ahead"),
    (POST, {"node": "other", "fulljson": '{"a": 1, "b": 2}'}, "No meter takes other:a, other:b. Write “other:a”"),
    (BULK, {}, "Error decoding JSON"),
    (BULK, {"data": "[]"}, "a list of lists"),
    (BULK, {"data": "[[]]"}, "a list of lists"),
    (BULK, {"data": '[["now", "n", 1]]'}, "time offset in whole seconds"),
    (BULK, {"data": '[[0, {"n": 1}, 1]]'}, "node of an item"),
    (BULK, {"data": "[[0, 5, 1]]", "sentat": "x"}, "sentat is a whole number"),
    (BULK, {"data": "[[0, 5]]"}, "no data"),
    (BULK, {"data": "[[0, 5" + ", 1" * 50_001 + "]]"}, "at most 50,000 values"),
    (BULK, {"data": '[[0, "n", {"wh": 1}], [60, "n", {"wh": "?"}]]', "time": AT}, "n:wh: “?” is no number"),
)


def test_what_cannot_be_taken_is_answered_as_emoncms_does_and_nothing_is_written(sender: Sender) -> None:
    meter = sender.meter("n:wh")
    for path, sent, words in BAD:
        answer = sender.post(path, **sent)
        assert (answer.status_code, answer.is_json) == (400, True), (sent, answer.text)
        assert (answer.json or {})["success"] is False
        assert words in (answer.json or {})["message"], sent
    assert sender.kept(meter) == []


def test_an_interval_meter_that_is_sent_to_every_ten_seconds_says_so(sender: Sender) -> None:
    sender.meter("n:wh", INTERVAL)
    assert sender.get(POST, node="n", json="{wh:1}", time=AT).text == "ok"
    answer = sender.get(POST, node="n", json="{wh:1}", time=AT + 10)
    assert "less than a minute apart" in (answer.json or {})["message"]


def test_only_who_may_write_is_heard_and_cookies_are_not(
    app: Flask, sender: Sender, runtime: Runtime, ada: Person, grace: Person
) -> None:
    meter = sender.meter("n:wh")
    sent = {"node": "n", "json": "{wh:1}", "time": AT}
    viewer = member_of(runtime, ada, "vera", "viewer")
    for person, scope, status in ((viewer, "write", 403), (ada, "read", 403), (grace, "write", 400)):
        assert Sender(app, runtime, person, scope).post(POST, **sent).status_code == status
    browser = browser_of(app, runtime, ada)
    for answer in (browser.client.get(POST, query_string=sent), sender.client.get(POST, query_string=sent)):
        assert (answer.status_code, (answer.json or {})["success"]) == (401, False)
    assert sender.client.get(POST, query_string={**sent, "apikey": "wrong"}).status_code == 401
    assert sender.kept(meter) == []


def test_keys_and_readings_reach_no_log(app: Flask, sender: Sender) -> None:
    sender.meter("n:wh")
    heard = io.StringIO()
    handler, root = logging.StreamHandler(heard), logging.getLogger()
    logs.log_requests(app)
    root.addHandler(handler)
    try:
        assert sender.get(POST, node="n", json="{wh:4711}", time=AT).text == "ok"
        assert sender.get(POST, node="n", json="{wh:x4711}", time=AT).status_code == 400
    finally:
        root.removeHandler(handler)
    assert sender.key not in heard.getvalue()
    assert "4711" not in heard.getvalue()
    # What gunicorn writes of a request that broke.
    line = logs.hidden(f"Error handling request {POST}?node=n&apikey={sender.key}&json={{wh:4711}}")
    assert (sender.key in line, "4711" in line) == (False, False)


def test_a_form_of_many_kilobytes_is_read_and_one_of_many_megabytes_refused(sender: Sender) -> None:
    meter = sender.meter("n:1")
    data = [[60 * number, "n", number] for number in range(40_000)]
    assert sender.post(BULK, data=json.dumps(data), time=AT - 10**7).text == "ok"
    assert len(sender.kept(meter)) == 40_000
    answer = sender.post(BULK, data="[" * 5_000_000)
    assert (answer.status_code, (answer.json or {})["success"]) == (413, False)
