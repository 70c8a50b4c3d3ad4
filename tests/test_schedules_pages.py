"""Schedules that belong to people: made from a job's form, shown with their next times, changed, run, kept apart."""

import html
import re
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from beat_schedule import tick
from models.artifact import Upload
from models.run import Run
from models.schedule import Schedule, Slot
from models.session import EVERYONE
from models.workspace import Membership
from tests.conftest import Person, at_once
from tests.front import WORKER, browser_of, hand_over, member_of, run_id, text_file
from tests.web_fixtures import Browser
from workers.execute import execute
from workers.runtime import Runtime
from workers.schedules import due_runs

pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("probe")]  # the tick has its own tests on every database
DAILY = {"when_repeat": "daily", "when_time": "07:30", "when_time_zone": "Europe/Berlin", "name": "Ada"}


def make(browser: Browser, **fields: Any) -> str:
    """A schedule made with the form; its id."""
    answer = browser.post("/schedules/new/probe", {**DAILY, **fields}, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return str(answer.location.rpartition("/")[2])


def rows(runtime: Runtime, table: type[Any] = Schedule) -> list[Any]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(table)))


def set_due(runtime: Runtime, schedule_id: str, **more: Any) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Schedule).where(Schedule.id == schedule_id).values(next_due=1_700_000_000_000, **more))


def due_again(runtime: Runtime, schedule_id: str) -> None:
    """As if what came due so far had been other slots."""
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Slot).where(Slot.schedule_id == schedule_id).values(due=Slot.due - 1))
    set_due(runtime, schedule_id)


