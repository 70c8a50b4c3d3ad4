"""A workspace's packed days as people can read them: CSV, for the export of all that is theirs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.meter import Meter, Place, ReadingDay, WeatherDay
from tasks.metering import packing
from tasks.metering.incoming import isoformat, told
from tasks.tables import Cell, csv_lines

AT_ONCE = 50  # days
Reading = Callable[[], AbstractContextManager[Session]]
File = tuple[str, str, Iterator[bytes]]  # folder, name without its ending, pieces


def copies(reading: Reading, workspace_id: str, count: Callable[[int], None]) -> Iterator[File]:
    """A file for each meter that has readings, and for each place that has temperatures.

    Args:
        reading: opens a transaction in which all workspaces are seen.
        count: told how many lines were written.
    """
    with reading() as session:
        every = select(Meter.id, Meter.name, Meter.unit).where(Meter.workspace_id == workspace_id)
        meters = session.execute(every.order_by(Meter.id)).all()
        homes = select(Place.id, Place.name).where(Place.workspace_id == workspace_id)
        places = session.execute(homes.order_by(Place.id)).all()
    for meter in meters:
        if lines := _filled(_readings(reading, meter.id, meter.unit, count)):
            yield "readings", meter.name, csv_lines(("time", meter.unit), lines)
    for place in places:
        if lines := _filled(_temperatures(reading, place.id, count)):
            yield "weather", place.name, csv_lines(("time", "degrees Celsius", "forecast of"), lines)


def _filled(rows: Iterator[tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]] | None:
    """The rows; None when there are none."""
    first = next(rows, None)
    return None if first is None else (row for part in ([first], rows) for row in part)


def _readings(reading: Reading, meter_id: str, unit: str, count: Callable[[int], None]) -> Iterator[tuple[Cell, ...]]:
    day = -1
    while True:
        asked = select(ReadingDay.day, ReadingDay.packed).where(ReadingDay.meter_id == meter_id, ReadingDay.day > day)
        with reading() as session:
            days = session.execute(asked.order_by(ReadingDay.day).limit(AT_ONCE)).all()
        for _, packed in days:
            times, values = packing.unpack(packed)
            count(len(times))
            for at, value in zip(times.tolist(), values.tolist(), strict=True):
                yield isoformat(at), Decimal(told(value, unit))
        if not days:
            return
        day = days[-1].day


def _temperatures(reading: Reading, place_id: str, count: Callable[[int], None]) -> Iterator[tuple[Cell, ...]]:
    last: Any = None
    c = WeatherDay
    while True:
        asked = select(c.day, c.issued_at, c.packed).where(c.place_id == place_id)
        if last is not None:
            asked = asked.where(or_(c.day > last.day, and_(c.day == last.day, c.issued_at > last.issued_at)))
        with reading() as session:
            days = session.execute(asked.order_by(c.day, c.issued_at).limit(AT_ONCE)).all()
        for day in days:
            times, values = packing.unpack(day.packed)
            count(len(times))
            issued = isoformat(day.issued_at) if day.issued_at else ""
            for at, value in zip(times.tolist(), values.tolist(), strict=True):
                yield isoformat(at), Decimal(value) / 100, issued
        if not days:
            return
        last = days[-1]
