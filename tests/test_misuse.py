"""What somebody might try with schedules, many workspaces and odd ids to get more than is theirs."""

import os
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import dispatching, limits
from models.account import Account
from models.run import Idempotency, Run
from models.schedule import Schedule
from models.session import EVERYONE
from models.workspace import AuditEntry, Membership
from tasks import discover
from tasks.handover import HandedOver
from tests.conftest import Person
from tests.front import WORKER, browser_of, change, hand_over, member_of, run_id, text_file, the_run, token_of
from tests.test_schedules_pages import DAILY, make, rows, set_due
from tests.web_fixtures import Browser
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime
from workers.schedules import due_runs

pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("probe")]


def runs_it(runtime: Runtime, person: Person, whether: bool) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == person.account_id).values(is_admin=whether))


def priorities(runtime: Runtime) -> list[int]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Run.priority).order_by(Run.id)))


@pytest.fixture
def urgent(ada_s: Browser, runtime: Runtime, ada: Person) -> str:
    """A schedule whose runs go before all others, made by somebody who runs the system."""
    runs_it(runtime, ada, True)
    return make(ada_s, priority="high")


def test_a_member_who_runs_an_administrator_s_schedule_gets_no_priority_by_it(
    app: Flask, runtime: Runtime, ada: Person, ada_s: Browser, urgent: str
) -> None:
    mel = browser_of(app, runtime, member_of(runtime, ada, "mel", "member"))
    assert mel.post(f"/schedules/{urgent}/run").status_code == 303
    assert priorities(runtime) == [0]
    assert ada_s.post(f"/schedules/{urgent}/run").status_code == 303
    assert priorities(runtime) == [0, 1]


def test_a_schedule_loses_its_priority_with_the_rights_of_its_person(
    runtime: Runtime, ada: Person, urgent: str
) -> None:
    runs_it(runtime, ada, False)
    set_due(runtime, urgent)
    due_runs(runtime)
    assert priorities(runtime) == [0]


def test_a_member_who_changes_an_administrator_s_schedule_does_not_keep_its_priority(
    app: Flask, runtime: Runtime, ada: Person, urgent: str
) -> None:
    mel = token_of(runtime, member_of(runtime, ada, "mel", "member"))
    answer = app.test_client().patch(f"/api/v1/schedules/{urgent}", headers=mel, json={"title": "Mine now"})
    assert answer.status_code == 200
    assert answer.get_json()["priority"] == "normal"


def test_one_person_owns_so_many_workspaces_and_no_more(app: Flask, runtime: Runtime, ada: Person) -> None:
    here = app.extensions["nightshift"]
    object.__setattr__(here, "settings", here.settings.model_copy(update={"own_workspaces": 2}))
    hers = browser_of(app, runtime, ada)
    assert hers.post("/workspace/new", {"name": "Second"}).status_code == 302
    refused = hers.post("/workspace/new", {"name": "Third"})
    assert refused.status_code == 429
    assert "You own 2 workspaces already" in refused.text
    with runtime.database.read(EVERYONE) as session:
        mine = select(Membership.workspace_id).where(Membership.account_id == ada.account_id)
        assert len(session.scalars(mine).all()) == 2


@pytest.mark.parametrize("odd", ["\ud800", "\0", "x" * 5000, "../etc"])
def test_an_id_that_is_none_is_not_there(app: Flask, runtime: Runtime, ada: Person, ada_s: Browser, odd: str) -> None:
    given: dict[str, Any] = {"kind": "probe", "when": {"repeat": "minutes", "minutes": 5}, "from_run": odd}
    answer = app.test_client().post("/api/v1/schedules", headers=token_of(runtime, ada), json=given)
    assert answer.status_code == (404 if odd.isascii() else 422), answer.text  # half a sign is no JSON of ours
    if odd.isascii():  # a form holds nothing else
        answer = ada_s.post("/schedules/new/probe", {**DAILY, "run": odd}, content_type="multipart/form-data")
        assert answer.status_code == 404
    assert rows(runtime) == []


def test_a_key_or_a_name_that_no_text_holds_is_not_kept(ada_s: Browser, runtime: Runtime) -> None:
    run_id(hand_over(ada_s, key="form:a\0b"))
    assert ["\0" in row.key for row in rows(runtime, Idempotency)] == [False]
    titled = {**DAILY, "when_title": "Morn\0ings"}
    answer = ada_s.post("/schedules/new/probe", titled, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "in one line" in answer.text


def test_a_crontab_line_that_cannot_be_read_any_more_stops_its_schedule_and_no_other(
    ada_s: Browser, runtime: Runtime
) -> None:
    broken, sound = make(ada_s), make(ada_s)
    set_due(runtime, sound)
    set_due(runtime, broken, cron="nonsense", repeat="cron")
    (made,) = due_runs(runtime)
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Run.schedule_id).where(Run.id == made)).one() == sound
        assert "cannot be read any more" in session.scalars(select(Schedule.stopped).where(Schedule.id == broken)).one()


