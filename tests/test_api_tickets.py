"""The API's tickets: raised once, answered, changed, found; who is too slow is told, what is wrong stands beside it."""

import io
from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from models.ticket import Ticket, TicketMessage
from tests.conftest import Person
from tests.front import member_of, token_of
from tests.web_fixtures import rows
from web import openapi
from workers.runtime import Runtime

NEW = {"subject": "No light", "text": "The lamp is dark.", "email": "Zoe@Example.org", "name": "Zoe"}


class Program:
    """Somebody's program; `ask` looks at the status that comes back."""

    def __init__(self, app: Flask, token: dict[str, str]) -> None:
        self.client, self.token = app.test_client(), token

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, key: str = "", **more: Any) -> Any:
        headers = self.token | ({"Idempotency-Key": key} if key else {})
        answer = self.client.open(f"/api/v1{path}", method=method, json=body, headers=headers, **more)
        assert answer.status_code == status, answer.text
        return answer.get_json()


@pytest.fixture
def program(app: Flask, runtime: Runtime, ada: Person) -> Program:
    return Program(app, token_of(runtime, ada))


def test_a_ticket_is_raised_once_however_often_it_is_sent(program: Program, runtime: Runtime) -> None:
    first = program.ask("POST", "/tickets", NEW, 201, key="k1")
    assert program.ask("POST", "/tickets", NEW, 201, key="k1")["number"] == first["number"] == 1
    program.ask("POST", "/tickets", NEW | {"text": "Another."}, 409, key="k1")
    assert program.ask("POST", "/tickets", NEW, 201)["number"] == 2
    assert (first["customer"]["email"], first["source"], first["status"]) == ("zoe@example.org", "api", "new")
    assert [each["text"] for each in first["messages"]] == ["The lamp is dark."]
    assert len(rows(runtime.database, Ticket)) == 2


def test_an_answer_is_said_once_and_who_saw_an_older_version_is_told(program: Program, runtime: Runtime) -> None:
    seen = program.ask("POST", "/tickets", NEW, 201)["version"]
    said = {"text": "Turn it on.", "status": "waiting", "version": seen}
    found = program.ask("POST", "/tickets/1/messages", said, 201, key="a")
    assert (found["status"], found["messages"][-1]["kind"]) == ("waiting", "answer")
    assert program.ask("POST", "/tickets/1/messages", said, 201, key="a")["version"] == found["version"]
    told = program.ask("POST", "/tickets/1/messages", said, 409)
    assert "version" in told["errors"]
    program.ask("POST", "/tickets/1/messages", said | {"text": "Other."}, 409, key="a")
    program.ask("POST", "/tickets/1/messages", {"kind": "note", "text": "He did."}, 201)
    assert [each.kind for each in rows(runtime.database, TicketMessage)] == ["question", "answer", "note"]


def test_fields_and_tags_are_changed_and_the_rest_stays(program: Program, ada: Person) -> None:
    seen = program.ask("POST", "/tickets", NEW, 201)["version"]
    wanted = {"priority": "urgent", "assignee_id": ada.account_id, "tags": ["Lamp", "#dark"], "version": seen}
    found = program.ask("PATCH", "/tickets/1", wanted)
    assert (found["priority"], found["assignee"], found["tags"]) == ("urgent", "Ada", ["dark", "lamp"])
    assert (found["subject"], found["status"]) == ("No light", "open")
    program.ask("PATCH", "/tickets/1", {"priority": "low", "version": seen}, 409)
    assert program.ask("PATCH", "/tickets/1", {"tags": ["lamp"]})["tags"] == ["lamp"]
    program.ask("PATCH", "/tickets/1", {"status": "closed"})
    assert "status" in program.ask("PATCH", "/tickets/1", {"status": "waiting"}, 422)["errors"]


