"""From what a person handed over (fields and files) to Params and stored uploads, or to messages beside the fields.

The form, the API and the command line all come through here, so a refusal is the same sentence everywhere.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.artifact import Upload
from models.base import new_id
from tasks import uploads
from tasks.errors import FieldError, FilesAway
from tasks.job import Job, Params
from tasks.storage import TEMPORARY, Storage, drop

Given = Mapping[str, Sequence[tuple[str, Path]]]  # field: (name, where the bytes lie)

_PLAIN = {
    "missing": "Fill this in.",
    "too_short": "Choose at least {min_length}.",
    "too_long": "Choose at most {max_length}.",
    "string_too_short": "Write at least {min_length} characters.",
    "string_too_long": "Write at most {max_length} characters.",
    "greater_than_equal": "This must be {ge:g} or more.",
    "less_than_equal": "This must be {le:g} or less.",
    "greater_than": "This must be more than {gt:g}.",
    "less_than": "This must be less than {lt:g}.",
    "int_parsing": "Write a whole number.",
    "int_from_float": "Write a whole number.",
    "float_parsing": "Write a number, with a point before decimals.",
    "date_from_datetime_parsing": "Write a day like 2026-01-31.",
    "literal_error": "Choose one of {expected}.",
    "enum": "Choose one of {expected}.",
    "extra_forbidden": "There is no such field; leave it out.",
}


@dataclass
class Refused(Exception):
    """What was handed over cannot be taken: a message for each field ("" for the whole), and the HTTP status."""

    errors: dict[str, str]
    status: int = 422


@dataclass
class HandedOver:
    """Params that hold the ids of the uploads, whose bytes are in storage and whose rows are yet to be added."""

    params: Params
    uploads: list[Upload] = field(default_factory=list)


def hand_over(job: Job, values: Mapping[str, Any], files: Given, storage: Storage) -> HandedOver:
    """Check and clean everything, keep the files, and say what is wrong before any work is queued.

    Args:
        values: the fields that are not files, as text or typed.
        files: for each file field, what was given.

    Raises:
        Refused: with one message for each field at fault.
    """
    params = _validated(job, values, files)
    incoming = {
        name: [uploads.receive(path, given) for given, path in files.get(name, ())] for name in job.file_fields()
    }
    try:
        if job.intake is not None:
            job.intake(params, [file for listed in incoming.values() for file in listed])
        kept = _keep(job, incoming, storage)
    except FieldError as error:
        raise Refused({error.field: str(error)}, error.status) from error
    ids = {name: [upload.id for upload in kept if upload.field == name] for name in incoming}
    return HandedOver(params.model_copy(update=ids), kept)


def _validated(job: Job, values: Mapping[str, Any], files: Given) -> Params:
    """Params with stand-ins for the ids of files, so that all fields are told of at once."""
    raw = {name: value for name, value in values.items() if value != "" and name not in job.file_fields()}
    raw |= {name: ["-"] * len(files[name]) for name in job.file_fields() if files.get(name)}
    try:
        return job.params.model_validate(raw)
    except ValidationError as error:
        raise Refused({_field(detail): plain(detail) for detail in error.errors(include_url=False)}) from error


def _field(detail: ErrorDetails) -> str:
    return str(detail["loc"][0]) if detail["loc"] else ""


def plain(detail: ErrorDetails) -> str:
    """A validation error in words that say what to do."""
    words = _PLAIN.get(detail["type"])
    if words is None:
        return detail["msg"].removeprefix("Value error, ").rstrip(".") + "."
    return words.format(**detail.get("ctx", {}))


def _keep(job: Job, incoming: Mapping[str, Sequence[uploads.IncomingFile]], storage: Storage) -> list[Upload]:
    """Clean the files and put them into storage; all of them, or none."""
    kept: list[Upload] = []
    try:
        for name, listed in incoming.items():
            with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
                cleaned = (job.clean or _clean)(listed, Path(folder))
                kept.extend(_store(name, file, storage) for file in cleaned)
    except (FieldError, OSError, FilesAway):
        drop(storage, [upload.key for upload in kept])
        raise
    return kept


def _store(field: str, file: uploads.IncomingFile, storage: Storage) -> Upload:
    with file.path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        key, size = storage.put(stream)
    media_type = file.media_type or "application/octet-stream"
    return Upload(
        id=new_id(), field=field, name=file.name[-120:], media_type=media_type, size=size, sha256=digest, key=key
    )


def _clean(files: Sequence[uploads.IncomingFile], folder: Path) -> list[uploads.IncomingFile]:
    """For jobs that say nothing of their own: pictures lose their metadata, other files stay as they are."""
    cleaned = []
    for number, file in enumerate(files):
        target = folder / str(number)
        if file.media_type in uploads.PICTURES:
            media_type: str | None = uploads.clean(file.path, target, file.media_type, "")
        else:
            shutil.copyfile(file.path, target)
            media_type = file.media_type
        cleaned.append(replace(file, path=target, size=target.stat().st_size, media_type=media_type))
    return cleaned


def describe(job: Job, params: Params, given: Sequence[Upload]) -> str:
    """A run in one line, for lists and search: the files' names, then what differs from the defaults."""
    words = [upload.name for upload in given]
    for name, info in job.params.model_fields.items():
        value = getattr(params, name)
        if name not in job.file_fields() and value not in (None, "", info.default):
            words.append(f"{info.title or name}: {value}")
    return " · ".join(words)[:200]
