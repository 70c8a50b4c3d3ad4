"""What people do to runs: cancel, try again, run again, delete; one or many at a time."""

import html
import re

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import lifecycle
from models.account import Account
from models.artifact import Upload
from models.run import Run
from models.session import EVERYONE
from tests.conftest import Person
from tests.front import WORKER, browser_of, count, hand_over, member_of, run_id, text_file, the_run
from tests.web_fixtures import Browser
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = pytest.mark.usefixtures("probe")


def test_a_queued_run_is_cancelled_at_once_and_can_be_run_again(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s, files=[text_file()], keep="true"))
    assert run_id(ada_s.post(f"/runs/{found}/cancel")) == found
    assert the_run(runtime, found).state == "cancelled"
    page = ada_s.get(f"/runs/{found}").text
    assert "It was cancelled" in page
    assert "/again" in page
    second = run_id(ada_s.post(f"/runs/{found}/again"))
    assert the_run(runtime, second).origin_id == found
    assert execute(runtime, second, WORKER) == "succeeded"
    assert the_run(runtime, second).result == {"words": 2, "name": "Ada"}


def test_run_again_leads_to_the_form_when_the_files_are_gone(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s, files=[text_file()], note="as before", times="7"))
    execute(runtime, found, WORKER)
    assert list(runtime.storage.listed()), "artifacts stay"
    answer = ada_s.post(f"/runs/{found}/again")
    assert answer.status_code == 303
    assert answer.location.startswith("/jobs/probe?")
    page = ada_s.get(answer.location).text
    assert "files of that run are not kept" in page
    assert ">as before</textarea>" in page
    assert 'value="7"' in page
    assert count(runtime) == 1


def test_run_again_when_the_bytes_vanished_leads_to_the_form_too(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s, files=[text_file("a", "a.txt"), text_file("b", "b.txt")]))
    with runtime.database.read(EVERYONE) as session:
        keys = list(session.scalars(select(Upload.key).where(Upload.run_id == found).order_by(Upload.id)))
    runtime.storage.delete(keys[1])
    assert ada_s.post(f"/runs/{found}/again").location.startswith("/jobs/probe?")
    assert count(runtime) == 1


def test_a_failed_run_says_why_and_can_be_tried_again(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s, name="fail"))
    assert execute(runtime, found, WORKER) == "failed"
    page = ada_s.get(f"/runs/{found}").text
    assert "The name is “fail”. Choose another one." in page
    assert "Try again" in page
    form = ada_s.get(f"/jobs/probe?again={found}").text
    assert "All is filled in as it was." in form
    assert 'value="fail"' in form
    ada_s.post(f"/runs/{found}/retry")
    assert the_run(runtime, found).state == "queued"
    assert "Put back by hand" in ada_s.get(f"/runs/{found}").text


