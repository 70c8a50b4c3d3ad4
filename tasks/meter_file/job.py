"""The job that writes a meter's file with typed columns. CSV needs no job: the meter's page gives it at once."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy.orm import Session

from models.meter import Meter, Outlook
from tasks.context import Context
from tasks.energy.seen import seen
from tasks.errors import FieldError, JobError
from tasks.job import Job, Params, Result, Sample
from tasks.meter_file import typed
from tasks.metering import exporting, looking
from tasks.metering.exporting import CONTENTS, FORECAST, NOTHING, READINGS, Table
from tasks.storage import TEMPORARY
from tasks.uploads import IncomingFile

SAMPLE = "sample"  # instead of a meter's id
SAMPLE_LAST = date(2025, 12, 31)  # the last day of its year
TO_TRY = Sample(
    "A household's winter, by the quarter of an hour",
    "Made up, as Parquet: three months of use, with those steps marked that were filled in.",
    params={"meter": SAMPLE, "what": "usage", "first": "2025-10-01"},
)
NO_FORECAST = "There is no forecast of this meter. Look at it first, then ask for its file again."
BACKWARDS = "The last day lies before the first; choose a later one."


class FileParams(Params):
    """Which meter, what of it, and as what."""

    meter: str = Field(
        title="Meter", min_length=1, max_length=28,
        description="Its id, which stands in its page's address; “sample” is a household that is made up.",
    )  # fmt: skip
    what: Literal["readings", "usage", "forecast"] = Field(
        "readings", title="What", json_schema_extra={"labels": dict(CONTENTS)}
    )
    format: Literal["parquet", "hyper"] = Field(
        "parquet", title="File", json_schema_extra={"labels": dict(typed.FORMATS)},
        description="Tableau's needs a library that the workers may not have; the run says so then.",
    )  # fmt: skip
    first: date | None = Field(None, title="From", description="In the meter's time zone. Empty: its first reading.")
    last: date | None = Field(None, title="To", description="The last day, included. Empty: its last reading.")
    horizon: Literal["hour", "day", "month"] = Field(
        "hour", title="Forecast by", json_schema_extra={"labels": {"hour": "Hour", "day": "Day", "month": "Month"}}
    )


class FileMade(Result):
    """What is in the file."""

    meter: str = Field(title="The meter's id")
    name: str = Field(title="Its name")
    what: str = Field(title="What the file holds")
    format: str = Field(title="Its format")
    columns: list[str] = Field(title="Its columns")
    zone: str = Field(title="Its time zone")
    rows: int = Field(title="Rows")
    first: str = Field(title="The first row's time")
    last: str = Field(title="The last row's time")
    size: int = Field(title="Bytes")


@dataclass
class Written:
    """Counts what goes into the file, and says how far it is."""

    ctx: Context
    start: int
    end: int
    rows: int = 0
    first: int = 0
    last: int = 0

    def through(self, table: Table) -> Table:
        return replace(table, rows=self._counted(table.rows))

    def _counted(self, rows: Iterator[tuple[Sequence[Any], ...]]) -> Iterator[tuple[Sequence[Any], ...]]:
        for columns in rows:
            times = columns[0]
            self.first = self.first if self.rows else times[0]
            self.last, self.rows = times[-1], self.rows + len(times)
            yield columns
            share = (self.last - self.start) / max(self.end - self.start, 1)
            self.ctx.progress(min(0.02 + 0.9 * share, 0.92), f"{self.rows:,} rows written")


def check(params: FileParams, _files: Sequence[IncomingFile]) -> None:
    """At the form: what no run could answer. Whether there are readings, the run says; the meter's page asks before."""
    if params.first and params.last and params.last < params.first:
        raise FieldError("last", BACKWARDS)
    for name in ("first", "last"):
        day = getattr(params, name)
        if day and day.year not in exporting.YEARS:
            raise FieldError(name, exporting.OTHER_TIMES.format(exporting.YEARS[0], exporting.YEARS[-1]))


def run(params: FileParams, ctx: Context) -> FileMade:
    """Write it beside the database, stretch by stretch, then leave it with the run."""
    if why := typed.missing(params.format):
        raise JobError(why)
    ctx.progress(0.01, "Reading what is known of the meter")
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        path = Path(folder) / f"{params.what}.{params.format}"
        with ctx.read() as session:
            table, written = _asked(session, params, ctx)
            typed.write(params.format, written.through(table), path)
        if not written.rows:
            raise JobError(NOTHING)
        size = path.stat().st_size
        ctx.progress(0.95, "Keeping the file")
        with path.open("rb") as file:
            ctx.artifact(path.name, CONTENTS[params.what], typed.TYPES[params.format], file)
    zone = ZoneInfo(table.zone)
    first, last = (datetime.fromtimestamp(at, zone).isoformat() for at in (written.first, written.last))
    return FileMade(
        meter="" if params.meter == SAMPLE else params.meter, name=table.meter, what=params.what,
        format=params.format, columns=list(table.columns), zone=table.zone, rows=written.rows, first=first,
        last=last, size=size,
    )  # fmt: skip


def _asked(session: Session, params: FileParams, ctx: Context) -> tuple[Table, Written]:
    """The table, not read yet.

    Raises:
        JobError: there is nothing of it, or more than a file holds.
    """
    meter, read = _sample() if params.meter == SAMPLE else _stored(session, params.meter)
    if params.what == FORECAST:
        result = seen(session.get(Outlook, meter.id), params.horizon).result if meter.id else None
        if result is None or not result.forecast:
            raise JobError(NO_FORECAST)
        return exporting.forecast_table(meter, result), Written(ctx, 0, 0)
    try:
        start, end = exporting.bounds(meter, params.first, params.last)
        if meter.id:
            exporting.check(session, meter, start, end)
    except (exporting.OtherTimes, exporting.TooMany) as error:
        raise JobError(str(error)) from error
    make = exporting.readings_table if params.what == READINGS else exporting.usage_table
    return make(read, meter, start, end), Written(ctx, start, end)


def _stored(session: Session, meter_id: str) -> tuple[Meter, exporting.Read]:
    meter = looking.find(session, meter_id)
    return meter, exporting.stored(session, meter)


def _sample() -> tuple[Meter, exporting.Read]:
    """A meter that stands in no table."""
    import numpy as np

    from tasks.metering import sample_meter
    from tasks.metering.usage import Readings

    zone = "Europe/Berlin"
    kept = sample_meter.household(SAMPLE_LAST, zone).readings

    def read(start: int, end: int) -> Readings:
        some = slice(*np.searchsorted(kept.times, [start, end]).tolist())
        return Readings(kept.times[some], kept.values[some])

    ends = {"first_at": int(kept.times[0]), "last_at": int(kept.times[-1])}
    return Meter(
        id="", name=sample_meter.NAME, kind="interval", unit="kWh", step=sample_meter.STEP, time_zone=zone, **ends
    ), read  # fmt: skip


def headline(made: FileMade) -> str:
    """For lists and mails: how much, and nothing of anybody's life."""
    return f"{made.rows:,} rows as {typed.FORMATS[made.format]}"


JOB = Job(
    kind="meter_file",
    title="Make a file of a meter",
    summary="Writes a meter's readings, its use or its forecast into a Parquet file or a Tableau extract.",
    params=FileParams,
    result=FileMade,
    run=run,
    queue="energy",
    time_limit=900,
    intake=check,
    headline=headline,
    samples=(TO_TRY,),
)
