"""Counts words. It has a field of every sort that a form can be made of."""

import zlib
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from tasks.context import Context
from tasks.errors import FieldError, JobError
from tasks.job import Job, Params, Result, Sample, files_field
from tasks.uploads import IncomingFile


class ProbeParams(Params):
    files: list[str] = files_field("Texts", accept=".txt", description="Plain text.", at_most=2, required=False)
    name: str = Field(title="Name", max_length=60, description="Who asks.")
    rate: float | None = Field(None, title="Rate", ge=1, le=1000, json_schema_extra={"unit": "Hz", "advanced": True})
    times: int = Field(3, title="Times", ge=1, le=10)
    size: Literal["small", "very_large"] = Field("small", title="Size")
    speed: Literal[25, 50] = Field(25, title="Speed", json_schema_extra={"unit": "mm/s"})
    tags: list[Literal["red", "blue"]] = Field([], title="Tags")
    keep: bool = Field(False, title="Keep the files")
    note: str = Field("", title="Note", max_length=500)


class ProbeResult(Result):
    words: int
    name: str


def check(params: ProbeParams, files: Sequence[IncomingFile]) -> None:
    if any(b"bad" in file.path.read_bytes() for file in files):
        raise FieldError("files", "This text is bad; choose a good one.", 415)


def run(params: ProbeParams, ctx: Context) -> ProbeResult:
    if params.name == "fail":
        raise JobError("The name is “fail”. Choose another one.")
    texts = [path.read_text("utf-8") for path in ctx.paths(params.files)]
    ctx.artifact("words.csv", "Words as a table", "text/csv", b"word\none\n")
    ctx.artifact("page.html", "A page", "text/html", b"<script>alert(1)</script>")
    ctx.artifact("dot.png", "A dot", "image/png", DOT)
    return ProbeResult(words=sum(len(text.split()) for text in texts), name=params.name)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


DOT = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]))
    + _chunk(b"IDAT", zlib.compress(b"\0\0"))
    + _chunk(b"IEND", b"")
)

JOB = Job(
    kind="probe",
    title="Count words",
    summary="Counts the words of a text.",
    params=ProbeParams,
    result=ProbeResult,
    run=run,
    intake=check,
    headline=lambda result: f"{result.words} words",
    forget_uploads=lambda params: not params.keep,
    samples=(
        Sample("A text", files=("words.txt",), params={"name": "Sample", "keep": True}),
        Sample("No text", params={"name": "Nobody"}),
    ),
)
