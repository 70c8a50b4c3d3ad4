"""Readings by MQTT, at a real broker: none is lost when the listener is killed, and what is no reading stops nobody."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr, ValidationError
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from deploy import processes
from deploy.settings import ROOT, Settings
from models import tally
from models.meter import COUNTER, Meter
from models.session import EVERYONE
from tasks.metering.incoming import told
from tasks.metering.readings import read
from tests import certificates
from tests.conftest import Person
from tests.front import browser_of
from tests.servers import Mosquitto, require
from web import create_app
from workers import mqtt, mqtt_book
from workers.mqtt import Listener
from workers.runtime import Runtime

START = 1_700_000_040  # a whole minute


@pytest.fixture(scope="module")
def mosquitto() -> Iterator[Mosquitto]:
    require(Mosquitto)
    with Mosquitto() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, mosquitto: Mosquitto) -> Settings:
    topic = f"test{tmp_path.name}"  # what one test sends, no other hears
    return Settings(var=tmp_path / "var", mqtt_url=SecretStr(mosquitto.url), mqtt_topic=topic)


def a_meter(runtime: Runtime, person: Person, **given: Any) -> Meter:
    with runtime.database.write(person.workspace_id) as session:
        meter = Meter(**{"name": "House", "kind": COUNTER, **given})
        session.add(meter)
    return meter


class Sender:
    """A meter's side of it."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.topic = settings.mqtt_topic
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.max_inflight_messages_set(1000)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def __call__(self, address: str, payload: Any, retain: bool = False) -> None:
        sent = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        self.client.publish(f"{self.topic}/{address}", sent, qos=1, retain=retain).wait_for_publish(20)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def send(settings: Settings, mosquitto: Mosquitto) -> Iterator[Sender]:
    sender = Sender(settings, mosquitto.port)
    yield sender
    sender.close()


@contextlib.contextmanager
def listening(runtime: Runtime) -> Iterator[Listener]:
    """A listener in a thread of this process, subscribed."""
    listener = Listener(runtime)
    ready, subscribed = threading.Event(), listener._subscribed

    def done(*given: Any) -> None:
        subscribed(*given)
        ready.set()

    listener._client.on_subscribe = done
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        assert ready.wait(20)
        yield listener
    finally:
        listener.stop()
        thread.join(20)
        assert not thread.is_alive()


def kept(runtime: Runtime, meter: Meter) -> list[tuple[int, str]]:
    with runtime.database.read(meter.workspace_id) as session:
        found = read(session, meter.id, 0, 2**33)
    rows = zip(found.times.tolist(), found.values.tolist(), strict=True)
    return [(at - START, told(value, meter.unit)) for at, value in rows]


