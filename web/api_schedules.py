"""The API's schedules: routes of web/api.py's own blueprint, and their part of the description."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from beat_schedule import tick, times
from models.artifact import Upload
from models.run import Run
from models.schedule import Schedule, Slot
from tasks.handover import Refused
from tasks.job import Job
from web import run_view, schedule_book, schedule_view, submission, when, wishes
from web.api import NO_OBJECT, bp, brief, idempotency_key, iso, json_body
from web.current import me, reading, require_role
from web.schedule_book import Draft
from web.schedule_view import Line
from workers.schedules import kept

FIELDS = ("kind", "params", "when", "title", "priority", "from_run")
Given = Mapping[str, Any]


@bp.get("/schedules")
def schedules() -> ResponseReturnValue:
    """The workspace's schedules, the next one first."""
    with reading() as session:
        return jsonify(schedules=[_brief(line) for line in schedule_view.lines(session)])


@bp.post("/schedules")
@require_role("member")
def make_schedule() -> ResponseReturnValue:
    """A new schedule; `from_run` takes a run's params and files over."""
    given = _body()
    job = submission.find_job(str(given.get("kind", "")))
    run, uploads = _source(job, given.get("from_run"))
    params = {**(run.params if run else {}), **_object(given, "params")}
    draft = Draft(job, params, _rule(given, {}), _title(given, ""), _priority(given, 0))
    key = idempotency_key() or submission.new_key()
    with schedule_book.with_files(job, {}, uploads) as files:
        made = schedule_book.create(draft, files, key)
    answer: Response = jsonify(_whole(made.id))
    answer.status_code = 201
    answer.headers["Location"] = url_for("api.show_schedule", schedule_id=made.id)
    return answer


@bp.get("/schedules/<schedule_id>")
def show_schedule(schedule_id: str) -> ResponseReturnValue:
    """One schedule with its next five times and its last slots."""
    return jsonify(_whole(schedule_id))


@bp.patch("/schedules/<schedule_id>")
@require_role("member")
def change_schedule(schedule_id: str) -> ResponseReturnValue:
    """Other params (those that are named), times, title or priority."""
    given = _body()
    with reading() as session:
        found = schedule_book.find_own(session, schedule_id)
        job = submission.find_job(found.kind)
        uploads = kept(session, found, job)
    if fixed := {"kind", "from_run"} & set(given):
        raise Refused(dict.fromkeys(sorted(fixed), "This cannot be changed; make another schedule."))
    params = {**found.params, **_object(given, "params")}
    rule = _rule(given, when.show(tick.rule_of(found)))
    draft = Draft(job, params, rule, _title(given, found.title), _priority(given, found.priority))
    with schedule_book.with_files(job, {}, uploads) as files:
        schedule_book.change(schedule_id, draft, files)
    return jsonify(_whole(schedule_id))


@bp.delete("/schedules/<schedule_id>")
@require_role("member")
def delete_schedule(schedule_id: str) -> ResponseReturnValue:
    """The schedule goes; its runs stay."""
    schedule_book.delete(schedule_id)
    return "", 204


@bp.post("/schedules/<schedule_id>/pause")
@require_role("member")
def pause_schedule(schedule_id: str) -> ResponseReturnValue:
    """Nothing comes due until it is resumed."""
    schedule_book.pause(schedule_id)
    return jsonify(_whole(schedule_id))


@bp.post("/schedules/<schedule_id>/resume")
@require_role("member")
def resume_schedule(schedule_id: str) -> ResponseReturnValue:
    """From its next time on."""
    schedule_book.resume(schedule_id)
    return jsonify(_whole(schedule_id))


@bp.post("/schedules/<schedule_id>/run")
@require_role("member")
def run_schedule(schedule_id: str) -> ResponseReturnValue:
    """A run of it now, besides its times."""
    run = schedule_book.run_now(schedule_id, idempotency_key())
    return jsonify(brief(run)), 202


def _body() -> dict[str, Any]:
    body = json_body() if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise Refused({"": NO_OBJECT})
    if unknown := set(body) - set(FIELDS):
        raise Refused(dict.fromkeys(sorted(unknown), "There is no such field; leave it out."))
    return body


def _object(given: Given, name: str) -> dict[str, Any]:
    value = given.get(name, {})
    if not isinstance(value, dict):
        raise Refused({name: "Give a JSON object."})
    return value


def _rule(given: Given, known: Given) -> times.Rule:
    """The times that are asked for; a part of them alone keeps the others, while the way to repeat stays."""
    asked = _object(given, "when")
    if known and not asked:
        stays: Given = known
    else:
        same = asked.get("repeat", known.get("repeat")) == known.get("repeat")
        stays = {"time_zone": known.get("time_zone", me().time_zone), **(known if same else {}), **asked}
    try:
        return when.read(stays, times.now())
    except Refused as refused:
        raise Refused({f"when.{name}": text for name, text in refused.errors.items()}, refused.status) from refused


def _title(given: Given, known: str) -> str:
    title = given.get("title", known)
    if not isinstance(title, str) or len(title) > schedule_book.TITLE_LONGEST or not title.isprintable():
        raise Refused({"title": f"Write at most {schedule_book.TITLE_LONGEST} characters in one line."})
    return title.strip()


def _priority(given: Given, known: int) -> int:
    """Of a schedule that is changed, the one that it has stays where the person may give it."""
    if "priority" in given:
        return wishes.read({"priority": given["priority"]}).priority
    return known if wishes.word(known) in wishes.offered() else 0


def _source(job: Job, run_id: Any) -> tuple[Run | None, list[Upload]]:
    if run_id is None:
        return None, []
    with reading() as session:
        run = run_view.find(session, str(run_id))
        uploads = [each for each in run_view.uploads_of(session, run.id) if each.deleted_at is None]
    if run.kind != job.kind:
        raise Refused({"from_run": "That is a run of another job."})
    return run, uploads


def _brief(line: Line) -> dict[str, Any]:
    schedule = line.schedule
    return {
        "id": schedule.id,
        "kind": schedule.kind,
        "title": line.title,
        "state": line.state,
        "stopped": schedule.stopped,
        "when": when.show(line.rule) if schedule.cron or not _by_line(schedule) else None,
        "next_due": iso(schedule.next_due),
        "last_run": brief(line.run) if line.run else None,
        "url": url_for("api.show_schedule", schedule_id=schedule.id),
    }


def _by_line(schedule: Schedule) -> bool:
    return schedule.repeat not in ("once", "minutes")


def _slot(slot: Slot, run: Run | None) -> dict[str, Any]:
    return {"due": iso(slot.due), "run": brief(run) if run else None, "note": slot.note}


def _whole(schedule_id: str) -> dict[str, Any]:
    with reading() as session:
        line = schedule_view.line(session, schedule_id)
        schedule, hidden = line.schedule, line.job.file_fields() if line.job else []
        slots = [_slot(slot, run) for slot, run in schedule_view.history(session, schedule_id)]
        files = [each.name for each in kept(session, schedule, line.job)] if line.job else []
    following = times.following(line.rule, times.now()) if schedule.enabled else []
    return _brief(line) | {
        "params": {name: value for name, value in schedule.params.items() if name not in hidden},
        "files": files,
        "priority": wishes.word(schedule.priority),
        "next": [iso(at) for at in following],
        "slots": slots,
    }
