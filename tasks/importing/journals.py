"""What other trackers export: Firefly III's journals, one line for both sides, and Actual's transactions."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from tasks.importing import amounts
from tasks.importing.bank import NOTHING, entry
from tasks.importing.layout import Layout, Line, wrong_line
from tasks.tabular import days
from tasks.tabular.records import Record

OWN = {"asset account", "default account", "loan", "debt", "mortgage", "asset", "liabilities"}
NEITHER = "Neither side of this journal is an account of yours."
PARENT = "Its parts follow in the next lines."
Given = dict[str, str]


def line(record: Record, layout: Layout, accounts: Collection[str] = ()) -> Line:
    """What a record of one of these files becomes; `accounts` are all that the file names."""
    given = _given(record, layout)
    try:
        if layout.form == "firefly":
            return _firefly(record.number, given, layout)
        return _actual(record.number, given, layout, accounts)
    except ValueError as error:
        return wrong_line(record.number, record.cells, str(error))


def account(record: Record, layout: Layout) -> str:
    """Of which account of Actual's it is."""
    return _given(record, layout).get("account", "")


def _given(record: Record, layout: Layout) -> Given:
    titles = [column.title.strip().casefold() for column in layout.columns]
    return dict(zip(titles, [*record.cells, *[""] * len(titles)], strict=False))


def _firefly(number: int, given: Given, layout: Layout) -> Line:
    amount = abs(amounts.read(given["amount"], layout.decimal))
    source, target = given["source_name"], given["destination_name"]
    from_own = given.get("source_type", "").casefold() in OWN
    to_own = given.get("destination_type", "").casefold() in OWN
    if not from_own and not to_own:
        raise ValueError(NEITHER)
    notes = [given.get("description", ""), given.get("notes", "")]
    what: dict[str, Any] = {
        "on": days.read(given["date"], layout.dates).isoformat(),
        "amount": -amount if from_own else amount,
        "purse": source if from_own else target,
        "currency": given.get("currency_code", ""),
        "payee": (target if from_own else source) if from_own != to_own else "",
        "note": " · ".join(dict.fromkeys(part for part in notes if part)),
        "category": given.get("category", ""),
        "group": given.get("group_id", "") if given.get("group_title") else "",
    }
    if from_own and to_own:
        what |= _other_side(given, target, amount, layout)
    made = entry(**what)
    return Line(number, made, skipped=NOTHING if amount == 0 else "")


def _other_side(given: Given, target: str, amount: Decimal, layout: Layout) -> dict[str, Any]:
    """Of a transfer: where the money went, in that account's own currency."""
    foreign = given.get("foreign_amount", "")
    arrived = abs(amounts.read(foreign, layout.decimal)) if foreign else amount
    currency = given.get("foreign_currency_code", "") if foreign else given.get("currency_code", "")
    return {"other": target, "other_amount": str(arrived), "other_currency": currency.upper()}


def _actual(number: int, given: Given, layout: Layout, accounts: Collection[str]) -> Line:
    amount = amounts.read(given["amount"] or "0", layout.decimal)
    if amount == 0 and given.get("split_amount", "0").strip("0.,") not in ("", "-"):
        return Line(number, skipped=PARENT)
    on, other = days.read(given["date"], layout.dates).isoformat(), given["payee"]
    moved = other in accounts and other != given["account"] and not given["category"]
    pair = "|".join([on, f"{abs(amount)}", *sorted((given["account"], other))])[:200]
    made = entry(
        on=on,
        amount=amount,
        payee=other,
        note=given["notes"],
        category=given["category"],
        purse=given["account"],
        transfer=pair if moved else "",
    )
    return Line(number, made, skipped=NOTHING if amount == 0 else "")
