"""Real workers on real brokers: a run of each pair of database and broker, and messages that nobody of ours wrote."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from deploy.settings import Settings
from models import migrate
from models.base import new_id
from models.session import EVERYONE
from models.workspace import SYSTEM, Workspace
from tests import nap
from tests.conftest import Person, new_person
from tests.make_run import until
from tests.server import Server
from tests.servers import BROKERS, RabbitMQ, emptied
from tests.test_worker_ends import slept, the_run
from workers import dispatch, publish, topology
from workers.runtime import Runtime

pytestmark = pytest.mark.slow
WORKER = [sys.executable, "-m", "celery", "-A", "tests.nap", "worker", "-Q", "default", "-c", "1", "-O", "fair"]
QUIET = ["--without-mingle", "--without-gossip", "--without-heartbeat"]


@pytest.fixture(autouse=True)
def _nap_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {nap.JOB.kind: nap.JOB}
    monkeypatch.setattr("workers.dispatch.discover", lambda: known)
    monkeypatch.setattr(publish.breaker, "_until", 0.0)


def settings_of(tmp_path: Path, database: str, broker: Server, request: pytest.FixtureRequest) -> Settings:
    url = "" if database == "sqlite" else emptied(request.getfixturevalue(database))
    return Settings.model_validate({"var": tmp_path, "database_url": url, "broker_url": broker.url})


@contextmanager
def at_work(settings: Settings, log: Path) -> Iterator[Runtime]:
    """A runtime with a real worker beside it."""
    runtime = Runtime.from_settings(settings)
    if not settings.database_url.get_secret_value():
        migrate.upgrade(settings.database)
    with runtime.database.write(EVERYONE) as session:
        session.add(Workspace(id=SYSTEM, name="System"))
    environment = {
        "NIGHTSHIFT_VAR": str(settings.var),
        "NIGHTSHIFT_DATABASE_URL": settings.database_url.get_secret_value(),
        "NIGHTSHIFT_BROKER_URL": settings.broker,
    }
    with log.open("wb") as out:
        worker = subprocess.Popen([*WORKER, *QUIET], env=os.environ | environment, stdout=out, stderr=out)
    try:
        yield runtime
        assert worker.poll() is None, log.read_text()[-2000:]
    finally:
        worker.kill()
        worker.wait()
        runtime.database.close()


def done(runtime: Runtime, person: Person) -> None:
    """A run of this person is handed over and succeeds."""
    run_id = slept(runtime, person, 0)

    def ended() -> bool:
        dispatch.everything(runtime)
        return the_run(runtime, run_id).state == "succeeded"

    until(ended, 60)


@pytest.mark.parametrize(
    ("database", "broker"), [("sqlite", "valkey"), ("postgresql", "rabbitmq"), ("mariadb", "valkey")]
)
def test_a_run_goes_through_on_every_database_and_with_every_broker(
    database: str, broker: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = settings_of(tmp_path, database, request.getfixturevalue(broker), request)
    with at_work(settings, tmp_path / "worker.log") as runtime:
        done(runtime, new_person(runtime, "ada"))


def celery_headers(**more: Any) -> dict[str, Any]:
    return {"lang": "py", "task": "nap", "id": new_id(), "retries": 0, "eta": None, "expires": None, **more}


BODY = json.dumps([[new_id()], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
JSON = {"content_type": "application/json", "content_encoding": "utf-8"}
PICKLE = {"content_type": "application/x-python-serialize", "content_encoding": "binary"}
# What: its body and how it is sent.
ALIEN: dict[str, tuple[Any, dict[str, Any]]] = {
    "JSON that is no task": ('{"hello": "world"}', JSON),
    "no JSON though it says so": ("{", {**JSON, "headers": celery_headers()}),
    "bytes": (b"\x00\xff\xfe", {"content_type": "application/data", "content_encoding": "binary"}),
    "a job that is none": (BODY, {**JSON, "headers": celery_headers(task="rm")}),
    "a job whose name is no name": (BODY, {**JSON, "headers": celery_headers(task={"a": 1})}),
    "a task without an id": (BODY, {**JSON, "headers": {"task": "nap"}}),
    "a pickle": (b"cos\nsystem\n(S'true'\ntR.", {**PICKLE, "headers": celery_headers()}),
    "no arguments": (json.dumps([[], {}, {}]), {**JSON, "headers": celery_headers()}),
    "another argument": (json.dumps([[{"id": 1}], {}, {}]), {**JSON, "headers": celery_headers()}),
    "an argument with a name": (json.dumps([[], {"run_id": "x"}, {}]), {**JSON, "headers": celery_headers()}),
    "an id that no text holds": (json.dumps([["\ud800"], {}, {}]), {**JSON, "headers": celery_headers()}),
    "JSON without a bottom": ("[" * 100_000, {**JSON, "headers": celery_headers()}),
}
CALLED_AFTERWARDS = {"callbacks": 5, "errbacks": 5, "chain": 7, "chord": {"a": 1}}
# Messages for a run, which is none, with more in them than we write.
ODD: dict[str, tuple[Any, dict[str, Any]]] = {
    "nothing odd": (BODY, {**JSON, "headers": celery_headers()}),
    "an encoding that is none": (BODY.encode(), {**JSON, "content_encoding": "klingon", "headers": celery_headers()}),
    "three time limits": (BODY, {**JSON, "headers": celery_headers(timelimit=[1, 2, 3])}),
    "a delay that is none": (BODY, {**JSON, "headers": celery_headers(eta="tomorrow")}),
    "a delay of a thousand years": (BODY, {**JSON, "headers": celery_headers(eta="3000-01-01T00:00:00")}),
    "arguments in words that are none": (BODY, {**JSON, "headers": celery_headers(argsrepr=5, stamps=5, origin=[1])}),
    "what is to be called afterwards": (
        json.dumps([[new_id()], {}, CALLED_AFTERWARDS]),
        {**JSON, "headers": celery_headers()},
    ),
    "nothing after its arguments": (json.dumps([[new_id()], {}]), {**JSON, "headers": celery_headers()}),
    "an answer is wanted": (BODY, {**JSON, "reply_to": "x", "headers": celery_headers()}),
}
RAW = [
    b"\x00\xff not JSON", b"[]", b"7", b'{"body": "x"}', b'{"properties": {}, "body": "=", "headers": 3}',
    b"[" * 100_000,
]  # fmt: skip


def throw_in(broker: Server) -> None:
    """All of that into the queue, beside what Redis alone lets in: an entry that is no message at all."""
    with Connection(broker.url) as connection:
        producer = connection.Producer()
        if isinstance(broker, RabbitMQ):
            topology.queue("default", broker.url)(connection.default_channel).declare()
        for body, how in [*ALIEN.values(), *ODD.values()]:
            producer.publish(body, exchange="", routing_key="default", **how)
        if not isinstance(broker, RabbitMQ):
            channel: Any = connection.default_channel
            channel.client.lpush("default", *RAW)


@pytest.mark.parametrize("broker", BROKERS)
def test_a_message_that_we_did_not_write_is_thrown_away_with_a_note_and_the_worker_goes_on(
    broker: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue("redis_server" if broker == "redis" else broker)
    throw_in(server)
    log = tmp_path / "worker.log"
    with at_work(settings_of(tmp_path, "sqlite", server, request), log) as runtime:
        done(runtime, new_person(runtime, "ada"))
        until(lambda: publish.length(runtime, "default") == 0, 30)
        until(lambda: log.read_text().count("message.thrown_away") >= len(ALIEN), 30)
        said = log.read_text()
        assert "Traceback" not in said
        assert "hello" not in said, "what stands in it is not ours to log"
