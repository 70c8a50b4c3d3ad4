"""The API's schedules: made, shown, changed, run and deleted by a program; what cannot be is told by field."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from models.run import Run
from models.schedule import Schedule
from models.session import EVERYONE
from tests.conftest import Person
from tests.front import WORKER, text_file, token_of
from tests.test_api import RUNS, Program, body, problem
from web import openapi
from workers.execute import execute
from workers.runtime import Runtime
from workers.schedules import due_runs

pytestmark = pytest.mark.usefixtures("probe")

SCHEDULES = "/api/v1/schedules"
WHEN = {"repeat": "daily", "time": "07:30", "time_zone": "Asia/Kathmandu"}
GIVEN = {"kind": "probe", "params": {"name": "Ada", "times": 4}, "when": WHEN, "title": "Mornings"}


@pytest.fixture
def program(app: Flask, runtime: Runtime, ada: Person) -> Program:
    return Program(app, token_of(runtime, ada))


def made(program: Program, key: str = "", **more: Any) -> dict[str, Any]:
    answer = program.post(SCHEDULES, json={**GIVEN, **more}, key=key)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"].endswith(body(answer)["url"])
    return body(answer)


def count(runtime: Runtime, table: type[Any]) -> int:
    with runtime.database.read(EVERYONE) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def patch(program: Program, url: str, **given: Any) -> Any:
    return program.client.patch(url, headers=program.token, json=given)


def test_a_schedule_is_made_shown_listed_and_comes_due(program: Program, runtime: Runtime) -> None:
    told = made(program)
    assert (told["state"], told["when"], told["params"]["times"]) == ("on", WHEN, 4)
    assert [at[11:16] for at in told["next"]] == ["01:45"] * 5  # 07:30 in Kathmandu
    assert told["next"][0] == told["next_due"]
    assert [each["id"] for each in body(program.get(SCHEDULES))["schedules"]] == [told["id"]]
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Schedule).values(next_due=1_700_000_000_000))
    (run,) = due_runs(runtime)
    execute(runtime, run, WORKER)
    shown = body(program.get(told["url"]))
    assert shown["last_run"]["id"] == run
    assert shown["last_run"]["state"] == "succeeded"
    assert any(slot["note"].startswith("missed") for slot in shown["slots"])


def test_a_schedule_is_changed_in_part_paused_resumed_run_and_deleted(program: Program, runtime: Runtime) -> None:
    url = made(program)["url"]
    told = body(patch(program, url, when={"time": "08:00"}, params={"note": "new"}))
    assert told["when"] == {**WHEN, "time": "08:00"}
    assert (told["params"]["times"], told["params"]["note"], told["title"]) == (4, "new", "Mornings")
    told = body(patch(program, url, when={"repeat": "minutes", "minutes": 5}, title="Often", priority="low"))
    assert (told["when"]["minutes"], told["title"], told["priority"]) == (5, "Often", "low")
    assert body(program.post(f"{url}/pause"))["state"] == "paused"
    assert body(program.post(f"{url}/resume"))["state"] == "on"
    first, again = (program.post(f"{url}/run", key="k") for _ in range(2))
    assert first.status_code == again.status_code == 202
    assert body(first)["id"] == body(again)["id"]
    assert program.client.delete(url, headers=program.token).status_code == 204
    problem(program.get(url), 404)
    assert (count(runtime, Schedule), count(runtime, Run)) == (0, 1)


def test_a_run_s_params_and_files_are_taken_over(program: Program, runtime: Runtime) -> None:
    answer = program.post(RUNS, data={"name": "Ada", "keep": "true", "files": [text_file("one two")]})
    told = made(program, params={"note": "again"}, from_run=body(answer)["id"])
    assert told["files"] == ["words.txt"]
    assert (told["params"]["note"], told["params"]["keep"]) == ("again", True)
    (run,) = [body(program.post(f"{told['url']}/run"))["id"]]
    execute(runtime, run, WORKER)
    assert body(program.get(f"/api/v1/runs/{run}"))["result"]["words"] == 2


def test_the_same_key_gives_the_same_schedule_and_with_other_times_a_409(program: Program, runtime: Runtime) -> None:
    assert made(program, key="k")["id"] == made(program, key="k")["id"]
    problem(program.post(SCHEDULES, json={**GIVEN, "when": {**WHEN, "time": "09:00"}}, key="k"), 409)
    assert count(runtime, Schedule) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"when": {"repeat": "cron", "cron": "0 0 31 2 *"}}, "when.cron"),
        ({"when": {"repeat": "cron", "cron": "* * * * * *"}}, "when.cron"),
        ({"when": {"repeat": "minutes", "minutes": 0}}, "when.minutes"),
        ({"when": {"repeat": "minutes", "minutes": True}}, "when.minutes"),
        ({"when": {**WHEN, "time_zone": "Mars/Olympus"}}, "when.time_zone"),
        ({"when": {**WHEN, "time_zone": ["UTC"]}}, "when.time_zone"),
        ({"when": {"repeat": ["daily"]}}, "when.repeat"),
        ({"when": {"repeat": "weekly", "time": "07:00", "weekdays": [0]}}, "when.weekdays"),
        ({"when": {"repeat": "weekly", "time": "07:00", "weekdays": [[1]]}}, "when.weekdays"),
        ({"when": {"repeat": "once", "at": "2001-01-01T00:00"}}, "when.at"),
        ({"when": {**WHEN, "seconds": 1}}, "when.seconds"),
        ({"when": "daily"}, "when"),
        ({"when": {}}, "when.repeat"),
        ({"params": {"name": "Ada", "until": 3}}, "until"),
        ({"params": ["Ada"]}, "params"),
        ({"params": {}}, "name"),
        ({"title": 7}, "title"),
        ({"priority": "urgent"}, "priority"),
        ({"every": "day"}, "every"),
    ],
)
def test_what_cannot_be_is_told_by_field(program: Program, runtime: Runtime, given: dict[str, Any], field: str) -> None:
    assert field in problem(program.post(SCHEDULES, json={**GIVEN, **given}), 422)["errors"]
    assert count(runtime, Schedule) == 0


def test_bodies_that_are_none_unknown_jobs_and_ids_that_are_no_ids_are_refused(program: Program) -> None:
    for answer in (program.post(SCHEDULES, data=b"no"), program.post(SCHEDULES, json=[1])):
        problem(answer, 422)
    problem(program.post(SCHEDULES, json={**GIVEN, "kind": "nothing"}), 404)
    problem(program.post(SCHEDULES, json={**GIVEN, "from_run": "0" * 28}), 404)
    for path, status in (("x", 404), ("0" * 28, 404), ("default-probe", 404), ("%00", 400)):
        problem(program.get(f"{SCHEDULES}/{path}"), status)


def test_a_token_for_reading_and_another_workspace_s_change_nothing(
    program: Program, app: Flask, runtime: Runtime, ada: Person, grace: Person
) -> None:
    url = made(program)["url"]
    reader, stranger = Program(app, token_of(runtime, ada, "read")), Program(app, token_of(runtime, grace))
    assert reader.get(url).status_code == 200
    for who, status in ((reader, 403), (stranger, 404)):
        for verb in ("pause", "resume", "run"):
            problem(who.post(f"{url}/{verb}"), status)
        problem(patch(who, url, title="mine"), status)
        problem(who.client.delete(url, headers=who.token), status)
    assert body(stranger.get(SCHEDULES))["schedules"] == []
    assert body(program.get(url))["title"] == "Mornings"


def test_the_description_names_every_route_of_schedules(app: Flask, program: Program) -> None:
    with app.test_request_context():
        described = openapi.describe()["paths"]
    routes = {
        (method.lower(), rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules() if rule.rule.startswith(SCHEDULES)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }  # fmt: skip
    assert routes == {(method, path) for path in described if path.startswith(SCHEDULES) for method in described[path]}
