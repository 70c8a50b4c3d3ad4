"""The job that looks into a meter file: what is in it, by which rule, and what of it is new. Nothing is written yet."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.intake import DUPLICATE, NEW
from models.meter import Meter
from models.workspace import Workspace
from tasks import uploads
from tasks.context import Context
from tasks.errors import FieldError, JobError
from tasks.imports import preview
from tasks.job import Job, Result, read_samples
from tasks.metering import bringing, journal
from tasks.readings.choices import ReadingsParams
from tasks.storage import TEMPORARY
from tasks.uploads import IncomingFile

if TYPE_CHECKING:
    from tasks.metering.files.found import Found, Oddity, Parsed, Part
    from tasks.metering.files.reading import Reader

MOST_BYTES = 1_000_000_000
TOO_LARGE = "This is more than {} MB; export a shorter time, or bring it in in parts."
PACKED = "This is a zip or a spreadsheet (.xlsx), which is not opened here: unpack it, or save the sheet as CSV."
NO_FILE = "This is no file of meters, whatever its name; choose CSV, Green Button XML or Home Assistant's statistics."
TEXT = {uploads.CSV, uploads.XML, uploads.WFDB_HEADER, uploads.WFDB_SIGNAL, None}
STARTS = (b"\xd0\xcf\x11\xe0", b"SQLite format 3\0")
PACKS = {uploads.ZIP, "application/gzip", "application/x-7z-compressed", "application/vnd.rar"}
TOLD, MOST_TOLD = 60, 400  # oddities in the answer, and on the page
KINDS = {"interval": "the energy of intervals", "counter": "what a counter shows"}
OTHER_KIND = "“{}” keeps {}, and the file holds {}: {}."
NO_METER = "There is no such meter any more; choose another one, or none."


class ReadingsFound(Result):
    """What a look into the file found."""

    intake: str = Field(title="The import's id")
    meters: int = Field(title="Meters in the file")
    readings: int = Field(title="Readings in the file")
    new: int = Field(title="New readings")
    changed: int = Field(title="Readings that would replace another value")
    same: int = Field(title="Readings that are known")
    oddities: int = Field(title="Kinds of oddities")
    asks: list[str] = Field(title="What must be chosen first")
    found: list[str] = Field(title="What is odd, with its lines and its rule")
    refusals: list[str] = Field(title="Why it may not be forecast on")


def check(params: ReadingsParams, files: Sequence[IncomingFile]) -> None:
    """At the form: by size and by the first bytes."""
    file = files[0]
    if file.size > MOST_BYTES:
        raise FieldError("files", TOO_LARGE.format(MOST_BYTES // 1_000_000), 413)
    if not file.size:
        raise FieldError("files", "This file is empty; choose the one that holds the readings.")
    with file.path.open("rb") as stream:
        head = stream.read(16)
    if file.media_type in PACKS or head[:2] == b"\x1f\x8b":
        raise FieldError("files", PACKED, 415)
    if file.media_type not in TEXT or head.startswith(STARTS):
        raise FieldError("files", NO_FILE, 415)


def run(params: ReadingsParams, ctx: Context) -> ReadingsFound:
    """Read the file once; keep what would be written beside the run."""
    from tasks.metering.files.reading import Reader

    path = ctx.paths(params.files)[0]
    ctx.progress(0.01, "Finding out how the file is written")
    upload = preview.file_of(ctx, params.files)
    with ctx.read() as session:
        zone = _zone(session, params, ctx.workspace)
    hints = params.hints(Path(upload.name).stem[:80] or "Meter", zone, ctx.now() // 1000)
    reader = Reader(path, hints)
    with preview.begun(ctx, upload, "readings") as intake_id, tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        look = Look(ctx, params, reader, path)
        look.read_all(Path(folder) / bringing.FOUND)
        parsed = reader.parsed()
        told = _told(parsed, look, zone)
        with (Path(folder) / bringing.FOUND).open("rb") as file:
            ctx.artifact(bringing.FOUND, "The readings as they would be written", journal.MEDIA_TYPE, file)
        counts = {NEW: look.new + look.changed, DUPLICATE: look.same, "fresh": look.new, "replacing": look.changed}
        preview.finished(ctx, intake_id, counts, layout=told)
    return ReadingsFound(
        intake=intake_id, meters=len(parsed.series), readings=sum(one.count for one in parsed.series), new=look.new,
        changed=look.changed, same=look.same, oddities=len(told["oddities"]), asks=told["asks"],
        found=[_said(each) for each in told["oddities"][:TOLD]],
        refusals=list(dict.fromkeys(text for each in told["series"] for text in each["refusals"]))[:TOLD],
    )  # fmt: skip


def _zone(session: Session, params: ReadingsParams, workspace: str) -> str:
    if params.zone:
        return params.zone
    if params.meter:
        meter = session.scalars(select(Meter).where(Meter.id == params.meter)).first()
        if meter is None:
            raise JobError(NO_METER)
        return meter.time_zone
    return session.get_one(Workspace, workspace).time_zone or "UTC"


class Look:
    """One reading of the file: its parts go to the journal, and beside what is there already."""

    def __init__(self, ctx: Context, params: ReadingsParams, reader: "Reader", path: Path) -> None:
        self.ctx, self.params, self.reader = ctx, params, reader
        self.new = self.changed = self.same = self.weather = 0
        self.numbers: dict[str, int] = {}
        self.meters: dict[str, Meter | None] = {}
        self.counts: dict[str, list[int]] = {}
        self.targets = params.targets.split("|") if params.targets else []
        self.lines = preview.lines_in(path)

    def read_all(self, target: Path) -> None:
        with journal.Writer(target) as writer:
            for part in self.reader.parts():
                self._take(part, writer)
                share = min(self.reader.line / self.lines, 1)
                self.ctx.progress(0.02 + 0.95 * share, f"{self.new + self.changed + self.same:,} readings read")

    def _take(self, part: "Part", writer: journal.Writer) -> None:
        from tasks.metering.files.chunk import TEMPERATURE

        if part.key == TEMPERATURE:
            self.weather += len(part.readings.times)
            writer.add(journal.group(journal.WEATHER, part.readings.times, part.readings.values))
            return
        number = self.numbers.setdefault(part.key, len(self.numbers))
        target = self.target(number)
        with self.ctx.read() as session:
            meter = self._meter(session, part.key, target)
            kind = meter.kind if meter else self.reader.series[part.key].judge(part.key)[0]
            found = bringing.thinned(part.readings, kind)
            there = bringing.compare(session, meter, found)
        writer.add(journal.group(number, found.times, found.values))
        if target != bringing.LEFT_OUT:
            self._count(part.key, there, found.values)

    def target(self, number: int) -> str:
        """What was chosen for a series: a meter's id, "new", "-", or nothing."""
        return self.targets[number].strip() if number < len(self.targets) else ""

    def _meter(self, session: Session, key: str, target: str) -> Meter | None:
        if key not in self.meters:
            name = self.reader.series[key].name
            if target in (bringing.NEW, bringing.LEFT_OUT):
                self.meters[key] = None
            elif target:
                self.meters[key] = session.scalars(select(Meter).where(Meter.id == target)).first()
            else:
                self.meters[key] = bringing.match(session, key, name, self.params.meter, self.reader.single)
        return self.meters[key]

    def _count(self, key: str, there: bringing.Compared, values: Any) -> None:
        new, changed = int((~there.had).sum()), int((there.had & (there.old != values)).sum())
        same = len(values) - new - changed
        self.new, self.changed, self.same = self.new + new, self.changed + changed, self.same + same
        mine = self.counts.setdefault(key, [0, 0, 0])
        for at, count in enumerate((new, changed, same)):
            mine[at] += count


