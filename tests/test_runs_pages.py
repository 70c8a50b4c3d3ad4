"""Pages of jobs and runs: hand over, follow, find, download."""

import errno
import json
import re
import subprocess
import sys

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import lifecycle, migrate
from models.account import Account
from models.artifact import Artifact
from models.session import EVERYONE, Database
from tasks.job import Job
from tests.conftest import Person, at_once
from tests.front import WORKER, browser_of, change, count, hand_over, run_id, text_file, the_run
from tests.web_fixtures import Browser
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = pytest.mark.usefixtures("probe")


def test_a_form_becomes_a_run_and_the_run_a_result(ada_s: Browser, ada: Person, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s, files=[text_file("one two three", "my words.txt")]))
    run = the_run(runtime, found)
    assert (run.state, run.workspace_id, run.account_id, run.kind) == ("queued", *_ids(ada), "probe")
    page = ada_s.get(f"/runs/{found}").text
    assert "Waiting" in page
    assert "next in turn" in page
    assert "my words.txt" in page
    assert execute(runtime, found, WORKER) == "succeeded"
    page = ada_s.get(f"/runs/{found}").text
    assert '<p id="found">3 words for Ada</p>' in page
    assert "Done" in page
    assert 'http-equiv="refresh"' not in page


def _ids(person: Person) -> tuple[str, str]:
    return person.workspace_id, person.account_id


def test_jobs_show_their_samples_and_one_click_runs_them(ada_s: Browser, runtime: Runtime) -> None:
    page = ada_s.get("/jobs").text
    assert "Count words" in page
    assert 'action="/jobs/probe/samples/1"' in page
    found = run_id(ada_s.post("/jobs/probe/samples/0"))
    assert execute(runtime, found, WORKER) == "succeeded"
    assert "3 words for Sample" in ada_s.get(f"/runs/{found}").text
    assert ada_s.post("/jobs/probe/samples/7").status_code == 404


def test_a_double_click_gives_one_run(app: Flask, ada_s: Browser, ada: Person, runtime: Runtime) -> None:
    key = re.findall(r'name="key" value="(form:[^"]+)"', ada_s.get("/jobs/probe").text)[0]
    second = browser_of(app, runtime, ada)
    ended: list[str] = []

    def click(browser: Browser) -> None:
        ended.append(run_id(hand_over(browser, key=key, files=[text_file()])))

    at_once(lambda: click(ada_s), lambda: click(second))
    assert len(ended) == 2
    assert len(set(ended)) == 1
    assert count(runtime) == 1
    assert len(list(runtime.storage.listed())) == 1, "the second upload was dropped"


def test_a_form_sent_again_with_other_values_is_shown_again(ada_s: Browser, runtime: Runtime) -> None:
    run_id(hand_over(ada_s, key="form:once", note="first"))
    answer = hand_over(ada_s, key="form:once", note="second")
    assert answer.status_code == 409
    assert "sent before" in answer.text
    assert ">second</textarea>" in answer.text
    assert count(runtime) == 1


def test_only_people_start_jobs_for_people(
    ada_s: Browser, app: Flask, probe: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"probe": Job(**{**probe.__dict__, "audience": "machinery"})}
    monkeypatch.setattr("web.submission.discover", lambda: known)
    assert ada_s.get("/jobs/probe").status_code == 404
    assert hand_over(ada_s).status_code == 404
    assert "Count words" not in ada_s.get("/jobs").text


def test_administrators_jobs_are_shown_to_administrators_alone(
    ada_s: Browser, ada: Person, probe: Job, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"probe": Job(**{**probe.__dict__, "audience": "administrators"})}
    monkeypatch.setattr("web.submission.discover", lambda: known)
    assert ada_s.get("/jobs/probe").status_code == 404
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == ada.account_id).values(is_admin=True))
    assert ada_s.get("/jobs/probe").status_code == 200
    assert hand_over(ada_s).status_code == 303