def until(what: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def outcomes(runtime: Runtime) -> dict[str, int]:
    with runtime.database.read(EVERYONE) as session:
        return {labels["outcome"]: int(count) for labels, count in tally.read(session).get("mqtt_messages", [])}


def test_numbers_times_with_values_lists_and_devices_messages_are_written(
    runtime: Runtime, ada: Person, send: Sender
) -> None:
    meter, plug = a_meter(runtime, ada), a_meter(runtime, ada, name="Plug", time_zone="Europe/Berlin", unit="Wh")
    with listening(runtime):
        send(meter.address, {"time": START, "value": 1.5})
        send(meter.address, [{"time": START + 60, "value": 2}, [START + 120, "2.5"]])
        send(meter.address, {"time": "2023-11-14T22:17:00Z", "value": 3000, "unit": "Wh"})
        send(f"{plug.address}/tele/SENSOR", {"Time": "2023-11-14T23:14:00", "ENERGY": {"Total": 12.5, "Power": 3}})
        send(f"{plug.address}/tele/STATE", {"Time": "2023-11-14T23:14:00", "Wifi": 1})
        send(f"{plug.address}/status/switch:0", {"id": 0, "aenergy": {"total": 12600.5, "minute_ts": START + 60}})
        until(lambda: sum(outcomes(runtime).values()) == 6)
    assert kept(runtime, meter) == [(0, "1.5"), (60, "2"), (120, "2.5"), (180, "3")]
    assert kept(runtime, plug) == [(0, "12500"), (60, "12600.5")]
    assert outcomes(runtime) == {"taken": 5, "other": 1}


def test_a_bare_number_is_of_now_and_one_that_the_broker_kept_is_not_counted(
    runtime: Runtime, ada: Person, send: Sender
) -> None:
    meter = a_meter(runtime, ada)
    send(meter.address, "17", retain=True)
    with listening(runtime):
        until(lambda: outcomes(runtime) == {"retained": 1})
        send(meter.address, b" 4711.25 ")
        until(lambda: outcomes(runtime).get("taken") == 1)
    ((at, value),) = kept(runtime, meter)
    assert value == "4711.25"
    assert abs(at + START - time.time()) < 60
    send(meter.address, b"", retain=True)


def test_what_is_no_reading_is_counted_told_on_its_meter_and_stops_nobody(
    runtime: Runtime, ada: Person, send: Sender
) -> None:
    good, bad = a_meter(runtime, ada), a_meter(runtime, ada, name="Bad", kind="interval")
    gone = a_meter(runtime, ada, name="Old", archived=True)
    with capture_logs() as said, listening(runtime):
        for payload in (b"", b"\xff\xfe", "unavailable", "{", "[" * 50_000, "NaN", "1e400", {"time": 5, "value": 1}, 7,
                        {"unit": [], "value": 1}, {"unit": {}, "value": 1}):  # fmt: skip
            send(bad.address, payload)
        send("nobody's address", {"time": START, "value": 1})
        send("\u00fc" * 40, {"time": START, "value": 1})
        send(gone.address, {"time": START, "value": 1})
        send(bad.address, [[START, 1], [START + 10, 1]])
        send(good.address, {"time": START, "value": 1})
        until(lambda: sum(outcomes(runtime).values()) == 16)
        assert outcomes(runtime) == {"refused": 12, "no_meter": 3, "taken": 1}
        with runtime.database.read(ada.workspace_id) as session:
            trouble = session.scalars(select(Meter.trouble).where(Meter.id == bad.id)).one()
        assert "less than a minute apart" in trouble
        send(bad.address, {"time": START + 900, "value": 1})
        until(lambda: outcomes(runtime)["taken"] == 2)
    with runtime.database.read(ada.workspace_id) as session:
        assert session.scalars(select(Meter.trouble).where(Meter.id == bad.id)).one() == ""
    assert kept(runtime, bad) == [(900, "1")]
    assert [each["event"] for each in said if "not_taken" in each["event"]]
    assert "unavailable" not in str(said)
    assert bad.address not in str(said)


def test_a_burst_is_written_in_few_transactions(
    runtime: Runtime, ada: Person, send: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, sizes, real = a_meter(runtime, ada), [], mqtt_book.write_all

    def count(database: Any, messages: Any) -> Any:
        sizes.append(len(messages))
        return real(database, messages)

    monkeypatch.setattr(mqtt, "write_all", count)
    with listening(runtime):
        for number in range(200):
            send.client.publish(
                f"{send.topic}/{meter.address}", f'{{"time": {START + 60 * number}, "value": {number}}}', qos=1
            )
        until(lambda: sum(sizes) == 200)
    assert len(kept(runtime, meter)) == 200
    assert len(sizes) < 100


def test_a_database_that_is_away_is_waited_for_and_nothing_is_lost(
    runtime: Runtime, ada: Person, send: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, real, tries = a_meter(runtime, ada), mqtt_book.write_all, []

    def away(database: Any, messages: Any) -> Any:
        tries.append(len(messages))
        if len(tries) < 3:
            raise OperationalError("INSERT", {}, Exception("server closed the connection"))
        return real(database, messages)

    monkeypatch.setattr(mqtt, "write_all", away)
    monkeypatch.setattr(mqtt, "FIRST_PAUSE", 0.05)
    with listening(runtime):
        send(meter.address, {"time": START, "value": 1})
        until(lambda: kept(runtime, meter) == [(0, "1")])
    assert len(tries) == 3


def started(settings: Settings) -> "subprocess.Popen[bytes]":
    """The process that `make run` starts."""
    environment = {
        **os.environ, "NIGHTSHIFT_VAR": str(settings.var), "NIGHTSHIFT_MQTT_TOPIC": settings.mqtt_topic,
        "NIGHTSHIFT_MQTT_URL": settings.mqtt_url.get_secret_value(),
    }  # fmt: skip
    log = (settings.var / "mqtt.log").open("ab")
    with log:
        return subprocess.Popen([sys.executable, "-m", "workers.mqtt"], cwd=ROOT, env=environment, stderr=log)


def test_a_listener_that_is_killed_in_the_middle_of_five_hundred_messages_loses_none(
    runtime: Runtime, settings: Settings, ada: Person, send: Sender
) -> None:
    meter = a_meter(runtime, ada)
    expected = [(60 * number, str(number)) for number in range(1, 501)]
    process = started(settings)
    try:
        send(meter.address, {"time": START + 60, "value": 1})
        until(lambda: (runtime.settings.var / "mqtt.log").stat().st_size and _subscribed(send, meter, runtime))
        publishing = threading.Thread(target=_publish, args=(send, meter.address, expected))
        publishing.start()
        until(lambda: len(kept(runtime, meter)) > 60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        publishing.join()
        before = len(kept(runtime, meter))
        assert before < 500, "it was killed too late to show anything"
        process = started(settings)
        until(lambda: len(kept(runtime, meter)) == 500)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert kept(runtime, meter) == expected


def _subscribed(send: Sender, meter: Meter, runtime: Runtime) -> bool:
    """What is sent before the first subscription, no broker keeps: so it is sent again until it is there."""
    send(meter.address, {"time": START + 60, "value": 1})
    return bool(kept(runtime, meter))


def _publish(send: Sender, address: str, expected: list[tuple[int, str]]) -> None:
    for at, value in expected:
        send(address, {"time": START + at, "value": value})


def test_a_wrong_password_is_said_in_a_sentence_without_it_and_the_right_one_lets_in_over_tls(
    runtime: Runtime, settings: Settings, ada: Person, tmp_path: Path
) -> None:
    class Locked(Mosquitto):
        def prepare(self) -> None:
            certificate, key = certificates.made(self.folder)
            for file in (certificate, key):
                file.chmod(0o644)
            self.run("mosquitto_passwd", "-b", "-c", str(self.folder / "users"), "meters", "p@ss/word")
            tls = (f"certfile {certificate}", f"keyfile {key}")
            self.options = ("allow_anonymous false", f"password_file {self.folder / 'users'}", *tls)
            super().prepare()

        def answers(self) -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
            return False

    with Locked() as server:
        authority = str(server.folder / "127.0.0.1.pem")

        def asked(word: str) -> Runtime:
            url = f"mqtts://meters:{word}@127.0.0.1:{server.port}"
            more = {"mqtt_url": SecretStr(url), "mqtt_ca": authority}
            return Runtime(settings.model_copy(update=more), runtime.database, runtime.storage)

        listener = Listener(asked("wrong"))
        thread = threading.Thread(target=listener.run)
        with capture_logs() as said:
            thread.start()
            until(lambda: any(each["event"] == "mqtt.refused" for each in said))
            listener.stop()
            thread.join(20)
        assert "wrong" not in str(said)
        assert "does not accept this user and password" in str(said) or "does not let this user in" in str(said)
        with listening(asked("p%40ss%2Fword")):
            pass


@pytest.mark.parametrize(
    "given",
    [
        {"mqtt_url": "localhost"}, {"mqtt_url": "http://user:geheim@host"}, {"mqtt_url": "mqtt://"},
        {"mqtt_url": "mqtt://user:ge/heim@host"}, {"mqtt_url": "mqtt://host:99999"}, {"mqtt_topic": "a/#"},
        {"mqtt_topic": "/"}, {"mqtt_ca": "/nowhere"},
    ],
)  # fmt: skip
def test_settings_that_lead_to_no_broker_are_refused_without_the_password(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(given)
    assert "geheim" not in str(refused.value)


def test_the_listener_is_started_where_a_broker_is_named_and_nowhere_else(tmp_path: Path) -> None:
    for url, there in (("mqtt://broker", True), ("", False)):
        settings = Settings(var=tmp_path, mqtt_url=SecretStr(url), broker_url=SecretStr("redis://127.0.0.1:1/0"))
        names = [service.name for service in processes.plan(settings).services]
        assert ("mqtt" in names) is there


def test_a_meters_page_names_its_topic_and_why_its_last_message_was_not_taken(
    runtime: Runtime, settings: Settings, ada: Person
) -> None:
    meter = a_meter(runtime, ada, trouble="“unavailable” is no number.")
    app = create_app(settings)
    try:
        page = browser_of(app, runtime, ada).get(f"/energy/meters/{meter.id}").text
    finally:
        app.extensions["nightshift"].database.close()
    assert f"{settings.mqtt_topic}/{meter.address}" in page
    assert "Its last message by MQTT was not taken. “unavailable” is no number." in page
