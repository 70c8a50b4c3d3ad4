"""The API's description (OpenAPI 3.1), made from the same Params and Results as the forms; and a page of it to read."""

from typing import Any

from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue
from pydantic.json_schema import models_json_schema

from models.run import STATES
from tasks import discover
from tasks.job import Job
from web import (
    api_alerts,
    api_budgets,
    api_tariffs,
    deeds,
    openapi_expenses,
    openapi_imports,
    openapi_meters,
    openapi_schedules,
    openapi_stock,
    openapi_tickets,
    submission,
    wishes,
)
from web.current import desk_too, public, runtime
from web.problems import MEDIA_TYPE

Spec = dict[str, Any]
bp = Blueprint("openapi", __name__)
TEXT: Spec = {"type": "string"}
COUNT: Spec = {"type": "integer", "minimum": 0}
TIME: Spec = {"type": ["string", "null"], "format": "date-time"}
KEY: Spec = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 100},
    "description": "The same key gives the same run back, however often the request is sent.",
}
FILTERS = {
    "state": ({"type": "string", "enum": list(STATES)}, "Only runs in this state."),
    "kind": (TEXT, "Only runs of this job."),
    "q": (TEXT, "A part of the summary or headline, or the beginning of the id."),
    "after": (TEXT, "The id after which the page begins; `next` holds the whole address."),
}


@bp.get("/api/v1/openapi.json")
@public
def description() -> ResponseReturnValue:
    return jsonify(describe())


@bp.get("/api")
@desk_too
def page() -> ResponseReturnValue:
    """The same for people."""
    routes = [(method, path, each) for path, item in describe()["paths"].items() for method, each in item.items()]
    return render_template(
        "runs/api.html",
        routes=routes,
        jobs=list(submission.jobs().values()),
        origin=runtime().origin,
        most=runtime().settings.api_per_minute,
    )


def describe() -> Spec:
    """The whole description."""
    jobs = [job for job in discover().values() if job.audience != "machinery"]
    schemas = _schemas(jobs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Nightshift",
            "version": "1",
            "description": "Hand work over, follow it, read the result.",
        },
        "servers": [{"url": runtime().origin}],
        "security": [{"token": []}],
        "paths": _paths(jobs),
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A personal token."}},
        },
    }


