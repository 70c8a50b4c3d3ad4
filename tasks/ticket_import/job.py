"""The job that looks into an export of another help desk: what each ticket was and became. Nothing is written yet."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from models.intake import DUPLICATE, NEW, SKIPPED, WRONG
from models.workspace import Workspace
from tasks.care import import_keys
from tasks.context import Context
from tasks.errors import FieldError, JobError
from tasks.imports import preview
from tasks.imports.fingerprints import batched
from tasks.job import Job, Params, Result, files_field, read_samples
from tasks.storage import TEMPORARY
from tasks.ticket_import import choices, gathering, headers, layout, reading, refusing, replay, report
from tasks.uploads import IncomingFile

NO_TICKETS = "There is no ticket in this file that could be imported."
TOO_LONG = "This ticket has more than {:,} lines, so its number is hardly one of a single ticket."
AT_ONCE = 500
SMALL = 2_000_000  # bytes that are read through at the form already


class TicketImportParams(Params):
    """What to read; all but the file is found by itself."""

    files: list[str] = files_field(
        "File", accept=".csv,.txt,.tsv",
        description="The CSV export of ServiceNow (incidents, or their log of changes), Zendesk or osTicket.",
    )  # fmt: skip
    system: Literal["", "servicenow", "zendesk", "osticket", "other"] = choices.offered(
        "It comes from", headers.SYSTEMS
    )
    zone: str = Field(
        "", title="Time zone", max_length=64,
        description="Of the file’s times where they name none, such as Europe/Berlin; else the workspace’s own.",
    )  # fmt: skip
    policy: Literal["own", "stated"] = Field(
        "own", title="Reckon by",
        json_schema_extra={"labels": {"own": "This desk’s policies, if it has any", "stated": "What is stated below"}},
    )  # fmt: skip
    allowed: str = Field(
        "4 8 24 40", title="Hours to solve", max_length=60,
        description="For urgent, high, normal and low; what the past’s times are held against.",
    )  # fmt: skip
    clock: Literal["week", "always"] = Field(
        "week", title="Counted",
        json_schema_extra={"labels": {"week": "Monday to Friday, 9 to 17", "always": "Around the clock"}},
    )  # fmt: skip
    delimiter: Literal["", "semicolon", "comma", "tab", "bar"] = choices.offered("Between the columns", choices.BETWEEN)
    encoding: Literal["", "utf-8-sig", "utf-16", "cp1252", "cp1250", "cp1251", "cp850"] = choices.offered(
        "Encoding", choices.WRITTEN
    )
    dates: Literal["", "dmy", "mdy", "ymd"] = choices.offered("Order of dates", choices.ORDERS)
    columns: str = Field(
        "", title="Columns", max_length=4000,
        description="What each column is, from the left, with | between them: number||created|state.",
    )  # fmt: skip

    _zone = field_validator("zone")(choices.zone)
    _allowed = field_validator("allowed")(choices.allowed)
    _columns = field_validator("columns")(choices.columns)

    def layout_of(self, path: Path, zone: str) -> layout.Layout:
        """How a file is written, by what was chosen."""
        signs = {"semicolon": ";", "comma": ",", "tab": "\t", "bar": "|", "": ""}
        hint = "mdy" if zone.startswith(choices.MONTH_FIRST) else "dmy"
        chosen = [each.strip() for each in self.columns.split("|")] if self.columns else []
        return layout.find(
            path, self.zone or zone, system=self.system, encoding=self.encoding, delimiter=signs[self.delimiter],
            dates=self.dates, columns=chosen, hint=hint,
        )  # fmt: skip


class TicketsFound(Result):
    """What was found in the file."""

    intake: str = Field(title="The import's id")
    system: str = Field(title="It comes from")
    new: int = Field(title="Tickets to import")
    duplicate: int = Field(title="Tickets that are here already")
    wrong: int = Field(title="Lines that cannot be read")
    skipped: int = Field(title="Lines that are left out")
    policy: str = Field(title="The policy that times are held against")
    report: dict[str, Any] = Field(title="What the file adds up to")


def check(params: TicketImportParams, files: Sequence[IncomingFile]) -> None:
    """At the form: what is no text at all, and of small files whether there are tickets in it."""
    refusing.check(files)
    try:
        if files[0].size <= SMALL:
            params.layout_of(files[0].path, "UTC")
    except JobError as error:
        raise FieldError("columns" if params.columns else "files", str(error)) from error


def run(params: TicketImportParams, ctx: Context) -> TicketsFound:
    """Read the file: how it is written, then each line, then ticket by ticket what it was."""
    path = ctx.paths(params.files)[0]
    ctx.progress(0.01, "Finding out how the file is written")
    with ctx.read() as session:
        zone = session.get_one(Workspace, ctx.workspace).time_zone or "UTC"
    written = params.layout_of(path, zone)
    layout_told = {**written.to_json(), "system_title": headers.SYSTEMS[written.system]}
    with (
        preview.begun(ctx, preview.file_of(ctx, params.files), import_keys.SUBJECT, layout_told) as intake_id,
        tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder,
    ):
        with gathering.Gathered(Path(folder) / "lines.db") as gathered:
            look = Look(ctx, params, written, intake_id)
            look.read(path, gathered)
            look.build(gathered)
        if not look.counts:
            raise JobError(NO_TICKETS)
        told = {state: look.counts[state] for state in (NEW, DUPLICATE, WRONG, SKIPPED)}
        sums = look.report.told()
        preview.finished(ctx, intake_id, {**told, "report": sums, "policy": look.policy})
    return TicketsFound(intake=intake_id, system=written.system, policy=look.policy, report=sums, **told)


class Look:
    """One reading of a file."""

    def __init__(self, ctx: Context, params: TicketImportParams, written: layout.Layout, intake_id: str) -> None:
        self.ctx, self.params, self.written, self.intake_id = ctx, params, written, intake_id
        self.counts: Counter[str] = Counter()
        self.report = report.Report()
        self.policy = ""
        self.since = ctx.now()

    def read(self, path: Path, gathered: gathering.Gathered) -> None:
        """Every line: put down, or told why it is none."""
        total, many = preview.lines_in(path), 0
        for batch in batched(reading.lines_of(path, self.written), 4 * AT_ONCE):
            unread = []
            for each in batch:
                if isinstance(each, reading.Unread):
                    unread.append(self._line(each.line, SKIPPED if each.meant else WRONG, None, each.reason))
                else:
                    gathered.add(each)
                    self.since = min(self.since, each.at, each.moments.get("created", each.at))
            preview.keep(self.ctx, unread)
            many += len(batch)
            self.ctx.progress(0.02 + 0.4 * min(1, batch[-1].line / total), f"{many:,} lines read")

    def build(self, gathered: gathering.Gathered) -> None:
        """Every ticket: what it was, and whether it is here already."""
        rules = self._rules()
        done = 0
        for batch in batched(gathered.tickets(replay.MOST_LINES), AT_ONCE):
            built, rows = [], []
            for seen in batch:
                done += len(seen)
                if len(seen) > replay.MOST_LINES:
                    rows.append(self._line(seen[0].line, WRONG, None, TOO_LONG.format(replay.MOST_LINES)))
                else:
                    built.append(replay.build(seen, self.written.system, rules))
            preview.keep(self.ctx, rows + self._compared(built))
            self.ctx.progress(0.42 + 0.55 * min(1, done / max(1, gathered.lines)), f"{self.report.tickets:,} tickets")

    def _rules(self) -> replay.Rules:
        from tasks.care.import_rules import ImportRules  # numpy: only in the worker

        with self.ctx.read() as session:
            found = ImportRules(
                session, self.ctx.workspace, self.params.policy, choices.minutes(self.params.allowed),
                week=self.params.clock == "week", zone=self.written.zone, now=self.ctx.now(), since=self.since,
            )  # fmt: skip
        self.policy = found.told()
        return lambda priority, category, team: replay.Rule(*found.find(priority, category, team))

    def _compared(self, built: Sequence[replay.Built]) -> list[dict[str, Any]]:
        with self.ctx.read() as session:
            there = import_keys.known(session, [import_keys.of(self.written.system, one.key) for one in built])
        rows = []
        for one in built:
            self.report.add(one)
            state = DUPLICATE if import_keys.of(self.written.system, one.key) in there else NEW
            rows.append(self._line(one.line, state, replay.told(one)))
        return rows

    def _line(self, number: int, state: str, what: dict[str, Any] | None, reason: str = "") -> dict[str, Any]:
        self.counts[state] += 1
        return preview.line(self.ctx, self.intake_id, number, state, what, reason)


def headline(found: TicketsFound) -> str:
    return f"{found.new:,} tickets to import, {found.duplicate:,} known, {found.wrong:,} lines wrong"


JOB = Job(
    kind="ticket_import",
    title="Import tickets",
    summary="Shows what another help desk's export would become: tickets with their history, states and times.",
    params=TicketImportParams,
    result=TicketsFound,
    run=run,
    time_limit=1800,
    intake=check,
    headline=headline,
    samples=read_samples(Path(__file__).parent / "sample"),
)
