"""The JSON API: tokens, handing over, following, problems in plain words, and a description that holds."""

import io
import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from models.run import Run
from models.session import EVERYONE
from tasks.job import Job
from tests.conftest import Person, at_once
from tests.front import WORKER, browser_of, member_of, text_file, token_of
from web import openapi
from workers.execute import execute
from workers.runtime import Runtime

pytestmark = pytest.mark.usefixtures("probe")

RUNS = "/api/v1/jobs/probe/runs"


class Program:
    """A client with a token and nothing else."""

    def __init__(self, app: Flask, token: dict[str, str]) -> None:
        self.client: FlaskClient = app.test_client(use_cookies=False)
        self.token = token

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers={**self.token, **headers}, buffered=True)

    def post(self, path: str, *, key: str = "", **more: Any) -> TestResponse:
        headers = {**self.token, "Idempotency-Key": key} if key else self.token
        return self.client.post(path, headers=headers, **more)


@pytest.fixture
def program(app: Flask, runtime: Runtime, ada: Person) -> Program:
    return Program(app, token_of(runtime, ada))


def body(answer: TestResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.data)
    return found


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    found = body(answer)
    assert found["status"] == status
    assert found["detail"]
    return found


def submitted(program: Program, **fields: Any) -> str:
    answer = program.post(RUNS, json={"name": "Ada", **fields})
    assert answer.status_code == 202, answer.text
    return str(body(answer)["id"])


def count(runtime: Runtime) -> int:
    with runtime.database.read(EVERYONE) as session:
        return session.scalar(select(func.count()).select_from(Run)) or 0


def test_without_a_token_there_is_nothing(app: Flask, runtime: Runtime, ada: Person) -> None:
    stranger = Program(app, {})
    for path in ("/api/v1/jobs", "/api/v1/runs"):
        answer = stranger.get(path)
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    problem(Program(app, {"Authorization": "Bearer nightshift_wrong"}).get("/api/v1/runs"), 401)
    problem(Program(app, token_of(runtime, ada, expires=1)).get("/api/v1/runs"), 401)


def test_a_browser_s_cookie_opens_nothing(app: Flask, runtime: Runtime, ada: Person) -> None:
    browser = browser_of(app, runtime, ada)
    assert browser.get("/runs").status_code == 200
    problem(browser.get("/api/v1/runs"), 401)
    problem(browser.client.post(RUNS, json={"name": "Ada"}), 401)


def test_a_token_for_reading_reads_and_changes_nothing(app: Flask, runtime: Runtime, ada: Person) -> None:
    reader = Program(app, token_of(runtime, ada, scope="read"))
    assert reader.get("/api/v1/runs").status_code == 200
    problem(reader.post(RUNS, json={"name": "Ada"}), 403)
    viewer = Program(app, token_of(runtime, member_of(runtime, ada, "grace", "viewer")))
    problem(viewer.post(RUNS, json={"name": "Ada"}), 403)
    assert count(runtime) == 0


