"""Pages of jobs and runs. They meet jobs through the registry alone and never say a job's name."""

from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import FunctionLoader
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from models.artifact import Upload
from models.run import END_STATES, STATES, Run
from tasks import discover
from tasks.handover import Refused
from tasks.job import Job
from web import deeds, forms, run_view, submission, timeline, wishes
from web.current import reading, require_role, writing
from web.filters import moment
from web.inputs import page_number
from workers import enqueue
from workers.enqueue import KeyConflict

Source = tuple[str, str, Any]
bp = Blueprint("runs", __name__)
FILES_GONE = "The files of that run are not kept any more. All else is filled in as it was: choose the files again."
CHOOSE_AGAIN = "All is filled in as it was, but for the files: choose them again."


def _job_page(name: str) -> Source | None:
    """Jinja's way to a job's own folder: jobs/<kind>/result.html, and no other file."""
    start, _, rest = name.partition("/")
    kind, _, file = rest.partition("/")
    job = discover().get(kind)
    if start != "jobs" or file != "result.html" or job is None:
        return None
    path = job.folder / file
    changed = path.stat().st_mtime
    return path.read_text(encoding="utf-8"), str(path), lambda: path.stat().st_mtime == changed


bp.jinja_loader = FunctionLoader(_job_page)


@bp.app_template_filter("span")
def span(milliseconds: float | None) -> str:
    """A length of time: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if milliseconds is None:
        return "–"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@bp.app_template_filter("clock")
def clock(milliseconds: int) -> Markup:
    """A moment to the second, for a timeline."""
    return moment(milliseconds, "%-d %b, %H:%M:%S")


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {
        "state_words": run_view.state_words,
        "event_words": timeline.WORDS,
        "priority_word": wishes.word,
        "title_of": title_of,
        "new_key": submission.new_key,
    }


def title_of(run: Run) -> str:
    """Its job's title; the kind's own name when there is no such job any more."""
    job = discover().get(run.kind)
    return job.title if job else run.kind


@bp.errorhandler(Refused)
def _refused(error: Refused) -> ResponseReturnValue:
    """Where there is no form to show it beside: a sample, or a run once more."""
    flash(" ".join(error.errors.values()), "danger")
    return redirect(url_for("runs.index"), 303)


@bp.get("/jobs")
def jobs() -> ResponseReturnValue:
    return render_template("runs/jobs.html", jobs=list(submission.jobs().values()), **_first(request.args))


@bp.get("/jobs/<kind>")
def form(kind: str) -> ResponseReturnValue:
    job = submission.find_job(kind)
    if again := request.args.get("again", ""):
        with reading() as session:
            run = run_view.find(session, again)
            uploads = run_view.uploads_of(session, again)
        return _form(job, run.params, {}, notice=_as_it_was(uploads)) if run.kind == kind else abort(404)
    return _form(job, None, {})


@bp.post("/jobs/<kind>")
@require_role("member")
def submit(kind: str) -> ResponseReturnValue:
    job = submission.find_job(kind)
    values = forms.read(job, request.form)
    try:
        wished = _wished()
        with forms.received(job, request.files) as files:
            run = submission.take(job, values, files, submission.form_key(), wished)
    except Refused as error:
        return _form(job, values, error.errors, error.status)
    except KeyConflict:
        return _form(job, values, {"": submission.SENT_ALREADY}, 409)
    return _to(run)


@bp.post("/jobs/<kind>/samples/<int:number>")
@require_role("member")
def sample(kind: str, number: int) -> ResponseReturnValue:
    job = submission.find_job(kind)
    try:
        return _to(submission.sample(job, number, submission.form_key(), _wished()))
    except KeyConflict:
        return _to(submission.sample(job, number, None, _wished()))


@bp.get("/runs")
def index() -> ResponseReturnValue:
    asked = {name: request.args.get(name, "").strip()[:200] for name in ("state", "kind", "q", "after")}
    runs, following = run_view.listed(state=asked["state"], kind=asked["kind"], text=asked["q"], after=asked["after"])
    filtered = any(asked.values())
    return render_template(
        "runs/index.html",
        runs=runs,
        asked=asked,
        older={**asked, "after": following} if following else None,
        held_up=run_view.held_up(runs),
        all_chosen=request.args.get("choose") == "all",
        kinds={kind: job for kind, job in discover().items() if job.audience != "machinery"},
        states=[(state, run_view.STATE_WORDS[state]) for state in STATES],
        first_time=not runs and not (filtered and run_view.any_runs()),
        going_on=any(run.state not in END_STATES for run in runs),
    )


@bp.get("/runs/<run_id>")
def show(run_id: str) -> ResponseReturnValue:
    shown = run_view.whole(run_id, page_number())
    return render_template(
        "runs/show.html",
        shown=shown,
        live=shown.live,
        run=shown.live.run,
        job=shown.job,
        result=shown.result,
        artifacts=shown.artifacts,
        artifact_url=lambda name: run_view.artifact_url(shown, name),
        may_start=submission.open_to(shown.job),
    )


@bp.get("/runs/<run_id>/live")
def live(run_id: str) -> ResponseReturnValue:
    """The part that is polled; 304 while nothing has changed."""
    found = run_view.live_of(run_id, page_number())
    response: Response = make_response()
    response.set_etag(found.etag, weak=True)
    if response.make_conditional(request).status_code != 304:
        response.set_data(render_template("runs/_live.html", live=found, run=found.run))
        response.headers["X-Run-State"] = found.run.state
    return response


@bp.post("/runs/<run_id>/cancel")
@require_role("member")
def cancel(run_id: str) -> ResponseReturnValue:
    with writing() as session:
        run = run_view.find(session, run_id)
        if not enqueue.cancel(session, run_id):
            flash(deeds.ENDED, "info")
    return _to(run)


@bp.post("/runs/<run_id>/retry")
@require_role("member")
def retry(run_id: str) -> ResponseReturnValue:
    with writing() as session:
        run = run_view.find(session, run_id)
        submission.find_job(run.kind)
        if not deeds.put_back(session, run):
            flash("Only a run that has failed can be tried again.", "info")
    return _to(run)


@bp.post("/runs/<run_id>/again")
@require_role("member")
def again(run_id: str) -> ResponseReturnValue:
    with reading() as session:
        run = run_view.find(session, run_id)
    job = submission.find_job(run.kind)
    try:
        return _to(submission.repeat(run, job, submission.form_key()))
    except submission.FilesGone:
        return redirect(url_for("runs.form", kind=run.kind, again=run_id), 303)
    except KeyConflict:
        abort(409)


def _form(
    job: Job, given: dict[str, Any] | None, errors: dict[str, str], status: int = 200, notice: str = ""
) -> ResponseReturnValue:
    fields = forms.fields(job, given, errors)
    named = {each.name for each in fields}
    page = render_template(
        "runs/form.html",
        job=job,
        fields=fields,
        errors=errors,
        whole=[text for name, text in errors.items() if name not in named],
        notice=notice,
        key=submission.new_key(),
        priorities=wishes.offered(),
        priority=request.form.get("priority") or "normal",
        **_first(request.form if request.method == "POST" else request.args),
    )
    return page, status


def _wished() -> wishes.Wishes:
    return wishes.read({"priority": request.form.get("priority"), "after": request.form.getlist("after")})


def _first(source: "MultiDict[str, str]") -> dict[str, Any]:
    """What a form is about to wait for; ids that are none of the workspace's are left out."""
    ids = source.getlist("after")[: wishes.MOST_AFTER]
    first = run_view.some(ids) if ids else []
    return {"first": first} if len(first) == len(set(ids)) or request.method == "POST" else abort(404)


def _as_it_was(uploads: list[Upload]) -> str:
    if any(upload.deleted_at for upload in uploads):
        return FILES_GONE
    return CHOOSE_AGAIN if uploads else "All is filled in as it was."


def _to(run: Run) -> ResponseReturnValue:
    return redirect(url_for("runs.show", run_id=run.id), 303)
