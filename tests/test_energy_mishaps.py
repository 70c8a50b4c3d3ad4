"""What goes wrong with one meter, or in one workspace, stops no other."""

import pytest
from flask import Flask
from numpy.linalg import LinAlgError
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from models.alert import FIRING, Alert
from models.meter import Meter, ReadingDay
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks.alerting.alerts import Count
from tasks.context import Context
from tasks.metering import looking, nightly, readings, silence
from tasks.metering.packing import Corrupt
from tests.conftest import Person
from tests.energy_rows import DAY, START, meter_of, outlook_of, usage
from tests.front import token_of
from tests.news import rows
from tests.stock_front import text_of
from tests.test_anomaly_alerts import HOUR, anomalies, change, now, scan, send, workshop
from tests.test_api_meters import Program
from tests.test_emoncms import POST, Sender
from tests.test_energy_job import looked
from tests.test_energy_nightly import _quick, night, seen
from tests.web_fixtures import Browser
from workers import mqtt_book
from workers.runtime import Runtime

__all__ = ["_quick"]


def silent_again(runtime: Runtime, person: Person) -> tuple[str, int]:
    """A meter whose silence began and ended, until the readings after it were removed; and its last reading's time."""
    meter_id, today = workshop(runtime, person), now(runtime)
    last = today - 10 * HOUR
    send(runtime, meter_id, last - HOUR, last)
    scan(runtime)
    send(runtime, meter_id, today - HOUR)
    scan(runtime)
    with runtime.database.write(EVERYONE) as session:
        readings.remove(session, session.get_one(Meter, meter_id), last + 1, today)
    return meter_id, last


def test_a_silence_goes_on_when_the_readings_that_ended_it_are_removed(runtime: Runtime, ada: Person) -> None:
    _, last = silent_again(runtime, ada)
    [before] = anomalies(runtime)
    assert before.end is not None
    assert scan(runtime) == Count(opened=1)
    [row] = anomalies(runtime)
    assert (row.id, row.start, row.end) == (before.id, last + HOUR, None)
    assert [alert.state for alert in rows(runtime, Alert)].count(FIRING) == 1
    assert scan(runtime) == Count()


def test_a_silence_that_was_dismissed_goes_on_without_a_word(runtime: Runtime, ada: Person) -> None:
    silent_again(runtime, ada)
    change(runtime, dismissed_at=5)
    assert scan(runtime).opened == 0
    [row] = anomalies(runtime)
    assert (row.end, row.dismissed_at) == (None, 5)
    assert scan(runtime) == Count()


def test_the_night_goes_on_after_a_silence_that_began_again(runtime: Runtime, ada: Person, grace: Person) -> None:
    silent_again(runtime, ada)
    good = meter_of(runtime, grace, usage(20))
    run = night(runtime)
    assert run.state == "succeeded", run.error
    assert seen(runtime)[good][0] == "made"


