"""A meter's readings, its use made regular, and its forecast as tables: CSV line by line, Parquet, and .hyper.

Columns: what they are called says their unit; Parquet keeps unit, zone and meter in its metadata as well.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.meter import Meter, ReadingDay

if TYPE_CHECKING:
    import pyarrow as pa

    from tasks.energy.result import EnergyResult

READINGS, USAGE, FORECAST = "readings", "usage", "forecast"
CONTENTS = {
    READINGS: "Readings as they came",
    USAGE: "Use, step by step: holes filled and marked",
    FORECAST: "Forecast with its intervals",
}
FORMATS = {"csv": "CSV", "parquet": "Parquet", "hyper": "Tableau (.hyper)"}
TYPES = {
    "csv": "text/csv", "parquet": "application/vnd.apache.parquet", "hyper": "application/octet-stream",
}  # fmt: skip
MOST = 3_000_000  # readings of one file
DAY = 86_400
AT_ONCE = 60  # days that are in memory together
PER = {"Wh": 1e3, "kWh": 1e6, "MWh": 1e9, "GWh": 1e12}  # mWh
TOO_MANY = "These are {count:,} readings; a file holds at most {most:,}. Choose a shorter time."
NOTHING = "There are no readings in this time; choose another one."
YEARS = range(1990, 2101)
OTHER_TIMES = "Choose days from {} to {}: there are no readings of other years."
NO_HYPER = (
    "the library that writes them is not installed. Whoever runs Nightshift can install it: "
    "pip install --no-deps --require-hashes -r requirements/hyper.txt"
)


class OtherTimes(ValueError):
    """A day of years from which nobody has readings; says so to people."""


class TooMany(ValueError):
    """More than a file holds, or nothing; says so to people."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of a table; `rows` gives some of them at a time, times as epoch seconds."""

    what: str
    meter: str
    zone: str
    unit: str
    kind: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[Sequence[Any], ...]]


def hyper_missing() -> str:
    """Why no .hyper file can be written here; "" where one can."""
    return "" if importlib.util.find_spec("pantab") else NO_HYPER


