"""Every table and every statement of the engine compiles for every database, Db2 included."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine, event, inspect, select
from sqlalchemy.engine import url
from sqlalchemy.schema import CreateIndex, CreateTable

import models
from models import dispatching, lifecycle, migrate
from models.base import Base, db_now
from models.session import EVERYONE
from tests.conftest import Person
from tests.jobs import install, submitted
from workers import dispatch
from workers.execute import execute
from workers.runtime import Runtime

DIALECTS: dict[str, Any] = {name: url.URL.create(name).get_dialect()() for name in ("ibm_db_sa", "postgresql", "mysql")}


@pytest.mark.parametrize("name", DIALECTS)
def test_every_table_compiles(name: str) -> None:
    assert models.run.Run.__table__ in Base.metadata.sorted_tables
    for table in Base.metadata.sorted_tables:
        text = str(CreateTable(table).compile(dialect=DIALECTS[name]))
        assert "VARCHAR(None)" not in text
        assert "JSON" not in text
        for index in table.indexes:
            CreateIndex(index).compile(dialect=DIALECTS[name])


def test_every_statement_of_the_engine_compiles(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    event.listen(runtime.database.engine, "before_execute", lambda c, statement, *rest: seen.append(statement))
    run_id = submitted(runtime, install(monkeypatch), ada, key="k")
    execute(runtime, run_id, "w@h:1/2")
    dispatch.everything(runtime)
    with runtime.database.write(EVERYONE) as session:
        lifecycle.take_back(session)
        lifecycle.hand_back(session, "w")
        lifecycle.cancel(session, run_id)
        lifecycle.retry(session, run_id)
        lifecycle.try_later(session, run_id, 1, "x")
        dispatching.next_to_publish(session, "default", 5)
        dispatching.published_long_ago(session, "default", 5, 5)
        session.scalar(select(db_now()))
    compiled = {name: {str(one.compile(dialect=dialect)) for one in seen} for name, dialect in DIALECTS.items()}
    assert len(seen) > 20
    foreign = ("RETURNING", "FOR UPDATE", "julianday")  # PostgreSQL's dialect adds a RETURNING of its own to inserts
    assert not [text for text in compiled["ibm_db_sa"] | compiled["mysql"] if any(word in text for word in foreign)]


def test_migrations_lead_to_the_tables_and_back(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'a.db'}"
    migrate.upgrade(address)
    command.check(migrate.config(address))  # raises when the tables and the migrations differ
    migrate.downgrade(address, "base")
    engine = create_engine(address)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()
