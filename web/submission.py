"""Handing work over, the same for the form, a sample, "run again" and the API: check, keep, insert, tidy up."""

import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from flask import abort, request
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError

from models.run import Run
from tasks import discover
from tasks.handover import Given, HandedOver, hand_over
from tasks.job import Job
from tasks.storage import drop
from web import quotas, wishes
from web.current import current_workspace, me, reading, runtime, writing
from web.wishes import Wishes
from workers.enqueue import copy_uploads, submit

SENT_ALREADY = "This form was sent before, with other values. Look through it and send it again."


class FilesGone(Exception):
    """The files of the run that was to be repeated were deleted, or its params are of an older form."""


def open_to(job: Job | None) -> bool:
    """Whether the person who asks may start this job at all."""
    return job is not None and (job.audience == "people" or (job.audience == "administrators" and me().is_admin))


def jobs() -> dict[str, Job]:
    """The jobs that the person who asks may start, by kind."""
    return {kind: job for kind, job in discover().items() if open_to(job)}


def find_job(kind: str) -> Job:
    """One of them; 404 for all others."""
    return jobs().get(kind) or abort(404)


def new_key() -> str:
    """A one-time key that a form carries, so that a double click gives one run."""
    return f"form:{secrets.token_urlsafe(18)}"


def form_key() -> str:
    """The posted form's one-time key; a page without one gets its own, and then a double click counts twice."""
    given = request.form.get("key", "")
    return given if given.startswith("form:") and len(given) <= 60 and given.isprintable() else new_key()


def take(job: Job, values: Mapping[str, Any], files: Given, key: str | None, wished: Wishes = wishes.NONE) -> Run:
    """Check and keep what was handed over, and insert its run.

    Raises:
        Refused: with a message for each field at fault.
        KeyConflict: the key stands for a run with other parameters.
    """
    return insert(job, hand_over(job, values, files, runtime().storage), key, wished)


def insert(job: Job, handed: HandedOver, key: str | None, wished: Wishes = wishes.NONE, **more: Any) -> Run:
    """Insert a run, or find the one that its key stands for; files that no row names in the end are dropped."""
    with ExitStack() as undo:
        undo.callback(_drop, handed)
        run = _insert(job, handed, key, wished, **more)
        if all(upload.run_id == run.id for upload in handed.uploads):
            undo.pop_all()
    return run


def _insert(job: Job, handed: HandedOver, key: str | None, wished: Wishes, **more: Any) -> Run:
    more |= {"account_id": me().id, "key": key, "priority": wished.priority, "after": wished.after}
    for last in (False, True):
        try:
            with writing() as session:
                quotas.check(session, handed)
                wished.check(session)
                return submit(runtime(), session, job, handed, current_workspace(), **more)
        except IntegrityError:
            if last or not key:  # else another request with this key was first: now its run is found
                raise
    raise AssertionError


def repeat(run: Run, job: Job, key: str | None) -> Run:
    """The same run once more, with copies of its files; as urgent as it was, where the person may say so.

    Raises:
        FilesGone: it has to be filled in anew.
        KeyConflict: the key stands for another run.
    """
    try:
        params = job.params.model_validate(run.params)
        with reading() as session:
            copies = copy_uploads(runtime(), session, run)
    except (ValidationError, FileNotFoundError) as error:
        raise FilesGone from error
    handed = HandedOver(params, [upload for listed in copies.values() for upload in listed])
    if any(len(getattr(params, name)) != len(copies.get(name, ())) for name in job.file_fields()):
        _drop(handed)
        raise FilesGone
    ids = {name: [upload.id for upload in copies.get(name, ())] for name in job.file_fields()}
    handed.params = params.model_copy(update=ids)
    word = wishes.word(run.priority)
    wished = Wishes(wishes.PRIORITIES[word] if word in wishes.offered() else 0)
    return insert(job, handed, key, wished, origin_id=run.id)


def sample(job: Job, number: int, key: str | None, wished: Wishes = wishes.NONE) -> Run:
    """Run one of the job's samples; 404 when there is no such one."""
    if not 0 <= number < len(job.samples):
        abort(404)
    chosen = job.samples[number]
    given = [(name, job.folder / "sample" / name) for name in chosen.files]
    return take(job, chosen.params, {job.file_fields()[0]: given} if given else {}, key, wished)


def _drop(handed: HandedOver) -> None:
    drop(runtime().storage, [upload.key for upload in handed.uploads])