@pytest.mark.parametrize("error", [SQLAlchemyError, ValueError])
def test_what_breaks_in_one_workspace_stops_the_silences_of_no_other(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    today, settled = now(runtime), silence._settled
    for person in (ada, grace):
        send(runtime, workshop(runtime, person), today - 11 * HOUR, today - 10 * HOUR)

    def broken(writes: silence.Opens, workspace: str, due: silence.Due, at: int) -> Count:
        if workspace == ada.workspace_id:
            raise error("It broke.")
        return settled(writes, workspace, due, at)

    monkeypatch.setattr(silence, "_settled", broken)
    assert scan(runtime) == Count(opened=1)
    assert [row.workspace_id for row in anomalies(runtime)] == [grace.workspace_id]


@pytest.mark.parametrize("error", [KeyError, TypeError, MemoryError, AttributeError, RuntimeError, LinAlgError])
def test_a_meter_that_fails_stops_none_behind_it_in_its_part(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    wrong, good = (meter_of(runtime, ada, usage(20), name=name) for name in ("Wrong", "Good"))
    moment = looking.moment

    def broken(meter: Meter, at: int) -> int:
        if meter.id == wrong:
            raise error("It broke.")
        return moment(meter, at)

    monkeypatch.setattr(looking, "moment", broken)
    with Context(runtime.database, runtime.storage, SYSTEM) as ctx:
        result = nightly.part(ctx, [wrong, good])
    assert (result.made, result.failed) == (1, 1)
    assert {meter: state for meter, (state, _) in seen(runtime).items()} == {wrong: "failed", good: "made"}
    outlook = outlook_of(runtime, wrong)
    assert outlook is not None
    assert outlook.reason == f"{nightly.BROKE} ({error.__name__})"


def damaged(runtime: Runtime, person: Person, **more: str) -> Meter:
    """A meter of twenty days, of which the last is damaged."""
    meter_id = meter_of(runtime, person, usage(20), **more)
    with runtime.database.write(EVERYONE) as session:
        last = ReadingDay.day == START // DAY + 19
        session.execute(update(ReadingDay).where(ReadingDay.meter_id == meter_id, last).values(packed=b"no day"))
        meter = session.get_one(Meter, meter_id)
        session.expunge(meter)
    return meter


def test_a_damaged_day_fails_its_meter_with_the_reason_and_no_other(runtime: Runtime, ada: Person) -> None:
    wrong, good = damaged(runtime, ada), meter_of(runtime, ada, usage(20), name="Good")
    assert night(runtime).state == "succeeded"
    assert {meter: state for meter, (state, _) in seen(runtime).items()} == {wrong.id: "failed", good: "made"}
    outlook = outlook_of(runtime, wrong.id)
    assert outlook is not None
    assert outlook.reason == str(Corrupt())
    assert looked(runtime, ada, wrong.id).error == str(Corrupt())


def test_a_message_for_a_damaged_day_is_thrown_away_and_stops_no_other(
    runtime: Runtime, ada: Person, grace: Person
) -> None:
    wrong = damaged(runtime, ada, address="wrong")
    good = meter_of(runtime, grace, usage(1), address="good")
    at = START + 19 * DAY + 60
    messages = [message(address, when) for address in ("wrong", "good") for when in (at, at + DAY)]
    told = mqtt_book.write_all(runtime.database, messages)
    assert (told["refused"], told["taken"]) == (1, 3), "the damaged meter's other days go on too"
    with runtime.database.read(EVERYONE) as session:
        assert session.get_one(Meter, wrong.id).trouble == str(Corrupt())
        assert readings.latest(session, wrong.id) == (at + DAY, 1_000_000)
        assert readings.latest(session, good) == (at + DAY, 1_000_000)


def message(address: str, at: int) -> mqtt_book.Message:
    payload = f'{{"time": {at}, "value": 1}}'.encode()
    return mqtt_book.Message(address, payload, retained=False, deeper=False, came_at=at)


def test_a_damaged_day_is_told_in_a_sentence_by_the_api_emoncms_and_the_exports(
    ada_s: Browser, app: Flask, runtime: Runtime, ada: Person
) -> None:
    meter = damaged(runtime, ada, source="house:kwh")
    at, reason = START + 19 * DAY + 60, str(Corrupt())
    program, sender = Program(app.test_client(), token_of(runtime, ada)), Sender(app, runtime, ada)
    address = f"/api/v1/meters/{meter.id}/readings"
    sent = program("POST", address, json={"readings": [{"time": at, "value": 1}]})
    assert (sent.status_code, (sent.json or {})["errors"]) == (422, {"readings": reason})
    got = program("GET", address)
    assert (got.status_code, (got.json or {})["detail"]) == (409, reason)
    emoncms = sender.get(POST, node="house", time=at, fulljson='{"kwh": 1}')
    assert (emoncms.status_code, reason in emoncms.text) == (400, True)
    for what in ("readings.csv", "usage.csv"):
        page = ada_s.get(f"/energy/meters/{meter.id}/export/{what}", follow_redirects=True)
        assert (page.status_code, reason in text_of(page)) == (200, True), what


def test_a_silence_ends_though_the_day_that_ended_it_is_damaged(runtime: Runtime, ada: Person) -> None:
    meter, today = workshop(runtime, ada), now(runtime)
    send(runtime, meter, today - 11 * HOUR, today - 10 * HOUR)
    scan(runtime)
    send(runtime, meter, today - HOUR)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(ReadingDay).where(ReadingDay.meter_id == meter).values(packed=b"no day"))
    assert scan(runtime) == Count(resolved=1)
    assert anomalies(runtime)[0].end == today - HOUR