def test_fields_are_handed_over_followed_and_read(program: Program, runtime: Runtime) -> None:
    answer = program.post(RUNS, json={"name": "Ada", "rate": 2.5, "tags": ["red"], "speed": 50})
    assert answer.status_code == 202
    found = body(answer)
    assert answer.headers["Location"] == found["url"] == f"/api/v1/runs/{found['id']}"
    assert (found["kind"], found["state"], found["result"]) == ("probe", "queued", None)
    assert found["params"]["rate"] == 2.5
    execute(runtime, found["id"], WORKER)
    done = body(program.get(found["url"]))
    assert (done["kind"], done["state"], done["progress"]) == ("probe", "succeeded", 1.0)
    assert done["result"] == {"words": 0, "name": "Ada"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", done["finished_at"])
    artifact = next(each for each in done["artifacts"] if each["name"] == "words.csv")
    file = program.get(artifact["url"])
    assert file.data == b"word\none\n"
    assert file.headers["Content-Disposition"] == "attachment; filename=words.csv"


def test_files_are_handed_over_as_multipart(program: Program, runtime: Runtime) -> None:
    data = {
        "name": "Ada",
        "tags": ["red", "blue"],
        "files": [text_file("one two", "a.txt"), text_file("three", "b.txt")],
    }
    found = body(program.post(RUNS, data=data))
    assert [(each["name"], each["kept"]) for each in found["files"]] == [("a.txt", True), ("b.txt", True)]
    assert found["params"]["tags"] == ["red", "blue"]
    assert "files" not in found["params"]
    execute(runtime, found["id"], WORKER)
    done = body(program.get(found["url"]))
    assert done["result"]["words"] == 3
    assert [each["kept"] for each in done["files"]] == [False, False]


def test_what_is_wrong_is_told_field_by_field(program: Program, runtime: Runtime) -> None:
    errors = problem(program.post(RUNS, json={"rate": 0, "colour": "red"}), 422)["errors"]
    assert errors == {
        "name": "Fill this in.",
        "rate": "This must be 1.0 or more." if "1.0" in errors["rate"] else "This must be 1 or more.",
        "colour": "There is no such field; leave it out.",
    }
    assert "files" in problem(program.post(RUNS, data={"name": "Ada", "files": [text_file("bad")]}), 415)["errors"]
    assert "file" in problem(program.post(RUNS, data={"name": "Ada", "file": [text_file()]}), 422)["errors"]
    problem(program.post(RUNS, data="{", content_type="application/json"), 422)
    problem(program.post(RUNS, data="[1]", content_type="application/json"), 422)
    problem(program.post(RUNS, data="a,b", content_type="text/csv"), 415)
    problem(program.post(RUNS), 422)
    problem(program.get("/api/v1/runs?state=tired"), 422)
    problem(program.post("/api/v1/jobs/nothing/runs", json={}), 404)
    problem(program.get(f"/api/v1/runs/{'0' * 28}"), 404)
    assert count(runtime) == 0
    assert list(runtime.storage.listed()) == []


def test_an_upload_over_the_limit_is_refused(program: Program) -> None:
    large = {
        "CONTENT_LENGTH": "200000000",
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "wsgi.input": io.BytesIO(),
    }
    problem(program.client.post(RUNS, headers=program.token, environ_overrides=large), 413)


def test_the_same_key_gives_the_same_run_and_other_params_a_conflict(program: Program, runtime: Runtime) -> None:
    first = body(program.post(RUNS, json={"name": "Ada"}, key="k1"))["id"]
    assert body(program.post(RUNS, json={"name": "Ada"}, key="k1"))["id"] == first
    problem(program.post(RUNS, json={"name": "Grace"}, key="k1"), 409)
    assert body(program.post(RUNS, json={"name": "Ada"}, key="k2"))["id"] != first
    problem(program.post(RUNS, json={"name": "Ada"}, key="k" * 101), 400)
    assert count(runtime) == 2


def test_a_key_covers_the_files_contents(program: Program, runtime: Runtime) -> None:
    def send(text: str) -> TestResponse:
        return program.post(RUNS, data={"name": "Ada", "files": [text_file(text)]}, key="k")

    assert body(send("one"))["id"] == body(send("one"))["id"]
    problem(send("two"), 409)
    assert len(list(runtime.storage.listed())) == 1


def test_many_requests_with_one_key_at_once_give_one_run(app: Flask, runtime: Runtime, ada: Person) -> None:
    token = token_of(runtime, ada)
    ids: list[str] = []

    def send() -> None:
        ids.append(body(Program(app, token).post(RUNS, json={"name": "Ada"}, key="k"))["id"])

    at_once(*[send] * 6)
    assert len(ids) == 6
    assert len(set(ids)) == 1
    assert count(runtime) == 1


def test_runs_are_listed_filtered_and_paged(program: Program, runtime: Runtime) -> None:
    ids = [submitted(program, note=f"note {number}") for number in range(27)]
    execute(runtime, ids[0], WORKER)
    page = body(program.get("/api/v1/runs"))
    assert [run["id"] for run in page["runs"]] == ids[:1:-1]
    rest = body(program.get(page["next"]))
    assert ([run["id"] for run in rest["runs"]], rest["next"]) == ([ids[1], ids[0]], None)
    assert [run["id"] for run in body(program.get("/api/v1/runs?state=succeeded"))["runs"]] == [ids[0]]
    assert [run["id"] for run in body(program.get("/api/v1/runs?q=NOTE+13"))["runs"]] == [ids[13]]


def test_a_run_that_has_not_changed_is_not_sent_again(program: Program, runtime: Runtime) -> None:
    found = submitted(program)
    first = program.get(f"/api/v1/runs/{found}")
    etag = first.headers["ETag"]
    assert first.headers["Retry-After"] == "1"
    assert program.get(f"/api/v1/runs/{found}", **{"If-None-Match": etag}).status_code == 304
    execute(runtime, found, WORKER)
    assert program.get(f"/api/v1/runs/{found}", **{"If-None-Match": etag}).status_code == 200


def test_runs_are_cancelled_and_failed_ones_retried(program: Program, runtime: Runtime) -> None:
    first, second = submitted(program), submitted(program, name="fail")
    answer = program.post(f"/api/v1/runs/{first}/cancel")
    assert (answer.status_code, body(answer)["state"]) == (202, "cancelled")
    problem(program.post(f"/api/v1/runs/{first}/cancel"), 409)
    problem(program.post(f"/api/v1/runs/{first}/retry"), 409)
    execute(runtime, second, WORKER)
    failed = body(program.get(f"/api/v1/runs/{second}"))
    assert failed["error"] == "The name is “fail”. Choose another one."
    answer = program.post(f"/api/v1/runs/{second}/retry")
    assert (answer.status_code, body(answer)["state"], body(answer)["error"]) == (202, "queued", None)


def test_the_list_of_jobs_carries_their_schemas(program: Program, probe: Job) -> None:
    (job,) = body(program.get("/api/v1/jobs"))["jobs"]
    assert (job["kind"], job["title"], job["runs_url"]) == ("probe", "Count words", RUNS)
    assert job["params"] == probe.params.model_json_schema()


def test_the_description_is_valid_openapi_3_1_and_served(app: Flask, ada: Person) -> None:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    description = body(answer)
    validate(description)
    operation = description["paths"][RUNS]["post"]
    assert set(operation["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
    form = description["components"]["schemas"]["Form_probe"]
    assert form["properties"]["files"]["items"]["contentMediaType"] == "application/octet-stream"
    assert form["properties"]["rate"]["unit"] == "Hz"


def test_every_route_of_the_api_is_described(app: Flask) -> None:
    with app.test_request_context():
        described = {(method, path) for path, item in openapi.describe()["paths"].items() for method in item}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api."):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).replace("{kind}", "probe")
            for method in rule.methods - {"HEAD", "OPTIONS"} if rule.methods else ():
                assert (method.lower(), path) in described


def test_what_the_api_answers_is_what_it_describes(app: Flask, program: Program, runtime: Runtime) -> None:
    description = body(app.test_client().get("/api/v1/openapi.json"))
    registry: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(description))

    def fits(answer: TestResponse, schema: str) -> None:
        reference = {"$ref": f"urn:api#/components/schemas/{schema}"}
        OAS31Validator(reference, registry=registry).validate(body(answer))

    found = submitted(program)
    fits(program.get(f"/api/v1/runs/{found}"), "Run_probe")
    execute(runtime, found, WORKER)
    fits(program.get(f"/api/v1/runs/{found}"), "Run_probe")
    fits(program.get(f"/api/v1/runs/{found}"), "Run")
    fits(program.get("/api/v1/runs/none"), "Problem")


def test_the_page_about_the_api_has_an_example_for_each_job(app: Flask, runtime: Runtime, ada: Person) -> None:
    page = browser_of(app, runtime, ada).get("/api").text
    assert f"-F files=@FILE {runtime.origin}{RUNS}" in page
    assert "/api/v1/openapi.json" in page