def test_the_live_part_says_nothing_while_nothing_changes(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    first = ada_s.get(f"/runs/{found}/live")
    assert first.status_code == 200
    again = ada_s.get(f"/runs/{found}/live", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with runtime.database.write(EVERYONE) as session:
        claim = lifecycle.claim(session, found, WORKER, 60_000)
        assert claim
        assert lifecycle.report(session, found, 1, 0.4, "Counting <b>")
    after = ada_s.get(f"/runs/{found}/live", headers={"If-None-Match": first.headers["ETag"]})
    assert after.status_code == 200
    assert after.headers["X-Run-State"] == "running"
    assert "40 % · Counting &lt;b&gt;" in after.text
    assert "Attempt 1" in after.text
    assert "<html" not in after.text


def test_the_page_and_the_live_part_have_one_etag(ada_s: Browser) -> None:
    found = run_id(hand_over(ada_s))
    etag = re.search(r'data-etag="([^"]+)"', ada_s.get(f"/runs/{found}").text)
    assert etag
    answer = ada_s.get(f"/runs/{found}/live", headers={"If-None-Match": f'W/"{etag[1]}"'})
    assert answer.status_code == 304


def test_without_javascript_the_page_reloads_until_the_end(ada_s: Browser) -> None:
    page = ada_s.get(f"/runs/{run_id(hand_over(ada_s))}").text
    assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>', page)


def test_the_list_filters_searches_and_turns_pages(ada_s: Browser, runtime: Runtime) -> None:
    assert "Hand over the first job" in ada_s.get("/runs").text
    first = run_id(hand_over(ada_s, files=[text_file(name="100%_sure.txt")]))
    others = [run_id(hand_over(ada_s, note=f"number {number}")) for number in range(27)]
    execute(runtime, others[3], WORKER)
    newest = ada_s.get("/runs").text
    assert others[-1] in newest
    assert first not in newest
    older = re.search(r'href="(/runs\?[^"]*after=[^"]+)"', newest)
    assert older
    assert first in ada_s.get(older[1].replace("&amp;", "&")).text
    assert shown(ada_s, "state=succeeded") == [others[3]]
    assert shown(ada_s, "q=100%25_S") == [first], "case does not count, % and _ are no wildcards"
    assert shown(ada_s, "q=0%25sure") == []
    assert shown(ada_s, f"q={others[5][:20]}") == [others[5]]
    assert shown(ada_s, "q=0+words") == [others[3]], "headlines are searched"
    assert shown(ada_s, "kind=other") == []
    assert "No run is like that" in ada_s.get("/runs?kind=other").text


def shown(browser: Browser, query: str) -> list[str]:
    return re.findall(r'href="/runs/([0-9a-f]{28})"', browser.get(f"/runs?{query}").text)


def test_names_of_files_are_shown_as_text(ada_s: Browser, runtime: Runtime) -> None:
    hostile = "<img src=x onerror=alert(1)>.txt"
    found = run_id(hand_over(ada_s, name="<img src=x>", files=[text_file(name=hostile)]))
    assert execute(runtime, found, WORKER) == "succeeded"
    for path in ("/runs", f"/runs/{found}", f"/runs/{found}/live"):
        assert "<img src=x" not in ada_s.get(path).text
    page = ada_s.get(f"/runs/{found}").text
    assert "&lt;img src=x onerror" in page
    assert "1 words for &lt;img" in page or "2 words for &lt;img" in page


def test_artifacts_go_out_as_attachments_and_pictures_stand_alone(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    execute(runtime, found, WORKER)
    with runtime.database.read(EVERYONE) as session:
        artifacts = {each.name: each for each in session.scalars(select(Artifact))}
    for name, each in artifacts.items():
        answer = ada_s.get(f"/runs/{found}/artifacts/{each.id}")
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.content_length == each.size == len(answer.data)
        assert "no-store" in answer.headers["Cache-Control"]
    picture = ada_s.get(f"/runs/{found}/pictures/{artifacts['dot.png'].id}")
    assert picture.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert ada_s.get(f"/runs/{found}/pictures/{artifacts['page.html'].id}").status_code == 404
    other = run_id(hand_over(ada_s))
    assert ada_s.get(f"/runs/{other}/artifacts/{artifacts['dot.png'].id}").status_code == 404


def test_a_result_of_an_older_form_is_told_and_not_shown(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    execute(runtime, found, WORKER)
    change(runtime, found, result={"letters": 3})
    answer = ada_s.get(f"/runs/{found}")
    assert answer.status_code == 200
    assert "older form of the job" in answer.text


def test_a_run_of_a_job_that_is_gone_still_has_a_page(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    change(runtime, found, kind="bygone")
    assert ada_s.get(f"/runs/{found}").status_code == 200
    assert "bygone" in ada_s.get("/runs").text


def test_readiness_wants_a_migrated_database_and_forgives_a_lost_broker(
    app: Flask, ada_s: Browser, runtime: Runtime
) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"database": "not migrated", "broker": "away", "files": "ok"})
    url = f"sqlite:///{runtime.settings.var / 'migrated.db'}"
    migrate.upgrade(url)
    database: Database = app.extensions["nightshift"].database
    database.close()
    database.url = url
    with database.write(EVERYONE) as session:
        session.add(Account(email="ada@example.org", name="Ada"))
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["database"], answer.json["broker"]) == ("ok", "away")
    assert app.test_client().get("/livez").status_code == 200
    for revision, status, word in (("9999", 200, "newer"), ("0001", 503, "not migrated")):
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
        answer = app.test_client().get("/readyz")
        assert (answer.status_code, (answer.json or {})["database"]) == (status, word)


def test_the_front_loads_no_science() -> None:
    heavy = ["numpy", "scipy", "cv2", "onnxruntime", "wfdb", "tensorflow", "matplotlib", "pandas"]
    code = (
        "import sys, json, web, tasks; tasks.discover(); import web.runs, web.api, web.openapi;"
        f"print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(loaded.stdout) == []


def test_a_full_disk_is_said_and_nothing_is_taken(
    ada_s: Browser, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tasks.storage.os.fsync", no_room)
    answer = hand_over(ada_s, files=[text_file("one")])
    assert answer.status_code == 507
    assert "make room" in answer.text
    assert count(runtime) == 0
    assert list(runtime.storage.listed()) == []