def count(session: Session, meter: Meter, start: int, end: int) -> int:
    """How many readings lie in the days from `start` to before `end`."""
    days = (ReadingDay.day >= start // DAY, ReadingDay.day <= (end - 1) // DAY)
    return session.scalar(select(func.sum(ReadingDay.count)).where(ReadingDay.meter_id == meter.id, *days)) or 0


def check(session: Session, meter: Meter, start: int, end: int) -> None:
    """
    Raises:
        TooMany: nothing lies in this time, or more than a file holds.
    """
    many = count(session, meter, start, end) if end > start else 0
    if not many:
        raise TooMany(NOTHING)
    if many > MOST:
        raise TooMany(TOO_MANY.format(count=many, most=MOST))


def readings_table(session: Session, meter: Meter, start: int, end: int) -> Table:
    """Readings as they came, in the meter's unit."""
    column = "counter" if meter.kind == "counter" else "energy"
    columns = ("time", f"{column}_{meter.unit}")
    return _table(READINGS, meter, meter.unit, columns, _readings(session, meter, start, end))


def _readings(session: Session, meter: Meter, start: int, end: int) -> Iterator[tuple[Sequence[Any], ...]]:
    from tasks.metering.readings import read

    per = PER.get(meter.unit, 1e6)
    for first in range(start - start % DAY, end, AT_ONCE * DAY):
        some = read(session, meter.id, max(first, start), min(first + AT_ONCE * DAY, end))
        if len(some.times):
            yield some.times.tolist(), (some.values / per).tolist()


def usage_table(session: Session, meter: Meter, start: int, end: int) -> Table:
    """The same made regular, in kWh: it is cleaned as a whole, since what fills a hole lies around it."""
    return _table(USAGE, meter, "kWh", ("time", "energy_kWh", "filled"), _usage(session, meter, start, end))


def _usage(session: Session, meter: Meter, start: int, end: int) -> Iterator[tuple[Sequence[Any], ...]]:
    from tasks.energy.look import steps_of
    from tasks.metering.readings import read
    from tasks.metering.regular import regular

    readings = read(session, meter.id, start, end)
    step = steps_of(meter.step, readings)
    usage = regular(readings, kind=meter.kind, step=step, zone=meter.time_zone, rolls_at=meter.rolls_at)
    yield usage.times.tolist(), usage.kwh.round(6).tolist(), usage.filled.tolist()


def forecast_table(meter: Meter, result: "EnergyResult") -> Table:
    """What the last look foretold."""
    names = ("mean", "lower_80", "upper_80", "lower_95", "upper_95")
    times = [int(datetime.fromisoformat(step.time).timestamp()) for step in result.forecast]
    values = ([getattr(step, name) for step in result.forecast] for name in names)
    columns = ("time", *(f"{name}_{result.unit}" for name in names))
    return _table(FORECAST, meter, result.unit, columns, iter([(times, *values)]))


def _table(what: str, meter: Meter, unit: str, columns: tuple[str, ...], rows: Iterator[Any]) -> Table:
    return Table(what, meter.name, meter.time_zone, unit, meter.kind, columns, rows)


def lines(table: Table) -> Iterator[bytes]:
    """As CSV; times are local with their offset from UTC."""
    from tasks.tables import csv_lines

    zone = ZoneInfo(table.zone)
    flat = (
        (datetime.fromtimestamp(at, zone).isoformat(), *rest)
        for columns in table.rows
        for at, *rest in zip(*columns, strict=True)
    )
    return csv_lines(table.columns, flat)


def batches(table: Table) -> "tuple[pa.Schema, Iterator[pa.Table]]":
    """As typed columns: times are moments in the meter's zone, energies are 64-bit floats, flags are booleans."""
    import pyarrow as pa

    kinds = [pa.timestamp("s", tz=table.zone)]
    kinds += [pa.bool_() if name == "filled" else pa.float64() for name in table.columns[1:]]
    told = {
        "unit": table.unit,
        "time_zone": table.zone,
        "meter": table.meter,
        "kind": table.kind,
        "content": table.what,
    }
    fields = [pa.field(name, kind, nullable=False) for name, kind in zip(table.columns, kinds, strict=True)]
    schema = pa.schema(fields, metadata={**told, "written_by": "Nightshift"})

    def made() -> "Iterator[pa.Table]":
        for columns in table.rows:
            arrays = [pa.array(column, type=kind) for column, kind in zip(columns, kinds, strict=True)]
            yield pa.Table.from_arrays(arrays, schema=schema)

    return schema, made()


def write_parquet(table: Table, path: Path) -> None:
    """A row group for each stretch of days, so that memory stays flat."""
    import pyarrow.parquet as pq

    schema, parts = batches(table)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(part)


def write_hyper(table: Table, path: Path) -> None:
    """A Tableau extract with one table, called as its content. Its times are those of the wall's clock, without a zone.

    Raises:
        ImportError: the library is not installed; see `hyper_missing`.
    """
    import pantab
    import pyarrow as pa

    _, parts = batches(table)
    whole = pa.concat_tables(parts)
    zone = ZoneInfo(table.zone)
    walls = [each.astimezone(zone).replace(tzinfo=None) for each in whole.column(0).to_pylist()]
    whole = whole.set_column(0, "time", pa.array(walls, type=pa.timestamp("us")))
    pantab.frame_to_hyper(whole, path, table=table.what)


def bounds(meter: Meter, first: str, last: str) -> tuple[int, int]:
    """Epoch seconds of local days, as a form gives them; what is empty is the meter's own first and last reading.

    Raises:
        OtherTimes: one is of a year in which no reading can be.
        ValueError: one is no day.
    """
    zone = ZoneInfo(meter.time_zone)

    def midnight(day: str, later: int) -> int:
        read = date.fromisoformat(day)
        if read.year not in YEARS:
            raise OtherTimes(OTHER_TIMES.format(YEARS[0], YEARS[-1]))
        found = read + timedelta(later)
        return int(datetime(found.year, found.month, found.day, tzinfo=zone).timestamp())

    start = midnight(first, 0) if first else (meter.first_at or 0)
    end = midnight(last, 1) if last else (meter.last_at or 0) + 1
    return max(start, 0), min(end, int(datetime.now(UTC).timestamp()) + 3 * DAY)
