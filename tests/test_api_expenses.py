"""The API's expenses: found, added once, changed and deleted by a program; what cannot be is told by field."""

from typing import Any

import pytest
from flask import Flask

from models.ledger import Payee
from tests.conftest import Person
from tests.front import browser_of, member_of, token_of
from tests.purse_rows import all_of, category_of, entries, entry_of, purse_of
from tests.test_api import Program, body, problem
from workers.runtime import Runtime

ENTRIES = "/api/v1/expenses/entries"


@pytest.fixture
def program(app: Flask, runtime: Runtime, ada: Person) -> Program:
    return Program(app, token_of(runtime, ada))


@pytest.fixture
def purse(runtime: Runtime, ada: Person) -> str:
    return purse_of(runtime, ada, "Bank", opening="100")


def given(purse: str, **more: Any) -> dict[str, Any]:
    return {"account": purse, "on": "2026-03-14", "amount": "-12.50", **more}


def test_an_entry_is_added_shown_changed_and_deleted(
    program: Program, runtime: Runtime, ada: Person, purse: str
) -> None:
    food = category_of(runtime, ada)
    answer = program.post(ENTRIES, json=given(purse, payee="Baker", category=food, note="bread"))
    assert answer.status_code == 201, answer.text
    made = body(answer)
    assert answer.headers["Location"].endswith(made["url"])
    assert (made["amount"], made["currency"], made["payee"], made["category"]) == ("-12.50", "EUR", "Baker", food)
    assert body(program.get(made["url"])) == made
    changed = program.client.patch(made["url"], json={"amount": "-13"}, headers=program.token)
    assert (body(changed)["amount"], body(changed)["note"], body(changed)["payee"]) == ("-13.00", "bread", "Baker")
    accounts = body(program.get("/api/v1/expenses/accounts"))["accounts"]
    assert [(each["name"], each["balance"]) for each in accounts] == [("Bank", "87.00")]
    categories = body(program.get("/api/v1/expenses/categories"))["categories"]
    assert categories == [{"id": food, "name": "Groceries", "hidden": False}]
    assert program.client.delete(made["url"], headers=program.token).status_code == 204
    assert program.get(made["url"]).status_code == 404


def test_the_same_key_adds_one_entry_and_another_body_is_a_conflict(
    program: Program, runtime: Runtime, ada: Person, purse: str
) -> None:
    ids = {body(program.post(ENTRIES, json=given(purse), key="once"))["id"] for _ in range(3)}
    assert len(ids) == 1
    problem(program.post(ENTRIES, json=given(purse, amount="-1"), key="once"), 409)
    assert body(program.post(ENTRIES, json=given(purse)))["id"] not in ids
    assert len(entries(runtime, ada)) == 2


