"""Backups: all rows and files of one moment, into nothing, on any database, and the same again."""

import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import select, update

from deploy.backup import rows, target
from deploy.backup.__main__ import do_restore
from deploy.backup.contents import Manifest, TableHead
from deploy.backup.errors import BackupError
from deploy.backup.reading import Reading, Receiver
from deploy.backup.restoring import check, free
from deploy.backup.snapshot import patient
from deploy.lock import only_one
from deploy.settings import ROOT, Settings
from models import lifecycle, migrate, ticket_search
from models.account import Account, SignIn, Throttle, Token
from models.artifact import Artifact, Upload
from models.base import Base, db_now
from models.run import Run
from models.session import EVERYONE, Database
from models.ticket import Ticket
from tests.backups import PORTABLE, contents, count, furnished, place, restored, saved, sums
from tests.conftest import Person
from tests.front import WORKER
from tests.jobs import install, submitted
from tests.rights import who
from tests.servers import DATABASES, DatabaseServer
from tests.web_fixtures import Browser
from web import create_app
from workers import dispatch
from workers.execute import execute
from workers.runtime import Runtime

SAME = "Every row and file was read again and is as the backup says"
TOLD = {
    "mariadb": [
        "1 of place.latitude: rounded to seven digits, which is what MariaDB's FLOAT holds.",
        f"{SAME}, but for these.",
    ],
    "postgresql": [
        "1 of place.trouble: zero bytes, which PostgreSQL's text cannot hold, were replaced by �.",
        f"{SAME}, but for these.",
    ],
    "sqlite": [f"{SAME}."],
}


class Source:
    """A Nightshift that is saved once for all tests of this file."""

    def __init__(self, settings: Settings, ada: Person) -> None:
        self.settings, self.ada = settings, ada
        self.archive, self.manifest = saved(settings)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, fresh_sqlite: Path) -> Source:
    settings = place(tmp_path_factory.mktemp("source") / "var")
    return Source(settings, furnished(settings, fresh_sqlite))


def test_every_column_has_a_kind_that_every_database_knows() -> None:
    assert {head.name for head in rows.heads()} == set(Base.metadata.tables)
    before: set[str] = set()
    for table in Base.metadata.sorted_tables:
        assert {key.column.table.name for key in table.foreign_keys} <= before | {table.name}, "no cycles: see Loader"
        before.add(table.name)


def test_rows_of_these_tests_stand_in_every_table(source: Source) -> None:
    assert not [name for name, total in source.manifest.tables.items() if not total.count], "see tests/backups.py"
    assert source.manifest.files.count == len(contents(source.settings)) > 4


def test_what_was_saved_moves_from_database_to_database_and_back_and_is_the_same(
    source: Source, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    archive = source.archive
    for name in (*reversed(DATABASES), "sqlite"):  # SQLite, then MariaDB, PostgreSQL, and SQLite again
        url = "" if name == "sqlite" else _fresh(request.getfixturevalue(name))
        settings = place(tmp_path / name, url)
        said = restored(settings, archive)
        assert said[1:] == TOLD[name]
        archive, manifest = saved(settings)
        _the_same(manifest, source.manifest)
        assert contents(settings) == contents(source.settings)
        assert settings.secret("secret_key") == source.settings.secret("secret_key")
        assert count(settings, SignIn) == 0, "everybody signs in again"
        assert count(settings, Token) == 1
        _is_searched(settings, source.ada)
    assert [oct(path.stat().st_mode & 0o777) for path in (settings.var / "secrets").iterdir()] == ["0o600"]


def _fresh(server: DatabaseServer) -> str:
    return server.fresh("backups")


def _the_same(one: Manifest, other: Manifest) -> None:
    different = [name for name in PORTABLE if one.tables[name] != other.tables[name]]
    assert not different
    assert (one.files, one.bytes) == (other.files, other.bytes)


def _is_searched(settings: Settings, ada: Person) -> None:
    """Full text is there again, with the tickets in it."""
    runtime = Runtime.from_settings(settings)
    with runtime.database.read(ada.workspace_id) as session:
        found = select(Ticket.id).where(ticket_search.matching(session, "nobody else"))
        assert len(session.scalars(found).all()) == 2
    runtime.database.close()


@pytest.mark.parametrize("settings", ["sqlite", *DATABASES], indirect=True)
def test_while_others_write_all_tables_are_saved_as_of_one_moment(runtime: Runtime, ada: Person) -> None:
    with _stamped(runtime):
        run_id = _counted(runtime, ada)
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                with runtime.database.begin() as connection:
                    connection.execute(update(Throttle).values(count=Throttle.count + 1))
                    connection.execute(update(Run).where(Run.id == run_id).values(tries=Run.tries + 1))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            moments = [_both(saved(runtime.settings)[0], run_id) for _ in range(6)]
        finally:
            stop.set()
            writer.join()
    assert [one for one, _ in moments] == [other for _, other in moments]
    assert moments[0] < moments[-1], "it was written meanwhile"


@contextmanager
def _stamped(runtime: Runtime) -> Iterator[None]:
    """The tables of these tests are not made by migrations: what the database says of its revision is said here."""
    command.stamp(migrate.config(runtime.settings.database), "head")
    try:
        yield
    finally:
        with runtime.database.begin() as connection:
            connection.exec_driver_sql("DROP TABLE alembic_version")


def _counted(runtime: Runtime, ada: Person) -> str:
    with runtime.database.write(ada.workspace_id) as session:
        session.add(run := Run(workspace_id=ada.workspace_id, kind="count", queue="default", params={}, tries=0))
        session.add(Throttle(key="first", since=0, count=0))
        session.flush()
        return run.id


class Rows(Receiver):
    """Some tables' rows as an archive has them."""

    def __init__(self, *names: str) -> None:
        self.found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}

    def rows(self, table: TableHead, lines: Iterator[bytes]) -> None:
        for line in lines:
            if table.name in self.found:
                self.found[table.name].append(rows.values(table, line))


