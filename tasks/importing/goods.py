"""A line of a shop's table, and what it becomes: a product, a supplier, or a movement of stock."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from email_validator import EmailNotValidError, validate_email

from tasks.importing import amounts
from tasks.importing.bank import gathered, tidy
from tasks.importing.layout import Layout, Line, wrong_line
from tasks.imports.fingerprints import key_of_movement
from tasks.tabular import days
from tasks.tabular.records import Record

YES = {"1", "y", "yes", "true", "x", "ja", "oui", "si", "sí", "wahr", "vrai", "t", "on", "discontinued", "inactive"}
NO = {"0", "n", "no", "false", "nein", "non", "falsch", "faux", "f", "off", "", "active", "-"}
KINDS = {
    "sale": "sale|sales|sold|out|verkauf|vente|venta|vendita|verkoop|shipped|invoice|consumption|used",
    "purchase": "purchase|buy|bought|in|einkauf|achat|compra|acquisto|inkoop|received|receipt|delivery|"
        "wareneingang|restock",
    "return": "return|returned|refund|retour|rückgabe|reso|devolución|customer return",
    "count": "count|counted|stocktake|inventory|stock take|inventur|zählung|inventaire|recuento|telling|"
        "adjust to|set",
    "loss": "loss|lost|waste|broken|damaged|theft|expired|schwund|verlust|bruch|perte|pérdida|perdita|"
        "verlies|spoiled|write off",
}  # fmt: skip
MOST = Decimal(1_000_000_000)  # of one movement, as tasks.inventory.movements has it
FINEST = 4
NO_KIND = "“{}” is no kind of movement; write sale, purchase, return, count or loss."
NOT_SO = "“{}” is neither yes nor no."
TOO_MUCH = "Numbers of a shop are at most 1,000,000,000."
NOT_BELOW = "{} cannot be below zero."
NO_NAME = "There is neither a SKU nor a name in this line."
NO_SUPPLIER = "There is neither a name nor a code in this line."
NO_PRODUCT = "There is neither a SKU nor a barcode in this line."
NO_QUANTITY = "There is no quantity in this line."
NOTHING = "Nothing moved in this line."
NO_WHOLE = "“{}” is no number of days."
Given = dict[str, list[str]]


def product(record: Record, layout: Layout) -> Line:
    return _read(record, layout, _product)


def supplier(record: Record, layout: Layout) -> Line:
    return _read(record, layout, _supplier)


def movement(record: Record, layout: Layout) -> Line:
    return _read(record, layout, _movement)


def _read(record: Record, layout: Layout, make: Callable[[Given, Layout], dict[str, Any]]) -> Line:
    try:
        what = make(gathered(record.cells, layout.roles()), layout)
    except ValueError as error:
        return wrong_line(record.number, record.cells, str(error))
    kept = {name: value for name, value in what.items() if value not in ("", None)}
    return Line(record.number, kept, skipped=NOTHING if what.get("quantity") == "0" and what["kind"] != "count" else "")


def _product(given: Given, layout: Layout) -> dict[str, Any]:
    sku, name = _text(given, "sku", 60), _text(given, "name", 160)
    if not sku and not name:
        raise ValueError(NO_NAME)
    numbers = {
        role: _above(given, role, layout)
        for role in ("price", "cost", "reorder level", "target", "pack size", "on hand", "on order")
    }
    if numbers["pack size"] == "0":
        numbers["pack size"] = ""
    gone = _truth(given, "discontinued") or (_truth(given, "active") is False)
    return {
        "sku": sku or name[:60],
        "name": name or sku,
        "unit": _text(given, "unit", 40),
        "category": _text(given, "category", 80),
        "barcode": _text(given, "barcode", 64),
        "supplier": _text(given, "supplier", 60),
        "location": _text(given, "location", 80),
        "lead days": _days(given),
        "discontinued": bool(gone) or None,
        "perishable": _truth(given, "perishable") or None,
        **numbers,
    }


def _supplier(given: Given, _layout: Layout) -> dict[str, Any]:
    name, code = _text(given, "name", 120), _text(given, "code", 60)
    if not name and not code:
        raise ValueError(NO_SUPPLIER)
    return {
        "name": name or code,
        "code": code,
        "email": _email(_text(given, "email", 254)),
        "phone": _text(given, "phone", 40),
        "lead days": _days(given),
        "note": tidy(", ".join(given.get("note", [])), 500),
    }


def _movement(given: Given, layout: Layout) -> dict[str, Any]:
    sku, barcode = _text(given, "sku", 60), _text(given, "barcode", 64)
    if not sku and not barcode:
        raise ValueError(NO_PRODUCT)
    quantity = _number(given, "quantity", layout)
    if quantity == "":
        raise ValueError(NO_QUANTITY)
    on = days.read((given.get("date") or [""])[0], layout.dates).isoformat()
    kind = _kind((given.get("kind") or [""])[0], Decimal(quantity))
    if kind == "count" and Decimal(quantity) < 0:
        raise ValueError(NOT_BELOW.format("What was counted"))
    expiry = (given.get("expiry") or [""])[0]
    note = tidy(", ".join(given.get("note", [])), 200)
    what = {
        "sku": sku,
        "barcode": barcode,
        "kind": kind,
        "on": on,
        "quantity": f"{abs(Decimal(quantity)):f}",
        "price": _above(given, "price", layout),
        "location": _text(given, "location", 80),
        "expires": days.read(expiry, layout.dates).isoformat() if expiry else "",
        "note": note,
    }
    return {**what, "key": key_of_movement(sku or barcode, kind, on, what["quantity"], note)}


def _kind(word: str, quantity: Decimal) -> str:
    """What the file says; without a word, what goes out was sold and what comes in was bought."""
    said = " ".join(word.casefold().replace("_", " ").split())
    if not said:
        return "sale" if quantity < 0 else "purchase"
    for kind, words in KINDS.items():
        if said in words.split("|"):
            return kind
    raise ValueError(NO_KIND.format(word[:30]))


def _text(given: Given, role: str, longest: int) -> str:
    return tidy((given.get(role) or [""])[0], longest)


def _number(given: Given, role: str, layout: Layout) -> str:
    cell = (given.get(role) or [""])[0]
    if role in ("price", "cost"):
        cell = _without_dust(cell, layout.decimal)
    if not cell:
        return ""
    found = amounts.read(cell, layout.decimal)
    if abs(found) > MOST:
        raise ValueError(TOO_MUCH)
    return f"{found.normalize():f}"


def _without_dust(cell: str, decimal: str) -> str:
    """21.350000000000001 is what a program wrote that reckons in floats: a price has four decimals."""
    whole, point, part = cell.rpartition(decimal)
    if not point or not part.isdecimal() or len(part) <= FINEST:
        return cell
    kept = str(round(Decimal(f"0.{part}"), FINEST))
    return cell if kept.startswith("1") else f"{whole}{decimal}{kept[2:]}"


def _above(given: Given, role: str, layout: Layout) -> str:
    found = _number(given, role, layout)
    if found and Decimal(found) < 0:
        raise ValueError(NOT_BELOW.format(role.capitalize()))
    return found


def _days(given: Given) -> int | None:
    cell = (given.get("lead days") or [""])[0]
    if not cell:
        return None
    if not cell.isdecimal() or not 0 <= int(cell[:6]) <= 3650:
        raise ValueError(NO_WHOLE.format(cell[:20]))
    return int(cell)


def _truth(given: Given, role: str) -> bool | None:
    """Yes or no; None where nothing is said."""
    if role not in given:
        return None
    said = given[role][0].casefold()
    if said in YES:
        return True
    if said in NO:
        return False
    raise ValueError(NOT_SO.format(given[role][0][:20]))


def _email(text: str) -> str:
    if not text:
        return ""
    try:
        return validate_email(text, check_deliverability=False, globally_deliverable=False).normalized
    except EmailNotValidError:
        raise ValueError(f"Mail cannot reach the address “{text[:60]}”.") from None
