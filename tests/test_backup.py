"""Backups: all rows and files of one moment, into nothing, on any database, and the same again."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import select, update

from deploy.backup import rows
from deploy.backup.contents import TableHead
from deploy.backup.reading import Reading, Receiver
from deploy.settings import Settings
from models import migrate, ticket_search
from models.account import SignIn, Throttle, Token
from models.base import Base
from models.run import Pulse, Run
from models.ticket import Ticket
from tests.backups import (
    Source,
    contents,
    count,
    furnished,
    place,
    restored,
    saved,
    the_same,
)
from tests.conftest import Person
from tests.servers import DATABASES, DatabaseServer
from workers.runtime import Runtime

SAME = "Every row and file was read again and is as the backup says"
TOLD = {
    "mariadb": [f"{SAME}."],
    "postgresql": [
        "1 of place.trouble: zero bytes, which PostgreSQL's text cannot hold, were replaced by �.",
        f"{SAME}, but for these.",
    ],
    "sqlite": [f"{SAME}."],
}


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
        the_same(manifest, source.manifest)
        assert contents(settings) == contents(source.settings)
        assert settings.secret("secret_key") == source.settings.secret("secret_key")
        assert count(settings, SignIn) == 0, "everybody signs in again"
        assert count(settings, Token) == 1
        assert count(settings, Pulse) == 1, "signs of life are not taken over, what was counted is"
        _is_searched(settings, source.ada)
    assert [oct(path.stat().st_mode & 0o777) for path in (settings.var / "secrets").iterdir()] == ["0o600"]


def _fresh(server: DatabaseServer) -> str:
    return server.fresh("backups")


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
            moments = [_both(saved(runtime.settings)[0], run_id) for _ in range(4)]
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
