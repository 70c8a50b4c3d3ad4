"""The bucket does not answer: the front says so and takes what needs no file, runs wait, schedules and mails too."""

import io
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from flask import Flask
from sqlalchemy import select, update

from deploy.settings import Settings
from models import lifecycle, vitals
from models.artifact import Artifact, Upload
from models.base import db_now, new_id
from models.run import Pulse, RunEvent
from models.schedule import Schedule
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks import discover
from tasks.context import Context
from tasks.discard import discard
from tasks.handover import HandedOver
from tasks.job import Job
from tasks.storage import answers
from tasks.upkeep import job as upkeep
from tests.buckets import Moto, in_a_bucket
from tests.conftest import Person
from tests.front import WORKER, browser_of, change, count, hand_over, probe_job, run_id, text_file, the_run, token_of
from tests.web_fixtures import Browser
from workers import beat, bucket_door
from workers.bucket import BucketStorage
from workers.enqueue import submit
from workers.execute import execute
from workers.publish import Breaker
from workers.runtime import Runtime
from workers.schedules import due_runs


@pytest.fixture(autouse=True)
def probe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    with probe_job(monkeypatch) as job:
        yield job


@pytest.fixture
def settings(tmp_path: Path, moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(bucket_door, "READ", 0.2)
    chosen = {"var": tmp_path / "var", "broker_url": "redis://127.0.0.1:1/0", "lease_seconds": 5}
    return Settings.model_validate({**chosen, **in_a_bucket(moto)})


@contextmanager
def away(moto: Moto, *runtimes: Runtime) -> Iterator[None]:
    """It is frozen: the system accepts connections, and nobody answers. After that, some seconds have passed."""
    moto.pause()
    try:
        yield
    finally:
        moto.resume()
        for each in runtimes:
            cast(BucketStorage, each.storage).door.breaker = Breaker()


def of(app: Flask) -> Runtime:
    return cast(Runtime, app.extensions["nightshift"])


def with_file(browser: Browser, text: str = "one two") -> str:
    return run_id(hand_over(browser, files=[text_file(text)], keep="y"))


def test_the_front_says_that_files_are_away_and_takes_what_needs_none(
    app: Flask, runtime: Runtime, ada: Person, moto: Moto
) -> None:
    browser, token = browser_of(app, runtime, ada), token_of(runtime, ada)
    found = with_file(browser)
    assert execute(runtime, found, WORKER) == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        left = f"/runs/{found}/artifacts/{session.scalars(select(Artifact.id)).first()}"
    with away(moto, runtime, of(app)):
        refused = hand_over(browser, files=[text_file()])
        assert refused.status_code == 503
        assert "Files cannot be kept just now" in refused.text
        assert "nothing was queued" in refused.text
        assert refused.headers["Retry-After"] == "60"
        given = {"name": "Ada", "files": text_file()}
        told = app.test_client().post("/api/v1/jobs/probe/runs", data=given, headers=token)
        assert (told.status_code, told.mimetype) == (503, "application/problem+json")
        assert "Files cannot be kept just now" in (told.json or {})["detail"]
        assert count(runtime) == 1
        download = browser.get(left)
        assert download.status_code == 503
        assert "Files cannot be read just now" in download.text
        assert browser.get(f"/runs/{found}").status_code == browser.get("/jobs/probe").status_code == 200
        assert the_run(runtime, run_id(hand_over(browser))).state == "queued"
        assert (app.test_client().get("/readyz").json or {})["files"] == "away"
    assert browser.get(left).status_code == 200
    with_file(browser)
    assert (app.test_client().get("/readyz").json or {})["files"] == "ok"


def test_a_run_that_needs_a_file_waits_spends_no_try_and_is_done_when_the_bucket_is_back(
    app: Flask, runtime: Runtime, ada: Person, moto: Moto
) -> None:
    found = with_file(browser_of(app, runtime, ada))
    with away(moto, runtime):
        for _ in range(5):  # more often than it has tries
            assert execute(runtime, found, WORKER) == "queued"
            assert execute(runtime, found, WORKER) is None, "it waits for a while"
            change(runtime, found, due_at=db_now())
    waiting = the_run(runtime, found)
    assert (waiting.tries, waiting.attempt, waiting.error) == (0, 5, None)
    with runtime.database.read(EVERYONE) as session:
        why = set(session.scalars(select(RunEvent.detail).where(RunEvent.what == "tries again")))
    assert all(each.startswith("The store of files does not answer") for each in why)
    assert execute(runtime, found, WORKER) == "succeeded"


def test_a_run_that_was_to_be_cancelled_does_not_wait_for_the_bucket(app: Flask, runtime: Runtime, ada: Person) -> None:
    found = with_file(browser_of(app, runtime, ada))
    with runtime.database.begin() as connection:
        claim = lifecycle.claim(connection, found, WORKER, 5000)
        assert claim
        assert lifecycle.cancel(connection, found)
        assert lifecycle.wait(connection, claim, "away") == "cancelled"
        assert lifecycle.wait(connection, claim, "away") is None, "it is nobody's any more"


def test_a_time_limit_in_the_middle_of_a_request_is_none_of_the_buckets(
    runtime: Runtime, moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    def over(*_: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(bucket_door, "TRIES", 1)
    monkeypatch.setattr(bucket_door, "READ", 5.0)
    assert answers(runtime.storage)
    before = signal.signal(signal.SIGALRM, over)
    try:
        with away(moto, runtime), pytest.raises(SoftTimeLimitExceeded):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            runtime.storage.put(io.BytesIO(b"words"))
    finally:
        signal.signal(signal.SIGALRM, before)


def schedule(runtime: Runtime, person: Person, *keys: str) -> str:
    with runtime.database.write(person.workspace_id) as session:
        uploads = [
            Upload(id=new_id(), field="files", name="a.txt", media_type="text/csv", size=5, sha256="", key=key)
            for key in keys
        ]
        session.add_all(uploads)
        named = {"name": "Ada", "files": [each.id for each in uploads]}
        due = (session.scalar(select(db_now())) or 0) // 60_000 * 60_000
        made = Schedule(
            kind="probe", params=named, repeat="minutes", every_minutes=1, next_due=due, account_id=person.account_id
        )
        session.add(made)
        session.flush()
        return made.id


def test_a_schedule_that_keeps_files_is_due_until_they_can_be_copied_and_holds_no_other_up(
    runtime: Runtime, ada: Person, moto: Moto
) -> None:
    key, _ = runtime.storage.put(io.BytesIO(b"words"))
    kept, without = schedule(runtime, ada, key), schedule(runtime, ada)
    with away(moto, runtime):
        (only,) = due_runs(runtime)
        assert due_runs(runtime) == []
    assert the_run(runtime, only).schedule_id == without
    (late,) = due_runs(runtime)
    assert the_run(runtime, late).schedule_id == kept
    assert execute(runtime, late, WORKER) == "succeeded"


def test_what_is_deleted_meanwhile_is_swept_later(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = runtime.storage.put(io.BytesIO(b"words"))
    with runtime.database.write(ada.workspace_id) as session:
        upload = Upload(id=new_id(), field="files", name="a", media_type="text/csv", size=5, sha256="", key=key)
        handed = HandedOver(discover()["probe"].params(name="Ada", files=[upload.id]), [upload])  # type: ignore[call-arg]
        found = submit(runtime, session, discover()["probe"], handed, ada.workspace_id).id
    change(runtime, found, state="cancelled")
    door = cast(BucketStorage, runtime.storage).door
    door.breaker.trip()  # it did not answer just now
    with runtime.database.write(EVERYONE) as session:
        assert discard(session, runtime.storage, [found]) == 1
    door.breaker = Breaker()
    assert [each for each, _ in runtime.storage.listed()] == [key]
    monkeypatch.setattr(upkeep, "DAY_MS", -60_000)
    assert upkeep._sweep_files(Context(runtime.database, runtime.storage, SYSTEM)) == 1
    assert list(runtime.storage.listed()) == []


def test_beat_tells_when_a_bucket_is_silent(runtime: Runtime, moto: Moto) -> None:
    def alarms() -> list[str]:
        with runtime.database.read(EVERYONE) as session:
            return [alarm.name for alarm in vitals.silences(session)]

    def old() -> None:
        with runtime.database.write(EVERYONE) as session:
            session.execute(update(Pulse).where(Pulse.name == vitals.FILES).values(at=db_now() - 151_000))

    beat.pulse(runtime, vitals.BEAT)
    with runtime.database.write(EVERYONE) as session:
        beat.watch_files(session, True)
    assert alarms() == []
    old()
    with away(moto, runtime):
        beat.ask_for_files(runtime)
        assert alarms() == ["files-away"]
    beat.ask_for_files(runtime)
    assert alarms() == []
    old()
    with runtime.database.write(EVERYONE) as session:
        beat.watch_files(session, False)
    assert alarms() == []
