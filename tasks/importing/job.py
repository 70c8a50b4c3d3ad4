"""The job that reads a file and shows what it would become. Nothing of it is written before somebody says so."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from models.intake import DUPLICATE, NEW, SKIPPED, WRONG
from models.workspace import Workspace
from tasks import money
from tasks.context import Context
from tasks.errors import FieldError, JobError
from tasks.importing import presets, reading, refusing
from tasks.importing.analysing import Wishes
from tasks.importing.layout import ROLES, Layout, to_json
from tasks.imports import preview
from tasks.imports.fingerprints import batched
from tasks.imports.matching import AT_ONCE, Matcher
from tasks.job import Job, Params, Result, files_field, read_samples
from tasks.uploads import IncomingFile

SIGNS = {"semicolon": ";", "comma": ",", "tab": "\t", "bar": "|", "point": "."}
NO_LINES = "There is no line in this file that could be imported."
SMALL = 2_000_000  # bytes that are read through at the form already
MONTH_FIRST = ("America/", "US/", "Pacific/Honolulu")
NO_ROLE = "“{}” is no meaning of a column here; choose among {}."
HOLDS = {
    "expenses": "Expenses and income", "products": "Products", "suppliers": "Suppliers",
    "movements": "Movements of stock",
}  # fmt: skip
BETWEEN = {"semicolon": "Semicolon ;", "comma": "Comma ,", "tab": "Tab", "bar": "Bar |"}
WRITTEN = {
    "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Western Europe (Latin-1)", "cp1250": "Central Europe",
    "cp1251": "Cyrillic", "cp1253": "Greek", "cp1254": "Turkish", "cp850": "DOS", "shift_jis": "Japanese",
    "gb18030": "Chinese",
}  # fmt: skip
ORDERS = {"dmy": "Day, month, year", "mdy": "Month, day, year", "ymd": "Year, month, day"}


def _choice(title: str, labels: dict[str, str], help_: str = "") -> Any:
    """A field of which nothing need be chosen: it is found by itself."""
    return Field("", title=title, description=help_, json_schema_extra={"labels": {"": "Found by itself", **labels}})


class ImportParams(Params):
    """What to read, and what of it is known; all but the file and what it holds is found by itself."""

    files: list[str] = files_field(
        "File", accept=".csv,.txt,.tsv,.ofx,.qfx,.qif",
        description="CSV of any bank or shop, OFX, QIF, or the CSV export of Firefly III, Actual or InvenTree.",
    )  # fmt: skip
    subject: Literal["expenses", "products", "suppliers", "movements"] = Field(
        "expenses", title="It holds", json_schema_extra={"labels": dict(HOLDS)}
    )
    account: str = Field(
        "", title="Account", max_length=80,
        description="Of a bank's file: the account that it is of. A name that does not exist yet makes a new one.",
    )  # fmt: skip
    currency: str = Field(
        "", title="Currency", max_length=3, description="Of what has to be made, such as EUR; else the workspace's own."
    )
    preset: str = Field(
        "", title="Bank layout", max_length=80, description="Such as de/dkb/csv-giro; else it is found by itself."
    )
    delimiter: Literal["", "semicolon", "comma", "tab", "bar"] = _choice("Between the columns", BETWEEN)
    encoding: Literal[
        "", "utf-8-sig", "utf-16", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp850", "shift_jis", "gb18030"
    ] = _choice("Encoding", WRITTEN)
    decimal: Literal["", "point", "comma"] = _choice("Before the decimals", {"point": "Point", "comma": "Comma"})
    dates: Literal["", "dmy", "mdy", "ymd"] = _choice("Order of dates", ORDERS)
    header: Literal["", "yes", "no"] = _choice("First line is a header", {"yes": "Yes", "no": "No"})
    columns: str = Field(
        "", title="Columns", max_length=4000,
        description="What each column is, from the left, with | between them: date|payee||amount.",
    )  # fmt: skip

    @field_validator("currency")
    @classmethod
    def _exists(cls, value: str) -> str:
        if value and not money.known(value.upper()):
            raise ValueError("There is no such currency; write a code such as EUR.")
        return value.upper()

    @field_validator("preset")
    @classmethod
    def _is_there(cls, value: str) -> str:
        if value and value not in presets.known():
            raise ValueError("There is no such bank layout; leave it empty, or choose one on the page of imports.")
        return value

    def wishes(self, hint: str = "dmy") -> Wishes:
        """What was chosen, for the reader."""
        return Wishes(
            delimiter=SIGNS.get(self.delimiter, ""),
            encoding=self.encoding,
            decimal={"point": ".", "comma": ","}.get(self.decimal, ""),
            dates=self.dates,
            header=self.header,
            columns=self.roles(),
            preset=self.preset,
            hint=hint,
        )

    def roles(self) -> tuple[str, ...]:
        """What each column is, as it was chosen.

        Raises:
            JobError: there is no such meaning.
        """
        chosen = tuple(each.strip() for each in self.columns.split("|")) if self.columns else ()
        known = ROLES[self.subject]
        for each in chosen:
            if each not in known:
                raise JobError(NO_ROLE.format(each[:30], ", ".join(name for name in known if name)))
        return chosen


class Previewed(Result):
    """What was found in the file."""

    intake: str = Field(title="The import's id")
    subject: str = Field(title="What it holds")
    new: int = Field(title="Lines to import")
    duplicate: int = Field(title="Lines that are known")
    wrong: int = Field(title="Lines that cannot be read")
    skipped: int = Field(title="Lines that are left out")


def check(params: ImportParams, files: Sequence[IncomingFile]) -> None:
    """At the form: what is no text at all, and of small files whether there is a table in it."""
    refusing.check(files)
    try:
        wishes = params.wishes()
        if files[0].size <= SMALL:
            reading.layout_of(files[0].path, params.subject, wishes)
    except JobError as error:
        raise FieldError("columns" if params.columns else "files", str(error)) from error


def run(params: ImportParams, ctx: Context) -> Previewed:
    """Read the file twice: how it is written, then line by line what it becomes."""
    path = ctx.paths(params.files)[0]
    ctx.progress(0.01, "Finding out how the file is written")
    with ctx.read() as session:
        place = session.get_one(Workspace, ctx.workspace)
    hint = "mdy" if place.time_zone.startswith(MONTH_FIRST) else "dmy"
    layout = reading.layout_of(path, params.subject, params.wishes(hint))
    matcher = Matcher(
        params.subject, params.account, params.currency or place.currency, ours=layout.form in ("firefly", "actual")
    )
    layout_told = {**to_json(layout), "account": params.account, "currency": params.currency}
    with preview.begun(ctx, preview.file_of(ctx, params.files), params.subject, layout_told) as intake_id:
        counts = _read_all(ctx, path, params.subject, layout, matcher, intake_id)
        if not counts:
            raise JobError(NO_LINES)
        told = {state: counts[state] for state in (NEW, DUPLICATE, WRONG, SKIPPED)}
        preview.finished(ctx, intake_id, {**told, "made": matcher.made.told()})
    return Previewed(intake=intake_id, subject=params.subject, **told)


def _read_all(
    ctx: Context, path: Path, subject: str, layout: Layout, matcher: Matcher, intake_id: str
) -> "Counter[str]":
    """Each batch is held against what is there and written, in a transaction of its own: nobody sees it yet."""
    total = preview.lines_in(path)
    counts: Counter[str] = Counter()
    last = 0
    for batch in batched(reading.lines_of(path, subject, layout), AT_ONCE):
        with ctx.read() as session:
            rows = matcher.rows(session, batch)
        for row in rows:
            last = row.number = max(row.number, last + 1)  # OFX may stand in one line altogether
            counts[row.state] += 1
        told = [preview.line(ctx, intake_id, row.number, row.state, row.what, row.reason) for row in rows]
        preview.keep(ctx, told)
        ctx.progress(
            min(0.05 + 0.94 * last / total, 0.99), f"{counts.total():,} lines read, {counts[NEW]:,} of them new"
        )
    return counts


def headline(found: Previewed) -> str:
    return f"{found.new:,} to import, {found.duplicate:,} known, {found.wrong:,} wrong"


JOB = Job(
    kind="importing",
    title="Import a file",
    summary="Shows what a bank's or a shop's file would become, line by line, before anything is written.",
    params=ImportParams,
    result=Previewed,
    run=run,
    time_limit=900,
    intake=check,
    headline=headline,
    samples=read_samples(Path(__file__).parent / "sample"),
)
