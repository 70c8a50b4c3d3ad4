"""The description of the API's imports."""

from typing import Any

from models.intake import DUPLICATE, NEW, SKIPPED, WRONG

Spec = dict[str, Any]
TEXT: Spec = {"type": "string"}
TIME: Spec = {"type": ["string", "null"], "format": "date-time"}
OBJECT: Spec = {"type": "object"}
ONE = "/api/v1/imports/{intake_id}"
STATES = [NEW, DUPLICATE, WRONG, SKIPPED]


def schemas() -> Spec:
    counts = {name: {"type": "integer"} for name in (*STATES, "written", "deleted", "kept")}
    shown: Spec = {
        "id": TEXT, "subject": TEXT, "file": TEXT, "state": TEXT, "counts": {"type": "object", "properties": counts},
        "created_at": TIME, "applied_at": TIME, "undone_at": TIME, "url": TEXT,
    }  # fmt: skip
    column = {"type": "object", "properties": {"title": TEXT, "role": TEXT}}
    more: Spec = {
        "read": {**OBJECT, "description": "How the file is written."},
        "columns": {"type": "array", "items": column},
        "made": {**OBJECT, "description": "Names of accounts, payees and the like that it makes."},
        "run": {"anyOf": [_ref("Brief"), {"type": "null"}]},
    }
    line = {"number": {"type": "integer"}, "state": {"enum": STATES}, "what": {"type": ["object", "null"]}}
    return {
        "ImportBrief": {"type": "object", "properties": shown, "required": list(shown)},
        "Import": {"type": "object", "properties": shown | more, "required": [*shown, *more]},
        "ImportLine": {"type": "object", "properties": line | {"reason": TEXT}},
    }


def paths(operation: Any, key: Spec) -> Spec:
    """The routes.

    Args:
        operation: openapi's own maker of an operation.
        key: the Idempotency-Key's parameter.
    """
    one = [{"name": "intake_id", "in": "path", "required": True, "schema": TEXT}]
    state = {"name": "state", "in": "query", "schema": {"type": "string", "enum": STATES}}
    after = {"name": "after", "in": "query", "schema": {"type": "integer"}, "description": "The last number seen."}
    bad = (401, 403, 404, 409)
    apply = operation("apply_import", "Write an import’s new lines", _ref("Brief"), [*one, key], 202, bad)
    undo = operation("undo_import", "Take an import back", _ref("Brief"), [*one, key], 202, (*bad, 422))
    also = {"type": "object", "properties": {"also": {"type": "boolean"}}}
    undo["requestBody"] = {"content": {"application/json": {"schema": also}}}
    gone = operation("delete_import", "Forget a preview", {}, one, 204, bad)
    gone["responses"]["204"].pop("content")
    page = {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}}
    return {
        "/api/v1/imports": {
            "get": operation("imports", "The workspace’s imports", _list("imports", "ImportBrief"), [page], bad=(401,))
        },
        ONE: {
            "get": operation("import", "How a file was read", _ref("Import"), one, bad=(401, 404)),
            "delete": gone,
        },
        f"{ONE}/lines": {
            "get": operation("import_lines", "Line by line", _list("lines", "ImportLine"), [*one, state, after])
        },
        f"{ONE}/apply": {"post": apply},
        f"{ONE}/undo": {"post": undo},
    }


def _list(name: str, schema: str) -> Spec:
    listed = {"type": "array", "items": _ref(schema)}
    return {"type": "object", "properties": {name: listed, "next": {"type": ["string", "null"]}}}


def _ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}
