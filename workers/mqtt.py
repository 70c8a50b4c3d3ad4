"""Readings by MQTT: `python -m workers.mqtt` listens at a broker and writes down what meters say.

A message is acknowledged when it is written, so the broker brings again what a process that died had in its hands;
readings are kept by their time, so that twice is once. What comes in a burst is written together.
"""

import queue
import signal
import ssl
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from deploy import logs
from deploy.settings import Settings
from models.engine import again, of_data
from tasks.metering.readings import Moved
from workers.alive import sign
from workers.mqtt_book import Message, count_refused, write_all
from workers.runtime import Runtime, runtime

log = structlog.get_logger()
PORTS = {"mqtt": 1883, "mqtts": 8883}
MOST = 500  # messages in one transaction
GATHER = 0.02  # seconds to wait for one more: Mosquitto sends 20 before it waits for the first to be acknowledged
HELD = 5000  # messages in memory; more wait in the broker
FIRST_PAUSE, LONGEST_PAUSE = 1, 60  # seconds between two tries to connect, or to write
KEEPALIVE = 30
# What a message can make of us, and no database: it will be the same each time the message comes.
OF_DATA = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)
REFUSED = {
    "Not authorized": "it does not let this user in",
    "Bad user name or password": "it does not accept this user and password",
    "Client identifier not valid": "it wants another client id",
    "Unsupported protocol version": "it does not speak MQTT 3.1.1",
    "Server unavailable": "it is not ready",
}
LOOK = "Look at NIGHTSHIFT_MQTT_URL, and at the broker's own list of users."
NOT_READ = "This user may not read these topics. Allow it in the broker's access list."


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message and how to acknowledge it."""

    message: Message
    mid: int
    qos: int


class Listener:
    """Listens at the broker of the settings until it is stopped."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime, self.settings = runtime, runtime.settings
        self.stopped = threading.Event()
        self._arrived: queue.Queue[Arrived] = queue.Queue(HELD)
        self._client = self._made()
        self._network = threading.Thread(target=self._listen, name="mqtt", daemon=True)

    def run(self) -> None:
        """Until `stop`.

        Raises:
            RuntimeError: the network's thread ended by itself; start again.
        """
        self._network.start()
        try:
            while not self.stopped.is_set():
                sign(self.settings)
                if not self._network.is_alive():
                    raise RuntimeError("the connection's thread has ended")
                if batch := self._batch():
                    self._write(batch)
        finally:
            self._client.disconnect()
            self._network.join(timeout=5)

    def stop(self, *_: Any) -> None:
        """What is being written is finished first; what was not acknowledged the broker keeps."""
        self.stopped.set()

    def _made(self) -> Client:
        url = urlsplit(self.settings.mqtt_url.get_secret_value())
        name = f"nightshift-{self.settings.secret('mqtt_client')[:12]}"  # the session at the broker hangs on it
        client = Client(
            CallbackAPIVersion.VERSION2, name, clean_session=False, protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )  # fmt: skip
        if url.username:
            client.username_pw_set(unquote(url.username), unquote(url.password or ""))
        if url.scheme == "mqtts":
            context = ssl.create_default_context()
            if self.settings.mqtt_ca:
                context.load_verify_locations(self.settings.mqtt_ca)
            client.tls_set_context(context)
        client.reconnect_delay_set(FIRST_PAUSE, LONGEST_PAUSE)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_subscribe, client.on_message = self._subscribed, self._came
        client.on_connect_fail = self._unreached
        client.connect_async(url.hostname or "", url.port or PORTS[url.scheme], KEEPALIVE)
        return client

    def _listen(self) -> None:
        """An error of TLS is one of the network: paho would end with it."""
        while not self.stopped.is_set():
            try:
                self._client.loop_forever(retry_first_connection=True)
            except OSError as error:
                self._unreached(why=type(error).__name__)
                self.stopped.wait(FIRST_PAUSE)

    def _connected(self, client: Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if reason.is_failure:
            log.error("mqtt.refused", why=f"The broker refuses us: {REFUSED.get(str(reason), str(reason))}. {LOOK}")
            return
        log.info("mqtt.connected")
        client.subscribe(f"{self.settings.mqtt_topic}/+/#", qos=1)

    def _subscribed(self, _client: Client, _data: Any, _mid: int, reasons: Any, _more: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            log.error("mqtt.not_subscribed", why=NOT_READ)

    def _disconnected(self, _client: Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if not self.stopped.is_set():
            log.warning("mqtt.disconnected", why=str(reason))

    def _unreached(self, *_: Any, why: str = "") -> None:
        log.warning("mqtt.not_reached", why=f"The broker cannot be reached; it is tried again. {LOOK}", error=why)

    def _came(self, _client: Client, _data: Any, came: MQTTMessage) -> None:
        """In the network's thread: while the queue is full nothing more is read, and the broker waits."""
        try:
            topic = came.topic
        except UnicodeDecodeError:  # no address of ours
            self._client.ack(came.mid, came.qos)
            return
        parts = topic.removeprefix(f"{self.settings.mqtt_topic}/").split("/")
        message = Message(parts[0], bytes(came.payload), came.retain, len(parts) > 1, int(time.time()))
        arrived = Arrived(message, came.mid, came.qos)
        while not self.stopped.is_set():
            try:
                return self._arrived.put(arrived, timeout=0.5)
            except queue.Full:
                continue

    def _batch(self) -> list[Arrived]:
        """What has come: the first within half a second, and all that follow close behind it."""
        return list(self._following(0.5))

    def _following(self, patience: float) -> Iterator[Arrived]:
        for _ in range(MOST):
            try:
                yield self._arrived.get(timeout=patience)
            except queue.Empty:
                return
            patience = GATHER

    def _write(self, batch: list[Arrived]) -> None:
        """Written, then acknowledged; a database that is away is waited for."""
        pause = float(FIRST_PAUSE)
        while not self.stopped.is_set():
            try:
                self._told(again(write_all)(self.runtime.database, [each.message for each in batch]))
                return self._acknowledge(batch)
            except OF_DATA as error:
                return self._one_by_one(batch, error)
            except (SQLAlchemyError, Moved) as error:
                if isinstance(error, StatementError) and (not isinstance(error, DBAPIError) or of_data(error)):
                    return self._one_by_one(batch, error)
                log.warning("mqtt.database_away", error=type(error).__name__)
            self.stopped.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _one_by_one(self, batch: list[Arrived], error: Exception) -> None:
        """What cannot be written, today or tomorrow, is thrown away; the others are not.

        Were it left unacknowledged, the broker would bring it again, and it would end each listener after this one.
        """
        if len(batch) > 1:
            for each in batch:
                self._write([each])
            return
        where = traceback.extract_tb(error.__traceback__)[-1:]  # the error's own words may hold the payload
        log.error("mqtt.thrown_away", error=type(error).__name__, at=[f"{at.filename}:{at.lineno}" for at in where])
        with suppress(SQLAlchemyError):  # a count is not worth the message's coming again
            count_refused(self.runtime.database)
        self._acknowledge(batch)

    def _acknowledge(self, batch: list[Arrived]) -> None:
        for each in batch:
            self._client.ack(each.mid, each.qos)

    def _told(self, outcomes: Counter[str]) -> None:
        if refused := outcomes["refused"] + outcomes["no meter"]:
            log.warning("mqtt.messages_not_taken", count=refused)


def main(settings: Settings | None = None) -> None:
    """The entry point."""
    made = Runtime.from_settings(settings) if settings else runtime()
    logs.configure(made.settings.log_level)
    if not made.settings.mqtt_url.get_secret_value():
        raise SystemExit("NIGHTSHIFT_MQTT_URL is empty: name the broker that meters send their readings to.")
    listener = Listener(made)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, listener.stop)
    try:
        listener.run()
    finally:
        made.database.close()


if __name__ == "__main__":
    main()
