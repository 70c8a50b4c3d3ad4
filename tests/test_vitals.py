"""Alarms: raised when a part of the machinery is silent, said on every page, each with a page of the runbook."""

import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

import web
from models import vitals
from models.base import clock
from models.delivery import Delivery
from models.run import Pulse, Queue, Run
from models.session import EVERYONE
from models.workspace import SYSTEM
from tests.conftest import Person
from tests.web_fixtures import Browser, Invite
from workers import beat, canaries
from workers.execute import execute
from workers.queues import QUEUES
from workers.runtime import Runtime

PAGES = Path(web.__file__).parent / "templates" / "runbook" / "pages"
MINUTE = 60_000


def now() -> int:
    return time.time_ns() // 1_000_000


def age(runtime: Runtime, name: str, seconds: float) -> None:
    """Let this sign of life be so old."""
    with runtime.database.write(EVERYONE) as session:
        session.merge(Pulse(name=name, at=now() - int(seconds * 1000)))


def standing(runtime: Runtime) -> list[tuple[str, str]]:
    with runtime.database.read(EVERYONE) as session:
        return [(alarm.name, alarm.queue) for alarm in vitals.silences(session)]


def run_in(runtime: Runtime, person: Person, queue: str, **more: object) -> None:
    with runtime.database.write(person.workspace_id) as session:
        session.add(Run(workspace_id=person.workspace_id, kind="count", queue=queue, params={}, **more))


@pytest.fixture
def alive(runtime: Runtime) -> Runtime:
    """Beat, broker and every queue gave a sign of life just now."""
    for name in ("beat", "broker", *(f"queue:{queue}" for queue in QUEUES)):
        age(runtime, name, 0)
    return runtime


def test_nothing_is_silent_while_everybody_gives_signs_of_life(alive: Runtime) -> None:
    assert standing(alive) == []


def test_a_beat_that_never_came_or_fell_silent_is_an_alarm_by_itself(runtime: Runtime) -> None:
    assert standing(runtime) == [("beat-silent", "")]
    age(runtime, "queue:mail", 999)
    age(runtime, "beat", 29)
    assert standing(runtime) == [("queue-silent", "mail")]
    age(runtime, "beat", 31)
    assert standing(runtime) == [("beat-silent", "")], "without beat there are no canaries, and no queue is blamed"


def test_a_broker_that_is_away_for_a_minute_is_an_alarm(alive: Runtime) -> None:
    age(alive, "broker", 61)
    assert standing(alive) == [("broker-away", "")]


def test_a_silent_queue_is_an_alarm_unless_it_is_paused(alive: Runtime) -> None:
    age(alive, "queue:ecg", 181)
    assert standing(alive) == [("queue-silent", "ecg")]
    with alive.database.write(EVERYONE) as session:
        session.add(Queue(name="ecg", paused_at=now()))
    assert standing(alive) == []


def test_a_queue_that_is_busy_is_not_silent(alive: Runtime, ada: Person) -> None:
    age(alive, "queue:ecg", 999)
    run_in(alive, ada, "mail", state="running", lease_until=now() + MINUTE)
    run_in(alive, ada, "ecg", state="running", lease_until=now() - MINUTE)
    run_in(alive, ada, "ecg", state="cancelled", finished_at=now())
    assert standing(alive) == [("queue-silent", "ecg")], "another queue's run, a dead one's, one that nobody ran"
    run_in(alive, ada, "ecg", state="running", lease_until=now() + MINUTE)
    assert standing(alive) == []
    with alive.database.write(EVERYONE) as session:
        session.execute(update(Run).values(state="succeeded", lease_until=None, finished_at=now(), worker="w@h:1/2"))
    assert standing(alive) == [], "a short run ended just now"


def test_runs_mails_and_a_disk_that_wait_too_long_or_fill_up_are_alarms(alive: Runtime, ada: Person) -> None:
    run_in(alive, ada, "ecg", due_at=now() - 11 * MINUTE)
    run_in(alive, ada, "mail", due_at=now() + MINUTE)
    with alive.database.write(EVERYONE) as session:
        mail = {"to": "ada@example.org", "subject": "Hello", "text": "Hello", "created_at": now() - 31 * MINUTE}
        session.add(Delivery(workspace_id=ada.workspace_id, **mail))
    with alive.database.read(EVERYONE) as session:
        queues = vitals.queue_figures(session, QUEUES)
        found = vitals.alarms(session, queues, (100_000_000, 10**12))
    assert [(alarm.name, alarm.queue) for alarm in found] == [
        ("disk-full", ""), ("runs-wait-long", "ecg"), ("mail-waits", ""),
    ]  # fmt: skip
    assert {queue.name: queue.waiting for queue in queues if queue.waiting} == {
        "ecg": 1,
        "mail": 2,
    }, "one run sends the mail"
    assert vitals.full((10**12, 10**13)) == vitals.full(None) == []


