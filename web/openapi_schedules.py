"""The description of the API's schedules."""

from typing import Any

from beat_schedule.times import MOST_MINUTES, REPEATS
from web import wishes

Spec = dict[str, Any]
TEXT: Spec = {"type": "string"}
TIME: Spec = {"type": ["string", "null"], "format": "date-time"}
ONE = "/api/v1/schedules/{schedule_id}"
STATES = ("on", "paused", "stopped", "done")


def schemas() -> Spec:
    whole_number = {"type": "integer", "minimum": 1}
    times: Spec = {
        "repeat": {"type": "string", "enum": list(REPEATS)},
        "time_zone": {**TEXT, "description": "Such as Europe/Berlin; your account's when left out."},
        "at": {**TEXT, "description": "Of “once”: 2030-12-31T07:00 by the clock of the time zone."},
        "minutes": {**whole_number, "maximum": MOST_MINUTES, "description": "Of “minutes”."},
        "time": {**TEXT, "description": "Of “daily”, “weekly” and “monthly”: 07:00."},
        "weekdays": {"type": "array", "items": {**whole_number, "maximum": 7}, "description": "1 is Monday."},
        "day": {"description": "Of “monthly”: 1 to 31, or “last”; shorter months clamp to their last day."},
        "cron": {**TEXT, "description": "Of “cron”: five fields; the smallest step is a minute."},
    }
    given: Spec = {
        "params": {"type": "object", "description": "The job's fields, but for files."},
        "when": {"$ref": "#/components/schemas/When"},
        "title": {"type": "string", "maxLength": 120},
        "priority": {"type": "string", "enum": list(wishes.PRIORITIES)},
    }
    files: Spec = {**TEXT, "description": "A run whose params and files are taken over."}
    shown: Spec = {
        "id": TEXT, "kind": TEXT, "title": TEXT, "state": {"type": "string", "enum": list(STATES)}, "stopped": TEXT,
        "when": {"anyOf": [{"$ref": "#/components/schemas/When"}, {"type": "null"}]}, "next_due": TIME,
        "last_run": {"anyOf": [{"$ref": "#/components/schemas/Brief"}, {"type": "null"}]}, "url": TEXT,
    }  # fmt: skip
    more: Spec = {
        "params": {"type": "object"}, "files": {"type": "array", "items": TEXT}, "priority": TEXT,
        "next": {"type": "array", "items": TIME}, "slots": {"type": "array", "items": {"type": "object"}},
    }  # fmt: skip
    make = {**given, "kind": TEXT, "from_run": files}
    return {
        "When": {"type": "object", "properties": times, "required": ["repeat"]},
        "NewSchedule": {"type": "object", "properties": make, "required": ["kind", "when"]},
        "ScheduleChange": {"type": "object", "properties": given},
        "ScheduleBrief": {"type": "object", "properties": shown, "required": list(shown)},
        "Schedule": {"type": "object", "properties": shown | more, "required": [*shown, *more]},
    }


def paths(operation: Any, key: Spec) -> Spec:
    """The routes.

    Args:
        operation: openapi's own maker of an operation.
        key: the Idempotency-Key's parameter.
    """
    one = [{"name": "schedule_id", "in": "path", "required": True, "schema": TEXT}]
    whole = {"$ref": "#/components/schemas/Schedule"}
    listing = {"type": "object", "properties": {"schedules": {"type": "array", "items": _ref("ScheduleBrief")}}}
    bad = (400, 401, 403, 404, 409, 413, 415, 422, 429)
    gone = operation("delete_schedule", "Delete a schedule; its runs stay", {}, one, 204, (401, 403, 404, 409))
    gone["responses"]["204"].pop("content")
    changed = (401, 403, 404, 409)
    run = operation("run_schedule", "Run a schedule now", _ref("Brief"), [*one, key], 202, (*changed, 429))
    return {
        "/api/v1/schedules": {
            "get": operation("schedules", "The workspace’s schedules, the next one first", listing, bad=(401,)),
            "post": operation("make_schedule", "Make a schedule", whole, [key], 201, bad) | _body("NewSchedule"),
        },
        ONE: {
            "get": operation("schedule", "A schedule, its next five times and last slots", whole, one, bad=(401, 404)),
            "patch": operation("change_schedule", "Change a schedule", whole, one, 200, bad) | _body("ScheduleChange"),
            "delete": gone,
        },
        f"{ONE}/pause": {"post": operation("pause_schedule", "Pause a schedule", whole, one, 200, changed)},
        f"{ONE}/resume": {"post": operation("resume_schedule", "Resume a schedule", whole, one, 200, changed)},
        f"{ONE}/run": {"post": run},
    }


def _ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(name: str) -> Spec:
    return {"requestBody": {"content": {"application/json": {"schema": _ref(name)}}}}
