"""The description of the API's tickets."""

from typing import Any

from models.ticket import STATUSES
from web.api_tickets import KINDS, MOST
from web.care_filter import CHOICES, DUES, PRIORITIES, SORTS, SOURCES, VIEWS

Spec = dict[str, Any]
TEXT: Spec = {"type": "string"}
MAYBE: Spec = {"type": ["string", "null"]}
TIME: Spec = {"type": ["string", "null"], "format": "date-time"}
YES: Spec = {"type": "boolean"}
IN_TIME: Spec = {"type": ["boolean", "null"], "description": "null: there is no such deadline, or not yet."}
COUNT: Spec = {"type": "integer", "minimum": 0}
STATUS: Spec = {"type": "string", "enum": list(STATUSES)}
PRIORITY: Spec = {"type": "string", "enum": list(PRIORITIES.values())}
KIND: Spec = {
    "type": "string",
    "enum": list(KINDS),
    "description": "An answer is public, a note is for the team alone.",
}
VERSION: Spec = {"type": "integer", "description": "The version that was seen: 409 when somebody was faster."}
BAD = (400, 401, 403, 404, 409, 413, 415, 422, 429)
OFFERED = {
    "view": VIEWS, "status": STATUSES, "priority": PRIORITIES.values(), "due": DUES, "source": SOURCES, "sort": SORTS,
}  # fmt: skip
FILTERS = {
    "q": "Words, \"a phrase\", the beginning of the last word, or #number; all of a ticket is searched.",
    "topic": "The id of a topic.", "team": "The id of a team.",
    "assignee": "The id of an account; “me” or “nobody”.", "tag": "One tag.", "customer": "An address, or an id.",
    "from": "Made from this day on, such as 2026-01-31; lists the newest first.", "to": "Made until this day.",
    "size": f"How many a page has, at most {MOST}.", "after": "Where the page begins; `next` holds the whole address.",
}  # fmt: skip


def schemas() -> Spec:
    files = _list({"name": TEXT, "media_type": TEXT, "size": COUNT, "url": TEXT})
    message: Spec = {
        "id": TEXT, "kind": KIND, "by": TEXT, "text": TEXT, "quoted": TEXT, "files": files, "automatic": YES,
        "source": TEXT, "remarks": _texts(), "at": TIME,
    }  # fmt: skip
    whole: Spec = {
        "topic": TEXT, "team": TEXT, "assignee": TEXT, "copies": _texts(),
        "links": {"type": "array", "items": COUNT}, "merged_into": {"type": ["integer", "null"]},
        "earlier_messages": COUNT, "messages": {"type": "array", "items": _ref("TicketMessage")},
    }  # fmt: skip
    return {
        "TicketBrief": _object(_brief()),
        "TicketMessage": _object(message),
        "Ticket": {"allOf": [_ref("TicketBrief"), _object(whole)]},
        **_given(),
    }


def _brief() -> Spec:
    times = ("created_at", "changed_at", "answered_at", "solved_at", "closed_at", "first_due_at", "solve_due_at")
    return {
        "number": COUNT, "subject": TEXT, "status": STATUS, "source": TEXT, "version": COUNT, "topic_id": MAYBE,
        "team_id": MAYBE, "assignee_id": MAYBE, "reopened": COUNT, **dict.fromkeys(times, TIME),
        "first_in_time": IN_TIME, "solve_in_time": IN_TIME, "priority": PRIORITY,
        "customer": _object({"id": TEXT, "email": TEXT, "name": TEXT}), "tags": _texts(), "url": TEXT,
    }  # fmt: skip


def _given() -> Spec:
    raised: Spec = {
        "subject": {**TEXT, "maxLength": 200}, "text": {**TEXT, "maxLength": 20_000},
        "email": {**TEXT, "format": "email"}, "name": {**TEXT, "maxLength": 120}, "topic_id": TEXT,
        "priority": PRIORITY,
    }  # fmt: skip
    said: Spec = {"kind": KIND, "text": TEXT, "status": STATUS, "version": VERSION}
    changed: Spec = {
        "subject": TEXT, "status": STATUS, "priority": PRIORITY, "topic_id": MAYBE, "team_id": MAYBE,
        "assignee_id": MAYBE, "tags": {**_texts(), "description": "Exactly these, in place of those it has."},
        "version": VERSION,
    }  # fmt: skip
    return {
        "NewTicket": {"type": "object", "properties": raised, "required": ["subject", "text", "email"]},
        "NewTicketMessage": {"type": "object", "properties": said, "required": ["text"]},
        "TicketChange": {"type": "object", "properties": changed},
    }


def paths(operation: Any, key: Spec) -> Spec:
    """The routes; `operation` is openapi's own maker of one, `key` the Idempotency-Key's parameter."""
    number = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}
    file = {"name": "ticket_file_id", "in": "path", "required": True, "schema": TEXT}
    page = {"name": "page", "in": "query", "schema": {"type": "integer"}, "description": "Of the messages, from 1."}
    listing = _object({"tickets": {"type": "array", "items": _ref("TicketBrief")}, "next": MAYBE})
    one = "/api/v1/tickets/{number}"
    bytes_of = operation("ticket_file", "A file of a ticket", {}, [number, file], bad=(401, 403, 404, 410))
    bytes_of["responses"]["200"]["content"] = {"application/octet-stream": {}}
    add, say = (
        operation("add_ticket", "Raise a ticket for a customer", _ref("Ticket"), [key], 201, BAD),
        operation("add_message", "Answer, or take a note", _ref("Ticket"), [number, key], 201, BAD),
    )
    return {
        "/api/v1/tickets": {
            "get": operation("tickets", "Tickets, and a search for them", listing, _filters(), bad=(401, 403, 422)),
            "post": add | _body("NewTicket", files=True),
        },
        one: {
            "get": operation("ticket", "A ticket, its messages", _ref("Ticket"), [number, page], bad=(401, 403, 404)),
            "patch": operation("change_ticket", "Change a ticket", _ref("Ticket"), [number], 200, BAD)
            | _body("TicketChange"),
        },
        f"{one}/messages": {"post": say | _body("NewTicketMessage", files=True)},
        f"{one}/files/{{ticket_file_id}}": {"get": bytes_of},
    }  # fmt: skip


def _filters() -> list[Spec]:
    chosen = [
        {"name": name, "in": "query", "schema": {"type": "string", "enum": list(OFFERED[name])}} for name in CHOICES
    ]
    typed = [{"name": name, "in": "query", "schema": TEXT, "description": text} for name, text in FILTERS.items()]
    return [*chosen, *typed]


def _body(name: str, files: bool = False) -> Spec:
    content: Spec = {"application/json": {"schema": _ref(name)}}
    if files:
        some = {"type": "array", "items": {"type": "string", "contentMediaType": "application/octet-stream"}}
        content["multipart/form-data"] = {
            "schema": {"allOf": [_ref(name), {"type": "object", "properties": {"files": some}}]}
        }
    return {"requestBody": {"content": content}}


def _object(properties: Spec) -> Spec:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(properties: Spec) -> Spec:
    return {"type": "array", "items": _object(properties)}


def _texts() -> Spec:
    return {"type": "array", "items": TEXT}


def _ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}
