"""Pages of meter files: handed over, looked into, brought in by the rules that were chosen, and taken back."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.intake import Intake
from models.meter import Meter
from models.run import Run
from tasks.handover import Refused
from tasks.metering.files.found import ROLES
from web import forms, import_book, submission
from web.current import reading, require_role
from web.import_book import Shown
from web.inputs import page_number, time_zones
from web.readings_view import CHOICES, ORDER, SUBJECT, facts, questions, shared, span
from workers.enqueue import KeyConflict

bp = Blueprint("readings_import", __name__, url_prefix="/energy/import")
JOB = "readings"
MOST_METERS = 500  # that can be chosen among in a list
SENT_ALREADY = "This form was sent before, with other values. Look through it and send it again."
FORGOT = "What was found is forgotten; nothing of it was written."


@bp.get("")
def index() -> ResponseReturnValue:
    return _index(None, {})


@bp.post("")
@require_role("member")
def look() -> ResponseReturnValue:
    """Hand a file over; its run shows how far the reading is."""
    job = submission.find_job(JOB)
    values = forms.read(job, request.form)
    try:
        with forms.received(job, request.files) as files:
            return _to(submission.take(job, values, files, submission.form_key()))
    except Refused as error:
        return _index(values, error.errors), error.status
    except KeyConflict:
        return _index(values, {"": SENT_ALREADY}), 409


@bp.get("/<file_id>")
def show(file_id: str) -> ResponseReturnValue:
    return _page(file_id, {})


@bp.post("/<file_id>/again")
@require_role("member")
def again(file_id: str) -> ResponseReturnValue:
    """Read the same file once more, by the rules and for the meters that were chosen."""
    with reading() as session:
        before = [column["role"] for column in (_find(session, file_id).intake.layout or {}).get("columns", ())]
    chosen = {name: request.form.get(name, "").strip() for name in CHOICES if name in request.form}
    roles = request.form.getlist("role")
    if roles and roles != before:  # then its meters may be others
        chosen |= {"columns": "|".join(roles), "targets": ""}
    elif targets := request.form.getlist("target"):
        chosen["targets"] = "|".join(targets)
    try:
        return _to(import_book.again(file_id, chosen, submission.form_key(), JOB))
    except Refused as error:
        return _page(file_id, error.errors, chosen), error.status
    except KeyConflict:
        return _page(file_id, {"": SENT_ALREADY}, chosen), 409


@bp.post("/<file_id>/apply")
@require_role("member")
def apply(file_id: str) -> ResponseReturnValue:
    return _step(file_id, "apply")


@bp.get("/<file_id>/undo")
@require_role("member")
def ask_undo(file_id: str) -> ResponseReturnValue:
    with reading() as session:
        shown = _find(session, file_id)
    return render_template("readings/undo.html", shown=shown, intake=shown.intake, counts=shown.intake.counts or {})


@bp.post("/<file_id>/undo")
@require_role("member")
def undo(file_id: str) -> ResponseReturnValue:
    return _step(file_id, "undo")


@bp.post("/<file_id>/discard")
@require_role("member")
def discard(file_id: str) -> ResponseReturnValue:
    _only_mine(file_id)
    try:
        import_book.discard(file_id)
    except Refused as error:
        return _back(file_id, error)
    flash(FORGOT, "success")
    return redirect(url_for("readings_import.index"), 303)


def _step(file_id: str, action: str) -> ResponseReturnValue:
    with reading() as session:
        shown = _find(session, file_id)
    if action == "apply" and (shown.intake.layout or {}).get("asks"):
        return _page(file_id, {"": "Choose first what is marked below, and read the file again."}), 422
    try:
        return _to(import_book.start(file_id, action, False, None))
    except Refused as error:
        return _back(file_id, error)


def _find(session: Session, file_id: str) -> Shown:
    shown = import_book.shown(session, file_id)
    return shown if shown.intake.subject == SUBJECT else abort(404)


def _only_mine(file_id: str) -> None:
    with reading() as session:
        _find(session, file_id)


def _back(file_id: str, error: Refused) -> ResponseReturnValue:
    flash(" ".join(error.errors.values()), "warning")
    return redirect(url_for("readings_import.show", file_id=file_id), 303)


def _to(run: Run) -> ResponseReturnValue:
    return redirect(url_for("runs.show", run_id=run.id), 303)


def _meters(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(Meter.id, Meter.name).where(Meter.archived.is_(False)).order_by(Meter.name))
    return [(row.id, row.name) for row in rows.fetchmany(MOST_METERS)]


def _index(values: dict[str, Any] | None, errors: dict[str, str]) -> str:
    job = submission.find_job(JOB)
    page = page_number()
    given = values if values is not None else {"meter": request.args.get("meter", "")[:28]}
    with reading() as session:
        found, pages = import_book.listed(session, page, Intake.subject == SUBJECT)
        meters = _meters(session)
    fields = {each.name: each for each in forms.fields(job, given, errors)}
    return render_template(
        "readings/index.html",
        job=job,
        found=found,
        page=page,
        pages=pages,
        meters=meters,
        fields=fields,
        rest=[fields[name] for name in ORDER],
        zones=time_zones(),
        errors=errors,
        whole=[text for name, text in errors.items() if name not in fields],
        key=submission.new_key(),
    )


def _page(file_id: str, errors: dict[str, str], chosen: dict[str, str] | None = None) -> str:
    with reading() as session:
        shown = _find(session, file_id)
        meters = _meters(session)
    layout = shown.intake.layout or {}
    given = {**layout.get("chosen", {}), **(chosen or {})}
    fields = {each.name: each for each in forms.fields(submission.find_job(JOB), given, errors)}
    return render_template(
        "readings/show.html",
        shown=shown,
        intake=shown.intake,
        counts=shown.intake.counts or {},
        layout=layout,
        series=layout.get("series", []),
        shared=shared(layout.get("series", [])),
        facts=facts(layout),
        asked=questions(layout, fields),
        rest=[fields[name] for name in ORDER if name not in layout.get("asks", ())],
        roles={**ROLES, "value clock": "Energy at the time above it"},
        meters=meters,
        span=span,
        zones=time_zones(),
        errors=errors,
        key=submission.new_key(),
    )