def test_what_is_wrong_stands_beside_its_field(program: Program, runtime: Runtime) -> None:
    wrong = program.ask("POST", "/tickets", {"subject": "", "email": "x", "priority": "huge"}, 422)["errors"]
    assert sorted(wrong) == ["email", "priority", "subject", "text"]
    program.ask("POST", "/tickets", NEW | {"colour": "red"}, 422)
    program.ask("POST", "/tickets", NEW | {"text": 5}, 422)
    assert "topic_id" in program.ask("POST", "/tickets", NEW | {"topic_id": "gone"}, 422)["errors"]
    program.ask("POST", "/tickets", [], 422)
    program.ask("POST", "/tickets", NEW, 201)
    bad: list[dict[str, Any]] = [
        {"priority": 3}, {"status": None}, {"status": "lost"}, {"tags": "a"}, {"tags": ["x" * 41]}, {"team_id": 4},
        {"assignee_id": "nobody"}, {"version": "2"}, {"version": True}, {"subject": ["x"]},
    ]  # fmt: skip
    for each in bad:
        assert next(iter(each)) in program.ask("PATCH", "/tickets/1", each, 422)["errors"], each
    for said in ({"text": ""}, {"text": 7}, {"kind": "shout", "text": "x"}, {"text": "x", "status": "lost"}):
        program.ask("POST", "/tickets/1/messages", said, 422)
    for path in ("?status=lost", "?after=x", "?from=never", "?colour=red", "?size=0", "?size=101"):
        program.ask("GET", f"/tickets{path}", None, 422)
    program.ask("GET", "/tickets/2", None, 404)
    program.ask("GET", "/tickets/99999999999999999999", None, 404)
    assert len(rows(runtime.database, TicketMessage)) == 1


def test_files_come_with_a_ticket_and_go_out_again(program: Program) -> None:
    form = NEW | {"files": [(io.BytesIO(b"one two"), "words.txt")]}
    answer = program.client.post("/api/v1/tickets", data=form, headers=program.token)
    assert answer.status_code == 201, answer.text
    [file] = answer.get_json()["messages"][0]["files"]
    sent = program.client.get(file["url"], headers=program.token, buffered=True)
    assert (sent.data, sent.headers["X-Content-Type-Options"]) == (b"one two", "nosniff")
    assert "attachment" in sent.headers["Content-Disposition"]


def test_lists_are_paged_searched_and_filtered(program: Program) -> None:
    for number in range(1, 6):
        program.ask(
            "POST", "/tickets", NEW | {"subject": f"Lamp {number}", "priority": "high" if number % 2 else "low"}, 201
        )
    program.ask("POST", "/tickets", NEW | {"subject": "A fan", "text": "It squeaks.", "email": "yan@example.org"}, 201)
    found, path = list[int](), "/tickets?q=lamp&size=2"
    while path:
        page = program.ask("GET", path.removeprefix("/api/v1"))
        found += [each["number"] for each in page["tickets"]]
        path = page["next"]
    assert sorted(found) == [1, 2, 3, 4, 5]
    assert [each["number"] for each in program.ask("GET", "/tickets?q=%23 6")["tickets"]] in ([], [6])
    assert {each["priority"] for each in program.ask("GET", "/tickets?priority=high")["tickets"]} == {"high"}
    assert [each["number"] for each in program.ask("GET", "/tickets?customer=YAN@example.org")["tickets"]] == [6]


def test_a_token_for_reading_reads_and_viewers_too_and_agents_answer(
    app: Flask, program: Program, runtime: Runtime, ada: Person
) -> None:
    program.ask("POST", "/tickets", NEW, 201)
    for token in (token_of(runtime, ada, "read"), token_of(runtime, member_of(runtime, ada, "vic", "viewer"))):
        other = Program(app, token)
        assert other.ask("GET", "/tickets/1")["number"] == 1
        other.ask("POST", "/tickets", NEW, 403)
        other.ask("PATCH", "/tickets/1", {"priority": "low"}, 403)
        other.ask("POST", "/tickets/1/messages", {"text": "x"}, 403)
    agent = Program(app, token_of(runtime, member_of(runtime, ada, "grace", "agent")))
    agent.ask("POST", "/tickets/1/messages", {"text": "Hello."}, 201)


def test_what_it_answers_is_what_it_describes(app: Flask, program: Program) -> None:
    with app.test_request_context():
        description = openapi.describe()
    registry: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(description))

    def fits(schema: str, found: Any) -> None:
        where = {"$ref": f"urn:api#/components/schemas/{schema}"}
        OAS31Validator(where, registry=registry, format_checker=OAS31Validator.FORMAT_CHECKER).validate(found)

    fits("Ticket", program.ask("POST", "/tickets", NEW, 201))
    fits("Ticket", program.ask("POST", "/tickets/1/messages", {"text": "x", "status": "solved"}, 201))
    fits("TicketBrief", program.ask("GET", "/tickets")["tickets"][0])
