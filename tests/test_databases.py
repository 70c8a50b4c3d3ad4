"""What only shows on a database server: deadlocks, restarts, old defaults; and migrations with rows in place."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import FLOAT, Double, MetaData, Table, create_engine, func, insert, inspect, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from models import limits, migrate
from models.account import Throttle
from models.base import Base, db_now
from models.engine import make_engine
from models.meter import Place
from models.session import EVERYONE
from models.workspace import Membership
from tests.conftest import Person
from tests.front import browser_of, member_of, token_of
from tests.jobs import install, submitted
from tests.servers import DATABASES, DatabaseServer
from workers import dispatch, publish
from workers.execute import execute
from workers.runtime import Runtime

SERVERS = sorted(DATABASES)


def together(count: int, work: Callable[[int], object]) -> list[DBAPIError]:
    """Runs it in as many threads; what was raised."""
    raised: list[DBAPIError] = []

    def one(number: int) -> None:
        try:
            work(number)
        except DBAPIError as error:
            raised.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.parametrize("settings", SERVERS, indirect=True)
def test_many_workers_under_limits_run_each_run_once_and_no_deadlock_reaches_them(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch)
    with runtime.database.write(EVERYONE) as session:
        limits.set_limit(session, "queue:default", 3, None)
        limits.set_limit(session, "person:*", 2, None)
    runtime.limits.forget()
    ids = [submitted(runtime, job, person) for person in (ada, grace) * 20]

    def work(number: int) -> None:
        for _ in range(8):
            for run_id in ids[number::8] + ids[(number + 1) % 8 :: 8]:
                execute(runtime, run_id, f"w{number}@h:1/{number}")
            publish.breaker._until = 0.0
            dispatch.everything(runtime)

    assert together(8, work) == []


@pytest.mark.parametrize("settings", SERVERS, indirect=True)
def test_a_restarted_server_is_noticed_before_anything_is_written(
    runtime: Runtime, settings: Any, request: pytest.FixtureRequest
) -> None:
    server: DatabaseServer = request.getfixturevalue(request.node.callspec.params["settings"])
    with runtime.database.look() as connection:
        assert connection.execute(select(db_now())).scalar()
    server.restart()
    time.sleep(1.1)  # a connection that was used just now is taken for alive
    with runtime.database.write(EVERYONE) as session:
        session.add(Throttle(key="a", since=0, count=1))


@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
def test_while_the_server_is_away_people_and_programs_are_told_to_come_back(
    runtime: Runtime, ada: Person, app: Flask, request: pytest.FixtureRequest
) -> None:
    server: DatabaseServer = request.getfixturevalue("postgresql")
    headers = token_of(runtime, ada)
    signed_in = browser_of(app, runtime, ada)
    server.stop()
    try:
        program = app.test_client().post("/api/v1/jobs/budget/runs", json={}, headers=headers)
        page = signed_in.get("/runs")
    finally:
        server.start()
    for answer in (program, page):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        assert "A part of the machinery is away. Try again in a minute." in answer.text


@pytest.mark.parametrize("settings", SERVERS, indirect=True)
def test_the_clock_is_utc_whatever_the_server_thinks_of_its_place(runtime: Runtime) -> None:
    with runtime.database.look() as connection:
        assert abs(int(connection.execute(select(db_now())).scalar() or 0) - time.time() * 1000) < 5000


@pytest.mark.parametrize("settings", SERVERS, indirect=True)
def test_what_does_not_fit_is_an_error_and_every_letter_counts(runtime: Runtime) -> None:
    def write(session: Session, key: str) -> None:
        session.add(Throttle(key=key, since=0, count=1))

    with runtime.database.write(EVERYONE) as session:
        write(session, "key")
        write(session, "KEY")  # another one, also where a server compares without case by itself
        write(session, "Schlüssel 🔑")
    with pytest.raises(DataError), runtime.database.write(EVERYONE) as session:
        write(session, "x" * 121)
    with pytest.raises(IntegrityError), runtime.database.write(EVERYONE) as session:
        write(session, "key")
    with runtime.database.read(EVERYONE) as session:
        assert "Schlüssel 🔑" in session.scalars(select(Throttle.key)).all()


@pytest.mark.parametrize("settings", SERVERS, indirect=True)
def test_readers_see_what_is_committed_and_never_wait_for_a_writer(runtime: Runtime) -> None:
    with runtime.database.begin() as one:
        one.execute(insert(Throttle).values(key="a", since=0, count=1))
        with runtime.database.look() as other:
            assert other.execute(select(func.count()).select_from(Throttle)).scalar() == 0
            isolation = other.get_isolation_level()
    assert isolation == "READ COMMITTED"


@pytest.mark.parametrize("settings", ["sqlite", *SERVERS], indirect=True)
def test_of_two_owners_who_leave_at_once_one_stays(app: Flask, runtime: Runtime, ada: Person) -> None:
    grace = member_of(runtime, ada, "grace", "owner")
    browsers = [browser_of(app, runtime, person) for person in (ada, grace)]
    tokens = [browser.token() for browser in browsers]

    def leave(number: int) -> None:
        browsers[number].client.post("/workspace/leave", data={"csrf_token": tokens[number]})

    assert together(2, leave) == []
    with runtime.database.read(EVERYONE) as session:
        owners = select(Membership.account_id).where(Membership.workspace_id == ada.workspace_id)
        assert len(session.scalars(owners.where(Membership.role == "owner")).all()) == 1


@pytest.fixture(params=["sqlite", *SERVERS])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a.db'}"
    server: DatabaseServer = request.getfixturevalue(request.param)
    return server.fresh("migrated")


OLD_ROWS: dict[str, dict[str, Any]] = {
    "workspace": {"id": "w", "name": "Ada's", "created_at": 1},
    "account": {
        "id": "a", "email": "ada@example.org", "name": "Ada", "is_admin": False, "time_zone": "UTC",
        "mail_results": True, "created_at": 1,
    },
    "membership": {"workspace_id": "w", "account_id": "a", "role": "owner", "created_at": 1},
    "run": {
        "id": "r", "workspace_id": "w", "account_id": "a", "kind": "mail", "queue": "mail", "params": "{}",
        "summary": "", "state": "queued", "priority": 0, "created_at": 1, "due_at": 1, "attempt": 0, "tries": 0,
        "attempts": 3, "progress": 0, "message": "", "headline": "", "listed": True,
    },
    "run_event": {
        "id": "e", "run_id": "r", "workspace_id": "w", "at": 1, "attempt": 0, "what": "queued", "detail": "é",
    },
    "idempotency": {"workspace_id": "w", "key": "k", "params_hash": "h", "run_id": "r", "created_at": 1},
}  # fmt: skip


def counted(url: str) -> dict[str, int]:
    engine = make_engine(url)
    with engine.connect() as connection:
        found = {name: reflected(connection, name) for name in OLD_ROWS}
        counts = {
            name: connection.execute(select(func.count()).select_from(found[name])).scalar() or 0 for name in found
        }
    engine.dispose()
    return counts


def reflected(connection: Any, name: str) -> Table:
    return Table(name, MetaData(), autoload_with=connection, resolve_fks=False)


@pytest.mark.parametrize("settings", ["mariadb"], indirect=True)
def test_what_older_releases_kept_as_float_becomes_double_and_stays_as_people_saw_it(
    runtime: Runtime, ada: Person
) -> None:
    exact, tables = 0.1 + 0.2, {table.name: table for table in Base.metadata.sorted_tables if table.name != "tally"}
    with runtime.database.begin() as connection:
        for each in (each for table in tables.values() for each in table.c if isinstance(each.type, Double)):
            null = "NULL" if each.nullable else "NOT NULL"
            connection.exec_driver_sql(f"ALTER TABLE {each.table.name} MODIFY {each.name} FLOAT {null}")
    _add_places(runtime, ada, typed=52.52, none=None)
    url = migrate.config(runtime.settings.database)
    command.stamp(url, "0005")  # the tables of these tests are not made by migrations
    command.upgrade(url, "0006")
    _add_places(runtime, ada, exact=exact)
    with runtime.database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
        found = connection.execute(select(Place.name, Place.latitude, Place.longitude)).all()
        have = [each["type"] for name in tables for each in inspect(connection).get_columns(name)]
    assert sorted(map(tuple, found)) == [("exact", exact, exact), ("none", None, None), ("typed", 52.52, 52.52)]
    assert not [each for each in have if isinstance(each, FLOAT)]


def _add_places(runtime: Runtime, ada: Person, **at: float | None) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        session.add_all(Place(name=name, latitude=where, longitude=where) for name, where in at.items())


def test_migrations_go_forward_and_back_with_rows_in_place_and_lead_to_the_tables(empty: str) -> None:
    migrate.upgrade(empty, "0001")
    engine = make_engine(empty)
    with engine.begin() as connection:
        for name, row in OLD_ROWS.items():
            connection.execute(reflected(connection, name).insert().values(row))
    engine.dispose()
    whole = dict.fromkeys(OLD_ROWS, 1)
    migrate.upgrade(empty)
    assert counted(empty) == whole
    command.check(migrate.config(empty))  # raises when the tables and the migrations differ
    migrate.downgrade(empty, "0001")
    assert counted(empty) == whole
    migrate.upgrade(empty)
    assert counted(empty) == whole
    migrate.downgrade(empty, "base")
    engine = create_engine(empty)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()
