"""A meter's readings, its use made regular, and its forecast as tables, some rows at a time; and those as CSV.

Columns: what they are called says their unit. tasks/meter_file/ makes typed files of the same tables; this needs no
library beside numpy, so that the front gives CSV at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.meter import Meter, ReadingDay

if TYPE_CHECKING:
    from tasks.energy.result import EnergyResult
    from tasks.metering.usage import Readings

READINGS, USAGE, FORECAST = "readings", "usage", "forecast"
CONTENTS = {
    READINGS: "Readings as they came",
    USAGE: "Use, step by step: holes filled and marked",
    FORECAST: "Forecast with its intervals",
}
MOST = 3_000_000  # readings of one file
DAY = 86_400
AT_ONCE = 60  # days that are in memory together
PER = {"Wh": 1e3, "kWh": 1e6, "MWh": 1e9, "GWh": 1e12}  # mWh
TOO_MANY = "These are {count:,} readings; a file holds at most {most:,}. Choose a shorter time."
NOTHING = "There are no readings in this time; choose another one."
YEARS = range(1990, 2101)
OTHER_TIMES = "Choose days from {} to {}: there are no readings of other years."

Read = Callable[[int, int], "Readings"]  # a meter's readings from a time to before another, epoch seconds


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


def count(session: Session, meter: Meter, start: int, end: int) -> int:
    """How many readings lie in the days from `start` to before `end`."""
    days = (ReadingDay.day >= start // DAY, ReadingDay.day <= (end - 1) // DAY)
    return session.scalar(select(func.sum(ReadingDay.count)).where(ReadingDay.meter_id == meter.id, *days)) or 0


def check(session: Session, meter: Meter, start: int, end: int, most: int = 0) -> None:
    """
    Args:
        most: how many readings are taken, where that is less than what any file holds.

    Raises:
        TooMany: nothing lies in this time, or more than a file holds.
    """
    most = min(most or MOST, MOST)
    many = count(session, meter, start, end) if end > start else 0
    if not many:
        raise TooMany(NOTHING)
    if many > most:
        raise TooMany(TOO_MANY.format(count=many, most=most))


def stored(session: Session, meter: Meter) -> Read:
    """What reads a meter's readings out of the database."""
    from tasks.metering.readings import read

    return partial(read, session, meter.id)


def readings_table(read: Read, meter: Meter, start: int, end: int) -> Table:
    """Readings as they came, in the meter's unit."""
    column = "counter" if meter.kind == "counter" else "energy"
    columns = ("time", f"{column}_{meter.unit}")
    return _table(READINGS, meter, meter.unit, columns, _readings(read, meter, start, end))


def _readings(read: Read, meter: Meter, start: int, end: int) -> Iterator[tuple[Sequence[Any], ...]]:
    per = PER.get(meter.unit, 1e6)
    for first in range(start - start % DAY, end, AT_ONCE * DAY):
        some = read(max(first, start), min(first + AT_ONCE * DAY, end))
        if len(some.times):
            yield some.times.tolist(), (some.values / per).tolist()


def usage_table(read: Read, meter: Meter, start: int, end: int) -> Table:
    """The same made regular, in kWh: it is cleaned as a whole, since what fills a hole lies around it."""
    return _table(USAGE, meter, "kWh", ("time", "energy_kWh", "filled"), _usage(read, meter, start, end))


def _usage(read: Read, meter: Meter, start: int, end: int) -> Iterator[tuple[Sequence[Any], ...]]:
    from tasks.metering.regular import regular, steps_of

    readings = read(start, end)
    step = steps_of(meter.step, readings)
    usage = regular(readings, kind=meter.kind, step=step, zone=meter.time_zone, rolls_at=meter.rolls_at)
    together = max(AT_ONCE * DAY // step, 1)  # Python's numbers take many times the room of these
    for first in range(0, len(usage.times), together):
        some = slice(first, first + together)
        yield usage.times[some].tolist(), usage.kwh[some].round(6).tolist(), usage.filled[some].tolist()


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


def bounds(meter: Meter, first: date | None, last: date | None) -> tuple[int, int]:
    """Epoch seconds of local days, both included; None is the meter's own first and last reading.

    Raises:
        OtherTimes: one is of a year in which no reading can be.
    """
    zone = ZoneInfo(meter.time_zone)

    def midnight(day: date, later: int) -> int:
        if day.year not in YEARS:
            raise OtherTimes(OTHER_TIMES.format(YEARS[0], YEARS[-1]))
        found = day + timedelta(later)
        return int(datetime(found.year, found.month, found.day, tzinfo=zone).timestamp())

    start = midnight(first, 0) if first else (meter.first_at or 0)
    end = midnight(last, 1) if last else (meter.last_at or 0) + 1
    return max(start, 0), min(end, int(datetime.now(UTC).timestamp()) + 3 * DAY)
