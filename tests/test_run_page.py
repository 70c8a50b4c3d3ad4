"""A run's page: every attempt with its error, what it waits for, what waits for it, and its parts."""

import html
import re

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from models import lifecycle
from models.base import new_id
from models.run import Dependency, Run, RunEvent
from models.schedule import Schedule
from models.session import EVERYONE
from tests.conftest import Person
from tests.front import WORKER, browser_of, change, hand_over, member_of, run_id, the_run
from tests.web_fixtures import Browser
from web import timeline
from workers import dispatch
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = pytest.mark.usefixtures("probe")


def told(browser: Browser, found: str) -> list[str]:
    """The timeline's lines, in words."""
    page = browser.get(f"/runs/{found}/live").text
    return [
        html.unescape(line) for line in re.findall(r'<(?:span class="what"|li class="attempt")>([^<]+)', page)
    ]  # fmt: skip


def claim(runtime: Runtime, found: str) -> int:
    with runtime.database.write(EVERYONE) as session:
        claimed = lifecycle.claim(session, found, WORKER, 60_000)
        assert claimed
        return claimed.attempt


def lose_worker(runtime: Runtime, found: str) -> None:
    claim(runtime, found)
    change(runtime, found, lease_until=1)
    dispatch.reconcile(runtime)


def test_the_usual_way_is_told_without_a_single_event(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    assert told(ada_s, found) == ["Handed over"]
    execute(runtime, found, WORKER)
    with runtime.database.write(EVERYONE) as session:
        session.execute(delete(RunEvent).where(RunEvent.run_id == found))
    assert told(ada_s, found) == ["Handed over", "Attempt 1", "A worker began", "Done"]


def test_rows_of_before_that_have_an_event_for_everything_are_told_once(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    execute(runtime, found, WORKER)
    run = the_run(runtime, found)
    with runtime.database.write(EVERYONE) as session:
        session.execute(delete(RunEvent).where(RunEvent.run_id == found))
        for attempt, what in ((0, "queued"), (1, "started"), (1, "succeeded")):
            row = RunEvent(workspace_id=run.workspace_id, run_id=found, attempt=attempt, what=what, at=run.finished_at)
            session.add(row)
    lines = told(ada_s, found)
    assert sorted(lines) == sorted(["Handed over", "Attempt 1", "A worker began", "Done"])


def test_every_attempt_keeps_its_error_and_a_lost_worker_is_told_in_plain_words(
    ada_s: Browser, runtime: Runtime
) -> None:
    found = run_id(hand_over(ada_s, name="fail"))
    lose_worker(runtime, found)
    page = html.unescape(ada_s.get(f"/runs/{found}").text)
    assert "The worker was lost while it ran." in page
    assert "It did not work once, and is tried again from" in page
    assert "it has 2 of 3 tries left" in page
    change(runtime, found, due_at=1)
    execute(runtime, found, WORKER)
    ada_s.post(f"/runs/{found}/retry")
    execute(runtime, found, WORKER)
    lines = told(ada_s, found)
    assert [line for line in lines if line.startswith("Attempt")] == ["Attempt 1", "Attempt 2", "Attempt 3"]
    assert lines.count("A worker began") == 3
    assert lines.count("Failed") == 2
    assert lines.count("Put back by hand") == 1
    page = html.unescape(ada_s.get(f"/runs/{found}").text)
    assert page.count("The name is “fail”. Choose another one.") == 2, "of attempt 2, and in front of all: of attempt 3"


def test_words_for_every_event_that_the_engine_writes(ada_s: Browser, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    claim(runtime, found)
    with runtime.database.write(EVERYONE) as session:
        lifecycle.hand_back(session, "test:0")
        lifecycle.cancel(session, found)
    with runtime.database.read(EVERYONE) as session:
        written = set(session.scalars(select(RunEvent.what)))
    assert {"handed back", "cancelled"} <= written <= set(timeline.WORDS)


def test_a_job_is_handed_in_to_start_when_a_run_is_done(ada_s: Browser, runtime: Runtime) -> None:
    first = run_id(hand_over(ada_s, note="the first"))
    assert f'href="/jobs?after={first}"' in ada_s.get(f"/runs/{first}").text
    page = ada_s.get(f"/jobs?after={first}").text
    assert "What shall be done next?" in page
    assert f"/jobs/probe?after={first}" in page
    form = ada_s.get(f"/jobs/probe?after={first}").text
    assert "It starts by itself when" in form
    assert f'<input type="hidden" name="after" value="{first}">' in form
    second = run_id(hand_over(ada_s, after=first))
    third = run_id(ada_s.post("/jobs/probe/samples/1", {"after": second}))
    assert the_run(runtime, second).state == the_run(runtime, third).state == "blocked"
    page = ada_s.get(f"/runs/{second}").text
    assert "Waits for another run" in page
    assert first in page
    assert third in page
    assert second in ada_s.get(f"/runs/{first}").text
    etag = ada_s.get(f"/runs/{second}/live").headers["ETag"]
    execute(runtime, first, WORKER)
    assert ada_s.get(f"/runs/{second}/live", headers={"If-None-Match": etag}).status_code == 200
    dispatch.reconcile(runtime)
    assert the_run(runtime, second).state == "queued"


def test_nothing_can_wait_for_what_is_not_there_or_will_never_be_done(
    ada_s: Browser, runtime: Runtime, grace: Person, app: Flask
) -> None:
    failed, hers = run_id(hand_over(ada_s, name="fail")), run_id(hand_over(browser_of(app, runtime, grace)))
    execute(runtime, failed, WORKER)
    for after, words in ((failed, "has failed"), (hers, "There is no run"), ("no-id", "There is no run")):
        refused = hand_over(ada_s, after=after)
        assert refused.status_code == 422
        assert words in refused.text
    for after in (hers, "no-id"):
        assert ada_s.get(f"/jobs/probe?after={after}").status_code == 404
    assert "Then run" not in ada_s.get(f"/runs/{failed}").text
    with runtime.database.read(EVERYONE) as session:
        assert session.scalar(select(func.count()).select_from(Dependency)) == 0


def parent_of(ada_s: Browser, runtime: Runtime, **states: int) -> str:
    """A run that waits for so many parts in each state."""
    found = run_id(hand_over(ada_s))
    change(runtime, found, state="blocked", children=sum(states.values()), attempt=1)
    row = the_run(runtime, found)
    same: dict[str, object] = {
        "workspace_id": row.workspace_id,
        "kind": "probe",
        "queue": row.queue,
        "params": {},
        "parent_id": found,
    }
    with runtime.database.write(EVERYONE) as session:
        for state, count in states.items():
            for number in range(count):
                more: dict[str, object] = {"error": f"Part {number} broke."} if state == "failed" else {}
                progress = 0.5 if state == "running" else 0.0
                session.add(
                    Run(id=new_id(), summary=f"{state} {number}", state=state, progress=progress, **more, **same)
                )
    return found


def test_parts_are_counted_summed_paged_and_the_failed_ones_stand_first(ada_s: Browser, runtime: Runtime) -> None:
    found = parent_of(ada_s, runtime, succeeded=30, failed=2, running=4, queued=4)
    page = html.unescape(ada_s.get(f"/runs/{found}").text)
    assert "40 parts" in page
    assert "85 % · 32 of 40 parts have ended" in page  # 32 whole ones and 4 halves of 40
    for words in ("30 done", "2 failed", "4 running", "4 waiting"):
        assert words in page
    shown = re.findall(r"· (failed|running|queued|succeeded) (\d+)</a>", page)
    assert [state for state, _ in shown] == ["failed"] * 2 + ["running"] * 4 + ["queued"] * 4 + ["succeeded"] * 15
    assert "Part 1 broke." in page
    assert "Waits for its parts" in page
    second = ada_s.get(f"/runs/{found}?page=2").text
    assert re.findall(r"· succeeded (\d+)</a>", second) == [str(number) for number in range(15, 30)]
    assert f"/runs/{found}/live?page=2" in second
    assert ada_s.get(f"/runs/{found}?page=99").status_code == 200
    with runtime.database.read(EVERYONE) as session:
        child = session.scalars(select(Run.id).where(Run.parent_id == found).limit(1)).one()
    assert f'href="/runs/{found}"' in ada_s.get(f"/runs/{child}").text


def test_the_live_part_of_a_parent_changes_with_its_parts(ada_s: Browser, runtime: Runtime) -> None:
    found = parent_of(ada_s, runtime, running=2)
    etag = ada_s.get(f"/runs/{found}/live").headers["ETag"]
    assert ada_s.get(f"/runs/{found}/live", headers={"If-None-Match": etag}).status_code == 304
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).where(Run.parent_id == found).values(progress=0.75))
    changed = ada_s.get(f"/runs/{found}/live", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert "75 %" in changed.text


def test_origin_and_schedule_are_named_and_told_when_they_are_gone(ada_s: Browser, runtime: Runtime) -> None:
    first = run_id(hand_over(ada_s))
    execute(runtime, first, WORKER)
    again = run_id(ada_s.post(f"/runs/{first}/again"))
    with runtime.database.write(EVERYONE) as session:
        owner = session.scalars(select(Run.workspace_id).where(Run.id == again)).one()
        session.add(Schedule(id="s1", kind="probe", params={}, title="Every <morning>", workspace_id=owner))
    change(runtime, again, schedule_id="s1")
    page = ada_s.get(f"/runs/{again}").text
    assert "Every &lt;morning&gt;" in page
    assert f'href="/runs/{first}">an earlier run' in page
    ada_s.post("/runs/discard", {"ids": first})
    change(runtime, again, schedule_id="s2")
    page = ada_s.get(f"/runs/{again}").text
    assert "a run that was deleted" in page
    assert "one that was deleted" in page


def test_a_viewer_is_offered_nothing_to_do(app: Flask, ada_s: Browser, ada: Person, runtime: Runtime) -> None:
    found = run_id(hand_over(ada_s))
    execute(runtime, found, WORKER)
    page = browser_of(app, runtime, member_of(runtime, ada, "grace", "viewer")).get(f"/runs/{found}").text
    for words in ("Then run", "Delete", "Run again"):
        assert words not in page