def _both(archive: bytes, run_id: str) -> tuple[int, int]:
    received = Rows("throttle", "run")
    Reading(io.BytesIO(archive), received).all()
    (tries,) = (row["tries"] for row in received.found["run"] if row["id"] == run_id)
    return received.found["throttle"][0]["count"], tries


def test_a_restored_system_signs_people_in_and_does_what_waited_and_what_ran(
    admin: Browser, app: Flask, runtime: Runtime, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, job = who(database, "Ada"), install(monkeypatch)
    waits, runs = submitted(runtime, job, ada), submitted(runtime, job, ada)
    with runtime.database.begin() as connection:
        assert lifecycle.claim(connection, runs, "work@gone:1/2", 3_600_000)
        connection.execute(update(Run).where(Run.id == waits).values(published_at=db_now()))
    command.stamp(migrate.config(runtime.settings.database), "head")

    settings = place(tmp_path / "new")
    restored(settings, saved(runtime.settings)[0])
    again = Runtime.from_settings(settings)
    dispatch.everything(again)
    assert _states(again, waits, runs) == {waits: ("queued", 0), runs: ("queued", 1)}, "as if its worker was lost"
    with again.database.begin() as connection:
        connection.execute(update(Run).values(due_at=0))
    assert [execute(again, each, WORKER) for each in (waits, runs)] == ["succeeded", "succeeded"]
    assert execute(again, runs, WORKER) is None, "and no second time"
    again.database.close()

    front = create_app(settings)
    browser = Browser(front)
    assert browser.sign_in("ada@example.org").status_code == 302
    assert browser.signed_in()
    front.extensions["nightshift"].database.close()


def _states(runtime: Runtime, *ids: str) -> dict[str, tuple[str, int]]:
    with runtime.database.read(EVERYONE) as session:
        return {row.id: (row.state, row.tries) for row in session.scalars(select(Run).where(Run.id.in_(ids)))}


def test_files_that_go_meanwhile_are_told_and_several_names_take_their_room_once(
    source: Source, tmp_path: Path, fresh_sqlite: Path
) -> None:
    settings = place(tmp_path / "var")
    furnished(settings, fresh_sqlite)
    runtime = Runtime.from_settings(settings)
    with runtime.database.write(EVERYONE) as session:
        uploads = session.scalars(select(Upload)).all()
        key = runtime.storage.put(io.BytesIO(bytes(100_000)))[0]
        uploads[0].key, uploads[1].key = key, runtime.storage.copy(key)
        lost = session.scalars(select(Artifact)).first()
        assert lost
        runtime.storage.delete(lost.key)
    runtime.database.close()
    archive, manifest = saved(settings)
    assert (manifest.gone, manifest.gone_keys) == (1, [lost.key])
    assert 100_000 < manifest.bytes < 101_000
    new = place(tmp_path / "new")
    said = restored(new, archive)
    assert "1 files were deleted while it was made" in said[0]
    one, other = (new.var / "files" / key[:2] / key for key in (key, uploads[1].key))
    assert one.samefile(other)


def test_it_goes_through_a_pipe_from_one_command_to_the_other(source: Source, tmp_path: Path) -> None:
    python = f"{sys.executable} -m deploy.backup"
    piped = (
        f"NIGHTSHIFT_VAR={source.settings.var} {python} save - | NIGHTSHIFT_VAR={tmp_path / 'new'} {python} restore -"
    )
    done = subprocess.run(["sh", "-c", piped], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "everybody signs in again" in done.stderr
    assert done.stdout == ""
    assert count(place(tmp_path / "new"), Account) == 1


def test_what_was_there_is_saved_before_it_is_replaced_and_nobody_may_be_at_work(
    source: Source, tmp_path: Path, fresh_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = place(tmp_path / "var")
    furnished(settings, fresh_sqlite)
    file = tmp_path / "b.tar"
    file.write_bytes(source.archive)
    with only_one(settings.var), pytest.raises(SystemExit, match="already runs on"):
        do_restore(settings, str(file), replace=True)
    before = sums(settings)
    with pytest.raises(BackupError, match="already: accounts in the database and files"):
        free(settings)
    do_restore(settings, str(file), replace=True)
    _the_same(saved(settings)[1], source.manifest)
    (kept,) = (settings.var / "backups").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    with kept.open("rb") as stream:
        assert check(stream)[2].tables == before


def test_a_beat_that_is_alive_is_not_written_under(source: Source) -> None:
    database = patient(source.settings.database)
    waited: list[float] = []
    found = target.Found("head", True, int(time.time() * 1000))
    with pytest.raises(BackupError, match="still runs on this database"):
        target.nobody_at_work(database, found, waited.append)  # its sign is another one by then
    target.nobody_at_work(database, target.look(database), waited.append)
    database.close()
    assert len(waited) == 1, "an old sign needs no waiting"
