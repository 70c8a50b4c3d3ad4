"""Pages of meter files: handed over, looked into, brought in by the rules that were chosen, and taken back."""

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.intake import Intake
from models.meter import Meter
from tasks.metering.files.found import ROLES
from web import forms, import_book, submission
from web.current import reading, require_role
from web.import_steps import Steps
from web.inputs import page_number, time_zones
from web.readings_view import CHOICES, ORDER, SUBJECT, facts, questions, shared, span

bp = Blueprint("readings_import", __name__, url_prefix="/energy/import")
JOB = "readings"
MOST_METERS = 500  # that can be chosen among in a list


@bp.get("")
def index() -> ResponseReturnValue:
    return _index({}, {})


@bp.post("")
@require_role("member")
def look() -> ResponseReturnValue:
    return STEPS.read()


@bp.get("/<file_id>")
def show(file_id: str) -> ResponseReturnValue:
    return _page(file_id, {}, {})


@bp.post("/<file_id>/again")
@require_role("member")
def again(file_id: str) -> ResponseReturnValue:
    """Read the same file once more, by the rules and for the meters that were chosen."""
    with reading() as session:
        before = [column["role"] for column in (STEPS.find(session, file_id).intake.layout or {}).get("columns", ())]
    chosen = {name: request.form.get(name, "").strip() for name in CHOICES if name in request.form}
    roles = request.form.getlist("role")
    if roles and roles != before:  # then its meters may be others
        chosen |= {"columns": "|".join(roles), "targets": ""}
    elif targets := request.form.getlist("target"):
        chosen["targets"] = "|".join(targets)
    return STEPS.again(file_id, chosen)


@bp.post("/<file_id>/apply")
@require_role("member")
def apply(file_id: str) -> ResponseReturnValue:
    with reading() as session:
        asks = (STEPS.find(session, file_id).intake.layout or {}).get("asks")
    if asks:
        return _page(file_id, {"": "Choose first what is marked below, and read the file again."}, {}), 422
    return STEPS.start(file_id, "apply")


@bp.get("/<file_id>/undo")
@require_role("member")
def ask_undo(file_id: str) -> ResponseReturnValue:
    with reading() as session:
        shown = STEPS.find(session, file_id)
    return render_template("readings/undo.html", shown=shown, intake=shown.intake, counts=shown.intake.counts or {})


@bp.post("/<file_id>/undo")
@require_role("member")
def undo(file_id: str) -> ResponseReturnValue:
    return STEPS.start(file_id, "undo")


@bp.post("/<file_id>/discard")
@require_role("member")
def discard(file_id: str) -> ResponseReturnValue:
    return STEPS.discard(file_id)


def _meters(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(Meter.id, Meter.name).where(Meter.archived.is_(False)).order_by(Meter.name))
    return [(row.id, row.name) for row in rows.fetchmany(MOST_METERS)]


def _index(values: dict[str, Any], errors: dict[str, str]) -> str:
    job = submission.find_job(JOB)
    page = page_number()
    given = values or {"meter": request.args.get("meter", "")[:28]}
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


def _page(file_id: str, errors: dict[str, str], chosen: dict[str, str]) -> str:
    with reading() as session:
        shown = STEPS.find(session, file_id)
        meters = _meters(session)
    layout = shown.intake.layout or {}
    given = {**layout.get("chosen", {}), **chosen}
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


STEPS = Steps("readings_import", JOB, frozenset({SUBJECT}), _index, _page, id_name="file_id")
