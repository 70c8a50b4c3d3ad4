"""A line of a bank's table, and what it becomes: an entry of the expense tracker."""

from decimal import Decimal
from typing import Any

from tasks import money
from tasks.importing import amounts
from tasks.importing.layout import Layout, Line, wrong_line
from tasks.imports.fingerprints import key_of_entry
from tasks.tabular import days
from tasks.tabular.records import Record

PAYEE, NOTE, NAME = 120, 500, 80
NOTHING = "Nothing came or went in this line."
NO_CURRENCY = "There is no currency “{}”."


def line(record: Record, layout: Layout) -> Line:
    """What a record becomes."""
    given = gathered(record.cells, layout.roles())
    try:
        what = entry(
            on=days.read(_one(given, "date"), layout.dates).isoformat(),
            amount=_amount(given, layout.decimal),
            payee=_one(given, "payee"),
            note=" · ".join(dict.fromkeys(given.get("note", []))),
            category=_one(given, "category"),
            purse=_one(given, "purse"),
            currency=_one(given, "currency"),
        )
    except ValueError as error:
        return wrong_line(record.number, record.cells, str(error))
    if Decimal(what["amount"]) == 0:
        return Line(record.number, what, skipped=NOTHING)
    return Line(record.number, what)


def entry(
    *, on: str, amount: Decimal, payee: str = "", note: str = "", category: str = "", purse: str = "",
    currency: str = "", **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """The fields of an entry, cut to what the tables keep, with the key that knows the same line again.

    Raises:
        ValueError: there is no such currency, or the amount cannot be kept.
    """
    code = currency.strip().upper()
    if code and not money.known(code):
        raise ValueError(NO_CURRENCY.format(currency[:20]))
    what = {
        "on": on,
        "amount": f"{money.within(amount).normalize():f}",
        "payee": tidy(payee, PAYEE),
        "note": tidy(note, NOTE),
        "category": tidy(category, NAME),
        "purse": tidy(purse, NAME),
        "currency": code,
    }
    kept = {name: value for name, value in {**what, **more}.items() if value not in ("", None, [])}
    return {**kept, "key": key_of_entry(on, amount, what["payee"], what["note"])}


def tidy(text: str, longest: int) -> str:
    """One line of printable signs, as lists and mails show it."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:longest].strip()


def gathered(cells: list[str], roles: list[str]) -> dict[str, list[str]]:
    """The cells of a line by what they are; empty ones and those that are left out are not among them."""
    given: dict[str, list[str]] = {}
    for role, cell in zip(roles, cells, strict=False):
        if role and cell:
            given.setdefault(role, []).append(cell)
    return given


def _one(given: dict[str, list[str]], role: str) -> str:
    return given.get(role, [""])[0]


def _amount(given: dict[str, list[str]], decimal: str) -> Decimal:
    """From one column, from one with its sign beside it, or from two for what came and what went."""
    if cell := _one(given, "amount"):
        found = amounts.read(cell, decimal)
        return amounts.signed(found, _one(given, "sign")) if "sign" in given else found
    if cell := _one(given, "negated"):
        return -amounts.read(cell, decimal)
    if "debit" in given or "credit" in given:
        out = amounts.read(_one(given, "debit"), decimal) if "debit" in given else Decimal(0)
        came = amounts.read(_one(given, "credit"), decimal) if "credit" in given else Decimal(0)
        return abs(came) - abs(out)
    raise ValueError(amounts.NO_AMOUNT)
