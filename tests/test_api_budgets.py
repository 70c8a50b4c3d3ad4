"""The API's budgets: listed with how they stand, made, changed, put away, deleted; as its description says."""

from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator

from tests.conftest import Person
from tests.front import token_of
from tests.ledger_rows import Household, household
from tests.test_budget_pages import TODAY
from web import openapi
from workers.runtime import Runtime

AT = "/api/v1/expenses/budgets"
GIVEN = {"limit": "300", "currency": "EUR", "rollover": False}


@pytest.fixture
def home(runtime: Runtime, ada: Person) -> Household:
    return household(runtime, ada)


def check(app: Flask, name: str, found: Any) -> None:
    with app.test_request_context():
        described = openapi.describe()
    OAS31Validator({"$ref": f"#/components/schemas/{name}", **described}).validate(found)


def test_a_budget_is_made_listed_with_its_state_changed_put_away_and_deleted(
    app: Flask, runtime: Runtime, ada: Person, home: Household
) -> None:
    client, token = app.test_client(), token_of(runtime, ada)
    home.entry("-150.5", TODAY)
    answer = client.post(AT, json={**GIVEN, "category": home.category("Groceries")}, headers=token)
    assert answer.status_code == 201
    made = answer.json or {}
    check(app, "WholeBudget", made)
    assert (made["name"], made["state"]["spent"], made["state"]["percent"]) == ("Groceries", "150.5", 50)
    (listed,) = (client.get(AT, headers=token).json or {})["budgets"]
    check(app, "Budget", listed)
    changed = client.patch(made["url"], json={"limit": "151"}, headers=token).json or {}
    assert (changed["state"]["level"], changed["revision"], changed["name"]) == (80, 2, "Groceries")
    weekly = client.patch(made["url"], json={"period": "week", "archived": True}, headers=token).json or {}
    assert (weekly["starts"], weekly["archived"]) == (1, True)
    assert (client.get(AT, headers=token).json or {})["budgets"] == []
    assert client.delete(made["url"], headers=token).status_code == 204
    assert client.get(made["url"], headers=token).status_code == 404


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"limit": "1e9"}, "limit"),
        ({"limit": -1}, "limit"),
        ({"currency": "QQQ"}, "currency"),
        ({"colour": "red"}, "colour"),
        ({"rollover": "yes"}, "rollover"),
        ({"period": "day"}, "period"),
        ({"since": "31/02/2026"}, "since"),
    ],
)
def test_what_is_wrong_is_named(app: Flask, runtime: Runtime, ada: Person, given: dict[str, Any], field: str) -> None:
    answer = app.test_client().post(AT, json={**GIVEN, **given}, headers=token_of(runtime, ada))
    assert (answer.status_code, field in answer.text) == (422, True)


def test_a_token_for_reading_changes_nothing(app: Flask, runtime: Runtime, ada: Person) -> None:
    token = token_of(runtime, ada, "read")
    assert app.test_client().get(AT, headers=token).status_code == 200
    assert app.test_client().post(AT, json=GIVEN, headers=token).status_code == 403