def test_what_has_ended_cannot_be_cancelled_nor_what_went_well_retried(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    execute(runtime, found, WORKER)
    for path in ("cancel", "retry"):
        ada_s.post(f"/runs/{found}/{path}")
        assert the_run(runtime, found).state == "succeeded"


def test_a_viewer_follows_runs_and_changes_none(app: Flask, ada_s: Browser, ada: Person, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    viewer = browser_of(app, runtime, member_of(runtime, ada, "grace", "viewer"))
    page = viewer.get(f"/runs/{found}").text
    assert "Waiting" in page
    assert "/cancel" not in page
    for path in ("cancel", "retry", "again"):
        assert viewer.post(f"/runs/{found}/{path}").status_code == 403
    assert the_run(runtime, found).state == "queued"


def act(browser: Browser, action: str, *ids: str, **more: str) -> str:
    """What the list says after one thing was done to these runs."""
    answer = browser.post("/runs/actions", {"action": action, "ids": list(ids), **more}, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def test_many_are_cancelled_at_once_and_it_says_why_not_the_rest(ada_s: Browser, runtime: Runtime) -> None:
    waiting, running, done = (run_id(hand_over(ada_s)) for _ in range(3))
    execute(runtime, done, WORKER)
    with runtime.database.write(EVERYONE) as session:
        assert lifecycle.claim(session, running, WORKER, 60_000)
    page = act(ada_s, "cancel", waiting, running, done, "0" * 28, "no-id")
    assert "1 run was cancelled." in page
    assert "1 run was asked to end: it does so at the next step." in page
    assert "1 run was left as it was: It had ended already" in page
    assert "2 runs were left as they were: It is not in this workspace, or is gone." in page
    assert [the_run(runtime, found).state for found in (waiting, running, done)] == [
        "cancelled",
        "running",
        "succeeded",
    ]
    assert the_run(runtime, running).cancel_at
    page = ada_s.get(f"/runs/{running}").text
    assert "Cancelling" in page
    assert "if it takes none, it is stopped at" in page


def test_many_failed_ones_are_tried_again_and_the_filters_stay(ada_s: Browser, runtime: Runtime) -> None:
    failed, done = run_id(hand_over(ada_s, name="fail")), run_id(hand_over(ada_s))
    for found in (failed, done):
        execute(runtime, found, WORKER)
    answer = ada_s.post(
        "/runs/actions", {"action": "retry", "ids": [failed, done], "state": "failed", "q": "a b", "kind": "probe"}
    )
    assert answer.status_code == 303
    assert answer.location == "/runs?state=failed&kind=probe&q=a+b"
    assert the_run(runtime, failed).state == "queued"
    page = html.unescape(ada_s.get("/runs").text)
    assert "1 run was put back. 1 run was left as it was: Only what has failed can be tried again." in page


def test_many_are_run_again_once_however_often_the_form_is_sent(ada_s: Browser, runtime: Runtime) -> None:
    first, second = run_id(hand_over(ada_s, note="one")), run_id(hand_over(ada_s, files=[text_file()]))
    for found in (first, second):
        execute(runtime, found, WORKER)
    for _ in range(2):
        page = act(ada_s, "again", first, second, key="form:twice")
        assert "1 run was started again." in page
        assert "Its files are not kept any more" in page
    with runtime.database.read(EVERYONE) as session:
        (again,) = session.scalars(select(Run).where(Run.origin_id.is_not(None)))
    assert (again.origin_id, again.params["note"]) == (first, "one")


def test_what_is_deleted_is_asked_about_first_and_then_gone_with_its_files(ada_s: Browser, runtime: Runtime) -> None:
    done, waiting = run_id(hand_over(ada_s, files=[text_file()], keep="true")), run_id(hand_over(ada_s))
    execute(runtime, done, WORKER)
    page = act(ada_s, "discard", done, waiting, state="succeeded")
    assert "Delete this run?" in page
    assert "1 of those you chose stays, because it goes on" in page
    assert count(runtime) == 2, "nothing is deleted by asking"
    assert re.findall(r'name="ids" value="(\w+)"', page) == [done]
    answer = ada_s.post("/runs/discard", {"ids": [done, waiting], "state": "succeeded"})
    assert answer.location == "/runs?state=succeeded"
    page = html.unescape(ada_s.get("/runs").text)
    assert "1 run was deleted. 1 run was left as it was: It goes on: cancel it first." in page
    assert count(runtime) == 1
    assert ada_s.get(f"/runs/{done}").status_code == 404
    assert list(runtime.storage.listed()) == []


def test_a_run_that_another_waits_for_is_not_deleted(ada_s: Browser, runtime: Runtime) -> None:
    first = run_id(hand_over(ada_s))
    follower = run_id(hand_over(ada_s, after=first))
    execute(runtime, first, WORKER)
    ada_s.post("/runs/discard", {"ids": first})
    assert "another run waits for it" in ada_s.get("/runs").text
    assert the_run(runtime, first).state == "succeeded"
    ada_s.post(f"/runs/{follower}/cancel")
    ada_s.post("/runs/discard", {"ids": [first, follower]})
    assert count(runtime) == 0


def test_nothing_happens_without_a_choice_or_with_an_unknown_deed(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    assert "Choose at least one run first" in act(ada_s, "cancel")
    assert "only runs that have ended can" in act(ada_s, "discard", found)
    assert ada_s.post("/runs/actions", {"action": "explode", "ids": found}).status_code == 400
    assert the_run(runtime, found).state == "queued"


def test_a_viewer_has_no_boxes_to_tick_and_may_do_nothing(
    app: Flask, ada_s: Browser, ada: Person, runtime: Runtime
) -> None:
    found = run_id(hand_over(ada_s))
    viewer = browser_of(app, runtime, member_of(runtime, ada, "grace", "viewer"))
    assert 'name="ids"' in ada_s.get("/runs").text
    assert 'name="ids"' not in viewer.get("/runs").text
    for path in ("actions", "discard"):
        assert viewer.post(f"/runs/{path}", {"action": "cancel", "ids": found}).status_code == 403
    assert the_run(runtime, found).state == "queued"


def test_all_on_a_page_are_chosen_without_javascript_too(ada_s: Browser, runtime: Runtime) -> None:
    for _ in range(3):
        hand_over(ada_s)
    link = re.search(r'href="(/runs\?choose=all[^"]*)"', ada_s.get("/runs?state=queued").text)
    assert link
    page = ada_s.get(html.unescape(link[1])).text
    assert page.count(" checked") == 3
    assert "state=queued" in link[1]


@pytest.mark.parametrize("found", ["0" * 28, "not-an-id", "x" * 3000, "%F0%9F%8C%99", "..%2f..%2fetc", "' or 1=1 --"])
def test_ids_that_are_none_have_no_page(ada_s: Browser, found: str) -> None:
    for path in (f"/runs/{found}", f"/runs/{found}/live"):
        assert ada_s.get(path).status_code == 404, path
    for action in ("cancel", "retry", "again"):
        assert ada_s.post(f"/runs/{found}/{action}").status_code == 404


def test_priority_is_a_choice_and_high_is_for_those_who_run_the_system(
    ada_s: Browser, ada: Person, runtime: Runtime
) -> None:
    assert the_run(runtime, run_id(hand_over(ada_s, priority="low"))).priority == -1
    assert 'value="high"' not in ada_s.get("/jobs/probe").text
    refused = hand_over(ada_s, priority="high", note="kept")
    assert refused.status_code == 403
    assert "Only those who run the system" in refused.text
    assert ">kept</textarea>" in refused.text
    assert hand_over(ada_s, priority="urgent").status_code == 422
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == ada.account_id).values(is_admin=True))
    found = run_id(hand_over(ada_s, priority="high"))
    assert the_run(runtime, found).priority == 1
    assert "<dt>Priority</dt><dd>high</dd>" in ada_s.get(f"/runs/{found}").text
    assert 'value="high"' in ada_s.get("/jobs/probe").text
