"""The description of the API's stock: products, movements, purchase orders."""

from typing import Any

from models.stock import KINDS
from web.api_orders import STATES

Spec = dict[str, Any]
TEXT: Spec = {"type": "string"}
MAYBE: Spec = {"type": ["string", "null"]}
TIME: Spec = {"type": ["string", "null"], "format": "date-time"}
DAY: Spec = {"type": ["string", "null"], "format": "date"}
YES: Spec = {"type": "boolean"}
AMOUNT: Spec = {"type": "string", "description": "A decimal, exact: “12.5”."}
MAYBE_AMOUNT: Spec = {"type": ["string", "null"], "description": "A decimal, exact: “12.5”."}
GIVEN: Spec = {"type": ["number", "string"], "description": "A number, or a text such as “12.5”; at most 4 decimals."}
MAYBE_GIVEN: Spec = {"type": ["number", "string", "null"]}
BAD = (400, 401, 403, 404, 409, 413, 415, 422, 429)


def schemas() -> Spec:
    fields: Spec = {
        "sku": TEXT, "name": TEXT, "unit": TEXT, "category": TEXT, "barcode": TEXT, "price": GIVEN,
        "cost": MAYBE_GIVEN, "currency": {**TEXT, "description": "ISO 4217; the workspace's when left out."},
        "supplier_id": MAYBE, "supplier": {**TEXT, "description": "Its name, instead of its id."}, "location_id": MAYBE,
        "location": {**TEXT, "description": "The name of its usual place, instead of its id."},
        "reorder_level": GIVEN, "target": MAYBE_GIVEN, "pack_size": GIVEN,
        "lead_days": {"type": ["integer", "null"], "minimum": 0, "maximum": 730}, "perishable": YES,
    }  # fmt: skip
    shown: Spec = {
        "id": TEXT, "sku": TEXT, "name": TEXT, "unit": TEXT, "category": TEXT, "barcode": MAYBE, "currency": TEXT,
        "supplier_id": MAYBE, "location_id": MAYBE, "lead_days": {"type": ["integer", "null"]}, "perishable": YES,
        "price": AMOUNT, "cost": MAYBE_AMOUNT, "reorder_level": AMOUNT, "target": MAYBE_AMOUNT, "pack_size": AMOUNT,
        "on_hand": AMOUNT, "on_order": AMOUNT, "projected": AMOUNT, "discontinued": YES, "created_at": TIME,
        "url": TEXT,
    }  # fmt: skip
    return {
        "NewProduct": {"type": "object", "properties": fields, "required": ["sku", "name"]},
        "ProductChange": {"type": "object", "properties": {**fields, "discontinued": YES}},
        "Product": _object(shown),
        **_movements(),
        **_orders(),
    }


def _movements() -> Spec:
    kind: Spec = {"type": "string", "enum": list(KINDS)}
    given: Spec = {
        "sku": TEXT, "barcode": TEXT, "product_id": {**TEXT, "description": "One of sku, barcode and product_id."},
        "kind": kind, "quantity": {**GIVEN, "description": "Above zero, the kind says whether it comes or goes; of a "
        "count, what was found."}, "on": {**DAY, "description": "Today in the workspace's time zone when left out."},
        "location_id": MAYBE, "location": TEXT, "to_location_id": MAYBE, "to_location": TEXT,
        "unit_price": MAYBE_GIVEN, "expires_on": DAY, "note": {**TEXT, "maxLength": 200},
        "expired": {**YES, "description": "A lot that came in past its day."},
    }  # fmt: skip
    shown: Spec = {
        "id": TEXT, "product_id": TEXT, "kind": kind, "location_id": MAYBE, "note": TEXT, "transfer_id": MAYBE,
        "reverses_id": MAYBE, "quantity": {**AMOUNT, "description": "Above zero: it came in."},
        "counted": MAYBE_AMOUNT, "unit_price": MAYBE_AMOUNT, "on": {"type": "string", "format": "date"},
        "expires_on": DAY,
    }  # fmt: skip
    recorded = {"allOf": [_ref("Movement"), _object({"on_hand": AMOUNT})]}
    return {
        "NewMovement": {"type": "object", "properties": given, "required": ["kind", "quantity"]},
        "Movement": _object(shown),
        "RecordedMovement": recorded,
    }


