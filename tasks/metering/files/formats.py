"""Which kind of meter file it is, told by its content."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tasks.metering.files import greenbutton, homeassistant, layouts
from tasks.metering.files.chunk import Chunk
from tasks.metering.files.found import Hints, Layout, Unreadable
from tasks.metering.files.table import Table
from tasks.metering.files.tally import Tally
from tasks.tabular import decoding

WEB_PAGE = "This is a web page; ask whoever runs your meter for the readings as CSV or Green Button XML."
NO_XML = "This XML is no Green Button file: it has no {} namespace. Export it as Green Button or as CSV."
NO_JSON = (
    "This JSON holds no statistics of Home Assistant. Export them as CSV, or as the answer to "
    "recorder/statistics_during_period."
)
HEAD = 16_384


class Source(Protocol):
    """A file that is open to be read once.

    Attributes:
        layout: how it is written.
        rows, line: how many readings, and the line, were read so far.
        used: units by series; "" among them: one that nothing tells.
        kinds: "counter" or "interval" of series of which the file says it.
        surely_dated: whether its times cannot have day and month swapped.
        single: whether it is surely of one meter alone.
    """

    layout: Layout
    rows: int
    line: int
    used: dict[str, set[str]]
    kinds: dict[str, str]

    @property
    def surely_dated(self) -> bool: ...

    @property
    def single(self) -> bool: ...

    def chunks(self) -> Iterator[Chunk]: ...


def open_file(path: Path, hints: Hints, tally: Tally) -> Source:
    """The source that reads this file.

    Raises:
        JobError: none does; the message says what to do.
    """
    encoding = hints.encoding or decoding.encoding_of(path)
    with path.open(encoding=encoding, errors="replace") as file:
        head = file.read(HEAD).lstrip("\ufeff \r\n\t")
    if head.startswith("<"):
        if "<html" in head.lower():
            raise Unreadable(WEB_PAGE)
        if greenbutton.ESPI not in head and "espi" not in head:
            raise Unreadable(NO_XML.format(greenbutton.ESPI))
        return greenbutton.GreenButton(path, hints, tally)
    if head.startswith(("{", "[")):
        if '"start"' not in head:
            raise Unreadable(NO_JSON)
        return homeassistant.Statistics(path, encoding, hints, tally)
    return Table(path, layouts.layout_of(path, hints), hints, tally)