def _told(parsed: "Parsed", look: Look, zone: str) -> dict[str, Any]:
    """What the import's page shows, and what bringing it in needs."""
    order = sorted(parsed.series, key=lambda one: look.numbers.get(one.key, 0))
    series = [_series(one, look) for one in order]
    fitted = [oddity for one in order for oddity in _fitted(one, look.meters.get(one.key))]
    every = [*parsed.oddities, *fitted]
    layout = parsed.layout
    chosen = {name: value for name, value in look.params.model_dump().items() if name != "files" and value}
    return {
        "form": layout.form, "encoding": layout.encoding, "delimiter": layout.delimiter, "decimal": layout.decimal,
        "dates": layout.dates, "columns": [asdict(column) for column in layout.columns], "zone": zone,
        "chosen": chosen, "series": series, "weather": look.weather, "rows": parsed.rows,
        "oddities": _merged(every, {one.key: one.name for one in order})[:MOST_TOLD],
        "asks": list(dict.fromkeys(oddity.asks for oddity in every if oddity.asks)),
    }  # fmt: skip


def _said(oddity: dict[str, Any]) -> str:
    lines = f" (lines {', '.join(map(str, oddity['lines']))})" if oddity["lines"] else ""
    return f"{oddity['text']}{lines} {oddity['rule']}"


