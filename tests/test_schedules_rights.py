"""Schedules and who may what: viewers, strangers, workspaces at their limits, the machinery's own."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from models.schedule import Schedule, Slot
from models.session import EVERYONE
from tasks import discover
from tests.conftest import Person
from tests.front import browser_of, hand_over, member_of
from tests.test_schedules_pages import DAILY, make, rows, set_due, text_of
from tests.web_fixtures import Browser
from web.schedule_editor import PREFIX
from workers.runtime import Runtime
from workers.schedules import due_runs

pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("probe")]


def test_a_viewer_sees_schedules_and_changes_none(app: Flask, runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    found = make(ada_s)
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vera", "viewer"))
    assert "Every day at 07:30" in text_of(viewer, "/schedules")
    assert "Delete" not in viewer.get(f"/schedules/{found}").text
    for path in ("edit", "pause", "resume", "run", "delete"):
        assert viewer.post(f"/schedules/{found}/{path}").status_code == 403
    assert viewer.get("/schedules/new/probe").status_code == 403


def test_a_schedule_of_another_workspace_is_not_there(
    app: Flask, runtime: Runtime, grace: Person, ada_s: Browser
) -> None:
    found = make(ada_s, when_title="ada's own")
    stranger = browser_of(app, runtime, grace)
    before = [(row.id, row.enabled, row.next_due) for row in rows(runtime)]
    assert "ada's own" not in text_of(stranger, "/schedules")
    for path in ("", "/edit"):
        assert stranger.get(f"/schedules/{found}{path}").status_code == 404
    for path in ("edit", "pause", "resume", "run", "delete"):
        assert stranger.post(f"/schedules/{found}/{path}", DAILY).status_code == 404
    assert [(row.id, row.enabled, row.next_due) for row in rows(runtime)] == before


def test_a_workspace_has_so_many_schedules_and_no_more(app: Flask, runtime: Runtime, ada: Person) -> None:
    here = app.extensions["nightshift"]
    object.__setattr__(here, "settings", here.settings.model_copy(update={"workspace_schedules": 2}))
    browser = browser_of(app, runtime, ada)
    make(browser)
    make(browser)
    answer = browser.post("/schedules/new/probe", DAILY, content_type="multipart/form-data")
    assert answer.status_code == 429
    assert "has 2 schedules already" in answer.text
    assert len(rows(runtime)) == 2


def test_a_workspace_at_its_limit_of_waiting_runs_gets_a_note_and_no_run(ada_s: Browser, runtime: Runtime) -> None:
    found = make(ada_s)
    for _ in range(3):
        hand_over(ada_s)
    set_due(runtime, found)
    object.__setattr__(runtime, "settings", runtime.settings.model_copy(update={"waiting_runs": 3}))
    assert due_runs(runtime) == []
    assert any("3 runs of this workspace wait already" in slot.note for slot in rows(runtime, Slot))
    assert rows(runtime)[0].enabled


def test_an_administrator_sees_what_the_machinery_runs_and_cannot_change_it(admin: Browser, runtime: Runtime) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.add(Schedule(id="default-probe", workspace_id="system", kind="probe", params={}, cron="0 * * * *"))
    page = text_of(admin, "/schedules")
    assert "What the machinery runs by itself" in page
    assert "NIGHTSHIFT_SCHEDULES" in page
    assert admin.post("/workspace/switch", {"workspace": "system"}).status_code == 302
    assert "belongs to the machinery" in admin.post("/schedules/default-probe/delete", follow_redirects=True).text
    admin.post("/schedules/default-probe/pause")
    with runtime.database.read(EVERYONE) as session:
        assert session.scalar(select(func.count()).select_from(Schedule).where(Schedule.enabled.is_(True))) == 1


def test_no_job_has_a_field_that_is_named_like_the_schedule_s_own() -> None:
    assert [name for job in discover().values() for name in job.params.model_fields if name.startswith(PREFIX)] == []
