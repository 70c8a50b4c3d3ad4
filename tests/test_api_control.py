"""The API's control of runs: many at once, priorities, runs that wait for others, and bad input."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from models.account import Account
from models.base import new_id
from models.run import Idempotency, Run
from models.session import EVERYONE
from tests.conftest import Person
from tests.front import WORKER, change, count, the_run, token_of
from tests.test_api import RUNS, Program, body, problem, submitted
from workers import dispatch
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = pytest.mark.usefixtures("probe")

ACTIONS = "/api/v1/runs/actions"


@pytest.fixture
def program(app: Flask, runtime: Runtime, ada: Person) -> Program:
    return Program(app, token_of(runtime, ada))


def act(program: Program, action: str, *ids: str, key: str = "") -> dict[str, Any]:
    answer = program.post(ACTIONS, json={"action": action, "ids": list(ids)}, key=key)
    assert answer.status_code == 200, answer.text
    return body(answer)


def test_many_runs_are_cancelled_retried_repeated_and_discarded(program: Program, runtime: Runtime) -> None:
    waiting, failed = submitted(program), submitted(program, name="fail")
    execute(runtime, failed, WORKER)
    answer = act(program, "cancel", waiting, failed, "0" * 28, "\0", "no-id")
    assert [each["id"] for each in answer["done"]] == [waiting]
    assert answer["done"][0]["url"] == f"/api/v1/runs/{waiting}"
    assert {each["id"]: each["reason"][:12] for each in answer["refused"]} == {
        failed: "It had ended", "0" * 28: "It is not in", "\0": "It is not in", "no-id": "It is not in",
    }  # fmt: skip
    assert [each["id"] for each in act(program, "retry", waiting, failed)["done"]] == [failed]
    first, again = (act(program, "again", waiting, key="k")["done"] for _ in range(2))
    assert first == again, "the same key makes the same run"
    assert first[0]["url"] != f"/api/v1/runs/{waiting}"
    assert body(program.get(first[0]["url"]))["repeats"] == waiting
    answer = act(program, "discard", waiting, failed)
    assert answer["done"] == [{"id": waiting, "url": None}]
    assert answer["refused"] == [{"id": failed, "reason": "It goes on: cancel it first."}]
    problem(program.get(f"/api/v1/runs/{waiting}"), 404)


def test_what_is_wrong_with_actions_is_told_field_by_field(app: Flask, program: Program, runtime: Runtime) -> None:
    found = submitted(program)
    wrong: list[tuple[Any, set[str]]] = [
        ({"action": "explode", "ids": [found]}, {"action"}),
        ({"action": "cancel"}, {"ids"}),
        ({"action": "cancel", "ids": []}, {"ids"}),
        ({"action": "cancel", "ids": found}, {"ids"}),
        ({"action": "cancel", "ids": [1, None]}, {"ids"}),
        ({"action": "cancel", "ids": [found] * 101}, {"ids"}),
        ({"action": "cancel", "ids": [found], "why": "x"}, {"why"}),
        ([found], {""}),
        (None, {""}),
    ]
    for sent, fields in wrong:
        assert set(problem(program.post(ACTIONS, json=sent), 422)["errors"]) == fields, sent
    assert the_run(runtime, found).state == "queued"


def test_a_token_for_reading_acts_on_nothing(app: Flask, program: Program, runtime: Runtime, ada: Person) -> None:
    found = submitted(program)
    reader = Program(app, token_of(runtime, ada, scope="read"))
    problem(reader.post(ACTIONS, json={"action": "cancel", "ids": [found]}), 403)
    assert the_run(runtime, found).state == "queued"


def test_another_workspace_s_runs_are_not_there(app: Flask, program: Program, runtime: Runtime, grace: Person) -> None:
    found = submitted(program)
    hers = Program(app, token_of(runtime, grace))
    for action in ("cancel", "retry", "again", "discard"):
        answer = act(hers, action, found)
        assert answer["done"] == []
        assert answer["refused"] == [{"id": found, "reason": "It is not in this workspace, or is gone."}]
    assert "after" in problem(hers.post(RUNS, json={"name": "G", "after": [found]}), 422)["errors"]
    assert (the_run(runtime, found).state, count(runtime)) == ("queued", 1)


def test_priorities_are_words_and_high_is_for_those_who_run_the_system(
    program: Program, runtime: Runtime, ada: Person
) -> None:
    assert body(program.get(f"/api/v1/runs/{submitted(program, priority='low')}"))["priority"] == "low"
    assert body(program.get(f"/api/v1/runs/{submitted(program)}"))["priority"] == "normal"
    words: list[Any] = ["urgent", 7, -1, True, [], {"low": 1}]
    for wrong in words:
        assert "priority" in problem(program.post(RUNS, json={"name": "A", "priority": wrong}), 422)["errors"], wrong
    assert "priority" in problem(program.post(RUNS, json={"name": "A", "priority": "high"}), 403)["errors"]
    assert "priority" in problem(program.post(RUNS, data={"name": "A", "priority": "x"}), 422)["errors"]
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Account).where(Account.id == ada.account_id).values(is_admin=True))
    found = submitted(program, priority="high")
    assert the_run(runtime, found).priority == 1


def test_a_rescued_run_is_told_with_the_priority_that_was_wished(program: Program, runtime: Runtime) -> None:
    found = submitted(program, priority="low")
    change(runtime, found, priority=99)
    assert body(program.get(f"/api/v1/runs/{found}"))["priority"] == "low"


def test_a_run_waits_for_others_of_its_workspace(program: Program, runtime: Runtime) -> None:
    first, second = submitted(program), submitted(program)
    answer = body(program.post(RUNS, json={"name": "A", "after": [first, second, first]}))
    assert (answer["state"], sorted(answer["after"])) == ("blocked", sorted([first, second]))
    third = str(body(program.post(RUNS, data={"name": "B", "after": [first, second]}))["id"])
    assert sorted(body(program.get(f"/api/v1/runs/{first}"))["then"]) == sorted([answer["id"], third])
    for found in (first, second):
        execute(runtime, found, WORKER)
    dispatch.reconcile(runtime)
    assert the_run(runtime, third).state == the_run(runtime, answer["id"]).state == "queued"


def test_what_cannot_be_waited_for_is_told(program: Program, runtime: Runtime) -> None:
    cancelled = submitted(program)
    program.post(f"/api/v1/runs/{cancelled}/cancel")
    before = count(runtime)
    wrong: Any
    for wrong in ("x", 7, [7], [None], {"a": 1}, ["no-id"], ["0" * 28], ["\0"], [cancelled], [new_id()] * 101 + ["x"]):
        found = problem(program.post(RUNS, json={"name": "A", "after": wrong}), 422)
        assert list(found["errors"]) == ["after"], wrong
    many = [new_id() for _ in range(101)]
    assert "at most 100" in problem(program.post(RUNS, json={"name": "A", "after": many}), 422)["errors"]["after"]
    assert count(runtime) == before


def test_a_parent_tells_of_its_parts(program: Program, runtime: Runtime) -> None:
    found = submitted(program)
    assert body(program.get(f"/api/v1/runs/{found}"))["parts"] is None
    children = [submitted(program) for _ in range(4)]
    change(runtime, found, state="blocked", children=4)
    for child, state in zip(children, ("succeeded", "failed", "queued", "queued"), strict=True):
        change(runtime, child, parent_id=found, state=state)
    parts = body(program.get(f"/api/v1/runs/{found}"))["parts"]
    assert parts == {"total": 4, "done": 0.5, "states": {"failed": 1, "queued": 2, "succeeded": 1}}
    assert body(program.get(f"/api/v1/runs/{children[0]}"))["parent"] == found


def test_a_body_of_two_megabytes_is_refused(program: Program, runtime: Runtime) -> None:
    for path in (RUNS, ACTIONS):
        problem(program.post(path, json={"name": "A" * 2_000_000}), 413)
    assert count(runtime) == 0


@pytest.mark.parametrize("found", ["0" * 28, "not-an-id", "x" * 3000, "%F0%9F%8C%99", "..%2F..%2Fetc", "' or 1=1 --"])
def test_ids_that_are_none_are_not_found(program: Program, found: str) -> None:
    problem(program.get(f"/api/v1/runs/{found}"), 404)
    for action in ("cancel", "retry"):
        problem(program.post(f"/api/v1/runs/{found}/{action}"), 404)


def test_a_key_of_many_does_not_meet_the_key_of_one(program: Program, runtime: Runtime) -> None:
    found = submitted(program)
    act(program, "again", found, key="k" * 100)
    with runtime.database.read(EVERYONE) as session:
        (key,) = session.scalars(select(Idempotency.key))
        assert len(key) <= 120
        assert session.scalars(select(Run.origin_id).where(Run.origin_id.is_not(None))).all() == [found]
