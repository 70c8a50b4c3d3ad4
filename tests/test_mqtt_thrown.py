"""A message that nobody foresaw is thrown away; the listener, and what came with it, go on."""

from typing import Any

import pytest
from paho.mqtt.client import MQTTMessage
from pydantic import SecretStr
from sqlalchemy.exc import StatementError
from structlog.testing import capture_logs

from models import tally
from models.session import EVERYONE
from tests.conftest import Person
from tests.test_mqtt import START, a_meter, kept
from workers import mqtt, mqtt_book
from workers.mqtt import Arrived, Listener
from workers.mqtt_book import Message
from workers.runtime import Runtime

SECRET = b"secret"


@pytest.fixture
def listener(runtime: Runtime) -> Listener:
    settings = runtime.settings.model_copy(update={"mqtt_url": SecretStr("mqtt://127.0.0.1:1")})
    return Listener(Runtime(settings, runtime.database, runtime.storage))


@pytest.mark.parametrize(
    "error",
    [
        TypeError("unhashable: secret"), OverflowError("secret"), KeyError("secret"), ValueError("secret"),
        RecursionError("secret"), StatementError("secret", "INSERT", {}, ValueError("secret")),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_message_that_makes_an_error_is_thrown_away_alone_and_counted(
    listener: Listener, runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    meter, real = a_meter(runtime, ada), mqtt_book.write_all

    def write(database: Any, messages: list[Message]) -> Any:
        if any(each.payload == SECRET for each in messages):
            raise error
        return real(database, messages)

    monkeypatch.setattr(mqtt, "write_all", write)
    acknowledged: list[int] = []
    monkeypatch.setattr(listener._client, "ack", lambda mid, _qos: acknowledged.append(mid))
    payloads = (b'{"time": %d, "value": 1}' % START, SECRET, b'{"time": %d, "value": 2}' % (START + 60))
    with capture_logs() as said:
        listener._write(
            [Arrived(Message(meter.address, sent, False, False, START), mid, 1) for mid, sent in enumerate(payloads)]
        )
    assert kept(runtime, meter) == [(0, "1"), (60, "2")]
    assert acknowledged == [0, 1, 2]
    with runtime.database.read(EVERYONE) as session:
        counted = {labels["outcome"]: count for labels, count in tally.read(session)["mqtt_messages"]}
    assert counted == {"taken": 2, "refused": 1}
    assert [each["event"] for each in said] == ["mqtt.thrown_away"]
    assert "secret" not in str(said)


def test_a_topic_that_is_no_text_does_not_end_the_connection(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    acknowledged: list[int] = []
    monkeypatch.setattr(listener._client, "ack", lambda mid, _qos: acknowledged.append(mid))
    listener._came(listener._client, None, MQTTMessage(7, b"nightshift/\xff"))
    assert acknowledged == [7]
    assert listener._arrived.empty()