def text_of(browser: Browser, path: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", browser.get(path).text)).split())


def test_a_schedule_made_with_the_form_is_listed_comes_due_and_its_run_is_shown(
    ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    assert "Nothing runs by itself" in text_of(ada_s, "/schedules")
    found = make(ada_s, when_title="Every morning", note="early")
    assert "Every day at 07:30 (Europe/Berlin)" in text_of(ada_s, "/schedules")
    set_due(runtime, found)
    (run,) = due_runs(runtime)
    assert execute(runtime, run, WORKER) == "succeeded"
    page = ada_s.get(f"/schedules/{found}").text
    assert f"/runs/{run}" in page
    assert "Done" in page
    (made,) = rows(runtime, Run)
    assert (made.account_id, made.workspace_id, made.schedule_id, made.params["note"]) == (
        ada.account_id, ada.workspace_id, found, "early",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"when_repeat": "minutes", "when_minutes": "15"}, "Every 15 minutes"),
        ({"when_repeat": "weekly", "when_weekdays": ["1", "5"]}, "Every Monday and Friday at 07:30"),
        ({"when_repeat": "monthly", "when_day": "31"}, "Every month on the last day at 07:30"),
        ({"when_repeat": "monthly", "when_day": "30"}, "Every month on day 30 at 07:30"),
        ({"when_repeat": "cron", "when_cron": "0 7 * * 1-5"}, "At 07:00 on Monday through Friday"),
        ({"when_repeat": "once", "when_at": "2099-05-01T09:00"}, "Once, on 1 May 2099 at 09:00"),
    ],
)
def test_every_way_to_repeat_is_made_previewed_shown_and_edited(
    ada_s: Browser, runtime: Runtime, fields: dict[str, Any], words: str
) -> None:
    given = {**DAILY, **fields}
    preview = ada_s.get("/schedules/preview", query_string=given).text
    assert words in preview
    assert preview.count("<time") == (1 if given["when_repeat"] == "once" else 5)
    looked = ada_s.post("/schedules/new/probe", {**given, "look": "yes"}, content_type="multipart/form-data")
    assert looked.status_code == 200
    assert words in looked.text
    assert rows(runtime) == []
    found = make(ada_s, **fields)
    assert words in text_of(ada_s, f"/schedules/{found}")
    assert words in ada_s.get(f"/schedules/{found}/edit").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"when_repeat": "cron", "when_cron": "0 0 31 2 *"}, "never comes"),
        ({"when_repeat": "cron", "when_cron": "* * * * * *"}, "five fields"),
        ({"when_repeat": "cron", "when_cron": "9" * 500}, "Write at most 120 characters"),
        ({"when_repeat": "minutes", "when_minutes": "0"}, "from 1 to"),
        ({"when_repeat": "minutes", "when_minutes": "0.5"}, "from 1 to"),
        ({"when_repeat": "once", "when_at": "2001-01-01T00:00"}, "has passed"),
        ({"when_repeat": "once", "when_at": "soon"}, "Give a day and a time"),
        ({"when_repeat": "once", "when_at": "9999-12-31T23:59"}, "Give a day and a time"),
        ({"when_repeat": "weekly"}, "at least one day"),
        ({"when_repeat": "monthly", "when_day": "32"}, "from 1 to 31"),
        ({"when_time": "25:00"}, "from 00:00 to 23:59"),
        ({"when_time_zone": "Mars/Olympus"}, "no such time zone"),
        ({"when_repeat": "hourly"}, "Choose one of"),
        ({"when_title": "a" * 121}, "at most 120"),
        ({"name": ""}, "Fill this in"),
        ({"priority": "high"}, "Only those who run the system"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field_and_nothing_is_kept(
    ada_s: Browser, runtime: Runtime, fields: dict[str, Any], said: str
) -> None:
    answer = ada_s.post(
        "/schedules/new/probe", {**DAILY, "files": [text_file()], **fields}, content_type="multipart/form-data"
    )
    assert answer.status_code in (403, 422)
    assert said in html.unescape(answer.text)
    assert rows(runtime) == []
    assert list(runtime.storage.listed()) == []


def test_a_job_s_form_hands_what_is_filled_in_over_to_the_schedule(ada_s: Browser, runtime: Runtime) -> None:
    assert "/schedules/take/probe" in ada_s.get("/jobs/probe").text
    page = ada_s.post("/schedules/take/probe", {"name": "Grace Hopper", "times": "7"}).text
    assert 'value="Grace Hopper"' in page
    assert 'value="7"' in page
    assert rows(runtime) == []


def test_a_double_click_makes_one_schedule_and_one_run(
    ada_s: Browser, runtime: Runtime, app: Flask, ada: Person
) -> None:
    made = {make(ada_s, key="form:twice", files=[text_file()]) for _ in range(2)}
    assert len(made) == len(rows(runtime)) == 1
    other = ada_s.post("/schedules/new/probe", {**DAILY, "key": "form:twice", "when_time": "08:00"})
    assert other.status_code == 409
    assert len(list(runtime.storage.listed())) == 1
    (found,) = made
    browsers = [browser_of(app, runtime, ada) for _ in range(3)]
    at_once(*[partial(each.post, f"/schedules/{found}/run", {"key": "form:now"}) for each in browsers])
    assert len(rows(runtime, Run)) == len(rows(runtime, Slot)) == 1


def test_paused_nothing_comes_and_resumed_nothing_was_missed(ada_s: Browser, runtime: Runtime) -> None:
    found = make(ada_s)
    ada_s.post(f"/schedules/{found}/pause")
    assert (rows(runtime)[0].enabled, rows(runtime)[0].next_due) == (False, None)
    assert "Paused" in text_of(ada_s, f"/schedules/{found}")
    ada_s.post(f"/schedules/{found}/resume")
    assert rows(runtime)[0].enabled
    assert due_runs(runtime) == []


def test_its_files_are_used_each_time_kept_when_edited_and_gone_with_it(ada_s: Browser, runtime: Runtime) -> None:
    found = make(ada_s, files=[text_file("one two three", "words.txt")])
    for _ in range(2):
        due_again(runtime, found)
        (run,) = due_runs(runtime)
        assert execute(runtime, run, WORKER) == "succeeded"
    assert [run.result["words"] for run in rows(runtime, Run)] == [3, 3]
    assert "words.txt" in ada_s.get(f"/schedules/{found}/edit").text
    ada_s.post(f"/schedules/{found}/edit", {**DAILY, "when_time": "09:00"}, content_type="multipart/form-data")
    due_again(runtime, found)
    (run,) = due_runs(runtime)
    assert execute(runtime, run, WORKER) == "succeeded"
    assert rows(runtime, Run)[-1].result["words"] == 3
    ada_s.post(f"/schedules/{found}/delete")
    assert rows(runtime) == rows(runtime, Slot) == []
    assert len(rows(runtime, Run)) == 3
    kept = [upload.key for upload in rows(runtime, Upload) if upload.deleted_at is None]
    assert all(upload.run_id for upload in rows(runtime, Upload))
    assert set(kept) <= {key for key, _ in runtime.storage.listed()}


def test_a_run_s_values_and_files_fill_in_a_schedule(ada_s: Browser, runtime: Runtime) -> None:
    source = run_id(hand_over(ada_s, files=[text_file("one two")], keep="true", note="as before"))
    page = ada_s.get(f"/schedules/new/probe?run={source}").text
    assert "as before" in page
    assert "words.txt" in page
    found = make(ada_s, run=source)
    set_due(runtime, found)
    (run,) = due_runs(runtime)
    assert execute(runtime, run, WORKER) == "succeeded"


def test_a_slot_whose_last_run_goes_on_is_noted_and_does_not_pile_up(ada_s: Browser, runtime: Runtime) -> None:
    found = make(ada_s)
    answer = ada_s.post(f"/schedules/{found}/run", {"key": "form:now"})
    assert answer.status_code == 303
    set_due(runtime, found)
    assert due_runs(runtime) == []
    assert tick.STILL_GOING in {slot.note for slot in rows(runtime, Slot)}
    execute(runtime, run_id(answer), WORKER)
    due_again(runtime, found)
    assert len(due_runs(runtime)) == 1
    assert "still going on" in text_of(ada_s, f"/schedules/{found}")


def test_once_comes_once_and_is_done(ada_s: Browser, runtime: Runtime) -> None:
    found = make(ada_s, when_repeat="once", when_at="2099-05-01T09:00")
    set_due(runtime, found, once_at=1_700_000_000_000)
    assert len(due_runs(runtime)) == 1
    assert due_runs(runtime) == []
    assert (rows(runtime)[0].enabled, rows(runtime)[0].next_due) == (False, None)
    assert "Done" in text_of(ada_s, f"/schedules/{found}")
    assert "has passed" in ada_s.post(f"/schedules/{found}/resume", follow_redirects=True).text


def test_somebody_who_left_stops_their_schedules_and_who_resumes_one_takes_it_over(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    guest = member_of(runtime, ada, "grace", "member")
    found = make(browser_of(app, runtime, guest))
    with runtime.database.write(EVERYONE) as session:
        session.delete(session.get(Membership, (ada.workspace_id, guest.account_id)))
    set_due(runtime, found)
    assert due_runs(runtime) == []
    browser = browser_of(app, runtime, ada)
    assert tick.PERSON_GONE in text_of(browser, f"/schedules/{found}")
    browser.post(f"/schedules/{found}/resume")
    set_due(runtime, found)
    assert len(due_runs(runtime)) == 1
    assert rows(runtime, Run)[0].account_id == ada.account_id
