"""Pages of ticket imports: an export is handed over, looked at ticket by ticket, written, and taken back."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.intake import DUPLICATE, NEW, SKIPPED, WRONG, Intake
from models.run import SUCCEEDED, Run
from tasks.care import import_keys, import_undo
from tasks.handover import Refused
from tasks.ticket_import import headers
from web import forms, import_book, submission
from web.current import reading, require_desk
from web.import_book import Shown
from web.inputs import page_number, time_zones
from workers.enqueue import KeyConflict

bp = Blueprint("care_import", __name__, url_prefix="/care/import")
JOB = "ticket_import"
FILTERS = {NEW: "To import", DUPLICATE: "Here already", WRONG: "Wrong", SKIPPED: "Left out"}
CHOICES = ("system", "zone", "policy", "allowed", "clock", "delimiter", "encoding", "dates")
SENT_ALREADY = "This form was sent before, with other values. Look through it and send it again."
FORGOT = "The preview is gone; nothing of it was written."


@bp.get("")
@require_desk("lead")
def index() -> ResponseReturnValue:
    return _index({}, {})


@bp.post("")
@require_desk("lead")
def read() -> ResponseReturnValue:
    """Hand a file over; a page shows how far the reading is."""
    job = submission.find_job(JOB)
    values = forms.read(job, request.form)
    try:
        with forms.received(job, request.files) as files:
            return _to(submission.take(job, values, files, submission.form_key()))
    except Refused as error:
        return _index(values, error.errors), error.status
    except KeyConflict:
        return _index(values, {"": SENT_ALREADY}), 409


@bp.get("/run/<run_id>")
@require_desk("lead")
def run(run_id: str) -> ResponseReturnValue:
    """How far a step is; leads do not see the workspace's runs. Once it is done, the import's own page."""
    with reading() as session:
        found = session.scalars(select(Run).where(Run.id == run_id, Run.kind.in_((JOB, import_book.STEP)))).first()
        if found is None or not _of_tickets(session, found):
            abort(404)
    if found.state == SUCCEEDED and found.result:
        return redirect(url_for("care_import.show", intake_id=found.result["intake"]), 303)
    return render_template("care/import/run.html", run=found)


def _of_tickets(session: Session, found: Run) -> bool:
    """Whether a step is one of ours: the same job writes the workspace's other imports."""
    if found.kind == JOB:
        return True
    mine = select(Intake.id).where(Intake.id == found.params.get("intake", ""), Intake.subject == import_keys.SUBJECT)
    return session.scalar(mine) is not None


@bp.get("/<intake_id>")
@require_desk("lead")
def show(intake_id: str) -> ResponseReturnValue:
    return _page(intake_id, {})


@bp.post("/<intake_id>/again")
@require_desk("lead")
def again(intake_id: str) -> ResponseReturnValue:
    """Read the file anew, with what was chosen on the preview's page."""
    _only_ours(intake_id)
    chosen = {name: request.form.get(name, "").strip() for name in CHOICES if name in request.form}
    chosen["columns"] = "|".join(request.form.getlist("role"))
    try:
        return _to(import_book.again(intake_id, chosen, submission.form_key(), JOB))
    except Refused as error:
        return _page(intake_id, error.errors, chosen), error.status
    except KeyConflict:
        return _page(intake_id, {"": SENT_ALREADY}, chosen), 409


@bp.post("/<intake_id>/apply")
@require_desk("lead")
def apply(intake_id: str) -> ResponseReturnValue:
    return _step(intake_id, "apply")


@bp.get("/<intake_id>/undo")
@require_desk("lead")
def ask_undo(intake_id: str) -> ResponseReturnValue:
    """What taking it back would delete, and what somebody touched since."""
    with reading() as session:
        shown = _find(session, intake_id)
        stay = import_undo.touched(session, intake_id)
    return render_template("care/import/undo.html", shown=shown, intake=shown.intake, stay=stay, states=_states())


@bp.post("/<intake_id>/undo")
@require_desk("lead")
def undo(intake_id: str) -> ResponseReturnValue:
    return _step(intake_id, "undo")


@bp.post("/<intake_id>/discard")
@require_desk("lead")
def discard(intake_id: str) -> ResponseReturnValue:
    _only_ours(intake_id)
    try:
        import_book.discard(intake_id)
    except Refused as error:
        return _back(intake_id, error)
    flash(FORGOT, "success")
    return redirect(url_for("care_import.index"), 303)


def _step(intake_id: str, action: str) -> ResponseReturnValue:
    _only_ours(intake_id)
    try:
        return _to(import_book.start(intake_id, action, False, None))
    except Refused as error:
        return _back(intake_id, error)


def _find(session: Session, intake_id: str) -> Shown:
    shown = import_book.shown(session, intake_id)
    return shown if shown.intake.subject == import_keys.SUBJECT else abort(404)


def _only_ours(intake_id: str) -> None:
    with reading() as session:
        _find(session, intake_id)


def _back(intake_id: str, error: Refused) -> ResponseReturnValue:
    flash(" ".join(error.errors.values()), "warning")
    return redirect(url_for("care_import.show", intake_id=intake_id), 303)


def _to(started: Run) -> ResponseReturnValue:
    return redirect(url_for("care_import.run", run_id=started.id), 303)


def _states() -> dict[str, str]:
    return import_book.STATES


def _index(values: dict[str, Any], errors: dict[str, str]) -> str:
    job = submission.find_job(JOB)
    page = page_number()
    with reading() as session:
        found, pages = import_book.listed(session, page, Intake.subject == import_keys.SUBJECT)
    fields = {each.name: each for each in forms.fields(job, values, errors)}
    return render_template(
        "care/import/index.html", found=found, page=page, pages=pages, fields=fields, errors=errors,
        rest=[fields[name] for name in CHOICES], zones=time_zones(), states=_states(), key=submission.new_key(),
        whole=[text for name, text in errors.items() if name not in fields],
    )  # fmt: skip


def _page(intake_id: str, errors: dict[str, str], chosen: dict[str, str] | None = None) -> str:
    state = request.args.get("state", "")
    state = state if state in FILTERS else ""
    after = max(0, min(request.args.get("after", 0, type=int), 10**9))
    with reading() as session:
        shown = _find(session, intake_id)
        rows = import_book.lines(session, intake_id, state, after)
        asked = session.scalars(select(Run.params).where(Run.id == shown.intake.run_id)).first() or {}
    given = {name: asked.get(name, "") for name in CHOICES} | (chosen or {})
    fields = {each.name: each for each in forms.fields(submission.find_job(JOB), given, errors)}
    return render_template(
        "care/import/show.html", shown=shown, intake=shown.intake, counts=shown.intake.counts or {}, rows=rows,
        layout=shown.intake.layout or {}, roles=headers.ROLES, systems=headers.SYSTEMS, filters=FILTERS, state=state,
        after=after, more=rows[-1].number if len(rows) == import_book.SHOWN else None, errors=errors,
        fields=[fields[name] for name in CHOICES], zones=time_zones(), states=_states(), key=submission.new_key(),
    )  # fmt: skip
