"""Pages of schedules: any job, again and again. They meet jobs through the registry and never say a job's name."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from beat_schedule import tick, times
from models.artifact import Upload
from models.run import Run
from models.schedule import Schedule
from tasks.handover import Refused
from tasks.job import Job
from web import forms, run_view, schedule_book, schedule_view, submission, when, wishes
from web.current import me, reading, require_role
from web.filters import STEPS
from web.schedule_editor import (
    Editor,
    asked_priority,
    draft,
    files_of,
    first_choice,
    next_times,
    page,
    posted,
    read_times,
)
from workers.enqueue import KeyConflict
from workers.schedules import kept

bp = Blueprint("schedules", __name__)
SENT_ALREADY = "This form was sent before, with other values. Look through it and send it again."


@bp.app_template_filter("ahead")
def ahead(milliseconds: int | None) -> str:
    """ "in 3 hours", for what is to come; a dash for nothing."""
    if milliseconds is None:
        return "–"
    seconds = (milliseconds - times.now()) / 1000
    for length, word in STEPS:
        if (count := int(seconds // length)) > 0:
            return f"in {count} {word}{'' if count == 1 else 's'}"
    return "in less than a minute" if seconds > 0 else "now"


@bp.errorhandler(Refused)
def _refused(error: Refused) -> ResponseReturnValue:
    """Where there is no form to show it beside."""
    flash(" ".join(error.errors.values()), "danger")
    schedule_id = (request.view_args or {}).get("schedule_id")
    return redirect(
        url_for("schedules.show", schedule_id=schedule_id) if schedule_id else url_for("schedules.index"), 303
    )


@bp.get("/schedules")
def index() -> ResponseReturnValue:
    with reading() as session:
        lines = schedule_view.lines(session)
    machinery = schedule_view.of_the_machinery() if me().is_admin else []
    own = [line for line in lines if not line.is_default]
    jobs = list(submission.jobs().values())
    return render_template("schedules/index.html", lines=own, machinery=machinery, jobs=jobs, words=when.words)


@bp.get("/schedules/<schedule_id>")
def show(schedule_id: str) -> ResponseReturnValue:
    with reading() as session:
        line = schedule_view.line(session, schedule_id)
        history = schedule_view.history(session, schedule_id)
        uploads = kept(session, line.schedule, line.job) if line.job else []
    return render_template(
        "schedules/show.html",
        line=line,
        history=history,
        uploads=uploads,
        asked=forms.words(line.job, line.schedule.params) if line.job else [],
        following=times.following(line.rule, times.now()) if line.schedule.enabled else [],
        on_clock=times.on_clock,
        words=when.words,
        may_start=submission.open_to(line.job),
        key=submission.new_key(),
    )


@bp.get("/schedules/new/<kind>")
@require_role("member")
def new(kind: str) -> ResponseReturnValue:
    """The editor; `?run=` fills in what a run was asked, with its files."""
    job = submission.find_job(kind)
    run, uploads = _source(job, request.args.get("run", ""))
    return page(
        Editor(
            job,
            run.params if run else None,
            first_choice(),
            run_id=run.id if run else "",
            uploads=uploads,
        )
    )


@bp.post("/schedules/take/<kind>")
@require_role("member")
def take(kind: str) -> ResponseReturnValue:
    """From a job's form: the editor with what was filled in there."""
    job = submission.find_job(kind)
    return page(
        Editor(
            job,
            forms.read(job, request.form),
            first_choice(),
            priority=asked_priority(),
        )
    )


@bp.post("/schedules/new/<kind>")
@require_role("member")
def create(kind: str) -> ResponseReturnValue:
    job = submission.find_job(kind)
    run, uploads = _source(job, request.form.get("run", ""))
    editor = posted(Editor(job, None, {}, run_id=run.id if run else "", uploads=uploads))
    if "look" in request.form:
        return page(editor)
    try:
        with files_of(editor) as files:
            schedule = schedule_book.create(draft(editor), files, submission.form_key())
    except Refused as error:
        editor.errors = error.errors
        return page(editor, error.status)
    except KeyConflict:
        editor.errors = {"": SENT_ALREADY}
        return page(editor, 409)
    flash("Saved. It comes by itself from now on.", "success")
    return _to(schedule.id)


@bp.get("/schedules/<schedule_id>/edit")
@require_role("member")
def edit(schedule_id: str) -> ResponseReturnValue:
    schedule, job, uploads = _mine(schedule_id)
    told = first_choice() | when.show(tick.rule_of(schedule))
    return page(
        Editor(job, schedule.params, told, schedule.title, wishes.word(schedule.priority), schedule, uploads=uploads)
    )


@bp.post("/schedules/<schedule_id>/edit")
@require_role("member")
def save(schedule_id: str) -> ResponseReturnValue:
    schedule, job, uploads = _mine(schedule_id)
    editor = posted(Editor(job, None, {}, schedule=schedule, uploads=uploads))
    if "look" in request.form:
        return page(editor)
    try:
        with files_of(editor) as files:
            schedule_book.change(schedule_id, draft(editor), files)
    except Refused as error:
        editor.errors = error.errors
        return page(editor, error.status)
    flash("Saved.", "success")
    return _to(schedule_id)


@bp.post("/schedules/<schedule_id>/pause")
@require_role("member")
def pause(schedule_id: str) -> ResponseReturnValue:
    schedule_book.pause(schedule_id)
    return _to(schedule_id)


@bp.post("/schedules/<schedule_id>/resume")
@require_role("member")
def resume(schedule_id: str) -> ResponseReturnValue:
    schedule_book.resume(schedule_id)
    return _to(schedule_id)


@bp.post("/schedules/<schedule_id>/run")
@require_role("member")
def run_now(schedule_id: str) -> ResponseReturnValue:
    try:
        run = schedule_book.run_now(schedule_id, submission.form_key())
    except KeyConflict:
        run = schedule_book.run_now(schedule_id, None)
    return redirect(url_for("runs.show", run_id=run.id), 303)


@bp.post("/schedules/<schedule_id>/delete")
@require_role("member")
def delete(schedule_id: str) -> ResponseReturnValue:
    schedule_book.delete(schedule_id)
    flash("The schedule is gone. What it ran already stays.", "success")
    return redirect(url_for("schedules.index"), 303)


@bp.get("/schedules/preview")
def preview() -> ResponseReturnValue:
    """The next five times of what stands in the editor, as a piece of its page."""
    return render_template("schedules/_next.html", **next_times(read_times(request.args)))


def _source(job: Job, run_id: str) -> tuple[Run | None, list[Upload]]:
    """The run that the editor is filled in from, and its files that are still kept."""
    if not run_id:
        return None, []
    with reading() as session:
        run = run_view.find(session, run_id)
        uploads = [each for each in run_view.uploads_of(session, run_id) if each.deleted_at is None]
    return (run, uploads) if run.kind == job.kind else abort(404)


def _mine(schedule_id: str) -> tuple[Schedule, Job, list[Upload]]:
    with reading() as session:
        schedule = schedule_book.find_own(session, schedule_id)
        job = submission.find_job(schedule.kind)
        return schedule, job, kept(session, schedule, job)


def _to(schedule_id: str) -> ResponseReturnValue:
    return redirect(url_for("schedules.show", schedule_id=schedule_id), 303)
