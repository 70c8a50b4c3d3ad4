"""What was restored is as it was: it signs in, does what waited, and is told what it is not."""

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import MetaData, insert, select, update

from deploy.backup import rows, target
from deploy.backup.__main__ import do_restore
from deploy.backup.contents import Kind
from deploy.backup.errors import BackupError
from deploy.backup.restoring import check, free
from deploy.backup.snapshot import patient
from deploy.lock import only_one
from deploy.settings import ROOT
from models import lifecycle, migrate
from models.account import Account
from models.artifact import Artifact, Upload
from models.base import db_now
from models.delivery import Delivery
from models.run import Run
from models.session import EVERYONE, Database
from models.ticket import Ticket
from tests.backups import (
    EVERY_LETTER,
    Source,
    count,
    furnished,
    place,
    restored,
    saved,
    sums,
    the_same,
)
from tests.front import WORKER
from tests.jobs import install, submitted
from tests.rights import who
from tests.web_fixtures import Browser
from web import create_app
from workers import dispatch
from workers.execute import execute
from workers.runtime import Runtime

FILLED: dict[Kind, object] = {"text": "x", "int": 1, "bool": True, "float": 0.5, "date": None, "bytes": b""}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, fresh_sqlite: Path) -> Source:
    settings = place(tmp_path_factory.mktemp("source") / "var")
    return Source(settings, furnished(settings, fresh_sqlite))


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
    with again.database.look() as connection:
        assert connection.scalars(select(Run.id).where(Run.published_at.is_not(None))).all() == [], "messages are gone"
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


def test_a_backup_of_an_older_release_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = place(tmp_path / "old"), place(tmp_path / "new")
    old.var.mkdir()
    migrate.upgrade(old.database, "0004")
    database = patient(old.database)
    tables = MetaData()
    with database.begin() as connection:
        tables.reflect(connection)
        about: dict[str, str | None] = {
            "id": "a",
            "workspace_id": "a",
            "account_id": "a",
            "email": "a@example.org",
            "name": EVERY_LETTER,
        }
        about |= dict.fromkeys(("run_id", "channel_id"))
        for name in ("account", "workspace", "delivery"):
            row = {each.name: about.get(each.name, FILLED[rows.kind(each)]) for each in tables.tables[name].c}
            connection.execute(insert(tables.tables[name]).values(row))
    database.close()
    with monkeypatch.context() as then:  # what that release would have written
        then.setattr(migrate, "head", lambda: "0004")
        heads = rows.heads_of([each for each in tables.sorted_tables if each.name != "alembic_version"])
        then.setattr(rows, "heads", lambda: heads)
        archive, _ = saved(old)
    restored(new, archive)
    assert [count(new, table) for table in (Account, Delivery, Ticket)] == [1, 1, 0]
    assert check(io.BytesIO(saved(new)[0]))[0].revision == migrate.head()


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
    the_same(saved(settings)[1], source.manifest)
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
