"""What a person may say about a meter file, and what the reader found in it."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tasks.errors import JobError
from tasks.metering.usage import Readings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROLES = {
    "": "Left out", "time": "Time", "end": "End of the interval", "date": "Date", "clock": "Time of day",
    "value": "Energy or power", "unit": "Unit of the line", "series": "Meter's name", "temperature": "Temperature",
}  # fmt: skip
FIRST = 8  # lines that are named of each oddity


class Unreadable(JobError):
    """This file cannot be read as one of meters; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known or chosen; what is empty is found in the file, or asked for.

    Attributes:
        name: what to call a series that has no name of its own.
        zone: IANA zone of times that do not say theirs.
        clock: how such times treat summer time: "zone" as the zone does, "standard" never, "utc" they are UTC.
        unit: Wh, kWh, MWh, GWh, W, kW or MW, of values that do not say theirs.
        kind: "interval" or "counter".
        dates: "dmy", "mdy" or "ymd".
        decimal: "." or ",".
        stamps: whether times are the "start" or the "end" of their intervals.
        repeats: which of several different values for one time counts: "last", "first", or none: "neither".
        turns: where kWh and Wh come by turns: "divide" the larger by 1000, or keep them "as they are".
        swapped: where day and month are swapped in a part of the file: "leave out" what may be; else it is refused.
        columns: a role for each column, from the left.
        delimiter, encoding: of a table.
        now: epoch seconds; readings beyond are told of. 0: not looked at.
    """

    name: str = "Meter"
    zone: str = "UTC"
    clock: str = ""
    unit: str = ""
    kind: str = ""
    dates: str = ""
    decimal: str = ""
    stamps: str = ""
    repeats: str = ""
    turns: str = ""
    swapped: str = ""
    columns: tuple[str, ...] = ()
    delimiter: str = ""
    encoding: str = ""
    now: int = 0


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something about the file that is not as it should be, or that it does not say.

    Attributes:
        kind: a word for it, such as "repeat".
        text: what was found.
        rule: what is done about it.
        count: how often; lines: where first, at most `FIRST` (of XML and JSON: the number of the reading).
        asks: what a person must choose before it may be imported, by the name of the import's field (that of `Hints`,
            but `meter_kind` for its `kind`); "": nothing.
        series: which one it concerns; "": the file.
    """

    kind: str
    text: str
    rule: str
    count: int = 1
    lines: tuple[int, ...] = ()
    asks: str = ""
    series: str = ""


@dataclass(frozen=True, slots=True)
class Temperature:
    """What the file says of the weather: [n] epoch seconds and [n] hundredths of a degree Celsius."""

    times: "NDArray[np.int64]"
    hundredths: "NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a series, settled: times rise, none twice, values are mWh."""

    key: str
    readings: Readings


@dataclass(frozen=True, slots=True)
class Found:
    """One series of the file.

    Attributes:
        key: its name in the file, by which the same meter is known again.
        kind: "interval" or "counter"; evidence: why that is thought.
        unit: that its values are read in; step: seconds between readings, 0 where they come at any time.
        readings: empty where the file was read in parts.
        count, first, last: of all its readings, whether or not they are in `readings`.
        refusals: why it may not be forecast on; empty where it may.
    """

    key: str
    name: str
    kind: str
    evidence: str
    unit: str
    step: int
    readings: Readings
    count: int = 0
    first: int = 0
    last: int = 0
    temperature: Temperature | None = None
    oddities: tuple[Oddity, ...] = ()
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what stands above it, what it is taken for, and its first cells."""

    title: str
    role: str
    unit: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written.

    Attributes:
        form: "table", "clocks" (a line per day, a column per time of day), "green button", "home assistant".
        skip: the last line before the first of data.
        wide: whether every column of values is a meter of its own.
        stamps: "start" or "end", and whether the file says so (`sure`).
    """

    form: str
    encoding: str = ""
    delimiter: str = ""
    decimal: str = "."
    dates: str = "ymd"
    skip: int = 0
    columns: tuple[Column, ...] = ()
    wide: bool = False
    stamps: str = "start"
    asks: tuple[Oddity, ...] = ()

    def at(self, role: str) -> int | None:
        """Where the first column of this role is."""
        return next((at for at, column in enumerate(self.columns) if column.role == role), None)

    def all(self, role: str) -> list[int]:
        return [at for at, column in enumerate(self.columns) if column.role == role]


@dataclass(frozen=True, slots=True)
class Parsed:
    """Everything that a file said."""

    layout: Layout
    series: tuple[Found, ...]
    oddities: tuple[Oddity, ...] = field(default=())
    rows: int = 0

    @property
    def asks(self) -> tuple[str, ...]:
        """The hints that a person has to give before this may be imported."""
        every = [*self.oddities, *(oddity for one in self.series for oddity in one.oddities)]
        return tuple(dict.fromkeys(oddity.asks for oddity in every if oddity.asks))


def of_series(oddity: Oddity, key: str) -> Oddity:
    return replace(oddity, series=key)
