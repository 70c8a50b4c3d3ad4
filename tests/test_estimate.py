"""How long a run will still take, and where it stands in its queue."""

import re

import pytest
from flask import Flask

from models.run import Queue
from models.session import EVERYONE
from tests.conftest import Person
from tests.front import browser_of, change, hand_over, run_id, the_run
from tests.web_fixtures import Browser
from web import estimate
from workers.runtime import Runtime

pytestmark = pytest.mark.usefixtures("probe")


@pytest.mark.parametrize(
    ("share", "spent_s", "usual_s", "words"),
    [
        (0.5, 60, None, "about 1 min left"),
        (0.25, 100, None, "about 5 min left"),
        (0.9, 45, None, "a few seconds left"),
        (0.5, 7200, None, "about 2.0 h left"),
        (0.0, 5, None, "no estimate yet"),
        (0.0, 5, 35, "about 30 s left"),
        (0.0, 50, 35, "this takes longer than usual; no estimate yet"),
    ],
)
def test_the_estimate_is_of_its_own_pace_then_of_earlier_runs(
    share: float, spent_s: float, usual_s: float | None, words: str
) -> None:
    usual = None if usual_s is None else usual_s * 1000
    assert estimate.words_left(share, int(spent_s * 1000), usual) == words


def test_the_usual_length_is_the_median_of_the_workspace_s_own_runs(
    ada_s: Browser, ada: Person, grace: Person, runtime: Runtime
) -> None:
    for seconds in (10, 20, 600):
        found = run_id(hand_over(ada_s))
        change(runtime, found, state="succeeded", started_at=1000, finished_at=1000 + seconds * 1000)
    with runtime.database.read(ada.workspace_id) as session:
        assert estimate.usual_ms(session, "probe") == 20_000
    with runtime.database.read(grace.workspace_id) as session:
        assert estimate.usual_ms(session, "probe") is None


def test_a_queued_run_tells_its_turn(ada_s: Browser, runtime: Runtime) -> None:
    found = [run_id(hand_over(ada_s)) for _ in range(3)]
    assert "2 runs wait ahead of it" in ada_s.get(f"/runs/{found[2]}").text
    change(runtime, found[0], due_at=the_run(runtime, found[0]).created_at + 100_000, tries=1)
    assert "1 run waits ahead of it" in ada_s.get(f"/runs/{found[2]}").text
    assert re.search(r"tries again in about 2 min", ada_s.get(f"/runs/{found[0]}").text)
    with runtime.database.write(EVERYONE) as session:
        session.add(Queue(name="default", paused_at=1))
    assert "paused this queue" in ada_s.get(f"/runs/{found[2]}").text


def test_one_person_s_many_runs_do_not_stand_before_another_s_first(
    ada_s: Browser, app: Flask, runtime: Runtime, grace: Person
) -> None:
    for _ in range(4):
        hand_over(ada_s)
    graces = browser_of(app, runtime, grace)
    first, second = (run_id(hand_over(graces)) for _ in range(2))
    assert "next in turn" in graces.get(f"/runs/{first}").text
    assert "2 runs wait ahead of it" in graces.get(f"/runs/{second}").text, "her own first, and one of the other's"
    low = run_id(hand_over(graces, priority="low"))
    assert "6 runs wait ahead of it" in graces.get(f"/runs/{low}").text


def test_a_long_line_is_not_counted_to_its_end(
    ada_s: Browser, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "MOST_AHEAD", 2)
    found = [run_id(hand_over(ada_s)) for _ in range(5)]
    assert "2 runs wait ahead of it" in ada_s.get(f"/runs/{found[2]}").text
    assert "more than 2 runs wait ahead of it" in ada_s.get(f"/runs/{found[4]}").text
