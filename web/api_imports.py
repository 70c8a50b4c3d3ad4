"""The API's imports: routes of web/api.py's own blueprint, and their part of the description.

A file is handed over as to any job: POST /api/v1/jobs/importing/runs. Its result names the import that these lead to.
"""

from typing import Any

from flask import jsonify, request, url_for
from flask.typing import ResponseReturnValue

from models.intake import DUPLICATE, NEW, SKIPPED, WRONG, Intake, IntakeLine
from tasks.handover import Refused
from web import import_book
from web.api import NO_OBJECT, bp, brief, idempotency_key, iso, json_body
from web.current import reading, require_role
from web.import_book import Shown
from web.inputs import page_number

MOST_LINES = 500
STATES = (NEW, DUPLICATE, WRONG, SKIPPED)


@bp.get("/imports")
def imports() -> ResponseReturnValue:
    """The workspace's imports, newest first, 25 a page."""
    page = page_number()
    with reading() as session:
        found, pages = import_book.listed(session, page)
        after = url_for("api.imports", page=page + 1) if page < pages else None
        return jsonify(imports=[_brief(each, each.state) for each in found], next=after)


@bp.get("/imports/<intake_id>")
def show_import(intake_id: str) -> ResponseReturnValue:
    """One import: how its file was read, and how many lines are what."""
    return jsonify(_whole(intake_id))


@bp.get("/imports/<intake_id>/lines")
def import_lines(intake_id: str) -> ResponseReturnValue:
    """Lines with what they become, or what is wrong with them; `after` is the last number that was seen."""
    state = request.args.get("state", "")
    if state and state not in STATES:
        raise Refused({"state": f"Choose one of {', '.join(STATES)}."})
    after = max(0, min(request.args.get("after", 0, type=int), 10**9))
    with reading() as session:
        import_book.find(session, intake_id)
        rows = import_book.lines(session, intake_id, state, after, MOST_LINES)
    following = None
    if len(rows) == MOST_LINES:
        following = url_for("api.import_lines", intake_id=intake_id, state=state or None, after=rows[-1].number)
    return jsonify(lines=[_line(row) for row in rows], next=following)


@bp.post("/imports/<intake_id>/apply")
@require_role("member")
def apply_import(intake_id: str) -> ResponseReturnValue:
    """Write its new lines; asked again while that goes on, it is the same run."""
    run = import_book.start(intake_id, "apply", also=False, key=idempotency_key())
    return jsonify(brief(run)), 202


@bp.post("/imports/<intake_id>/undo")
@require_role("member")
def undo_import(intake_id: str) -> ResponseReturnValue:
    """Take it back; with `also`, what somebody changed since goes as well."""
    body = json_body() if request.content_length else {}
    if not isinstance(body, dict) or not isinstance(body.get("also", False), bool):
        raise Refused({"": NO_OBJECT})
    run = import_book.start(intake_id, "undo", also=body.get("also", False), key=idempotency_key())
    return jsonify(brief(run)), 202


@bp.delete("/imports/<intake_id>")
@require_role("member")
def delete_import(intake_id: str) -> ResponseReturnValue:
    """A preview goes; what was imported is undone instead."""
    import_book.discard(intake_id)
    return "", 204


def _brief(intake: Intake, state: str) -> dict[str, Any]:
    counts = intake.counts or {}
    return {
        "id": intake.id,
        "subject": intake.subject,
        "file": intake.name,
        "state": state,
        "counts": {name: counts.get(name, 0) for name in (*STATES, "written", "deleted", "kept")},
        "created_at": iso(intake.created_at),
        "applied_at": iso(intake.applied_at),
        "undone_at": iso(intake.undone_at),
        "url": url_for("api.show_import", intake_id=intake.id),
    }


def _whole(intake_id: str) -> dict[str, Any]:
    with reading() as session:
        shown: Shown = import_book.shown(session, intake_id)
        told = _brief(shown.intake, shown.state)
        layout = shown.intake.layout or {}
        run = brief(shown.run) if shown.run else None
    columns = [{"title": each["title"], "role": each["role"]} for each in layout.get("columns", ())]
    read = {name: layout.get(name) for name in ("form", "encoding", "delimiter", "decimal", "dates", "ambiguous")}
    return told | {"read": read, "columns": columns, "made": (shown.intake.counts or {}).get("made", {}), "run": run}


def _line(row: IntakeLine) -> dict[str, Any]:
    hidden = ("key", "n")
    what = {name: value for name, value in row.what.items() if name not in hidden} if row.what else None
    return {"number": row.number, "state": row.state, "what": what, "reason": row.reason}
