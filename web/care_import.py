"""Pages of ticket imports: an export is handed over, looked at ticket by ticket, written, and taken back."""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.intake import DUPLICATE, NEW, SKIPPED, WRONG, Intake
from models.run import SUCCEEDED, Run
from tasks.care import import_keys, import_undo
from tasks.ticket_import import headers
from web import forms, import_book, submission
from web.current import reading, require_desk
from web.import_steps import Steps
from web.inputs import page_number, time_zones

bp = Blueprint("care_import", __name__, url_prefix="/care/import")
JOB = "ticket_import"
FILTERS = {NEW: "To import", DUPLICATE: "Here already", WRONG: "Wrong", SKIPPED: "Left out"}
CHOICES = ("system", "zone", "policy", "allowed", "clock", "delimiter", "encoding", "dates")


@bp.get("")
@require_desk("lead")
def index() -> ResponseReturnValue:
    return _index({}, {})


@bp.post("")
@require_desk("lead")
def read() -> ResponseReturnValue:
    return STEPS.read()


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
    return _page(intake_id, {}, {})


@bp.post("/<intake_id>/again")
@require_desk("lead")
def again(intake_id: str) -> ResponseReturnValue:
    """Read the file anew, with what was chosen on the preview's page."""
    chosen = {name: request.form.get(name, "").strip() for name in CHOICES if name in request.form}
    return STEPS.again(intake_id, {**chosen, "columns": "|".join(request.form.getlist("role"))})


@bp.post("/<intake_id>/apply")
@require_desk("lead")
def apply(intake_id: str) -> ResponseReturnValue:
    return STEPS.start(intake_id, "apply")


@bp.get("/<intake_id>/undo")
@require_desk("lead")
def ask_undo(intake_id: str) -> ResponseReturnValue:
    """What taking it back would delete, and what somebody touched since."""
    with reading() as session:
        shown = STEPS.find(session, intake_id)
        stay = import_undo.touched(session, intake_id)
    return render_template("care/import/undo.html", shown=shown, intake=shown.intake, stay=stay, states=_states())


@bp.post("/<intake_id>/undo")
@require_desk("lead")
def undo(intake_id: str) -> ResponseReturnValue:
    return STEPS.start(intake_id, "undo")


@bp.post("/<intake_id>/discard")
@require_desk("lead")
def discard(intake_id: str) -> ResponseReturnValue:
    return STEPS.discard(intake_id)


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


def _page(intake_id: str, errors: dict[str, str], chosen: dict[str, str]) -> str:
    state = request.args.get("state", "")
    state = state if state in FILTERS else ""
    after = max(0, min(request.args.get("after", 0, type=int), 10**9))
    with reading() as session:
        shown = STEPS.find(session, intake_id)
        rows = import_book.lines(session, intake_id, state, after)
        asked = session.scalars(select(Run.params).where(Run.id == shown.intake.run_id)).first() or {}
    given = {name: asked.get(name, "") for name in CHOICES} | chosen
    fields = {each.name: each for each in forms.fields(submission.find_job(JOB), given, errors)}
    return render_template(
        "care/import/show.html", shown=shown, intake=shown.intake, counts=shown.intake.counts or {}, rows=rows,
        layout=shown.intake.layout or {}, roles=headers.ROLES, systems=headers.SYSTEMS, filters=FILTERS, state=state,
        after=after, more=rows[-1].number if len(rows) == import_book.SHOWN else None, errors=errors,
        fields=[fields[name] for name in CHOICES], zones=time_zones(), states=_states(), key=submission.new_key(),
    )  # fmt: skip


STEPS = Steps("care_import", JOB, frozenset({import_keys.SUBJECT}), _index, _page, progress="care_import.run")
