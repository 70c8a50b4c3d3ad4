"""The editor of a schedule: a job's own fields, and beside them when it runs; filled in, read back, shown."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from beat_schedule import times
from models.artifact import Upload
from models.schedule import Schedule
from tasks.handover import Given, Refused
from tasks.job import Job
from web import forms, schedule_book, submission, when, wishes
from web.current import me
from web.inputs import time_zones
from web.schedule_book import Draft

PREFIX = "when_"  # before the names of the times' fields, which stand in one form with the job's own
WEEKDAYS = tuple("1234567")
FILES_GONE = "A file that was to be used again is gone. Choose the files anew."


@dataclass
class Editor:
    """The editor as it is shown: the job's fields, the times' fields, and what is wrong with them."""

    job: Job
    values: Mapping[str, Any] | None
    when: dict[str, Any]
    title: str = ""
    priority: str = "normal"
    schedule: Schedule | None = None
    run_id: str = ""
    uploads: list[Upload] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def next_times(told: dict[str, Any]) -> dict[str, Any]:
    try:
        rule = when.read(told, times.now())
    except Refused as error:
        return {"following": [], "wrong": " ".join(error.errors.values())}
    shown = [times.on_clock(at, rule.zone) for at in times.following(rule, times.now())]
    return {"following": shown, "wrong": "", "zone": rule.zone, "words": when.words(rule)}


def page(editor: Editor, status: int = 200) -> ResponseReturnValue:
    fields = forms.fields(editor.job, editor.values, editor.errors)
    named = {each.name for each in fields} | {PREFIX + name for name in (*when.FIELDS, "title", "priority")}
    shown = render_template(
        "schedules/edit.html",
        editor=editor,
        job=editor.job,
        fields=fields,
        errors=editor.errors,
        whole=[text for name, text in editor.errors.items() if name not in named],
        told=editor.when,
        next=next_times(editor.when),
        choices=when.CHOICES,
        weekdays=when.WEEKDAYS,
        most_minutes=times.MOST_MINUTES,
        zones=time_zones(),
        priorities=wishes.offered(),
        key=submission.new_key(),
    )
    return shown, status


def first_choice() -> dict[str, Any]:
    """What the times' fields hold at first; also what those hold that do not show."""
    zone = me().time_zone
    tomorrow = times.on_clock(times.now(), zone) + timedelta(days=1)
    told = {"at": tomorrow.strftime("%Y-%m-%dT07:00"), "minutes": 60, "time": "07:00", "day": 1, "cron": "0 7 * * 1-5"}
    return told | {"repeat": "daily", "weekdays": [tomorrow.isoweekday()], "time_zone": zone}


def read_times(given: "MultiDict[str, str]") -> dict[str, Any]:
    told: dict[str, Any] = {name: given.get(PREFIX + name, "")[:200] for name in when.FIELDS}
    return told | {"weekdays": [int(each) for each in given.getlist(f"{PREFIX}weekdays") if each in "1234567" and each]}


def posted(editor: Editor) -> Editor:
    """The editor as it came back."""
    editor.values, editor.when = forms.read(editor.job, request.form), read_times(request.form)
    editor.title = " ".join(request.form.get(f"{PREFIX}title", "").split())
    editor.priority = asked_priority()
    return editor


def asked_priority() -> str:
    said = request.form.get("priority", "normal")
    return said if said in wishes.PRIORITIES else "normal"


def draft(editor: Editor) -> Draft:
    """What is to be saved.

    Raises:
        Refused: with a message for each field at fault; those of the times by their names in the form.
    """
    if len(editor.title) > schedule_book.TITLE_LONGEST or not editor.title.isprintable():
        raise Refused({f"{PREFIX}title": f"Write at most {schedule_book.TITLE_LONGEST} characters in one line."})
    try:
        rule = when.read(editor.when, times.now())
        priority = wishes.read({"priority": editor.priority}).priority
    except Refused as refused:
        raise Refused({PREFIX + name: text for name, text in refused.errors.items()}, refused.status) from refused
    return Draft(editor.job, editor.values or {}, rule, editor.title, priority)


@contextmanager
def files_of(editor: Editor) -> Iterator[Given]:
    with forms.received(editor.job, request.files) as given:
        try:
            with schedule_book.with_files(editor.job, given, editor.uploads) as files:
                yield files
        except FileNotFoundError as error:
            raise Refused({"": FILES_GONE}, 410) from error
