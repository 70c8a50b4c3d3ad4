"""From lines of text to records of cells: which sign stands between them, and quotation marks that are never closed."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tasks.errors import JobError
from tasks.tabular.decoding import LONGEST_LINE, lines

DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}
MOST_LINES, MOST_COLUMNS = 500_000, 200
MOST_IN_ONE = 100  # lines of one record: a note may have line breaks
LOOKED_AT = 60
UNCLOSED = "The quotation mark that opens in line {} is never closed; close it in the file, or export it again."
TOO_MANY = "This file has more than {:,} lines; import it in parts."
TOO_WIDE = "Line {} has {:,} columns; at most {} are read. Export only what is needed."
NO_TABLE = (
    "No columns were found: there is no semicolon, comma, tab or bar that stands in every line. "
    "Choose what stands between the columns, or export it as CSV, OFX or QIF."
)


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one line; `number` is that of the line it begins in, from 1."""

    number: int
    cells: list[str]


class _Feed:
    """Lines for csv.reader, which counts what one record takes: an open quotation mark swallows the rest of a file."""

    def __init__(self, source: Iterator[str], most: int) -> None:
        self._source = source
        self._most = most
        self.number = 0
        self.begins = 1
        self.text = ""
        self.signs = 0

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        line = next(self._source)
        self.number += 1
        self.signs += len(line)
        if self.number - self.begins >= MOST_IN_ONE or self.signs > 2 * LONGEST_LINE:
            raise JobError(UNCLOSED.format(self.begins))
        if self.number > self._most:
            raise JobError(TOO_MANY.format(self._most))
        self.text = line if self.number == self.begins else self.text + line
        return line

    def taken(self) -> int:
        """A record ends here: the line it began in."""
        began, self.begins, self.signs = self.begins, self.number + 1, 0
        return began


def records(path: Path, encoding: str, delimiter: str, most: int = MOST_LINES) -> Iterator[Record]:
    """Every record that is not empty.

    Args:
        path, encoding, delimiter: how the file is written.
        most: how many lines it may have.

    Raises:
        JobError: too many lines or columns, or a quotation mark that is never closed.
    """
    csv.field_size_limit(2 * LONGEST_LINE)
    feed = _Feed(lines(path, encoding), most)
    reader = csv.reader(feed, delimiter=delimiter, skipinitialspace=delimiter != "\t")
    for cells in reader:
        before = feed.text
        number = feed.taken()
        if len(cells) > MOST_COLUMNS:
            raise JobError(TOO_WIDE.format(number, len(cells), MOST_COLUMNS))
        if any(cell.strip() for cell in cells):
            yield Record(number, [cell.strip() for cell in cells])
        if (before.count('"') % 2 and not before.endswith(("\n", "\r"))) or before.count("\n") > 1:
            _check_closed(before, delimiter, number)


def _check_closed(text: str, delimiter: str, number: int) -> None:
    """Only at the file's end can a mark still be open; csv then takes what there is, and the rest would be lost."""
    opens = re.search(rf'(^|{re.escape(delimiter)}) *"', text)
    if text.count('"') % 2 and opens:
        raise JobError(UNCLOSED.format(number))


def delimiter_of(path: Path, encoding: str) -> str:
    """What stands between the columns: the sign that splits most of the first lines into equally many cells.

    Raises:
        JobError: no sign does.
    """
    head = [line for line in islice(lines(path, encoding), LOOKED_AT) if line.strip()]
    found = max(DELIMITERS, key=lambda sign: _score(head, sign))
    if _score(head, found) <= 0:
        raise JobError(NO_TABLE)
    return found


def _score(head: list[str], sign: str) -> float:
    """How evenly it splits, then into how many; lines that come before the table count little."""
    widths = Counter(len(cells) for cells in csv.reader(head, delimiter=sign, skipinitialspace=True) if cells)
    usual = max((width for width in widths if width > 1), key=lambda width: (widths[width], width), default=0)
    if not usual:
        return 0
    even = widths[usual] / sum(widths.values())
    return min(even, 0.8) * 100 + min(usual, 30) + even