def test_a_limit_for_every_person_holds_back_nothing_that_the_machinery_runs(runtime: Runtime, ada: Person) -> None:
    job = discover()["probe"]
    handed = HandedOver(job.params.model_validate({"name": "Ada"}))
    with runtime.database.write(EVERYONE) as session:
        limits.set_limit(session, "person:*", 0, None)
        submit(runtime, session, job, handed, ada.workspace_id, account_id=ada.account_id)
        nobody_s = submit(runtime, session, job, handed, ada.workspace_id)
        session.execute(update(Run).values(published_at=None))
        people = limits.people_at_once(limits.all_limits(session))
        chosen = dispatching.next_to_publish(session, job.queue, 10, people)
    assert [run_id for run_id, _, _ in chosen] == [nobody_s.id]


def test_failed_runs_that_are_put_back_count_among_those_that_wait(
    app: Flask, runtime: Runtime, ada: Person, ada_s: Browser
) -> None:
    here = app.extensions["nightshift"]
    object.__setattr__(here, "settings", here.settings.model_copy(update={"waiting_runs": 2}))
    failed = [run_id(hand_over(ada_s)) for _ in range(2)]
    for each in failed:
        change(runtime, each, state="failed")
    run_id(hand_over(ada_s))
    page = ada_s.post("/runs/actions", {"action": "retry", "ids": failed}, follow_redirects=True).text
    assert "1 run was put back." in page
    assert "2 runs of this workspace wait already" in page
    (stays,) = (each for each in failed if the_run(runtime, each).state == "failed")
    answer = app.test_client().post(f"/api/v1/runs/{stays}/retry", headers=token_of(runtime, ada))
    assert answer.status_code == 429
    ada_s.post(f"/runs/{stays}/retry")
    assert the_run(runtime, stays).state == "failed"


def test_the_files_of_a_schedule_are_not_written_anew_while_others_wait_for_the_database(
    ada_s: Browser, runtime: Runtime
) -> None:
    found = make(ada_s, files=[text_file("one two three")])
    (old,) = (runtime.settings.var / "files").glob("??/*")
    os.utime(old, (0, 0))
    set_due(runtime, found)
    (made,) = due_runs(runtime)
    both = [path.stat() for path in old.parents[1].glob("??/*")]
    assert [each.st_ino for each in both] == [both[0].st_ino] * 2
    assert min(each.st_mtime for each in both) > 0, "the sweep of old files that no row names leaves it alone"
    ada_s.post(f"/schedules/{found}/delete")
    assert not old.exists()
    assert execute(runtime, made, WORKER) == "succeeded"


def test_the_names_of_machines_are_told_to_those_who_run_them(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    found = run_id(hand_over(ada_s))
    assert execute(runtime, found, WORKER) == "succeeded"
    assert WORKER not in ada_s.get(f"/runs/{found}").text
    runs_it(runtime, ada, True)
    assert WORKER in ada_s.get(f"/runs/{found}").text


def test_a_key_that_was_used_for_another_schedule_is_told_of(app: Flask, runtime: Runtime, ada: Person) -> None:
    headers = token_of(runtime, ada) | {"Idempotency-Key": "one"}
    first = {"kind": "probe", "params": {"name": "Ada"}, "when": {"repeat": "minutes", "minutes": 5}}
    client = app.test_client()
    made = [client.post("/api/v1/schedules", headers=headers, json=first) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201]
    assert len(rows(runtime)) == 1
    for other in ({"params": {"name": "Grace"}}, {"priority": "low"}, {"title": "Another"}):
        assert client.post("/api/v1/schedules", headers=headers, json=first | other).status_code == 409


def test_the_audit_log_keeps_who_deleted_what(runtime: Runtime, ada: Person, ada_s: Browser) -> None:
    schedule, ended, waits = make(ada_s), run_id(hand_over(ada_s)), run_id(hand_over(ada_s))
    change(runtime, ended, state="failed")
    ada_s.post("/runs/discard", {"ids": [ended, waits, "x"]})
    ada_s.post("/runs/discard", {"ids": [waits]})
    ada_s.post(f"/schedules/{schedule}/delete")
    found = sorted(rows(runtime, AuditEntry), key=lambda each: each.id)
    assert [(each.what, each.detail) for each in found] == [
        ("runs deleted", {"runs": [ended]}),
        ("schedule deleted", {"schedule": schedule}),
    ]
    assert {(each.account_id, each.workspace_id) for each in found} == {(ada.account_id, ada.workspace_id)}
