"""Clearing away: what nobody needs goes, everything else stays."""

import io
import os
import tempfile
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from models.artifact import Upload
from models.base import db_now, new_id
from models.run import END_STATES, Dependency, Run
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks import discover
from tasks.handover import HandedOver
from tasks.job import NoParams
from tasks.upkeep.job import DAY_MS
from tests.conftest import Person
from tests.jobs import install
from tests.web_fixtures import Browser
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

ME = "test@here:1/2"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of this test's own: in the machine's one, other tests leave what a killed attempt leaves."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def stored(runtime: Runtime, age_days: float = 2) -> str:
    key, _ = runtime.storage.put(io.BytesIO(b"bytes"))
    path = runtime.settings.var / "files" / key[:2] / key
    os.utime(path, (time.time() - age_days * DAY_MS / 1000,) * 2)
    return key


def handed(runtime: Runtime, person: Person, job: object, key: str) -> str:
    upload = Upload(id=new_id(), field="files", name="a.png", media_type="image/png", size=5, sha256="", key=key)
    with runtime.database.write(person.workspace_id) as session:
        return submit(runtime, session, job, HandedOver(job.params(), [upload]), person.workspace_id).id  # type: ignore[arg-type, attr-defined]


def clear_away(runtime: Runtime) -> dict[str, object]:
    with runtime.database.write(SYSTEM) as session:
        run_id = submit(runtime, session, discover()["upkeep"], HandedOver(NoParams()), SYSTEM).id
    assert execute(runtime, run_id, ME) == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Run.result).where(Run.id == run_id)).one() or {}


def test_only_old_files_that_no_row_names_go(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    orphan, young, named = stored(runtime), stored(runtime, 0.1), stored(runtime)
    handed(runtime, ada, install(monkeypatch), named)
    assert clear_away(runtime)["files"] == 1
    assert {key for key, _ in runtime.storage.listed()} == {young, named}
    assert orphan not in {young, named}


def test_folders_that_a_killed_attempt_left_go_and_nothing_else(
    runtime: Runtime, tmp_path: Path, temporary: Path
) -> None:
    left, others, elsewhere = (
        temporary / name for name in ("nightshift-files-a", "nightshift-data", "nightshift-files-link")
    )
    for folder in (left, others, tmp_path / "kept"):
        folder.mkdir(parents=True)
        (folder / "heart.csv").write_text("1,2")
        os.utime(folder, (0, 0))
    elsewhere.symlink_to(tmp_path / "kept")
    (temporary / "nightshift-files-young").mkdir()
    assert clear_away(runtime)["files"] == 1
    assert not left.exists()
    assert (others / "heart.csv").exists()
    assert (tmp_path / "kept" / "heart.csv").exists()
    assert (tmp_path / "temporary" / "nightshift-files-young").exists()


def test_a_run_whose_params_are_of_an_older_form_keeps_nothing_else_from_being_cleared_away(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch, forget_uploads=lambda params: True)
    monkeypatch.setattr("tasks.upkeep.job.discover", lambda: {**discover(), "count": job})
    old, new = (handed(runtime, ada, job, stored(runtime)) for _ in range(2))
    with runtime.database.write(EVERYONE) as session:
        both = update(Run).where(Run.id.in_([old, new]))
        session.execute(both.values(state="failed", finished_at=db_now() - 2 * DAY_MS))
        session.execute(update(Run).where(Run.id == old).values(params={"was": "called so"}))
    assert clear_away(runtime)["uploads"] == 1


def test_the_upload_of_a_run_that_failed_is_forgotten_after_a_day(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch, forget_uploads=lambda params: True)
    monkeypatch.setattr("tasks.upkeep.job.discover", lambda: {**discover(), "count": job})
    keys = [stored(runtime, 0.1), stored(runtime, 0.1)]
    failed, fresh = (handed(runtime, ada, job, key) for key in keys)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).where(Run.id == failed).values(state="failed", finished_at=1))
        session.execute(update(Run).where(Run.id == fresh).values(state="failed", finished_at=int(time.time() * 1000)))
    assert clear_away(runtime)["uploads"] == 1
    assert [key for key, _ in runtime.storage.listed()] == [keys[1]]