def _orders() -> Spec:
    line: Spec = {
        "id": TEXT, "product_id": TEXT, "sku": TEXT, "quantity": AMOUNT, "received": AMOUNT, "unit_cost": MAYBE_AMOUNT,
        "currency": TEXT,
    }  # fmt: skip
    order: Spec = {
        "id": TEXT, "number": {"type": "integer"}, "state": {"type": "string", "enum": list(STATES)},
        "supplier_id": MAYBE, "supplier": MAYBE, "note": TEXT, "expected_on": DAY, "sent_at": TIME, "closed_at": TIME,
        "created_at": TIME, "lines": {"type": "array", "items": _object(line)}, "url": TEXT,
    }  # fmt: skip
    came: Spec = {"line_id": TEXT, "quantity": GIVEN, "location_id": MAYBE, "expires_on": DAY}
    lines = {"type": "object", "properties": came, "required": ["line_id", "quantity"]}
    return {
        "PurchaseOrder": _object(order),
        "Received": {"allOf": [_ref("PurchaseOrder"), _object({"movements": _list("Movement")})]},
        "Arrival": {"type": "object", "properties": {"lines": {"type": "array", "items": lines, "minItems": 1}}},
    }


def paths(operation: Any, key: Spec) -> Spec:
    """The routes; `operation` is openapi's own maker of one, `key` the Idempotency-Key's parameter."""
    product, moved, order = _in_path("product_id"), _in_path("movement_id"), _in_path("order_id")
    found = [_query("q", "A part of SKU, name, barcode, category or supplier."), _query("sku"), _query("barcode")]
    after = _query("after", "Where the page begins; `next` holds the whole address.")
    took = operation(
        "receive_order", "Receive an order, in whole or in part", _ref("Received"), [*order, key], 200, BAD
    )
    moves = [_query("product_id"), _query("kind"), after]
    return {
        "/api/v1/products": {
            "get": operation("products", "Products by SKU", _page("products", "Product"), [*found, after], bad=(401,)),
            "post": operation("add_product", "Add a product", _ref("Product"), [], 201, BAD) | _body("NewProduct"),
        },
        "/api/v1/products/{product_id}": {
            "get": operation("product", "A product with its quantities", _ref("Product"), product, bad=(401, 404)),
            "patch": operation("change_product", "Change a product", _ref("Product"), product, 200, BAD)
            | _body("ProductChange"),
        },
        "/api/v1/movements": {
            "get": operation(
                "movements", "Movements, newest first", _page("movements", "Movement"), moves, bad=(401, 422)
            ),
            "post": operation("add_movement", "Record a movement", _ref("RecordedMovement"), [key], 201, BAD)
            | _body("NewMovement"),
        },
        "/api/v1/movements/{movement_id}/reverse": {
            "post": operation(
                "reverse_movement", "Reverse a wrong movement by a counter movement",
                _object({"movements": _list("Movement")}), moved, 201, BAD,
            )
        },
        "/api/v1/orders": {
            "get": operation(
                "orders", "Purchase orders, newest first", _page("orders", "PurchaseOrder"),
                [_query("state", f"One of {', '.join(STATES)}."), after], bad=(401, 422),
            )
        },
        "/api/v1/orders/{order_id}": {
            "get": operation("order", "A purchase order", _ref("PurchaseOrder"), order, bad=(401, 404))
        },
        "/api/v1/orders/{order_id}/receive": {"post": took | _body("Arrival")},
    }  # fmt: skip


def _object(properties: Spec) -> Spec:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _page(name: str, schema: str) -> Spec:
    return _object({name: _list(schema), "next": MAYBE})


def _list(name: str) -> Spec:
    return {"type": "array", "items": _ref(name)}


def _ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(name: str) -> Spec:
    return {"requestBody": {"content": {"application/json": {"schema": _ref(name)}}}}


def _query(name: str, words: str = "") -> Spec:
    return {"name": name, "in": "query", "schema": TEXT} | ({"description": words} if words else {})


def _in_path(name: str) -> list[Spec]:
    return [{"name": name, "in": "path", "required": True, "schema": TEXT}]
