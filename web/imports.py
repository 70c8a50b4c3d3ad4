"""Pages of imports: a file is handed over, looked at line by line, written, and taken back."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models.intake import DUPLICATE, NEW, SKIPPED, WRONG, Intake
from models.run import Run
from tasks.handover import Refused
from tasks.importing import presets
from tasks.importing.job import HOLDS
from tasks.importing.layout import ROLES
from web import forms, import_book, import_view, submission
from web.current import reading, require_role
from web.inputs import page_number
from workers.enqueue import KeyConflict

bp = Blueprint("imports", __name__)
FILTERS = {NEW: "New", DUPLICATE: "Known", WRONG: "Wrong", SKIPPED: "Left out"}
CHOICES = ("preset", "delimiter", "encoding", "decimal", "dates", "header", "account", "currency")
SENT_ALREADY = "This form was sent before, with other values. Look through it and send it again."
READINGS = "readings"  # the subject of meter files
TICKETS = "tickets"  # the subject of other help desks' exports
FORGOT = "The preview is gone; nothing of it was written."


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {"import_states": import_book.STATES, "import_holds": HOLDS}


@bp.get("/imports")
def index() -> ResponseReturnValue:
    return _index(None, {})


@bp.post("/imports")
@require_role("member")
def read() -> ResponseReturnValue:
    """Hand a file over; its run shows how far the reading is."""
    job = import_book.job_that_reads()
    values = forms.read(job, request.form)
    try:
        with forms.received(job, request.files) as files:
            return _to(submission.take(job, values, files, submission.form_key()))
    except Refused as error:
        return _index(values, error.errors), error.status
    except KeyConflict:
        return _index(values, {"": SENT_ALREADY}), 409


@bp.get("/imports/<intake_id>")
def show(intake_id: str) -> ResponseReturnValue:
    with reading() as session:
        if import_book.find(session, intake_id).subject == READINGS:  # meter files have pages of their own
            return redirect(url_for("readings_import.show", file_id=intake_id), 303)
        if import_book.find(session, intake_id).subject == TICKETS:
            return redirect(url_for("care_import.show", intake_id=intake_id), 303)
    return _page(intake_id, {})


@bp.post("/imports/<intake_id>/again")
@require_role("member")
def again(intake_id: str) -> ResponseReturnValue:
    """Read the file anew, with what was chosen on the preview's page."""
    chosen = {name: request.form.get(name, "") for name in CHOICES if name in request.form}
    roles = request.form.getlist("role")
    if roles and not chosen.get("preset"):
        chosen["columns"] = "|".join(roles)
    try:
        return _to(import_book.again(intake_id, {"columns": "", **chosen}, submission.form_key()))
    except Refused as error:
        return _page(intake_id, error.errors, chosen), error.status
    except KeyConflict:
        return _page(intake_id, {"": SENT_ALREADY}, chosen), 409


@bp.post("/imports/<intake_id>/apply")
@require_role("member")
def apply(intake_id: str) -> ResponseReturnValue:
    return _step(intake_id, "apply")


@bp.get("/imports/<intake_id>/undo")
@require_role("member")
def ask_undo(intake_id: str) -> ResponseReturnValue:
    """What taking it back would delete, and what somebody changed since."""
    with reading() as session:
        shown = import_book.shown(session, intake_id)
        there, changed = import_book.to_undo(session, shown.intake) if shown.intake.subject == "expenses" else (0, 0)
    return render_template("imports/undo.html", shown=shown, intake=shown.intake, there=there, changed=changed)


@bp.post("/imports/<intake_id>/undo")
@require_role("member")
def undo(intake_id: str) -> ResponseReturnValue:
    return _step(intake_id, "undo", also=request.form.get("also") == "yes")


@bp.post("/imports/<intake_id>/discard")
@require_role("member")
def discard(intake_id: str) -> ResponseReturnValue:
    try:
        import_book.discard(intake_id)
    except Refused as error:
        return _back(intake_id, error)
    flash(FORGOT, "success")
    return redirect(url_for("imports.index"), 303)


def _step(intake_id: str, action: str, also: bool = False) -> ResponseReturnValue:
    try:
        return _to(import_book.start(intake_id, action, also, None))
    except Refused as error:
        return _back(intake_id, error)


def _back(intake_id: str, error: Refused) -> ResponseReturnValue:
    flash(" ".join(error.errors.values()), "warning")
    return redirect(url_for("imports.show", intake_id=intake_id), 303)


def _to(run: Run) -> ResponseReturnValue:
    return redirect(url_for("runs.show", run_id=run.id), 303)


def _index(values: dict[str, Any] | None, errors: dict[str, str]) -> str:
    job = import_book.job_that_reads()
    page = page_number()
    given = values if values is not None else import_view.asked(job, request.args)
    with reading() as session:
        intakes, pages = import_book.listed(session, page, Intake.subject.not_in((READINGS, TICKETS)))
        accounts = import_book.accounts(session)
    fields = {each.name: each for each in forms.fields(job, given, errors)}
    return render_template(
        "imports/index.html",
        job=job,
        intakes=intakes,
        page=page,
        pages=pages,
        accounts=accounts,
        fields=fields,
        errors=errors,
        whole=[text for name, text in errors.items() if name not in fields],
        presets=presets.known().values(),
        key=submission.new_key(),
    )


def _page(intake_id: str, errors: dict[str, str], chosen: dict[str, str] | None = None) -> str:
    state = request.args.get("state", "")
    state = state if state in FILTERS else ""
    after = max(0, min(request.args.get("after", 0, type=int), 10**9))
    with reading() as session:
        shown = import_book.shown(session, intake_id)
        rows = import_book.lines(session, intake_id, state, after)
        accounts = import_book.accounts(session)
    layout = shown.intake.layout or {}
    return render_template(
        "imports/show.html",
        shown=shown,
        intake=shown.intake,
        layout=layout,
        rows=rows,
        more=rows[-1].number if len(rows) == import_book.SHOWN else None,
        after=after,
        state=state,
        filters=FILTERS,
        cells=import_view.columns(shown.intake.subject),
        roles=ROLES[shown.intake.subject],
        told=import_view.told(shown),
        choices=import_view.choices(layout, chosen or {}),
        presets=import_view.presets_for(layout),
        accounts=accounts,
        errors=errors,
        key=submission.new_key(),
    )
