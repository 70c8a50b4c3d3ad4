"""From a line of a file to what it says of one ticket at one moment."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tasks.tabular.records import Record, records
from tasks.ticket_import import wording
from tasks.ticket_import.layout import NOTHING_THERE, Layout
from tasks.ticket_import.moments import Reader

MOST_KEY = 60
NO_NUMBER = "There is no ticket number in this line."
NO_TIME = "This line does not say when its ticket was opened or changed."
LONG_KEY = "This ticket’s number has more than 60 signs, so it is none."
DELETED = "It was deleted there."
TIMES = ("created", "updated", "solved", "closed", "answered")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one line says.

    Attributes:
        line: its number in the file, from 1.
        key: the ticket's number there.
        at: when it was so: changed, else opened (epoch milliseconds).
        moments: the line's moments by role.
        values: its other cells by role; empty ones are left out.
        rest: cells of columns that nobody knows, by their header.
        order: which of its ticket's changes this is, where the file counts them; clocks may be wrong, counters are not.
    """

    line: int
    key: str
    at: int
    moments: dict[str, int] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    rest: dict[str, str] = field(default_factory=dict)
    order: int = 0


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that is no ticket, and why; `meant` where that was so in the other system already."""

    line: int
    reason: str
    meant: bool = False


def lines_of(path: Path, layout: Layout) -> Iterator[Seen | Unread]:
    """Every line below the header.

    Raises:
        JobError: the file is damaged from here on.
    """
    clock = Reader(layout.dates, layout.zone)
    for record in records(path, layout.encoding, layout.delimiter):
        if record.number > layout.skip:
            yield read(record, layout, clock)


def read(record: Record, layout: Layout, clock: Reader) -> Seen | Unread:
    """One line."""
    values, rest = _cells(record, layout)
    key = " ".join(values.pop("number", "").split())
    if not key or len(key) > MOST_KEY:
        return Unread(record.number, LONG_KEY if key else NO_NUMBER)
    if wording.deleted(values.get("state", "")):
        return Unread(record.number, DELETED, meant=True)
    try:
        moments = {role: clock.read(values.pop(role)) for role in TIMES if role in values}
    except ValueError as error:
        return Unread(record.number, str(error))
    at = moments.get("updated", moments.get("created"))
    order = values.pop("order", "")
    count = int(order) if order.isascii() and order.isdigit() and len(order) < 10 else 0
    return Unread(record.number, NO_TIME) if at is None else Seen(record.number, key, at, moments, values, rest, count)


def _cells(record: Record, layout: Layout) -> tuple[dict[str, str], dict[str, str]]:
    values: dict[str, str] = {}
    rest: dict[str, str] = {}
    for role, header, cell in zip(layout.roles, layout.headers, record.cells, strict=False):
        if role == "ignore" or cell.casefold() in NOTHING_THERE:
            continue
        if role:
            values[role] = cell
        else:
            rest[header] = cell
    return values, rest
