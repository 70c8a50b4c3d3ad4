"""The queues' page: what waits, pausing with who and when, limits; for those who run the system alone."""

import html
import re

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import limits
from models.account import Account
from models.run import Queue, Run
from models.session import EVERYONE
from models.workspace import AuditEntry
from tests.conftest import Person
from tests.front import WORKER, browser_of, change, hand_over, run_id, the_run
from tests.web_fixtures import Browser
from workers.execute import execute
from workers.queues import QUEUES
from workers.runtime import Runtime

pytestmark = pytest.mark.usefixtures("probe")


@pytest.fixture
def ada_s(app: Flask, runtime: Runtime, ada: Person) -> Browser:
    """Ada's browser; she runs the system."""
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == ada.account_id).values(is_admin=True))
    return browser_of(app, runtime, ada)


def audited(runtime: Runtime) -> list[tuple[str, object]]:
    with runtime.database.read(EVERYONE) as session:
        return [(each.what, each.detail) for each in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def bound(runtime: Runtime, scope: str) -> tuple[int | None, int | None] | None:
    with runtime.database.read(EVERYONE) as session:
        found = limits.all_limits(session).get(scope)
    return (found.running, found.per_minute) if found else None


def card(browser: Browser, name: str) -> str:
    """One queue's part of the page, as text."""
    page = browser.get("/admin/queues").text
    part = page.partition(f'id="queue-{name}"')[2].partition("</section>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", part)).split())


def test_others_learn_nothing_of_the_queues_and_change_nothing(app: Flask, runtime: Runtime, grace: Person) -> None:
    hers = browser_of(app, runtime, grace)
    assert hers.get("/admin/queues").status_code == 404
    for path in ("default/pause", "default/resume", "default/limits", "people/limits"):
        assert hers.post(f"/admin/queues/{path}", {"account": "*", "running": "1"}).status_code == 404
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Queue)).all() == []
        assert limits.all_limits(session) == {}


def test_every_queue_is_shown_with_what_waits_and_runs(ada_s: Browser, runtime: Runtime) -> None:
    page = ada_s.get("/admin/queues").text
    for name in QUEUES:
        assert f'id="queue-{name}"' in page
    first, second, third, later = (run_id(hand_over(ada_s)) for _ in range(4))
    change(runtime, first, due_at=the_run(runtime, first).due_at - 3 * 3_600_000)
    change(runtime, second, state="running")
    change(runtime, later, due_at=the_run(runtime, later).due_at + 3_600_000)
    execute(runtime, third, WORKER)
    text = card(ada_s, "default")
    assert "Waiting 1 The oldest waits 3 h 0 min Running 1 Ended in the last hour 1 Worker work" in text
    assert "Waiting 0 The oldest waits – Running 0" in card(ada_s, "scans")


def test_a_queue_is_paused_and_resumed_with_who_and_when(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    found = run_id(hand_over(ada_s))
    assert ada_s.post("/admin/queues/default/pause").status_code == 303
    assert "paused by Ada, since" in card(ada_s, "default")
    assert execute(runtime, found, WORKER) is None, "nothing of a paused queue starts"
    assert "an administrator has paused this queue" in ada_s.get(f"/runs/{found}").text
    assert "its queue is paused" in ada_s.get("/runs").text
    ada_s.post("/admin/queues/default/pause")
    ada_s.post("/admin/queues/default/resume")
    ada_s.post("/admin/queues/default/resume")
    assert "paused" not in card(ada_s, "default")
    assert execute(runtime, found, WORKER) == "succeeded"
    assert audited(runtime) == [("queue paused", {"queue": "default"}), ("queue resumed", {"queue": "default"})]
    assert "queue paused" in ada_s.get("/admin/audit").text


def test_limits_of_a_queue_are_set_shown_and_lifted(ada_s: Browser, runtime: Runtime) -> None:
    ada_s.post("/admin/queues/ecg/limits", {"running": "2", "per_minute": ""})
    assert bound(runtime, "queue:ecg") == (2, None)
    page = ada_s.get("/admin/queues").text
    assert re.search(r'id="limit-ecg-running" name="running" value="2"', page)
    ada_s.post("/admin/queues/ecg/limits", {"running": "", "per_minute": "90"})
    assert bound(runtime, "queue:ecg") == (None, 90)
    ada_s.post("/admin/queues/ecg/limits", {"running": " ", "per_minute": ""})
    assert bound(runtime, "queue:ecg") is None
    assert audited(runtime)[0] == ("limits set", {"running": 2, "per_minute": None, "queue": "ecg"})


def test_limits_of_everybody_and_of_one_person_are_set_and_lifted(
    ada_s: Browser, runtime: Runtime, grace: Person
) -> None:
    ada_s.post("/admin/queues/people/limits", {"account": "*", "running": "5", "per_minute": "60"})
    ada_s.post("/admin/queues/people/limits", {"account": grace.account_id, "running": "1", "per_minute": ""})
    assert bound(runtime, "person:*") == (5, 60)
    assert bound(runtime, f"person:{grace.account_id}") == (1, None)
    page = ada_s.get("/admin/queues").text
    assert re.search(r"Grace <span[^>]*>1 at once</span>", page)
    ada_s.post("/admin/queues/people/limits", {"account": grace.account_id})
    assert bound(runtime, f"person:{grace.account_id}") is None
    assert ada_s.post("/admin/queues/people/limits", {"account": "nobody", "running": "1"}).status_code == 404


@pytest.mark.parametrize("wrong", ["-1", "x", "1.5", "1e9", "999999999999999999999"])
def test_a_limit_that_is_no_number_is_told_beside_its_field(ada_s: Browser, runtime: Runtime, wrong: str) -> None:
    for path, more, field in (
        ("default/limits", {}, "limit-default-running"),
        ("people/limits", {"account": "*"}, "limit-everybody-running"),
        ("people/limits", {"account": "x"}, "limit-person-running"),
    ):
        answer = ada_s.post(f"/admin/queues/{path}", {"running": wrong, **more})
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
    assert ada_s.post("/admin/queues/default/limits", {"per_minute": "0"}).status_code == 422
    assert ada_s.post("/admin/queues/nothing/limits", {"running": "1"}).status_code == 404
    assert ada_s.post("/admin/queues/nothing/pause").status_code == 404
    with runtime.database.read(EVERYONE) as session:
        assert limits.all_limits(session) == {}


def test_a_limit_holds_back_what_would_be_too_much(ada_s: Browser, runtime: Runtime) -> None:
    ada_s.post("/admin/queues/people/limits", {"account": "*", "running": "0"})
    found = run_id(hand_over(ada_s))
    assert execute(runtime, found, WORKER) is None
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Run.state).where(Run.id == found)).one() == "queued"