def test_the_outside_monitor_hears_nothing_while_something_is_silent(
    alive: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not beat.all_well(alive), "the broker of these tests is away"
    monkeypatch.setattr("workers.publish.length", lambda runtime, queue: 0)
    assert beat.all_well(alive)
    age(alive, "queue:scans", 181)
    assert not beat.all_well(alive)


def test_a_canary_goes_into_every_queue_once_a_minute_however_many_beats(runtime: Runtime) -> None:
    sent = canaries.send_all(runtime)
    assert len(sent) == len(QUEUES)
    assert canaries.send_all(runtime) == []
    for run_id in sent:
        assert execute(runtime, run_id, "w@h:1/2") == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        alive = vitals.pulses(session, clock(session))
        assert None not in {queue.silent_s for queue in vitals.queue_figures(session, QUEUES)}
        assert {f"queue:{queue}" for queue in QUEUES} <= set(alive)


def test_the_next_canary_takes_the_last_one_s_place_and_at_most_one_waits(runtime: Runtime) -> None:
    first = canaries.send_all(runtime)
    execute(runtime, first[0], "w@h:1/2")
    for queue in QUEUES:
        age(runtime, f"canary:{queue}", 61)
    second = canaries.send_all(runtime)
    assert len(second) == 1
    with runtime.database.read(EVERYONE) as session:
        left = {run.id: run.queue for run in session.query(Run)}
    assert set(left) == {*first[1:], *second}
    assert left[second[0]] == QUEUES[0]


def test_no_canary_goes_into_a_paused_queue_and_its_silence_begins_anew_afterwards(runtime: Runtime) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.add(Queue(name="ecg", paused_at=now()))
    assert len(canaries.send_all(runtime)) == len(QUEUES) - 1
    for name in ("queue:ecg", "canary:ecg"):
        age(runtime, name, 3600)
    age(runtime, "beat", 0)
    with runtime.database.write(EVERYONE) as session:
        session.get_one(Queue, "ecg").paused_at = None
    assert standing(runtime) == [("queue-silent", "ecg")]
    assert len(canaries.send_all(runtime)) == 1
    assert standing(runtime) == []


def test_a_queue_that_no_worker_serves_any_more_is_not_watched(alive: Runtime) -> None:
    age(alive, "queue:gone", 999)
    with alive.database.write(EVERYONE) as session:
        canaries.forget_queues_that_are_gone(session)
    assert standing(alive) == []


def test_every_alarm_has_a_page_and_every_page_is_some_alarm_s(admin: Browser) -> None:
    assert {path.stem for path in PAGES.glob("*")} == set(vitals.ALARMS)
    for name, title in vitals.ALARMS.items():
        page = admin.get(f"/runbook/{name}")
        assert page.status_code == 200
        assert title in page.text
        assert all(part in page.text for part in ("What it means", "What to look at", "What to do", "<pre"))
        assert f"/runbook/{name}" in admin.get("/runbook").text


def test_the_runbook_is_the_administrators(admin: Browser, invite: Invite) -> None:
    grace = invite("grace")
    for path in ("/runbook", "/runbook/beat-silent"):
        assert grace.get(path).status_code == 404
    assert admin.get("/runbook/nothing").status_code == 404
    assert Browser(admin.app).get("/runbook").status_code == 302


@pytest.fixture
def watched(app: Flask, runtime: Runtime) -> Runtime:
    app.extensions["watch"].forget()
    return runtime


def test_every_page_says_that_beat_is_silent_and_administrators_hear_what_to_do(
    app: Flask, watched: Runtime, admin: Browser, invite: Invite
) -> None:
    grace = invite("grace")
    for browser, path in ((admin, "/jobs"), (grace, "/runs"), (Browser(app), "/sign-in"), (grace, "/nowhere")):
        assert "Runs may start late." in browser.get(path).text, path
    assert "/runbook/beat-silent" in admin.get("/jobs").text
    assert "silent" not in grace.get("/jobs").text
    age(watched, "beat", 0)
    assert "Runs may start late." in admin.get("/jobs").text, "asked for once in five seconds and not for each page"
    app.extensions["watch"].forget()
    assert "Runs may start late." not in admin.get("/jobs").text


def test_readiness_tells_what_is_silent_and_stays_200_while_work_is_taken(app: Flask, watched: Runtime) -> None:
    age(watched, "beat", 0)
    age(watched, "queue:ecg", 999)
    with watched.database.write(EVERYONE) as session:
        session.add(Queue(name="mail", paused_at=now()))
    from web import health

    client = app.test_client()
    assert client.get("/readyz").status_code == 503, "these tables were made without migrations"
    with watched.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{health.newest(watched.settings.database)}')")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert {**answer.json, "beat_age_s": 0} == {
        "database": "ok", "broker": "away", "files": "ok", "beat": "ok", "beat_age_s": 0,
        "silent_queues": ["ecg"], "paused_queues": ["mail"],
    }  # fmt: skip


def test_beat_gives_signs_and_a_run_of_the_canary_is_not_in_anybody_s_list(runtime: Runtime) -> None:
    beat.give_signs(runtime)
    with runtime.database.read(SYSTEM) as session:
        assert {run.listed for run in session.query(Run)} == {False}
    assert standing(runtime) == []
