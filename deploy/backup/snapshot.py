"""One moment of the database: all that is read within it was true together, and nobody waits for the reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, make_url, text

from deploy.backup.errors import BackupError
from models.session import Database

OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {"reading": True},  # BEGIN: of the write-ahead log, as it is at the first question
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    "mysql": {"isolation_level": "REPEATABLE READ"},
    "mariadb": {"isolation_level": "REPEATABLE READ"},
}
# A backup takes as long as it takes: what keeps a page from hanging for ever would end it.
PATIENT = ("SET LOCAL statement_timeout = 0", "SET LOCAL idle_in_transaction_session_timeout = 0")
ONE_MOMENT = (
    "SET SESSION net_write_timeout = 3600",
    "SET SESSION wait_timeout = 86400",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
FIRST = {"postgresql": PATIENT, "mysql": ONE_MOMENT, "mariadb": ONE_MOMENT}
HOUR = 3600


def patient(url: str) -> Database:
    """The database, by connections that wait for long statements."""
    made = make_url(url)
    if made.get_backend_name() in ("mysql", "mariadb"):
        made = made.update_query_dict({"read_timeout": str(HOUR), "write_timeout": str(HOUR)})
    return Database(made.render_as_string(hide_password=False))


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    name = database.engine.dialect.name
    if name not in OPTIONS:
        raise BackupError(f"Nightshift cannot back {name} up. Use the database's own backup, and copy files/.")
    with database.engine.connect().execution_options(**OPTIONS[name]) as connection:
        for statement in FIRST.get(name, ()):
            connection.exec_driver_sql(statement)
        yield connection


@contextmanager
def loading(database: Database) -> Iterator[Connection]:
    """One transaction that writes everything, or nothing."""
    with database.begin() as connection:
        if database.engine.dialect.name == "postgresql":
            for statement in PATIENT:
                connection.exec_driver_sql(statement)
        yield connection


def revision(connection: Connection) -> str:
    """The schema's revision, empty when there is none."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return ""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")