def _schemas(jobs: list[Job]) -> Spec:
    """All schemas by name: each job's Params and Result, and what is made of them."""
    wanted: list[Any] = []
    for job in jobs:
        wanted += [(job.params, "validation"), (job.result, "serialization")]
    found, definitions = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    names = {
        job.kind: (found[(job.params, "validation")]["$ref"], found[(job.result, "serialization")]["$ref"])
        for job in jobs
    }
    schemas: Spec = definitions.get("$defs", {}) | {"Problem": _problem(), "Brief": _brief()} | _many()
    schemas |= (
        openapi_schedules.schemas()
        | openapi_expenses.schemas()
        | api_budgets.schemas()
        | openapi_imports.schemas()
        | api_alerts.schemas()
        | openapi_stock.schemas()
        | api_tariffs.schemas()
        | openapi_meters.schemas()
        | openapi_tickets.schemas()
    )
    for job in jobs:
        schemas[f"Run_{job.kind}"] = _run(job.kind, names[job.kind][1])
        schemas[f"New_{job.kind}"] = new = _wished(schemas[names[job.kind][0].rsplit("/", 1)[-1]])
        if job.file_fields():
            schemas[f"Form_{job.kind}"] = _multipart(job, new)
    every = [f"#/components/schemas/Run_{job.kind}" for job in jobs]
    mapping = {job.kind: ref for job, ref in zip(jobs, every, strict=True)}
    schemas["Run"] = {
        "oneOf": [{"$ref": ref} for ref in every],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    return schemas


def _brief() -> Spec:
    properties = {
        "id": TEXT, "kind": TEXT, "state": {"type": "string", "enum": list(STATES)},
        "progress": {"type": "number", "minimum": 0, "maximum": 1}, "message": TEXT, "summary": TEXT, "headline": TEXT,
        "error": {"type": ["string", "null"]}, "attempt": COUNT, "queue": TEXT,
        "priority": {"type": "string", "enum": list(wishes.PRIORITIES)}, "created_at": TIME, "started_at": TIME,
        "finished_at": TIME, "url": TEXT,
    }  # fmt: skip
    return {"type": "object", "properties": properties, "required": list(properties)}


def _many() -> Spec:
    """What `actions` takes and answers."""
    ids = {"type": "array", "items": TEXT, "minItems": 1, "maxItems": deeds.MOST}
    done = {
        "id": TEXT,
        "url": {"type": ["string", "null"], "description": "The run to look at; of “again” the new one."},
    }
    refused = {"id": TEXT, "reason": TEXT}
    return {
        "Action": _object({"action": {"type": "string", "enum": list(deeds.DONE)}, "ids": ids}),
        "Done": _object({"action": TEXT, "done": _listed(done), "refused": _listed(refused)}),
    }


def _object(properties: Spec) -> Spec:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _listed(properties: Spec) -> Spec:
    return {"type": "array", "items": _object(properties)}


def _run(kind: str, result: str) -> Spec:
    file = {"field": TEXT, "name": TEXT, "media_type": TEXT, "size": COUNT, "kept": {"type": "boolean"}}
    artifact = {"name": TEXT, "title": TEXT, "media_type": TEXT, "size": COUNT, "url": TEXT}
    share = {"type": "number", "minimum": 0, "maximum": 1}
    parts = {"total": COUNT, "done": share, "states": {"type": "object", "additionalProperties": COUNT}}
    more = {
        "kind": {"const": kind},
        "due_at": TIME,
        "after": {"type": "array", "items": TEXT, "description": "The runs that it waits for."},
        "then": {"type": "array", "items": TEXT, "description": "The runs that wait for it."},
        "parent": {"type": ["string", "null"], "description": "The run that it is a part of."},
        "repeats": {"type": ["string", "null"], "description": "The run that it repeats."},
        "parts": {"anyOf": [_object(parts), {"type": "null"}]},
        "params": {"type": "object"},
        "files": {"type": "array", "items": {"type": "object", "properties": file}},
        "result": {"anyOf": [{"$ref": result}, {"type": "null"}]},
        "artifacts": {"type": "array", "items": {"type": "object", "properties": artifact}},
    }
    whole = {"type": "object", "properties": more, "required": list(more)}
    return {"allOf": [{"$ref": "#/components/schemas/Brief"}, whole]}


def _wished(params: Spec) -> Spec:
    """A job's own fields, and what may be said of every run."""
    after = {"type": "array", "items": TEXT, "description": "Ids of the runs that must be done first."}
    priority = {"type": "string", "enum": list(wishes.PRIORITIES), "description": "“high” is for administrators."}
    return {**params, "properties": {**params.get("properties", {}), "priority": priority, "after": after}}


def _multipart(job: Job, params: Spec) -> Spec:
    """Params as a form posts them: files are bytes and not the ids they become."""
    properties = {name: dict(part) for name, part in params["properties"].items()}
    for name in job.file_fields():
        properties[name] |= {"items": {"type": "string", "contentMediaType": "application/octet-stream"}}
    return {**params, "properties": properties}


def _problem() -> Spec:
    properties = {"type": TEXT, "title": TEXT, "status": COUNT, "detail": TEXT}
    errors = {"type": "object", "additionalProperties": TEXT, "description": "A message for each field at fault."}
    return {"type": "object", "properties": {**properties, "errors": errors}, "required": list(properties)}


def _paths(jobs: list[Job]) -> Spec:
    run_id, artifact_id = _in_path("run_id"), _in_path("artifact_id")
    filters = [
        {"name": name, "in": "query", "schema": kind, "description": text} for name, (kind, text) in FILTERS.items()
    ]
    listing = {
        "type": "object",
        "properties": {"runs": {"type": "array", "items": _ref("Brief")}, "next": {"type": ["string", "null"]}},
    }
    catalogue = {"type": "object", "properties": {"jobs": {"type": "array", "items": {"type": "object"}}}}
    one = "/api/v1/runs/{run_id}"
    fixed: Spec = {
        "/api/v1/jobs": {"get": _operation("jobs", "What can be run", catalogue)},
        "/api/v1/runs": {"get": _operation("runs", "The workspace’s runs, newest first", listing, filters)},
        one: {"get": _operation("run", "One run, with its result at the end", _ref("Run"), [run_id])},
        "/api/v1/runs/actions": {"post": _act()},
        f"{one}/cancel": {"post": _change("cancel", "Ask for the end of a run", [run_id])},
        f"{one}/retry": {"post": _change("retry", "Put a failed run back", [run_id])},
        f"{one}/artifacts/{{artifact_id}}": {"get": _download([run_id, artifact_id])},
    }
    return (
        {f"/api/v1/jobs/{job.kind}/runs": {"post": _submit(job)} for job in jobs}
        | fixed
        | openapi_schedules.paths(_operation, KEY)
        | openapi_expenses.paths(_operation, KEY)
        | api_budgets.paths(_operation)
        | openapi_imports.paths(_operation, KEY)
        | api_alerts.paths(_operation)
        | openapi_stock.paths(_operation, KEY)
        | api_tariffs.paths(_operation)
        | openapi_meters.paths(_operation)
        | openapi_tickets.paths(_operation, KEY)
    )


def _submit(job: Job) -> Spec:
    content: Spec = {}
    if job.file_fields():
        content["multipart/form-data"] = {"schema": _ref(f"Form_{job.kind}")}
    if not any(job.params.model_fields[name].is_required() for name in job.file_fields()):
        content["application/json"] = {"schema": _ref(f"New_{job.kind}")}
    operation = _operation(
        f"submit_{job.kind}", job.title, _ref(f"Run_{job.kind}"), [KEY], 202, (400, 401, 403, 409, 413, 415, 422)
    )
    operation["responses"]["202"]["headers"] = {"Location": {"schema": TEXT, "description": "Where to follow the run."}}
    return {**operation, "description": job.summary, "requestBody": {"content": content}}


def _act() -> Spec:
    operation = _operation("actions", "Do one thing to many runs", _ref("Done"), [KEY], bad=(401, 403, 413, 422))
    body = {"required": True, "content": {"application/json": {"schema": _ref("Action")}}}
    return {**operation, "description": "`discard` deletes ended runs for good.", "requestBody": body}


def _change(name: str, summary: str, parameters: list[Spec]) -> Spec:
    return _operation(name, summary, _ref("Run"), parameters, 202, (401, 403, 404, 409))


def _download(parameters: list[Spec]) -> Spec:
    operation = _operation("artifact", "A file that a run left", {}, parameters, bad=(401, 404, 410))
    operation["responses"]["200"]["content"] = {"application/octet-stream": {}}
    return operation


def _operation(
    name: str,
    summary: str,
    schema: Spec,
    parameters: list[Spec] | None = None,
    status: int = 200,
    bad: tuple[int, ...] = (401, 404, 422),
) -> Spec:
    answers: Spec = {str(status): {"description": summary, "content": {"application/json": {"schema": schema}}}}
    for code in (*bad, 429):
        answers[str(code)] = {
            "description": "What is wrong and what to do",
            "content": {MEDIA_TYPE: {"schema": _ref("Problem")}},
        }
    return {"operationId": name, "summary": summary, "parameters": parameters or [], "responses": answers}


def _in_path(name: str) -> Spec:
    return {"name": name, "in": "path", "required": True, "schema": TEXT}


def _ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}
