"""The JSON API: the same jobs and runs, for programs with a personal token. Described by web/openapi.py."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field, ValidationError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from models.artifact import Artifact, Upload
from models.run import END_STATES, QUEUED, STATES, Run
from tasks import discover
from tasks.handover import Given, Refused, plain
from tasks.job import Job, Params
from web import artifacts, deeds, family, forms, run_view, submission, wishes
from web.current import person, reading, require_role, writing
from web.problems import problem
from workers import enqueue
from workers.enqueue import KeyConflict

bp = Blueprint("api", __name__, url_prefix="/api/v1")
LONGEST_KEY = 100
LONGEST_JSON = 1_000_000
WHO_ASKS = "Send a personal token: “Authorization: Bearer nightshift_…”. Make one on your account page."
DETAILS = {
    403: "This token, or your role in its workspace, is for reading only.",
    404: "There is no such thing in this token's workspace.",
    413: "That is too large; send less at a time.",
    500: "Something broke on our side. Try again in a minute; if it stays, tell who runs this Nightshift.",
}
NO_OBJECT = "The body is no JSON object."
CONFLICT = "This Idempotency-Key was used with other parameters; take a new key."


class Many(Params):
    """The body of `actions`."""

    action: Literal["retry", "again", "cancel", "discard"]
    ids: list[str] = Field(min_length=1, max_length=deeds.MOST)


@bp.before_request
def _token_wanted() -> ResponseReturnValue | None:
    """Cookies are not looked at, so no other site's page can act here."""
    if person():
        return None
    return problem(401, WHO_ASKS, headers={"WWW-Authenticate": 'Bearer realm="Nightshift"'})


