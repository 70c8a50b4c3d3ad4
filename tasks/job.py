"""What a job is: one frozen declaration that the form, the API, the command line, the worker and beat all read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator
from sqlalchemy.orm import Session

from tasks.context import Context
from tasks.sections import Reader, Section
from tasks.uploads import IncomingFile

Audience = Literal["people", "administrators", "machinery"]


class Params(BaseModel):
    """What a person fills in. Titles, descriptions (help), units and bounds of its fields make the form and the API."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    @field_validator("*")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        if isinstance(value, str) and "\0" in value:  # which PostgreSQL keeps in no text
            raise ValueError("This holds a sign that is no text; leave it out.")
        return value


class Result(BaseModel):
    """What a run found: read by result.html, the API and --json."""

    model_config = ConfigDict(extra="forbid")


class NoParams(Params):
    """For jobs that need nothing."""


def files_field(
    title: str, *, accept: str, description: str = "", at_most: int = 1, required: bool = True, crop: str = ""
) -> Any:
    """A field of uploaded files, stored as the ids of uploads.

    Args:
        title: the field's label.
        accept: endings for the browser's file chooser, such as ".png,.jpg"; what is let in, the job's intake says.
        description: help under the field.
        at_most: how many files it takes.
        required: whether one must be given.
        crop: what people should cut off or cover in a picture, such as "the printed name"; the form then lets them.
    """
    extra: dict[str, JsonValue] = {"files": True, "accept": accept, "crop": crop}
    return Field(
        ... if required else [],
        title=title,
        description=description,
        min_length=1 if required else 0,
        max_length=at_most,
        json_schema_extra=extra,
    )


def hidden_field(default: Any, *, at_most: int | None = None) -> Any:
    """A field of the machinery's own, in no form; the job heeds it in the system's workspace alone. A job that heeds it
    elsewhere too says how many (or how long) at most."""
    return Field(default, max_length=at_most, json_schema_extra={"hidden": True})


@dataclass(frozen=True)
class Sample:
    """Something to try with one click: files in the job's sample folder and the other fields' values."""

    title: str
    description: str = ""
    files: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)


def read_samples(folder: Path) -> tuple[Sample, ...]:
    """The samples that a folder's samples.json lists; none when there is no such file."""
    listed = folder / "samples.json"
    if not listed.is_file():
        return ()
    return tuple(Sample(**{**one, "files": tuple(one["files"])}) for one in json.loads(listed.read_text("utf-8")))


@dataclass(frozen=True)
class Job:
    """A kind of work.

    Attributes:
        kind: its name everywhere: the folder, the Celery task, the URL. Lower case.
        title: what the button says, an imperative: "Read an ECG".
        summary: one sentence for the list of jobs.
        params, result: the input's and the answer's types.
        run: `run(params, ctx) -> result`: load rows, call a pure function, write rows and artifacts.
        queue: the queue its runs wait in; workers/queues.py says which worker serves it.
        schedule: a crontab line (UTC) on which it runs by itself in the system's workspace; its params need defaults.
        time_limit: seconds an attempt may take.
        chunk: how many children of one parent a worker may claim and finish together; for short ones, say 50.
        attempts: tries before a lost worker or a TryLater ends the run as failed.
        audience: who may start it: people, administrators, or only the machinery itself.
        private: its runs and what they leave are for whoever asked alone, not for the other members of the workspace.
        watches: table classes; a change to one enqueues one run for its workspace.
        intake: called at the form with the params and the files, before anything is queued; raises FieldError. Cheap.
        clean: takes what is private out of the files on their way in: (files, empty folder) -> the files written.
        headline: the result in a few words for lists and mail subjects; nothing private in it.
        forget_uploads: whether the files that were handed over are deleted after a run that succeeded.
        area: of a scan, what its alerts are about: "expenses", "stock"; people choose mail by it.
        section: what it adds to a digest: (session narrowed to a workspace, workspace id, reader) -> Section or None.
            Asked for only where a table that the job watches has a row.
        sections: the same without pictures for many workspaces in a few questions, so that ten thousand digests are
            quick: (session of all workspaces, readers by workspace id) -> sections by (workspace id, account id).
        news: for whom what it adds is worth a mail by itself, in a few questions: (session of all workspaces, readers
            by workspace id) -> (workspace id, account id) of each. Their sections are made then, with `Section.news`.
        samples: what can be tried with one click.
        folder: where its result.html and sample/ lie; filled in by the registry.
    """

    kind: str
    title: str
    summary: str
    params: type[Params]
    result: type[Result]
    run: Callable[[Any, Context], Result]
    queue: str = "default"
    schedule: str | None = None
    time_limit: int = 300
    attempts: int = 3
    chunk: int = 1
    audience: Audience = "people"
    private: bool = False
    watches: tuple[type, ...] = ()
    intake: Callable[[Any, Sequence[IncomingFile]], None] | None = None
    clean: Callable[[Sequence[IncomingFile], Path], list[IncomingFile]] | None = None
    headline: Callable[[Any], str] | None = None
    forget_uploads: Callable[[Any], bool] | None = None
    area: str = ""
    section: Callable[[Session, str, Reader], Section | None] | None = None
    sections: Callable[[Session, Mapping[str, Sequence[Reader]]], dict[tuple[str, str], Section]] | None = None
    news: Callable[[Session, Mapping[str, Sequence[Reader]]], set[tuple[str, str]]] | None = None
    samples: tuple[Sample, ...] = ()
    folder: Path = Path()

    def file_fields(self) -> list[str]:
        """The names of its params that are uploads."""
        return [name for name, info in self.params.model_fields.items() if is_files(info.json_schema_extra)]


def is_files(extra: Any) -> bool:
    return isinstance(extra, dict) and bool(extra.get("files"))
