"""Millions of rows into a database quickly: COPY on PostgreSQL, one prepared INSERT on SQLite, indexes afterwards."""

import contextlib
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from sqlalchemy import Engine, Table

from models.base import Base

NOW = 1_700_000_000_000  # what stands where a row says when it was made


def load(engine: Engine, model: type[Base], count: int, **columns: Any) -> None:
    """Insert `count` rows, given by columns: a list of values, or one value for all.

    What is not given is the column's own default. Amounts are ten-thousandths, as they stand in the table.
    """
    table = model.__table__
    assert isinstance(table, Table)
    names = {model.__mapper__.get_property(key).columns[0].name: value for key, value in columns.items()}
    values = [names.get(column.name, _default(column)) for column in table.columns]
    rows = zip(*(value if isinstance(value, list) else repeat(value, count) for value in values), strict=False)
    _insert(engine, table, rows)


def _default(column: Any) -> Any:
    if column.nullable or column.default is None:
        return None
    return column.default.arg if column.default.is_scalar else NOW


def _insert(engine: Engine, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    raw = engine.raw_connection()
    try:
        cursor: Any = raw.cursor()
        if engine.dialect.name == "postgresql":
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(table.columns))
            cursor.execute("BEGIN IMMEDIATE")
            cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)
        cursor.close()
        raw.commit()
    finally:
        raw.close()


@contextlib.contextmanager
def bulk(engine: Engine, *models: type[Base]) -> Iterator[None]:
    """Load without the indexes of these tables, which are made once all rows stand; then the planner is told."""
    indexes = [index for model in models for index in model.__table__.indexes]  # type: ignore[attr-defined]
    for index in indexes:
        index.drop(engine)
    yield
    for index in indexes:
        index.create(engine)
    if engine.dialect.name == "postgresql":  # which does this by itself within a minute
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def loading(engine: Engine) -> None:
    """No row that we make lacks its parent: foreign keys are not looked up while we load. Of this engine alone."""
    from sqlalchemy import event

    words = "SET session_replication_role = replica; SET statement_timeout = 0"
    command = words if engine.dialect.name == "postgresql" else "PRAGMA foreign_keys=OFF"

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(command)
        cursor.close()
        connection.commit()