@bp.errorhandler(HTTPException)
def _trouble(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    return error.get_response() if code < 400 else problem(code, DETAILS.get(code) or error.description or "")


@bp.errorhandler(Refused)
def _refused(error: Refused) -> ResponseReturnValue:
    return problem(error.status, "Some fields cannot be taken; see errors.", errors=error.errors)


@bp.errorhandler(KeyConflict)
def _conflict(_error: KeyConflict) -> ResponseReturnValue:
    return problem(409, CONFLICT)


@bp.get("/jobs")
def jobs() -> ResponseReturnValue:
    """What can be run."""
    return jsonify(jobs=[_job(job) for job in submission.jobs().values()])


@bp.post("/jobs/<kind>/runs")
@require_role("member")
def submit(kind: str) -> ResponseReturnValue:
    """Hand work over: JSON for fields, multipart/form-data for files."""
    job = submission.find_job(kind)
    with _handed(job) as (values, files):
        own, wished = wishes.split(values)
        run = submission.take(job, own, files, idempotency_key(), wished)
    answer = jsonify(_whole(run.id))
    answer.status_code = 202
    answer.headers["Location"] = url_for("api.show", run_id=run.id)
    return answer


@bp.get("/runs")
def index() -> ResponseReturnValue:
    """The workspace's runs, newest first; `next` leads to the following page."""
    asked = {name: request.args.get(name, "") for name in ("state", "kind", "q", "after")}
    if asked["state"] and asked["state"] not in STATES:
        raise Refused({"state": f"Choose one of {', '.join(STATES)}."})
    runs, following = run_view.listed(state=asked["state"], kind=asked["kind"], text=asked["q"], after=asked["after"])
    more = {name: value for name, value in asked.items() if value} | {"after": following}
    return jsonify(
        runs=[brief(run) for run in runs], next=url_for("api.index", _external=False, **more) if following else None
    )


@bp.get("/runs/<run_id>")
def show(run_id: str) -> ResponseReturnValue:
    """One run with its result, if it has one already. Ask again with If-None-Match while it goes on."""
    with reading() as session:
        found = run_view.live_in(session, run_id)
        response: Response = jsonify(in_full(session, found.run))
    response.set_etag(found.etag, weak=True)
    if found.run.state not in END_STATES:
        response.headers["Retry-After"] = "1"
    return response.make_conditional(request)


@bp.post("/runs/actions")
@require_role("member")
def act() -> ResponseReturnValue:
    """Retry, repeat, cancel or discard up to a hundred runs: what was done, and why the rest was not."""
    body = json_body()
    if not isinstance(body, dict):
        raise Refused({"": NO_OBJECT})
    try:
        asked = Many.model_validate(body)
    except ValidationError as error:
        raise Refused({str((*each["loc"], "")[0]): plain(each) for each in error.errors(include_url=False)}) from error
    return jsonify(deeds.told(deeds.perform(asked.action, asked.ids, _key_of_many())))


@bp.post("/runs/<run_id>/cancel")
@require_role("member")
def cancel(run_id: str) -> ResponseReturnValue:
    """Ask for the end of a run."""
    with writing() as session:
        run_view.find(session, run_id)
        if not enqueue.cancel(session, run_id):
            return problem(409, "This run has ended already, or was cancelled before.")
    return jsonify(_whole(run_id)), 202


@bp.post("/runs/<run_id>/retry")
@require_role("member")
def retry(run_id: str) -> ResponseReturnValue:
    """Put a failed run back."""
    with writing() as session:
        submission.find_job((run := run_view.find(session, run_id)).kind)
        if not deeds.put_back(session, run):
            return problem(409, "Only a run that has failed can be tried again.")
    return jsonify(_whole(run_id)), 202


@bp.get("/runs/<run_id>/artifacts/<artifact_id>")
def download(run_id: str, artifact_id: str) -> ResponseReturnValue:
    """An artifact's bytes."""
    return artifacts.send(artifacts.find(run_id, artifact_id), as_attachment=True)


@contextmanager
def _handed(job: Job) -> Iterator[tuple[dict[str, Any], Given]]:
    """The request's fields and files. Fields that the job does not have are kept, so that they are told of."""
    if request.mimetype == "application/json":
        body = json_body()
        if not isinstance(body, dict):
            raise Refused({"": NO_OBJECT})
        yield body, {}
    elif request.mimetype in ("multipart/form-data", "application/x-www-form-urlencoded"):
        if unknown := set(request.files) - set(job.file_fields()):
            raise Refused(dict.fromkeys(sorted(unknown), "There is no such field of files; leave it out."))
        after = {"after": listed} if (listed := request.form.getlist("after")) else {}
        with forms.received(job, request.files) as files:
            yield forms.read_all(job, request.form) | after, files
    elif not request.content_length:
        yield {}, {}
    else:
        raise Refused({"": "Send application/json, or multipart/form-data when there are files."}, 415)


def json_body() -> Any:
    """The body as JSON; None when it is none. Few bytes of it can be many objects, so it is held much shorter."""
    request.max_content_length = LONGEST_JSON
    try:
        body = request.get_json(silent=True)
        json.dumps(body, ensure_ascii=False).encode()  # half a sign ("\\ud800") is JSON, and no text that can be kept
    except (RecursionError, UnicodeEncodeError):  # or nested a thousand deep
        return None
    return body


def idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Refused({"": f"An Idempotency-Key has at most {LONGEST_KEY} printable characters."}, 400)
    return f"api:{key}" if key else None


def _key_of_many() -> str | None:
    """Each run that is made has a key of its own, the request's and the run's: it has to be short."""
    key = idempotency_key()
    return f"api:{hashlib.sha256(key.encode()).hexdigest()[:40]}" if key else None


def _job(job: Job) -> dict[str, Any]:
    return {
        "kind": job.kind,
        "title": job.title,
        "summary": job.summary,
        "params": job.params.model_json_schema(),
        "runs_url": url_for("api.submit", kind=job.kind),
    }


def brief(run: Run) -> dict[str, Any]:
    """A run as lists tell it. Times are ISO 8601 in UTC."""
    return {
        "id": run.id,
        "kind": run.kind,
        "state": run.state,
        "progress": round(run.progress, 4),
        "message": run.message,
        "summary": run.summary,
        "headline": run.headline,
        "error": run.error,
        "attempt": run.attempt,
        "priority": wishes.word(run.priority),
        "queue": run.queue,
        "created_at": iso(run.created_at),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "url": url_for("api.show", run_id=run.id),
    }


def in_full(session: Session, run: Run) -> dict[str, Any]:
    """A run with what was asked, what was found and what it left: one object with `kind` and `result`."""
    job = discover().get(run.kind)
    hidden = job.file_fields() if job else []
    kin = family.family(session, run)
    parts = family.parts(session, run)
    return brief(run) | {
        "due_at": iso(run.due_at) if run.state == QUEUED else None,
        "after": [each.id for each in kin.needs],
        "then": [each.id for each in kin.followers],
        "parent": run.parent_id,
        "repeats": run.origin_id,
        "parts": {"total": parts.total, "done": round(parts.share, 4), "states": parts.counts} if parts else None,
        "params": {name: value for name, value in run.params.items() if name not in hidden},
        "files": [_file(upload) for upload in run_view.uploads_of(session, run.id)],
        "result": run.result,
        "artifacts": [_artifact(each) for each in run_view.artifacts_of(session, run.id)],
    }


def iso(milliseconds: int | None) -> str | None:
    """2026-01-31T23:59:59.123Z"""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _file(upload: Upload) -> dict[str, Any]:
    told = {"field": upload.field, "name": upload.name, "media_type": upload.media_type, "size": upload.size}
    return told | {"kept": upload.deleted_at is None}


def _artifact(artifact: Artifact) -> dict[str, Any]:
    url = url_for("api.download", run_id=artifact.run_id, artifact_id=artifact.id)
    told = {"name": artifact.name, "title": artifact.title, "media_type": artifact.media_type, "size": artifact.size}
    return told | {"url": url}


def _whole(run_id: str) -> dict[str, Any]:
    with reading() as session:
        return in_full(session, run_view.find(session, run_id))