def ended(runtime: Runtime, person: Person, state: str, days_ago: float, **more: object) -> str:
    """A run of "count" that ended so long ago."""
    at = int((time.time() * 1000) - days_ago * DAY_MS) if state in END_STATES else None
    values = {"id": new_id(), "kind": "count", "queue": "default", "params": {}, "finished_at": at} | more
    with runtime.database.write(person.workspace_id) as session:
        session.add(Run(workspace_id=person.workspace_id, state=state, **values))
    return str(values["id"])


def left(runtime: Runtime) -> set[str]:
    with runtime.database.read(EVERYONE) as session:
        return set(session.scalars(select(Run.id).where(Run.kind == "count")))


def keep(runtime: Runtime, **days: int) -> None:
    settings = runtime.settings.model_copy(update={f"keep_{state}_days": count for state, count in days.items()})
    object.__setattr__(runtime, "settings", settings)


def test_old_runs_of_the_machinery_go_after_a_week_and_people_s_stay(runtime: Runtime, ada: Person) -> None:
    keep(runtime, succeeded=0, failed=0, cancelled=0)
    ended(runtime, ada, "failed", 8, listed=False)
    kept = {
        ended(runtime, ada, "failed", 6, listed=False),
        *(ended(runtime, ada, state, 5000) for state in ("succeeded", "failed", "cancelled")),
    }
    assert clear_away(runtime)["runs"] == 1
    assert left(runtime) == kept


def test_runs_are_kept_for_as_long_as_the_settings_say_by_state(runtime: Runtime, ada: Person) -> None:
    keep(runtime, succeeded=10, failed=20, cancelled=0)
    for state, days in (("succeeded", 11), ("failed", 21)):
        ended(runtime, ada, state, days)
    kept = {
        ended(runtime, ada, "succeeded", 9), ended(runtime, ada, "failed", 19), ended(runtime, ada, "cancelled", 9999),
        ended(runtime, ada, "queued", 9999), ended(runtime, ada, "running", 9999),
    }  # fmt: skip
    assert clear_away(runtime)["runs"] == 2
    assert left(runtime) == kept
    assert clear_away(runtime)["runs"] == 0


def test_an_old_run_goes_with_its_files_in_any_number_of_portions(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.upkeep.job.AT_ONCE", 2)
    keep(runtime, succeeded=10)
    for _ in range(5):
        handed(runtime, ada, install(monkeypatch), stored(runtime, 0.1))
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).values(state="succeeded", finished_at=1))
    assert clear_away(runtime)["runs"] == 5
    assert (left(runtime), list(runtime.storage.listed())) == (set(), [])


def test_an_old_run_that_another_waits_for_stays_and_holds_no_other_up(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.upkeep.job.AT_ONCE", 1)
    keep(runtime, succeeded=10)
    needed, parent = ended(runtime, ada, "succeeded", 30), ended(runtime, ada, "blocked", 0, children=1)
    child, waits = ended(runtime, ada, "succeeded", 30, parent_id=parent), ended(runtime, ada, "blocked", 0)
    ended(runtime, ada, "succeeded", 20)
    with runtime.database.write(EVERYONE) as session:
        session.add(Dependency(run_id=waits, needs_id=needed))
    assert clear_away(runtime)["runs"] == 1
    assert left(runtime) == {needed, parent, child, waits}


def test_the_account_page_says_how_long_runs_are_kept(app: Flask, admin: Browser) -> None:
    assert "succeeded ones after 365 days" in admin.get("/account").text
    runtime = app.extensions["nightshift"]
    keep(runtime, succeeded=0, failed=0, cancelled=0)
    assert "until somebody discards them" in admin.get("/account").text
