"""Fixtures: a real database and storage in a temporary folder, a person in a workspace. Nothing of ours is mocked."""

import contextlib
import gc
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest
import structlog
from sqlalchemy import Engine, event
from sqlalchemy.util import LRUCache

import models.session
from deploy.settings import Settings
from models.account import Account
from models.base import Base, new_id
from models.engine import make_engine
from models.session import EVERYONE
from models.workspace import SYSTEM, Membership, Workspace
from tests.buckets import moto  # noqa: F401  # a fixture
from tests.make_run import system  # noqa: F401  # a fixture
from tests.servers import DATABASES, emptied, mariadb, postgresql, rabbitmq, redis_server, valkey  # noqa: F401
from tests.web_fixtures import ada_s, admin, app, browser, compiled_templates, database, invite, probe  # noqa: F401  # fixtures
from workers import publish
from workers.lease import Heart
from workers.runtime import Runtime

# Each test makes an application and drops it: looking for garbage every 700 objects took a third of all the time.
gc.set_threshold(50_000, 20, 50)
# Tracebacks as in production; the default draws a picture of each variable, which takes a second each.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

# Modules whose tests run on each of them.
EVERY_DATABASE = (
    "test_engine",
    "test_import_goods",
    "test_import_money",
    "test_schedules",
    "test_rights",
    "test_budgets",
    "test_movements",
    "test_purchases",
    "test_care_races",
    "test_care_lists",
)


class Compiled(LRUCache[Any, Any]):
    """Each test has an engine of its own, and would compile the same statements again, a sixth of all the time: here
    engines of one kind share what was compiled. The first part of a key is the engine's dialect."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), value)


COMPILED = Compiled(2000)


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def at_once(*calls: Callable[[], object]) -> None:
    """Call all of them in threads and wait for the last."""
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture(autouse=True)
def engines_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every connection is closed after its test: Python 3.13 warns of those that are not, and warnings are errors.

    Closed one by one: a pool that is disposed of leaves alone what a thread or an open answer still holds.
    """
    made: list[Engine] = []
    connections: list[Any] = []

    def make(url: str) -> Engine:
        made.append(make_engine(url))
        made[-1].update_execution_options(compiled_cache=COMPILED)
        event.listen(made[-1], "connect", lambda connection, _record: connections.append(connection))
        return made[-1]

    monkeypatch.setattr(models.session, "make_engine", make)
    stop = hearts_stop(monkeypatch)
    yield
    stop()
    for engine in made:
        engine.dispose()
    for connection in connections:
        with contextlib.suppress(pymysql.Error):  # which minds that it is closed already
            connection.close()


def hearts_stop(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What ends the heartbeats: to close a SQLite connection in the middle of one is a segmentation fault."""
    beating, ended = threading.RLock(), threading.Event()

    def until_then(beat: Callable[..., None]) -> Callable[..., None]:
        def bounded(*given: Any) -> None:
            with beating:
                if not ended.is_set():
                    beat(*given)

        return bounded

    for name in ("_call", "_extend"):
        monkeypatch.setattr(Heart, name, until_then(getattr(Heart, name)))

    def stop() -> None:
        with beating:
            ended.set()

    return stop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first: at the end one of them would go on alone, and the other core wait for it."""
    long = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in long)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The engine's own tests run on every database."""
    name = metafunc.module.__name__.rpartition(".")[2]
    only_sqlite = metafunc.definition.get_closest_marker("sqlite")
    if "settings" in metafunc.fixturenames and name.startswith(EVERY_DATABASE) and not only_sqlite:
        metafunc.parametrize("settings", ["sqlite", *DATABASES], indirect=True)


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings in a folder of their own, with a broker that is not there: everything must work without it."""
    name = getattr(request, "param", "sqlite")
    url = "" if name == "sqlite" else emptied(request.getfixturevalue(name))
    chosen = {"var": tmp_path / "var", "database_url": url, "broker_url": "redis://127.0.0.1:1/0", "lease_seconds": 2}
    return Settings.model_validate(chosen)


@pytest.fixture(scope="session")
def fresh_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of SQLite as one file, with the tables in it: copied, it is there in no time."""
    settings = Settings.model_validate({"var": tmp_path_factory.mktemp("fresh")})
    made = Runtime.from_settings(settings)
    Base.metadata.create_all(made.database.engine)
    prepare(made)
    made.database.close()
    return settings.var / "nightshift.db"


def prepare(runtime: Runtime) -> None:
    """What is there before anybody comes; servers have their tables from `emptied`."""
    with runtime.database.write(EVERYONE) as session:
        session.add(Workspace(id=SYSTEM, name="System"))


@pytest.fixture
def runtime(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Runtime]:
    settings.var.mkdir(parents=True)
    made = Runtime.from_settings(settings)
    if made.database.engine.dialect.name == "sqlite":
        shutil.copyfile(request.getfixturevalue("fresh_sqlite"), settings.var / "nightshift.db")
    else:
        prepare(made)
    publish.breaker.trip()
    yield made
    made.database.close()


@dataclass(frozen=True)
class Person:
    account_id: str
    workspace_id: str


def new_person(runtime: Runtime, name: str) -> Person:
    """An account with a workspace of its own."""
    person = Person(new_id(), new_id())
    with runtime.database.write(EVERYONE) as session:
        session.add(Account(id=person.account_id, email=f"{name}@example.org", name=name.title()))
        session.add(Workspace(id=person.workspace_id, name=f"{name.title()}'s workspace"))
        session.flush()
        session.add(Membership(workspace_id=person.workspace_id, account_id=person.account_id, role="owner"))
    return person


@pytest.fixture
def ada(runtime: Runtime) -> Person:
    return new_person(runtime, "ada")


@pytest.fixture
def grace(runtime: Runtime) -> Person:
    return new_person(runtime, "grace")
