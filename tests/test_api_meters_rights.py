"""Who may read and send readings by the API: tokens that write, people who are members, and nobody's neighbours."""

import json

import pytest
from flask import Flask

from tests.conftest import Person
from tests.front import member_of, token_of
from tests.test_api_meters import AT, START, Program, quarters
from workers.runtime import Runtime


@pytest.fixture
def program(app: Flask, runtime: Runtime, ada: Person) -> Program:
    return Program(app.test_client(), token_of(runtime, ada))


def test_viewers_and_tokens_for_reading_read_and_change_nothing(
    app: Flask, program: Program, runtime: Runtime, ada: Person
) -> None:
    meter = program.meter(source="s")
    program.send(meter, quarters(2))
    viewer = member_of(runtime, ada, "vera", "viewer")
    for token in (token_of(runtime, viewer), token_of(runtime, ada, scope="read")):
        reader = Program(app.test_client(), token)
        assert len(reader.kept(meter)) == 2
        listed = (reader("GET", AT).json or {})["meters"][0]
        assert ((reader("GET", meter["url"]).json or {})["mqtt_address"], listed["mqtt_address"]) == (None, None)
        assert reader.send(meter, quarters(1)).status_code == 403
        assert reader("POST", "/api/v1/readings", json={"source": "s", **quarters(1)[0]}).status_code == 403
        assert reader("POST", AT, json={"name": "Mine"}).status_code == 403
        assert reader("PATCH", meter["url"], json={"name": "Mine"}).status_code == 403
        assert reader("DELETE", f"{meter['readings_url']}?from=0&to=1").status_code == 403
        assert reader("DELETE", meter["url"]).status_code == 403
    assert (program("GET", meter["url"]).json or {})["mqtt_address"] == meter["mqtt_address"] != ""
    assert app.test_client().get(meter["readings_url"]).status_code == 401


def test_nobody_sends_to_or_reads_another_workspaces_meter(
    app: Flask, program: Program, runtime: Runtime, grace: Person
) -> None:
    meter = program.meter(source="sensor.hers")
    program.send(meter, quarters(2))
    stranger = Program(app.test_client(), token_of(runtime, grace))
    assert stranger.send(meter, quarters(1)).status_code == 404
    assert stranger("GET", meter["readings_url"]).status_code == 404
    assert stranger("DELETE", f"{meter['readings_url']}?from={START}&to={START + 1}").status_code == 404
    told = stranger("POST", "/api/v1/readings", json={"source": "sensor.hers", **quarters(1)[0]})
    assert "No meter takes" in json.dumps(told.json, ensure_ascii=False)
    assert (stranger("GET", AT).json or {})["meters"] == []
