"""How a table of readings is written: where it begins, what each column is, how its days and numbers read."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from tasks.errors import JobError
from tasks.metering.files import cells, columns, numbers, orders, stamps, units
from tasks.metering.files.found import Column, Hints, Layout, Oddity, Unreadable
from tasks.tabular import decoding
from tasks.tabular.records import NO_TABLE, Record, delimiter_of, records

SAMPLE, EXAMPLES = 200, 3
MOST_LINES = 20_000_000
CLOCKS = 20  # columns headed by a time of day that make a table of a line per day
NO_COLUMNS = (
    "No columns were found: there is no semicolon, comma, tab or bar that stands in every line. Export the readings as "
    "CSV with a time and a value in each line, as Green Button XML, or as Home Assistant's statistics."
)
NO_DATA = (
    "No line of this file holds a time and a number. Choose the file that holds the readings: a time and a value in "
    "each line."
)
ONLY_HEADER = "This file holds a header and no line under it; choose the one that holds the readings."
COMMAS = (
    "The header of this file names {} columns, and its lines have {} cells, as line {}: commas stand between the "
    "columns and before the decimals alike. Export it with semicolons between the columns, or with decimal points."
)
NOT_SO_MANY = "{} columns were chosen, and this file has {}. Look at the file's columns and choose again."
ASK_DATES = "Each date of this file could be read with day and month changed, such as “{}”."
ASK_DECIMAL = "No number of this file says whether its sign stands before decimals or between thousands, such as “{}”."


def layout_of(path: Path, hints: Hints) -> Layout:
    """The layout of a table.

    Raises:
        Unreadable: it is none, or none of readings.
    """
    encoding = hints.encoding or decoding.encoding_of(path)
    delimiter = hints.delimiter or _delimiter(path, encoding)
    head = list(islice(records(path, encoding, delimiter, MOST_LINES), SAMPLE))
    first = _first_data(head)
    titles, given_units = _titles(head, first)
    body = [record.cells for record in head[first:]]
    width = max(len(titles), Counter(map(len, body)).most_common(1)[0][0])
    if titles and body and all(len([cell for cell in each if cell]) > len(titles) for each in body):
        raise Unreadable(COMMAS.format(len(titles), len(body[0]), head[first].number))
    titles += [""] * (width - len(titles))
    clocks = sum(stamps.clock_of(title) is not None for title in titles)
    layout = Layout(
        form="clocks" if clocks >= CLOCKS else "table",
        encoding=encoding,
        delimiter=delimiter,
        skip=head[first].number - 1,
        columns=_columns(titles, given_units, body, width),
    )
    layout = _chosen(layout, hints.columns) if hints.columns else columns.told(layout, body)
    _check(layout)
    return _settled(layout, path, hints)


def _delimiter(path: Path, encoding: str) -> str:
    try:
        return delimiter_of(path, encoding)
    except JobError as error:
        raise Unreadable(NO_COLUMNS if str(error) == NO_TABLE else str(error)) from error


def _first_data(head: list[Record]) -> int:
    """The first line with a time and a number (or an empty place for one), and another such line below it."""
    if not head:
        raise Unreadable(NO_DATA)
    fit = [at for at, record in enumerate(head) if _is_data(record.cells)]
    if not fit:
        raise Unreadable(ONLY_HEADER if len(head) == 1 and len(head[0].cells) > 1 else NO_DATA)
    return fit[0]


def _is_data(row: list[str]) -> bool:
    kinds = [cells.kind_of([cell]) for cell in row]
    timed = any(kind in ("stamp", "date", "epoch") for kind in kinds)
    valued = sum(kind in ("number", "epoch") for kind in kinds) - ("epoch" in kinds and "stamp" not in kinds)
    return timed and (valued > 0 or (len(row) > 1 and any(numbers.missing(cell) for cell in row[1:])))


def _titles(head: list[Record], first: int) -> tuple[list[str], list[str]]:
    """The header's cells, and those of a line of units below it."""
    above = [record.cells for record in head[:first] if len(record.cells) > 1]
    if not above:
        return [], []
    told = [units.plain(cell) for cell in above[-1]]
    if any(told) and not any(units.in_header(cell) and not units.plain(cell) for cell in above[-1]) and len(above) > 1:
        return list(above[-2]), told
    return list(above[-1]), []