def _series(one: "Found", look: Look) -> dict[str, Any]:
    number = look.numbers[one.key]
    meter = look.meters.get(one.key)
    new, changed, same = look.counts.get(one.key, (0, 0, 0))
    chosen = look.target(number)
    return {
        "key": one.key, "name": one.name, "kind": one.kind, "evidence": one.evidence, "unit": one.unit,
        "step": one.step, "count": one.count, "first": one.first, "last": one.last, "new": new, "changed": changed,
        "same": same, "refusals": list(one.refusals),
        "target": meter.id if meter else bringing.LEFT_OUT if chosen == bringing.LEFT_OUT else bringing.NEW,
    }  # fmt: skip


def _fitted(one: "Found", meter: Meter | None) -> list["Oddity"]:
    """Oddities of a series, beside the meter that it goes to: that one is known to count on, or not to."""
    from tasks.metering.files.found import Oddity

    if meter is None:
        return list(one.oddities)
    told = [oddity for oddity in one.oddities if oddity.asks != "meter_kind"]
    if len(told) == len(one.oddities) and one.kind != meter.kind:
        text = OTHER_KIND.format(meter.name, KINDS[meter.kind], KINDS[one.kind], one.evidence)
        rule = "Let it go to another meter, or choose what the meter tells."
        told.append(Oddity("other kind of meter", text, rule, asks="meter_kind", series=one.key))
    return told


def _merged(oddities: "Iterable[Oddity]", names: dict[str, str]) -> list[dict[str, Any]]:
    """Those that many meters of a file share are told once; what must be chosen comes first."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for each in oddities:
        known = (each.kind, each.text, each.rule, each.lines)
        told = found.setdefault(known, {**asdict(each), "lines": list(each.lines), "series": []})
        if each.series or each.series in names:
            told["series"].append(names.get(each.series, each.series))
    every = list(found.values())
    for told in every:
        told["series"] = [] if len(told["series"]) == len(names) else told["series"][:20]
    return sorted(every, key=lambda told: not told["asks"])


def headline(found: ReadingsFound) -> str:
    return f"{found.new:,} new, {found.changed:,} changed, {found.same:,} known"


JOB = Job(
    kind="readings",
    title="Read in meter readings",
    summary="Shows what is in a meter's file, what is odd about it and what is new, before anything is written.",
    params=ReadingsParams,
    result=ReadingsFound,
    run=run,
    time_limit=1800,
    intake=check,
    headline=headline,
    samples=read_samples(Path(__file__).parent / "sample"),
)
