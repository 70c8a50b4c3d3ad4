"""OFX and QFX, the banks' own format: SGML (1.x) and XML (2.x) alike, as a stream of tags.

A parser of XML would build the whole tree, and one of SGML needs closing tags that banks leave out. This reads tag
after tag and keeps one transaction at a time; it knows no document types and no entities but characters.
"""

import html
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from tasks.errors import JobError
from tasks.importing import amounts
from tasks.importing.bank import NOTHING, entry
from tasks.importing.layout import Line, wrong_line
from tasks.tabular import days
from tasks.tabular.records import MOST_LINES, TOO_MANY

CHUNK, LONGEST = 1 << 16, 20_000
OPEN, CLOSE = "STMTTRN", "/STMTTRN"
NO_DTD = "This file declares a document type or entities, which no bank's file needs; it is not read."
NO_OFX = "There is no transaction in this OFX file; choose another one."
BROKEN = "This OFX file is damaged: a piece of text in it is far too long. Download it again."
MOST_TAGS = 60  # of one transaction; the standard has 30, and one that never ends must not fill the memory
Token = tuple[int, str, str]


def read(path: Path, encoding: str) -> Iterator[Line]:
    """Each transaction.

    Raises:
        JobError: it is damaged, hostile, or holds none.
    """
    account = currency = ""
    current: dict[str, str] | None = None
    began = count = 0
    for number, tag, text in _tokens(path, encoding):
        if tag in (OPEN, CLOSE) and current is not None:
            yield _line(began, current, account, currency)
            current, count = None, count + 1
            if count > MOST_LINES:
                raise JobError(TOO_MANY.format(MOST_LINES))
        if tag == OPEN:
            current, began = {}, number
        elif current is not None and len(current) < MOST_TAGS:
            current.setdefault(tag, text)
        elif tag == "ACCTID":
            account = text
        elif tag == "CURDEF":
            currency = text
    if current is not None:
        yield _line(began, current, account, currency)
    elif not count:
        raise JobError(NO_OFX)


def _line(number: int, given: dict[str, str], account: str, currency: str) -> Line:
    note = " ".join(part for part in (given.get("MEMO", ""), given.get("CHECKNUM", "")) if part)
    name = given.get("NAME", "")
    try:
        found = given.get("TRNAMT", "")
        amount = amounts.read(found, "," if amounts.votes(found) == "," else ".")
        on = days.read(given.get("DTPOSTED", "")[:8], "ymd").isoformat()
        what = entry(
            on=on, amount=amount, payee=name or note, note=note if name else "", purse=account, currency=currency
        )
    except ValueError as error:
        return wrong_line(number, given.values(), str(error))
    return Line(number, what, skipped=NOTHING if Decimal(what["amount"]) == 0 else "")


def _tokens(path: Path, encoding: str) -> Iterator[Token]:
    """Line, tag and the text that follows it."""
    number, rest, begun = 1, "", False
    with path.open(encoding=encoding, errors="replace", newline=None) as file:
        while chunk := file.read(CHUNK):
            pieces = (rest + chunk).split("<")
            rest = pieces.pop()
            if len(rest) > LONGEST:
                raise JobError(BROKEN)
            for piece in pieces:
                if begun and (token := _token(number, piece)):
                    yield token
                number, begun = number + piece.count("\n"), True
        if begun and (token := _token(number, rest)):
            yield token


def _token(number: int, piece: str) -> Token | None:
    if piece.startswith("!"):
        if not piece.startswith(("!--", "![CDATA[")):
            raise JobError(NO_DTD)
        return None
    tag, closed, text = piece.partition(">")
    if piece.startswith("?") or not closed:
        return None
    name = tag.split(None, 1)[0].upper() if tag.strip() else ""
    return number, name, html.unescape(text).strip()[:LONGEST]
