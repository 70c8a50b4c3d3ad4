"""The clock by which a file's days are, where its times are UTC and another column says the local day. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path

from tasks.metering.files.found import Layout
from tasks.metering.files.layouts import data_of

MOST = 60_000  # lines that are looked at
LEAST = 2  # midnights
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Pair = tuple[datetime, date]


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a column of days turns.

    Attributes:
        column: what it is called.
        hours: what its clock is ahead of UTC, most of the time.
    """

    column: str
    hours: int

    @property
    def zone(self) -> str:
        """IANA name; those of fixed offsets have the sign of POSIX, the other way round."""
        return f"Etc/GMT{-self.hours:+d}"

    @property
    def text(self) -> str:
        return (
            f"The column “{self.column}” turns at {-self.hours % 24:02d}:00 UTC, so local time is read as "
            f"UTC{self.hours:+d}. Name the time zone to be exact: it knows about summer time."
        )


def find(path: Path, layout: Layout) -> Turn | None:
    """The offset that a column of days beside times in UTC tells; None where none does, or none but UTC."""
    at = layout.at("time")
    if layout.form != "table" or at is None:
        return None
    for place, column in enumerate(layout.columns):
        days = not column.role and column.examples and all(_day(each) for each in column.examples)
        if days and (hours := _hours(_pairs(path, layout, at, place))):
            return Turn(column.title, hours)
    return None


def _pairs(path: Path, layout: Layout, at: int, place: int) -> Iterator[Pair]:
    """Times in UTC with the days beside them; ends at the first that are none."""
    for record in islice(data_of(path, layout), MOST):
        if max(at, place) >= len(record.cells):
            return
        time, day = _utc(record.cells[at]), _day(record.cells[place])
        if time is None or day is None:
            return
        yield time, day


def _hours(pairs: Iterator[Pair]) -> int | None:
    """Local midnight stands for the day's 00:00: what lies between is the offset. In summer it is one more."""
    found: Counter[timedelta] = Counter()
    for (before, yesterday), (time, day) in pairwise(pairs):
        if day - yesterday == DAY and timedelta() < time - before <= HOUR:
            found[datetime(day.year, day.month, day.day, tzinfo=UTC) - time] += 1
    if found.total() < LEAST or max(found) - min(found) > HOUR:
        return None
    offset = max(sorted(found), key=found.__getitem__)
    if offset % HOUR or not -12 * HOUR <= offset <= 14 * HOUR:
        return None
    return offset // HOUR


def _utc(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None and not time.utcoffset() else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