def _columns(titles: list[str], given: list[str], body: list[list[str]], width: int) -> tuple[Column, ...]:
    made = []
    for at in range(width):
        title = titles[at].strip()
        unit = units.in_header(title) or (given[at] if at < len(given) else "")
        filled = dict.fromkeys(row[at][:40] for row in body if at < len(row) and row[at])
        made.append(Column(title[:80] or f"Column {at + 1}", "", unit, tuple(islice(filled, EXAMPLES))))
    return tuple(made)


def _chosen(layout: Layout, roles: tuple[str, ...]) -> Layout:
    if len(roles) != len(layout.columns):
        raise Unreadable(NOT_SO_MANY.format(len(roles), len(layout.columns)))
    given = zip(layout.columns, roles, strict=True)
    chosen = tuple(replace(column, role=role) for column, role in given)
    return replace(layout, columns=chosen, wide=sum(role == "value" for role in roles) > 1)


def _check(layout: Layout) -> None:
    timed = any(layout.at(role) is not None for role in ("time", "end", "date"))
    if not timed or (layout.at("value") is None and layout.form != "clocks"):
        named = ", ".join(f"“{column.title}”" for column in layout.columns[:8])
        lacking = "a column of numbers" if timed else "a column of times"
        raise Unreadable(f"Among the columns of this file ({named}) {lacking} could not be found. {NO_DATA}")


def _settled(layout: Layout, path: Path, hints: Hints) -> Layout:
    """Days, decimals and what times stand for, as the whole file has it."""
    asks: list[Oddity] = []
    dates, decimal = hints.dates or "ymd", hints.decimal or "."
    at = next(place for role in ("time", "end", "date") if (place := layout.at(role)) is not None)
    if not hints.dates:
        order = orders.order_of(_days(path, layout, at))
        dates = order.order
        if order.open:
            text = ASK_DATES.format(next(iter(layout.columns[at].examples), ""))
            asks.append(Oddity("dates", text, "It is not brought in before you choose the order.", asks="dates"))
        elif order.why and order.order != "ymd":
            read = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}[order.order]
            asks.append(Oddity("dates", f"Dates are written in numbers: {order.why}.", f"Read as {read}."))
    if not hints.decimal:
        decimal, loose = numbers.decimal_of(_numbers(path, layout))
        if loose:
            text = ASK_DECIMAL.format(_loose(layout))
            asks.append(Oddity("decimal", text, "It is not brought in before you choose.", asks="decimal"))
    stamps_are = hints.stamps or ("end" if layout.at("time") is None and layout.at("end") is not None else "start")
    return replace(layout, dates=dates, decimal=decimal, stamps=stamps_are, asks=(*layout.asks, *asks))


def _days(path: Path, layout: Layout, at: int) -> Iterator[str]:
    for record in data_of(path, layout):
        if at < len(record.cells):
            yield stamps.split(record.cells[at])[0]


def _numbers(path: Path, layout: Layout) -> Iterator[str]:
    """Cells until enough tell: the first ten that do, or all."""
    places = layout.all("value") or [at for at, column in enumerate(layout.columns) if column.role == "value clock"]
    enough = 0
    for record in data_of(path, layout):
        for at in places:
            cell = record.cells[at] if at < len(record.cells) else ""
            if "," in cell or "." in cell:
                enough += bool(numbers.evidence(cell))
                yield cell
            if enough >= 10:
                return


def _loose(layout: Layout) -> str:
    every = (text for at in layout.all("value") for text in layout.columns[at].examples)
    return next((text for text in every if "," in text or "." in text), "")


def data_of(path: Path, layout: Layout) -> Iterator[Record]:
    """The records below the header."""
    for record in records(path, layout.encoding, layout.delimiter, MOST_LINES):
        if record.number > layout.skip:
            yield record
