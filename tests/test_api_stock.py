"""The API's stock: products, movements and orders for programs, each once, and nothing of another workspace."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from models.stock import Movement, Product, Purchase
from tasks.inventory import purchases
from tasks.inventory.purchases import Wanted
from tests.conftest import Person
from tests.front import token_of
from tests.stock_front import TODAY, on_hand, rows
from tests.test_movements import D, place, product
from web import openapi
from workers.runtime import Runtime


class Program:
    """A program with a token."""

    def __init__(self, app: Flask, runtime: Runtime, person: Person, scope: str = "write") -> None:
        self.client, self.token = app.test_client(), token_of(runtime, person, scope)

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, key: str = "") -> Any:
        headers = self.token | ({"Idempotency-Key": key} if key else {})
        answer = self.client.open(f"/api/v1{path}", method=method, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return json.loads(answer.data)


@pytest.fixture
def program(app: Flask, runtime: Runtime, ada: Person) -> Program:
    return Program(app, runtime, ada)


@pytest.fixture
def tea(runtime: Runtime, ada: Person) -> Product:
    return product(runtime, ada, "TEA", barcode="4006381333931")


def sent_order(runtime: Runtime, person: Person, of: Product, amount: str = "10") -> str:
    with runtime.database.write(person.workspace_id) as session:
        made = purchases.draft(session, person.workspace_id, None, [Wanted(of.id, D(amount))])
        purchases.send(session, made, TODAY)
        return made.id


def test_products_are_added_changed_and_found(program: Program, runtime: Runtime, ada: Person) -> None:
    shop = place(runtime, ada, "Shop")
    given = {"sku": "RICE", "name": "Rice", "price": 3.4, "reorder_level": "1.234", "location": "Shop", "target": None}
    made = program.ask("POST", "/products", given, 201)
    assert (made["price"], made["reorder_level"], made["location_id"], made["on_hand"]) == ("3.4", "1.234", shop, "0")
    changed = program.ask("PATCH", f"/products/{made['id']}", {"name": "Basmati", "discontinued": True})
    assert (changed["name"], changed["discontinued"], changed["reorder_level"]) == ("Basmati", True, "1.234")
    assert rows(runtime, Product)[0].revision == 2
    for query in ("q=basm", "sku=RICE", "q=rice"):
        assert [one["id"] for one in program.ask("GET", f"/products?{query}")["products"]] == [made["id"]]
    assert program.ask("GET", "/products?barcode=1")["products"] == []


def test_lists_go_on_where_the_page_before_ended(program: Program, runtime: Runtime, ada: Person) -> None:
    for number in range(60):
        product(runtime, ada, f"P{number:03}")
    first = program.ask("GET", "/products")
    assert [one["sku"] for one in first["products"]] == [f"P{number:03}" for number in range(50)]
    rest = program.ask("GET", first["next"].removeprefix("/api/v1"))
    assert [one["sku"] for one in rest["products"]] == [f"P{number:03}" for number in range(50, 60)]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"sku": "NEW"}, "name"), ({"sku": "TEA", "name": "x"}, "sku"),
        ({"sku": "N", "name": "x", "price": "1e9"}, "price"),
        ({"sku": "N", "name": "x", "price": -1}, "price"), ({"sku": "N", "name": "x", "on_hand": 5}, "on_hand"),
        ({"sku": "N", "name": "x", "supplier": "Nobody"}, "supplier"), ({"sku": 5, "name": "x"}, "sku"),
        ({"sku": "N", "name": "x", "currency": "ABC"}, "currency"), ({"sku": "N", "name": "x", "price": True}, "price"),
        ({"sku": "N", "name": "x", "price": [1]}, "price"), ([], ""), ("text", ""), ({"sku": "N", "name": {}}, "name"),
    ],
)  # fmt: skip
def test_a_product_that_cannot_be_is_refused_with_its_field(
    program: Program, runtime: Runtime, tea: Product, given: Any, field: str
) -> None:
    answer = program.ask("POST", "/products", given, 422)
    assert field in answer["errors"]
    assert len(rows(runtime, Product)) == 1


def test_a_movement_is_recorded_by_sku_or_barcode(program: Program, runtime: Runtime, tea: Product) -> None:
    made = program.ask("POST", "/movements", {"sku": "TEA", "kind": "count", "quantity": 12}, 201)
    assert (made["on_hand"], made["counted"], made["quantity"]) == ("12", "12", "12")
    sold = program.ask("POST", "/movements", {"barcode": "4006381333931", "kind": "sale", "quantity": "0.125"}, 201)
    assert (sold["on_hand"], sold["quantity"]) == ("11.875", "-0.125")
    assert [one["kind"] for one in program.ask("GET", "/movements")["movements"]] == ["sale", "count"]
    assert len(program.ask("GET", f"/movements?product_id={tea.id}&kind=sale")["movements"]) == 1


def test_the_same_key_is_recorded_once_and_another_movement_under_it_is_a_conflict(
    program: Program, runtime: Runtime, ada: Person, tea: Product
) -> None:
    rice = product(runtime, ada, "RICE")
    sale = {"sku": "TEA", "kind": "sale", "quantity": 2}
    ids = {program.ask("POST", "/movements", sale, 201, key="till-1")["id"] for _ in range(3)}
    assert len(ids) == 1
    assert on_hand(runtime, tea) == -2
    for other in ({"quantity": 3}, {"kind": "loss"}, {"sku": "RICE"}):
        program.ask("POST", "/movements", sale | other, 409, key="till-1")
    assert program.ask("POST", "/movements", sale, 201, key="till-2")["on_hand"] == "-4"
    assert on_hand(runtime, rice) == 0


def test_a_key_of_one_workspace_is_nothing_in_another(
    app: Flask, program: Program, runtime: Runtime, grace: Person, tea: Product
) -> None:
    hers = product(runtime, grace, "TEA")
    sale = {"sku": "TEA", "kind": "sale", "quantity": 2}
    program.ask("POST", "/movements", sale, 201, key="k")
    Program(app, runtime, grace).ask("POST", "/movements", sale, 201, key="k")
    assert [on_hand(runtime, tea), on_hand(runtime, hers)] == [-2, -2]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"sku": "NOPE"}, "sku"), ({"barcode": "1"}, "barcode"), ({"product_id": "x"}, "product_id"), ({}, "sku"),
        ({"sku": "TEA", "barcode": "4006381333931"}, "sku"), ({"sku": "TEA", "quantity": -1}, "quantity"),
        ({"sku": "TEA", "quantity": 1e30}, "quantity"), ({"sku": "TEA", "quantity": "NaN"}, "quantity"),
        ({"sku": "TEA", "kind": "theft"}, "kind"), ({"sku": "TEA", "on": "31/02/2026"}, "on"),
        ({"sku": "TEA", "location": "Nowhere"}, "location"), ({"sku": "TEA", "location_id": "x"}, "location_id"),
        ({"sku": "TEA", "expires_on": "2199-01-01"}, "expires_on"), ({"sku": "TEA", "extra": 1}, "extra"),
        ({"sku": "TEA", "note": 5}, "note"),
    ],
)  # fmt: skip
def test_a_movement_that_cannot_be_is_refused_with_its_field(
    program: Program, runtime: Runtime, tea: Product, given: dict[str, Any], field: str
) -> None:
    answer = program.ask("POST", "/movements", {"kind": "sale", "quantity": 1} | given, 422)
    assert field in answer["errors"], answer
    assert rows(runtime, Movement) == []


def test_a_wrong_movement_is_reversed(program: Program, runtime: Runtime, tea: Product) -> None:
    wrong = program.ask("POST", "/movements", {"sku": "TEA", "kind": "sale", "quantity": 2}, 201)
    made = program.ask("POST", f"/movements/{wrong['id']}/reverse", status=201)["movements"]
    assert [(one["quantity"], one["reverses_id"]) for one in made] == [("2", wrong["id"])]
    program.ask("POST", f"/movements/{wrong['id']}/reverse", status=409)
    program.ask("POST", "/movements/nothing/reverse", status=404)


def test_an_order_is_received_in_part_then_whole_and_each_delivery_once(
    program: Program, runtime: Runtime, ada: Person, tea: Product
) -> None:
    found = sent_order(runtime, ada, tea)
    assert [one["id"] for one in program.ask("GET", "/orders?state=sent")["orders"]] == [found]
    line = program.ask("GET", f"/orders/{found}")["lines"][0]["id"]
    part = {"lines": [{"line_id": line, "quantity": 4, "expires_on": "2199-01-01"}]}
    for movements in (1, 0):
        answer = program.ask("POST", f"/orders/{found}/receive", part, key="delivery-1")
        assert (answer["state"], len(answer["movements"])) == ("partly received", movements)
    assert on_hand(runtime, tea) == 4
    for wrong in ({"line_id": line, "quantity": 7}, {"line_id": "x", "quantity": 1}, {"line_id": line, "quantity": 0}):
        program.ask("POST", f"/orders/{found}/receive", {"lines": [wrong]}, 422)
    assert program.ask("POST", f"/orders/{found}/receive")["state"] == "closed"
    assert on_hand(runtime, tea) == Decimal(10)
    program.ask("POST", f"/orders/{found}/receive", status=422)
    program.ask("GET", "/orders?state=lost", status=422)


def test_a_token_for_reading_and_another_workspace_s_change_and_see_nothing(
    app: Flask, program: Program, runtime: Runtime, ada: Person, grace: Person, tea: Product
) -> None:
    found = sent_order(runtime, ada, tea)
    moved = program.ask("POST", "/movements", {"sku": "TEA", "kind": "count", "quantity": 2}, 201)["id"]
    reader, stranger = Program(app, runtime, ada, "read"), Program(app, runtime, grace)
    assert reader.ask("GET", f"/products/{tea.id}")["sku"] == "TEA"
    for who, status in ((reader, 403), (stranger, 404)):
        who.ask("PATCH", f"/products/{tea.id}", {"name": "Mine"}, status)
        who.ask("POST", f"/movements/{moved}/reverse", status=status)
        who.ask("POST", f"/orders/{found}/receive", status=status)
    stranger.ask("POST", "/movements", {"product_id": tea.id, "kind": "sale", "quantity": 1}, 422)
    for path, name in (("/products", "products"), ("/movements", "movements"), ("/orders", "orders")):
        assert stranger.ask("GET", path)[name] == []
    assert (rows(runtime, Purchase)[0].state, on_hand(runtime, tea)) == ("sent", D(2))


def test_what_it_answers_is_what_it_describes(
    app: Flask, program: Program, runtime: Runtime, ada: Person, tea: Product
) -> None:
    with app.test_request_context():
        description = openapi.describe()
    registry: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(description))

    def fits(schema: str, found: Any) -> None:
        where = {"$ref": f"urn:api#/components/schemas/{schema}"}
        OAS31Validator(where, registry=registry, format_checker=OAS31Validator.FORMAT_CHECKER).validate(found)

    fits("Product", program.ask("GET", f"/products/{tea.id}"))
    fits("RecordedMovement", program.ask("POST", "/movements", {"sku": "TEA", "kind": "sale", "quantity": 1}, 201))
    fits("Movement", program.ask("GET", "/movements")["movements"][0])
    found = sent_order(runtime, ada, tea)
    fits("PurchaseOrder", program.ask("GET", "/orders")["orders"][0])
    fits("Received", program.ask("POST", f"/orders/{found}/receive"))


def test_every_route_of_stock_is_described(app: Flask) -> None:
    with app.test_request_context():
        described = {(method, path) for path, item in openapi.describe()["paths"].items() for method in item}
    routes = [rule for rule in app.url_map.iter_rules() if re.match("/api/v1/(products|movements|orders)", rule.rule)]
    assert len(routes) == 10
    for rule in routes:
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert (method.lower(), rule.rule.replace("<", "{").replace(">", "}")) in described
