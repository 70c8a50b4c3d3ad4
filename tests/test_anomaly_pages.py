"""The page of the anomalies: listed, filtered, dismissed with a reason, taken back; a viewer only reads."""

import html
import re

import pytest
from flask import Flask
from sqlalchemy import select

from models.alert import FIRING, RESOLVED, Alert
from models.meter import Anomaly, Meter
from models.session import EVERYONE
from tasks.energy.anomalies.found import Found
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.test_anomaly_alerts import BEGAN, DAY, HOUR, found, record, workshop
from tests.web_fixtures import Browser
from workers.runtime import Runtime

PAGE = "/energy/anomalies"


@pytest.fixture
def meter(runtime: Runtime, ada: Person) -> str:
    return workshop(runtime, ada, last_at=BEGAN + 2 * DAY)


def look(runtime: Runtime, meter: str, *seen: Found) -> None:
    record(runtime, meter, *seen, as_of=BEGAN + 2 * DAY)


def words(browser: Browser, path: str = PAGE) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", browser.get(path).text)).split())


def the_anomaly(runtime: Runtime) -> Anomaly:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Anomaly)).one()


def state(runtime: Runtime) -> list[str]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Alert.state).order_by(Alert.episode)).all())


def test_without_a_meter_it_says_what_to_do_first(ada_s: Browser) -> None:
    assert "Make the first meter" in words(ada_s)


def test_where_nothing_stands_out_it_says_so(ada_s: Browser, meter: str) -> None:
    assert "Nothing stands out." in words(ada_s)


def test_each_is_listed_with_when_how_large_and_what_it_cost(ada_s: Browser, runtime: Runtime, meter: str) -> None:
    look(runtime, meter, found(BEGAN, BEGAN + DAY), found(BEGAN, None, "missing", 7, "Nothing was measured."))
    said = words(ada_s)
    assert "Spike On 12 March 2014 It is odd. Workshop 43.0 kWh more €12.90 more" in said
    assert "No readings going on Since 12 March 2014 Nothing was measured. Workshop about 7.00 kWh not measured" in said
    assert f"/energy/meters/{meter}" in ada_s.get(PAGE).text


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("kind=flat", ["Flat line"]), ("kind=nonsense", ["Spike", "Flat line"]), ("show=on", ["Flat line"]),
        ("q=work", ["Spike", "Flat line"]), ("q=100%25", []), ("meter=unknown", []), ("show=dismissed", []),
        ("sort=cost&page=1", ["Spike", "Flat line"]), ("page=9", []), ("meter=..%2F", ["Spike", "Flat line"]),
    ],
)  # fmt: skip
def test_the_list_is_narrowed(ada_s: Browser, runtime: Runtime, meter: str, asked: str, listed: list[str]) -> None:
    look(runtime, meter, found(BEGAN, BEGAN + HOUR), found(BEGAN, None, "flat"))
    rows = re.findall(r'<span class="fw-semibold">([^<]+)</span>', ada_s.get(f"{PAGE}?{asked}").text)
    assert sorted(rows) == sorted(listed)


def test_a_dismissed_one_ends_its_alert_and_can_be_taken_back(ada_s: Browser, runtime: Runtime, meter: str) -> None:
    look(runtime, meter, found(BEGAN, BEGAN + DAY))
    one = the_anomaly(runtime).id
    answer = ada_s.post(f"{PAGE}/{one}/dismiss", {"why": "We  had <b>guests</b>", "kind": "spike"})
    assert (answer.status_code, answer.location) == (303, f"{PAGE}?kind=spike")
    assert state(runtime) == [RESOLVED]
    assert "Nothing stands out." in words(ada_s)
    assert "We had &lt;b&gt;guests&lt;/b&gt;" in ada_s.get(f"{PAGE}?show=dismissed").text
    look(runtime, meter, found(BEGAN, BEGAN + DAY))
    assert state(runtime) == [RESOLVED]
    assert ada_s.post(f"{PAGE}/{one}/restore", {}).status_code == 303
    assert state(runtime) == [RESOLVED, FIRING]
    assert the_anomaly(runtime).dismissed_why == ""


def test_a_reason_that_is_too_long_is_said_beside_its_field(ada_s: Browser, runtime: Runtime, meter: str) -> None:
    look(runtime, meter, found(BEGAN, BEGAN + DAY))
    answer = ada_s.post(f"{PAGE}/{the_anomaly(runtime).id}/dismiss", {"why": "x" * 201})
    assert answer.status_code == 422
    assert "Say it in 200 characters." in answer.text
    assert the_anomaly(runtime).dismissed_at is None


def test_a_viewer_reads_and_changes_nothing(app: Flask, runtime: Runtime, ada: Person, meter: str) -> None:
    look(runtime, meter, found(BEGAN, BEGAN + DAY))
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vera", "viewer"))
    assert "Spike" in words(viewer)
    assert "/dismiss" not in viewer.get(PAGE).text
    assert viewer.post(f"{PAGE}/{the_anomaly(runtime).id}/dismiss", {}).status_code == 403


def test_nobody_sees_or_dismisses_those_of_others(
    app: Flask, runtime: Runtime, meter: str, grace: Person, ada_s: Browser
) -> None:
    look(runtime, meter, found(BEGAN, BEGAN + DAY))
    hers = browser_of(app, runtime, grace)
    assert "Workshop" not in words(hers, f"{PAGE}?meter={meter}")
    for what in ("dismiss", "restore"):
        assert hers.post(f"{PAGE}/{the_anomaly(runtime).id}/{what}", {}).status_code == 404
        assert ada_s.post(f"{PAGE}/nothing/{what}", {}).status_code == 404


def test_fifty_stand_on_a_page(ada_s: Browser, runtime: Runtime, meter: str) -> None:
    with runtime.database.write(EVERYONE) as session:
        whose = session.get_one(Meter, meter).workspace_id
        session.add_all(
            Anomaly(workspace_id=whose, meter_id=meter, kind="spike", start=day * DAY, end=day * DAY + HOUR)
            for day in range(51)
        )
    assert "Page 1 of 2" in words(ada_s)
    assert ada_s.get(f"{PAGE}?page=2&q=work").text.count('id="a-') == 1