def test_a_split_payment_has_parts_that_come_to_it(program: Program, runtime: Runtime, ada: Person, purse: str) -> None:
    food = category_of(runtime, ada)
    parts = [{"amount": "-10", "category": food}, {"amount": "-2.50", "note": "bag"}]
    made = body(program.post(ENTRIES, json=given(purse, parts=parts)))
    assert [part["amount"] for part in made["parts"]] == ["-10.00", "-2.50"]
    assert made["amount"] == "-12.50"
    part = made["parts"][1]["url"]
    refused = problem(program.client.patch(part, json={"amount": "-3"}, headers=program.token), 422)
    assert "parts" in refused["errors"]
    moved = body(program.client.patch(part, json={"on": "2026-04-01"}, headers=program.token))
    assert {row["on"] for row in moved["parts"]} == {"2026-04-01"}
    for wrong in ([], "x", [{"amount": "-1"}], [{"amount": "-1"}] * 51, [{"amount": "-1"}] * 2, [{"a": 1}] * 2):
        assert "parts" in problem(program.post(ENTRIES, json=given(purse, parts=wrong)), 422)["errors"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("amount", "1e9", "exponent"), ("amount", "1,5", "do not fit"), ("amount", "NaN", "no amount"),
        ("amount", None, "Fill"),
        ("amount", 0, "nothing"), ("amount", True, "Fill"), ("amount", ["1"], "Fill"), ("on", "31/02", "year"),
        ("on", "13/13/24", "four digits"), ("on", 20260101, "no day"), ("account", "x", "your accounts"),
        ("account", {}, "Choose"), ("category", "x", "your categories"), ("note", 5, "Write a text"),
        ("more", 1, "no such field"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_told_by_field(
    program: Program, runtime: Runtime, ada: Person, purse: str, field: str, value: Any, words: str
) -> None:
    found = problem(program.post(ENTRIES, json=given(purse) | {field: value}), 422)
    assert words in found["errors"][field]
    assert entries(runtime, ada) == []
    assert all_of(runtime, Payee) == []


def test_numbers_are_taken_as_they_are_written(program: Program, purse: str) -> None:
    assert body(program.post(ENTRIES, json=given(purse, amount=-0.1)))["amount"] == "-0.10"
    assert body(program.post(ENTRIES, json=given(purse, amount=7)))["amount"] == "7.00"


def test_entries_are_listed_by_pages_and_filters(program: Program, runtime: Runtime, ada: Person, purse: str) -> None:
    for number in range(1, 61):
        entry_of(runtime, ada, purse, f"-{number}", note=f"note {number}")
    first = body(program.get(ENTRIES))
    second = body(program.get(first["next"]))
    assert (len(first["entries"]), len(second["entries"]), second["next"]) == (50, 10, None)
    assert len(body(program.get(f"{ENTRIES}?q=note+60"))["entries"]) == 1
    assert len(body(program.get(f"{ENTRIES}?account={purse}&least=59"))["entries"]) == 2
    errors = problem(program.get(f"{ENTRIES}?since=31/02&most=1e9&kind=x"), 422)["errors"]
    assert set(errors) == {"since", "most", "kind"}
    problem(program.get(f"{ENTRIES}?after=zzz"), 422)


def test_a_transfer_is_deleted_whole_and_not_changed(
    program: Program, app: Flask, runtime: Runtime, ada: Person, purse: str
) -> None:
    moved = {"from": purse, "to": purse_of(runtime, ada, "Savings"), "amount": "5", "on": "2026-03-14"}
    browser_of(app, runtime, ada).post("/expenses/transfers/new", moved)
    url = body(program.get(f"{ENTRIES}?kind=transfer"))["entries"][0]["url"]
    problem(program.client.patch(url, json={"amount": "-1"}, headers=program.token), 409)
    assert program.client.delete(url, headers=program.token).status_code == 204
    assert entries(runtime, ada) == []


def test_viewers_and_tokens_for_reading_change_nothing(app: Flask, runtime: Runtime, ada: Person, purse: str) -> None:
    entry = entry_of(runtime, ada, purse, "-1")
    viewer = Program(app, token_of(runtime, member_of(runtime, ada, "vera", "viewer")))
    reader = Program(app, token_of(runtime, ada, scope="read"))
    for program in (viewer, reader):
        assert program.get(ENTRIES).status_code == 200
        problem(program.post(ENTRIES, json=given(purse)), 403)
        problem(program.client.patch(f"{ENTRIES}/{entry}", json={}, headers=program.token), 403)
        problem(program.client.delete(f"{ENTRIES}/{entry}", headers=program.token), 403)


def test_another_workspace_s_accounts_and_entries_are_not_there(
    app: Flask, runtime: Runtime, ada: Person, grace: Person, purse: str
) -> None:
    entry, category = entry_of(runtime, ada, purse, "-1", note="secret"), category_of(runtime, ada)
    program = Program(app, token_of(runtime, grace))
    hers = purse_of(runtime, grace)
    assert "account" in problem(program.post(ENTRIES, json=given(purse)), 422)["errors"]
    assert "category" in problem(program.post(ENTRIES, json=given(hers, category=category)), 422)["errors"]
    assert body(program.get(f"{ENTRIES}?account={purse}&q=secret"))["entries"] == []
    problem(program.get(f"{ENTRIES}/{entry}"), 404)
    problem(program.client.patch(f"{ENTRIES}/{entry}", json={"amount": "-9"}, headers=program.token), 404)
    problem(program.client.delete(f"{ENTRIES}/{entry}", headers=program.token), 404)
    first = body(program.post(ENTRIES, json=given(hers), key="k"))["id"]
    assert body(Program(app, token_of(runtime, ada)).post(ENTRIES, json=given(purse), key="k"))["id"] != first


def test_the_description_names_every_route_of_money(program: Program) -> None:
    paths = body(program.get("/api/v1/openapi.json"))["paths"]
    assert set(paths[ENTRIES]) == {"get", "post"}
    assert set(paths[f"{ENTRIES}/{{entry_id}}"]) == {"get", "patch", "delete"}
    assert {"/api/v1/expenses/accounts", "/api/v1/expenses/categories"} <= set(paths)
