"""The one writer of CSV files: what spreadsheets open as it is, and in which no text is ever a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

BOM = "\ufeff"  # spreadsheets take a file without it for the machine's own eight-bit encoding
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the wide ones count as well
TOGETHER = 250  # rows in one piece: a stream of single rows is mostly overhead

Cell = str | int | float | Decimal | date | bool | None


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """A CSV file in pieces, UTF-8 with a byte-order mark: comma, quotes where needed, lines that end in CR LF."""
    yield BOM.encode() + _lines([header])
    remaining = iter(rows)
    while some := list(islice(remaining, TOGETHER)):
        yield _lines(some)


def _lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([cell(each) for each in row] for row in rows)
    return written.getvalue().encode("utf-8", "replace")


def cell(value: Any) -> str:
    """A value as it stands in a file. Numbers and days stay what they are; a text stays a text.

    A program that opens the file may take a text that begins like a formula for one and run it, so it gets an
    apostrophe in front, which spreadsheets read as “this is text”. A number cannot: -5 is written as -5.

    Raises:
        ValueError: a number that is none.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return _number(Decimal(str(value)) if isinstance(value, float) else Decimal(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = str(value).replace("\0", "")
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip().startswith(FORMULA) else text


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError("this is no number, so it cannot stand in a file")
    text = format(value, "f")  # never 1E+3
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
