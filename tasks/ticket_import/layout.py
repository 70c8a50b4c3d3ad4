"""How a file of tickets is written, and what each of its columns means; found in its first lines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tasks.errors import JobError
from tasks.tabular import decoding
from tasks.tabular.records import Record, delimiter_of, records
from tasks.ticket_import import headers, moments

LOOKED_AT = 2_000
NOTHING_THERE = frozenset(("", "?", "-", "null", "none", "nan", "n/a"))
NO_NUMBER = (
    "No column was found that holds the tickets’ numbers. Choose it below, or export again with the header line "
    "(the first line with the columns’ names)."
)
NO_TIME = "No column was found that says when tickets were opened or changed. Choose it below, or export it as well."
NO_LINES = "There is a header, but no line with a ticket below it."


@dataclass(frozen=True, slots=True)
class Layout:
    """What was found, or chosen.

    Attributes:
        headers, roles: of each column its name and its meaning.
        dates, ambiguous: the order of day, month, year; whether day and month could be the other way round.
        skip: the number of the header's line.
        examples: of each column some of its first cells.
    """

    system: str
    encoding: str
    delimiter: str
    headers: tuple[str, ...]
    roles: tuple[str, ...]
    dates: str
    ambiguous: bool
    zone: str
    skip: int
    examples: tuple[tuple[str, ...], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def find(
    path: Path, zone: str, *, system: str = "", encoding: str = "", delimiter: str = "", dates: str = "",
    columns: Sequence[str] = (), hint: str = "dmy",
) -> Layout:  # fmt: skip
    """The layout of a file; what is given is taken as it is.

    Raises:
        JobError: it is no table of tickets; the message says what to do.
    """
    encoding = encoding or decoding.encoding_of(path)
    delimiter = delimiter or delimiter_of(path, encoding)
    head = list(islice(records(path, encoding, delimiter), LOOKED_AT))
    top = _header(head)
    names = tuple(cell[:80] for cell in top.cells)
    roles = tuple(columns) if len(columns) == len(names) else headers.roles_of(names)
    if "number" not in roles:
        raise JobError(NO_NUMBER)
    if "created" not in roles and "updated" not in roles:
        raise JobError(NO_TIME)
    body = [record for record in head if record.number > top.number]
    if not body:
        raise JobError(NO_LINES)
    order, ambiguous = (dates, False) if dates else moments.order_of(_moments(body, roles), hint)
    shown = tuple(_examples(body, at) for at in range(len(names)))
    chosen = system or headers.system_of(names)
    return Layout(chosen, encoding, delimiter, names, roles, order, ambiguous, zone, top.number, shown)


def _header(head: Sequence[Record]) -> Record:
    """The line among the first ones in which most columns are known: what stands above it is a title."""
    first = head[:10]
    if not first:
        raise JobError(NO_LINES)
    return max(first, key=lambda record: (sum(role != "" for role in headers.roles_of(record.cells)), -record.number))


def _examples(body: Sequence[Record], at: int) -> tuple[str, ...]:
    cells = (record.cells[at] for record in body if at < len(record.cells))
    return tuple(dict.fromkeys(cell[:40] for cell in cells if cell.casefold() not in NOTHING_THERE))[:3]


def _moments(body: Sequence[Record], roles: Sequence[str]) -> list[str]:
    which = [at for at, role in enumerate(roles) if role in ("created", "updated", "solved", "closed")]
    cells = (record.cells[at] for record in body for at in which if at < len(record.cells))
    return [cell for cell in cells if cell.casefold() not in NOTHING_THERE]
