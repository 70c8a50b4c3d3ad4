"""The description of the API's money."""

from typing import Any

from tasks.books.ledger import LONGEST_NOTE, LONGEST_PAYEE, MOST_PARTS
from web.entries import KINDS

Spec = dict[str, Any]
TEXT: Spec = {"type": "string"}
DAY: Spec = {"type": "string", "format": "date", "description": "Such as 2026-03-31."}
SIGNED = "A decimal number with a point, such as “-12.50”; below zero it went out."
AMOUNT: Spec = {"type": "string", "description": SIGNED}
MAYBE: Spec = {"type": ["string", "null"]}
BASE = "/api/v1/expenses"
FILTERS = {
    "q": (TEXT, "A text in the note, payee or category; or an amount."),
    "account": (TEXT, "Only of this account."),
    "category": (TEXT, "Only of this category; “none” for those without one."),
    "payee": (TEXT, "Only of this payee, by its id; “none” for those without one."),
    "kind": ({"type": "string", "enum": list(KINDS)}, "Only what went out, what came in, or transfers."),
    "since": (DAY, "Not before this day."),
    "until": (DAY, "Not after this day."),
    "least": (TEXT, "At least so much, whichever way it went."),
    "most": (TEXT, "At most so much, whichever way it went."),
    "after": (TEXT, "The mark after which the page begins; `next` holds the whole address."),
}


def schemas() -> Spec:
    part: Spec = {"amount": AMOUNT, "category": MAYBE, "note": {**TEXT, "maxLength": LONGEST_NOTE}}
    items: Spec = {"type": "object", "properties": part}
    parts: Spec = {"type": "array", "minItems": 2, "maxItems": MOST_PARTS, "items": items}
    given: Spec = {
        "account": {**TEXT, "description": "The account's id."}, "on": DAY, **part,
        "payee": {**TEXT, "maxLength": LONGEST_PAYEE, "description": "A name; a new one makes a new payee."},
        "parts": {**parts, "description": "Of a split payment; they come to the amount."},
    }  # fmt: skip
    shown: Spec = {
        "id": TEXT, "account": TEXT, "on": DAY, "amount": AMOUNT, "currency": TEXT, "payee": TEXT, "category": MAYBE,
        "note": TEXT, "payment": {**TEXT, "description": "The same for all parts of a payment."}, "transfer": MAYBE,
        "recurring": MAYBE, "url": TEXT,
    }  # fmt: skip
    account: Spec = {"id": TEXT, "name": TEXT, "kind": TEXT, "currency": TEXT, "number": TEXT, "balance": AMOUNT}
    account["closed"] = {"type": "boolean"}
    category: Spec = {"id": TEXT, "name": TEXT, "hidden": {"type": "boolean"}}
    whole = shown | {"parts": {"type": "array", "items": _ref("Entry")}}
    return {
        "Entry": {"type": "object", "properties": shown, "required": list(shown)},
        "Payment": {"type": "object", "properties": whole, "required": list(whole)},
        "NewPayment": {"type": "object", "properties": given, "required": ["account", "on", "amount"]},
        "PaymentChange": {"type": "object", "properties": given},
        "MoneyAccount": {"type": "object", "properties": account, "required": list(account)},
        "Category": {"type": "object", "properties": category, "required": list(category)},
    }


def paths(operation: Any, key: Spec) -> Spec:
    """The routes.

    Args:
        operation: openapi's own maker of an operation.
        key: the Idempotency-Key's parameter.
    """
    one = [{"name": "entry_id", "in": "path", "required": True, "schema": TEXT}]
    asked = [
        {"name": name, "in": "query", "schema": kind, "description": text} for name, (kind, text) in FILTERS.items()
    ]
    listed = {"entries": {"type": "array", "items": _ref("Entry")}, "next": MAYBE}
    found = {"type": "object", "properties": listed}
    bad, whole = (400, 401, 403, 404, 409, 413, 422), _ref("Payment")
    keyed = {**key, "description": "The same key gives the same payment back, however often the request is sent."}
    gone = operation("delete_expense_entry", "Delete a payment or transfer", {}, one, 204, (401, 403, 404))
    gone["responses"]["204"].pop("content")
    entry = operation("expense_entry", "The payment that an entry belongs to", whole, one, bad=(401, 404))
    change = operation("change_expense_entry", "Change a payment", whole, one, 200, bad) | _body("PaymentChange")
    add = operation("add_expense_entry", "Write a payment down", whole, [keyed], 201, bad) | _body("NewPayment")
    accounts, categories = _many("MoneyAccount", "accounts"), _many("Category", "categories")
    return {
        f"{BASE}/accounts": {"get": operation("expense_accounts", "Accounts and balances", accounts, bad=(401,))},
        f"{BASE}/categories": {"get": operation("expense_categories", "Categories", categories, bad=(401,))},
        f"{BASE}/entries": {"get": operation("expense_entries", "Entries, newest first", found, asked), "post": add},
        f"{BASE}/entries/{{entry_id}}": {"get": entry, "patch": change, "delete": gone},
    }


def _many(name: str, field: str) -> Spec:
    return {"type": "object", "properties": {field: {"type": "array", "items": _ref(name)}}}


def _ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(name: str) -> Spec:
    return {"requestBody": {"content": {"application/json": {"schema": _ref(name)}}}}
