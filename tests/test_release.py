"""Old and new live together for one release: old workers on the new tables, new workers on old messages and rows."""

import json
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from kombu import Connection, Exchange, Queue
from sqlalchemy import MetaData, create_engine, inspect, select, update

from deploy.migrate import main as bring_up_to_date
from deploy.settings import Settings
from models import migrate
from models.base import clock
from models.run import Run, RunEvent
from models.session import EVERYONE
from tasks.errors import AnotherForm
from tests import nap
from tests.conftest import Person, new_person
from tests.jobs import install, submitted
from tests.make_run import until
from tests.servers import Valkey
from tests.test_brokers import at_work
from tests.test_databases import OLD_ROWS
from tests.test_worker_ends import slept, the_run
from workers import publish
from workers.execute import execute
from workers.runtime import Runtime

PREVIOUS = "0001"  # the schema of the release before this one
# What the first release sent for the run RUN, as it lay on the broker.
GOLDEN_HEADERS: dict[str, Any] = {
    "lang": "py", "task": "nap", "id": "RUN.18a2b3c4d5e6f", "root_id": "RUN.18a2b3c4d5e6f", "parent_id": None,
    "group": None, "retries": 0, "eta": None, "expires": None, "timelimit": [None, None], "argsrepr": "('RUN',)",
    "kwargsrepr": "{}", "origin": "nightshift", "ignore_result": True,
}  # fmt: skip
GOLDEN_BODY = '[["RUN"], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'


def columns(url: str) -> dict[str, dict[str, Any]]:
    """Every table's columns, by name."""
    engine = create_engine(url)
    seen = inspect(engine)
    found = {table: {each["name"]: each for each in seen.get_columns(table)} for table in seen.get_table_names()}
    engine.dispose()
    return found


def test_a_worker_of_the_release_before_finds_all_its_columns_and_may_leave_the_new_ones_out(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrate.upgrade(url, PREVIOUS)
    before = columns(url)
    migrate.upgrade(url)
    after = columns(url)
    assert set(before) <= set(after)
    for table, old in before.items():
        assert set(old) <= set(after[table]), table
        for name, column in after[table].items():
            if name not in old:
                assert column["nullable"] or column["default"] is not None, f"{table}.{name}"
            else:
                assert column["nullable"] >= old[name]["nullable"], f"{table}.{name} may not be left out any more"


def test_a_run_that_the_release_before_wrote_is_run_by_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = Runtime.from_settings(Settings.model_validate({"var": tmp_path, "broker_url": "redis://127.0.0.1:1/0"}))
    migrate.upgrade(runtime.settings.database)
    tables = MetaData()
    with runtime.database.begin() as connection:
        tables.reflect(connection)
        for name, row in OLD_ROWS.items():
            connection.execute(tables.tables[name].insert().values(row))
    known = {"nap": nap.JOB}
    monkeypatch.setattr("workers.execute.discover", lambda: known)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).values(kind="nap", queue="default"))
    publish.breaker.trip()
    assert execute(runtime, "r", "w@h:1/2") == "succeeded"
    runtime.database.close()


def test_a_run_with_a_field_that_only_the_next_release_knows_is_left_for_one_of_its_workers(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = submitted(runtime, install(monkeypatch), ada)
    with runtime.database.write(EVERYONE) as session:
        known = session.get_one(Run, run_id).params
        session.execute(update(Run).values(params={**known, "of_the_next_release": 1}))
    assert execute(runtime, run_id, "w@h:1/2") == "queued"
    with runtime.database.write(EVERYONE) as session:
        run = session.get_one(Run, run_id)
        assert run.due_at - clock(session) > 50_000
        assert session.scalars(select(RunEvent.detail).where(RunEvent.what == "tries again")).one() == str(
            AnotherForm()
        )
        session.execute(update(Run).values(params=known, due_at=1))
    assert execute(runtime, run_id, "w@h:1/2") == "succeeded", "one of the next release's workers"


@pytest.mark.slow
def test_a_message_of_the_first_release_wakes_a_worker_of_this_one(
    valkey: Valkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish.breaker.trip()  # nobody else publishes
    settings = Settings.model_validate({"var": tmp_path, "broker_url": valkey.url})
    with at_work(settings, tmp_path / "worker.log") as runtime:
        run_id = slept(runtime, new_person(runtime, "ada"), 0)
        headers = json.loads(json.dumps(GOLDEN_HEADERS).replace("RUN", run_id))
        queue = Queue("default", Exchange("default"), routing_key="default")
        with Connection(valkey.url) as connection:
            connection.Producer().publish(
                GOLDEN_BODY.replace("RUN", run_id), content_type="application/json", content_encoding="utf-8",
                exchange=queue.exchange, routing_key="default", declare=[queue], headers=headers,
                correlation_id=headers["id"], delivery_mode=2,
            )  # fmt: skip
        until(lambda: the_run(runtime, run_id).state == "succeeded", 60)


def test_an_older_program_that_meets_a_newer_schema_says_so_in_a_sentence_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.model_validate({"var": tmp_path})
    engine = create_engine(settings.database)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('9999')")
    monkeypatch.setattr("deploy.migrate.settings", lambda: settings)
    with pytest.raises(SystemExit, match=r"A newer Nightshift wrote this database.*'9999'.*how to go back"):
        bring_up_to_date()
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == ["9999"]
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()


def test_the_migrations_can_be_written_out_for_db2(capsys: pytest.CaptureFixture[str]) -> None:
    command.upgrade(migrate.config("ibm_db_sa://host/name"), "head", sql=True)
    written = capsys.readouterr().out
    assert "CREATE TABLE run_event" in written
    assert "ADD COLUMN lane" in written, "0002 is in it, too"
    assert "VARCHAR(None)" not in written
