"""QIF, the old format of finance programs: one field a line, a letter in front, and ^ after each entry."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from tasks.errors import JobError
from tasks.importing import amounts
from tasks.importing.bank import NAME, NOTE, NOTHING, entry, tidy
from tasks.importing.layout import Line, wrong_line
from tasks.tabular import days
from tasks.tabular.decoding import lines
from tasks.tabular.records import MOST_LINES, TOO_MANY

KEPT = ("bank", "cash", "ccard", "oth a", "oth l")
NO_QIF = "There is no entry of a bank account, a card or cash in this QIF file; choose another one."
NOT_THE_SUM = "The parts of this payment add up to {}, and it says {}."
MOST_PARTS = 100
TOO_MANY_PARTS = "This payment has more than 100 parts."
Fields = list[tuple[str, str]]


def settle(path: Path, encoding: str, hint: str) -> tuple[str, bool, str, bool]:
    """The order of its dates, whether that is ambiguous, its decimal sign, and whether nothing tells that."""
    orders: Counter[frozenset[str]] = Counter()
    points: Counter[str] = Counter()
    loose: Counter[str] = Counter()
    for _number, _account, fields in _entries(path, encoding):
        for letter, text in fields:
            if letter == "D":
                orders[frozenset(days.fits(text))] += 1
            elif letter in "T$":
                sign = amounts.votes(text)
                points[sign] += bool(sign)
                if not sign and (found := [each for each in text if each in ".,"]):
                    loose[found[0]] += 1
    return *days.order_of(orders, hint), *amounts.decimal_of(points, loose)


def read(path: Path, encoding: str, order: str, decimal: str) -> Iterator[Line]:
    """Each entry.

    Raises:
        JobError: there is none in it.
    """
    found = False
    for number, account, fields in _entries(path, encoding):
        found = True
        yield _line(number, account, fields, order, decimal)
    if not found:
        raise JobError(NO_QIF)


def _line(number: int, account: str, fields: Fields, order: str, decimal: str) -> Line:
    given = dict(reversed(fields))  # the first of each counts
    try:
        amount = amounts.read(given.get("T") or given.get("U", ""), decimal)
        label = given.get("L", "")
        other = label[1:].partition("]")[0] if label.startswith("[") else ""
        what = entry(
            on=days.read(given.get("D", ""), order).isoformat(),
            amount=amount,
            payee=given.get("P", "") or given.get("M", ""),
            note=" · ".join(
                part for part in (given.get("M", "") if given.get("P") else "", given.get("N", "")) if part
            ),
            category="" if other else label.partition("/")[0],
            purse=account,
            transfer=_pair(given.get("D", ""), amount, account, other) if other and other != account else "",
            parts=_parts(fields, amount, decimal),
        )
    except ValueError as error:
        return wrong_line(number, ("".join(field) for field in fields), str(error))
    return Line(number, what, skipped=NOTHING if amount == 0 else "")


def _pair(on: str, amount: Decimal, account: str, other: str) -> str:
    """What both sides of a transfer share, when a file holds both."""
    return "|".join([on, f"{abs(amount)}", *sorted((account, other))])[:200]


def _parts(fields: Fields, amount: Decimal, decimal: str) -> list[dict[str, Any]]:
    """The parts of a split payment: each begins with its category."""
    parts: list[dict[str, Any]] = []
    for letter, text in fields:
        if letter == "S":
            parts.append({"category": "" if text.startswith("[") else tidy(text.partition("/")[0], NAME), "note": ""})
        elif letter == "E" and parts:
            parts[-1]["note"] = tidy(text, NOTE)
        elif letter == "$" and parts:
            parts[-1]["amount"] = str(amounts.read(text, decimal))
    parts = [part for part in parts if "amount" in part]
    if len(parts) > MOST_PARTS:
        raise ValueError(TOO_MANY_PARTS)
    total = sum((Decimal(part["amount"]) for part in parts), Decimal(0))
    if parts and total != amount:
        raise ValueError(NOT_THE_SUM.format(total, amount))
    return parts if len(parts) > 1 else []


def _entries(path: Path, encoding: str) -> Iterator[tuple[int, str, Fields]]:
    """Line, account and fields of each entry of an account; lists of categories and the like are passed over."""
    account, kind = "", "bank"
    fields: Fields = []
    began, number = 1, 0
    for number, line in enumerate(lines(path, encoding), 1):
        text = line.strip()
        if number > MOST_LINES * 10:
            raise JobError(TOO_MANY.format(MOST_LINES))
        if text.startswith("!"):
            kind, fields, began = text[1:].casefold().removeprefix("type:").strip(), [], number + 1
        elif text.startswith("^"):
            if kind == "account":
                account = next((value for letter, value in fields if letter == "N"), account)
            elif kind in KEPT and fields:
                yield began, account, fields
            fields, began = [], number + 1
        elif text and len(fields) < 4 * MOST_PARTS:
            fields.append((text[0].upper(), text[1:].strip()))
    if fields and kind in KEPT:  # the last ^ may be missing
        yield began, account, fields
