"""One file, whatever it is: first its layout, then its lines, streamed twice so that no more than one is held."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tasks.errors import JobError
from tasks.importing import bank, goods, journals, ofx, qif
from tasks.importing.analysing import Wishes, analyse
from tasks.importing.layout import Layout, Line
from tasks.tabular import decoding
from tasks.tabular.records import Record, records

NOT_MONEY = "This is a bank's file; choose “Expenses” as what it holds."
BUILDERS: dict[str, Callable[[Record, Layout], Line]] = {
    "expenses": bank.line,
    "products": goods.product,
    "suppliers": goods.supplier,
    "movements": goods.movement,
}


def layout_of(path: Path, subject: str, wishes: Wishes) -> Layout:
    """How the file is written.

    Raises:
        JobError: it cannot be read; the message says what to do.
    """
    form, encoding = form_of(path, wishes.encoding)
    if form == "csv":
        return analyse(path, subject, wishes)
    if subject != "expenses":
        raise JobError(NOT_MONEY)
    if form == "ofx":
        return Layout("ofx", encoding, dates="ymd")
    dates, ambiguous, decimal, loose = qif.settle(path, encoding, wishes.hint)
    return Layout(
        "qif",
        encoding,
        dates=wishes.dates or dates,
        decimal=wishes.decimal or decimal,
        ambiguous=ambiguous and not wishes.dates,
        loose=loose and not wishes.decimal,
    )


def form_of(path: Path, encoding: str = "") -> tuple[str, str]:
    """ "csv", "ofx" or "qif", by content; and the encoding."""
    found = encoding or decoding.encoding_of(path)
    with path.open(encoding=found, errors="replace") as file:
        head = file.read(8192).lstrip("\ufeff \r\n\t")
    if "<OFX" in head.upper() or head.upper().startswith("OFXHEADER"):
        return "ofx", found
    return ("qif" if head.startswith("!") else "csv"), found


def lines_of(path: Path, subject: str, layout: Layout) -> Iterator[Line]:
    """What each line becomes, or what is wrong with it.

    Raises:
        JobError: the file is damaged from here on.
    """
    if layout.form == "ofx":
        yield from ofx.read(path, layout.encoding)
    elif layout.form == "qif":
        yield from qif.read(path, layout.encoding, layout.dates, layout.decimal)
    else:
        make = BUILDERS[subject] if layout.form == "csv" else _of_tracker(path, layout)
        for record in records(path, layout.encoding, layout.delimiter):
            if record.number > layout.skip:
                yield make(record, layout)


def _of_tracker(path: Path, layout: Layout) -> Callable[[Record, Layout], Line]:
    """Actual writes a transfer as a payment to another of its accounts, so these have to be known first."""
    accounts: set[str] = set()
    if layout.form == "actual":
        every = records(path, layout.encoding, layout.delimiter)
        accounts = {journals.account(record, layout) for record in every if record.number > layout.skip}
    return partial(journals.line, accounts=accounts)
