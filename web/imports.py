"""Pages of imports: a file is handed over, looked at line by line, written, and taken back."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models.intake import DUPLICATE, NEW, SKIPPED, WRONG, Intake
from tasks.importing import presets
from tasks.importing.job import HOLDS
from tasks.importing.layout import ROLES
from web import forms, import_book, import_view, submission
from web.current import reading, require_role
from web.import_steps import Steps
from web.inputs import page_number

bp = Blueprint("imports", __name__)
FILTERS = {NEW: "New", DUPLICATE: "Known", WRONG: "Wrong", SKIPPED: "Left out"}
ELSEWHERE = {
    "readings": ("readings_import.show", "file_id"),
    "tickets": ("care_import.show", "intake_id"),
}  # these have pages of their own
CHOICES = ("preset", "delimiter", "encoding", "decimal", "dates", "header", "account", "currency")


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {"import_states": import_book.STATES, "import_holds": HOLDS}


@bp.get("/imports")
def index() -> ResponseReturnValue:
    return _index({}, {})


@bp.post("/imports")
@require_role("member")
def read() -> ResponseReturnValue:
    return STEPS.read()


@bp.get("/imports/<intake_id>")
def show(intake_id: str) -> ResponseReturnValue:
    with reading() as session:
        subject = import_book.find(session, intake_id).subject
    if subject in ELSEWHERE:
        endpoint, name = ELSEWHERE[subject]
        which: dict[str, Any] = {name: intake_id}
        return redirect(url_for(endpoint, **which), 303)
    return _page(intake_id, {}, {})


@bp.post("/imports/<intake_id>/again")
@require_role("member")
def again(intake_id: str) -> ResponseReturnValue:
    """Read the file anew, with what was chosen on the preview's page."""
    chosen = {name: request.form.get(name, "") for name in CHOICES if name in request.form}
    roles = request.form.getlist("role")
    if roles and not chosen.get("preset"):
        chosen["columns"] = "|".join(roles)
    return STEPS.again(intake_id, {"columns": "", **chosen})


@bp.post("/imports/<intake_id>/apply")
@require_role("member")
def apply(intake_id: str) -> ResponseReturnValue:
    return STEPS.start(intake_id, "apply")


@bp.get("/imports/<intake_id>/undo")
@require_role("member")
def ask_undo(intake_id: str) -> ResponseReturnValue:
    """What taking it back would delete, and what somebody changed since."""
    with reading() as session:
        shown = STEPS.find(session, intake_id)
        there, changed = import_book.to_undo(session, shown.intake) if shown.intake.subject == "expenses" else (0, 0)
    return render_template("imports/undo.html", shown=shown, intake=shown.intake, there=there, changed=changed)


@bp.post("/imports/<intake_id>/undo")
@require_role("member")
def undo(intake_id: str) -> ResponseReturnValue:
    return STEPS.start(intake_id, "undo", also=request.form.get("also") == "yes")


@bp.post("/imports/<intake_id>/discard")
@require_role("member")
def discard(intake_id: str) -> ResponseReturnValue:
    return STEPS.discard(intake_id)


def _index(values: dict[str, Any], errors: dict[str, str]) -> str:
    job = submission.find_job(import_book.READ)
    page = page_number()
    given = values or import_view.asked(job, request.args)
    with reading() as session:
        intakes, pages = import_book.listed(session, page, Intake.subject.in_(HOLDS))
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


def _page(intake_id: str, errors: dict[str, str], chosen: dict[str, str]) -> str:
    state = request.args.get("state", "")
    state = state if state in FILTERS else ""
    after = max(0, min(request.args.get("after", 0, type=int), 10**9))
    with reading() as session:
        shown = STEPS.find(session, intake_id)
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
        choices=import_view.choices(layout, chosen),
        presets=import_view.presets_for(layout),
        accounts=accounts,
        errors=errors,
        key=submission.new_key(),
    )


STEPS = Steps("imports", import_book.READ, frozenset(HOLDS), _index, _page)
