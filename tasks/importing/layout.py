"""What was found out about a file, or chosen by a person: how it is written, and what each column is."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

RAW = 300
ROLES: dict[str, dict[str, str]] = {
    "expenses": {
        "": "Left out", "date": "Date", "amount": "Amount", "negated": "Amount, spending above zero",
        "debit": "Money out", "credit": "Money in", "sign": "Debit or credit", "currency": "Currency", "payee": "Payee",
        "note": "Note", "category": "Category", "purse": "Account",
    },
    "products": {
        "": "Left out", "sku": "SKU", "name": "Name", "unit": "Unit", "category": "Category", "barcode": "Barcode",
        "price": "Price", "cost": "Cost", "supplier": "Supplier", "reorder level": "Reorder level", "target": "Target",
        "pack size": "Pack size", "lead days": "Lead time in days", "on hand": "On hand", "on order": "On order",
        "discontinued": "Discontinued", "active": "Still sold", "location": "Location", "perishable": "Perishable",
    },
    "suppliers": {
        "": "Left out", "code": "Code", "name": "Name", "email": "E-mail", "phone": "Phone",
        "lead days": "Lead time in days", "note": "Note",
    },
    "movements": {
        "": "Left out", "sku": "SKU", "barcode": "Barcode", "date": "Date", "kind": "Kind", "quantity": "Quantity",
        "price": "Unit price", "note": "Note", "location": "Location", "expiry": "Best before",
    },
}  # fmt: skip
NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "expenses": (("date",), ("amount", "negated", "debit", "credit")),
    "products": (("sku", "name"),),
    "suppliers": (("name", "code"),),
    "movements": (("sku", "barcode"), ("date",), ("quantity",)),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header, what it becomes, and its first cells."""

    title: str
    role: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written.

    Attributes:
        form: "csv", "ofx", "qif", or the program it comes from: "firefly", "actual".
        skip: the last line before the first of the table; its header is among them.
        ambiguous: every date could as well be read with day and month changed.
        loose: no amount tells whether its sign is of decimals or of thousands.
    """

    form: str
    encoding: str
    delimiter: str = ""
    decimal: str = "."
    dates: str = "dmy"
    skip: int = 0
    header: bool = False
    columns: tuple[Column, ...] = ()
    preset: str = ""
    ambiguous: bool = False
    loose: bool = False

    def roles(self) -> list[str]:
        return [column.role for column in self.columns]

    def with_roles(self, roles: list[str]) -> "Layout":
        given = zip(self.columns, roles, strict=True)
        return replace(self, columns=tuple(replace(column, role=role) for column, role in given))


def to_json(layout: Layout) -> dict[str, Any]:
    return asdict(layout)


def wrong_line(number: int, cells: Iterable[str], why: str) -> "Line":
    """A line that cannot be: what stands in the file is shown beside the reason."""
    return Line(number, {"raw": " · ".join(cell for cell in cells if cell)[:RAW]}, wrong=why)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was read: what it becomes, or why it cannot be, or why it is left out."""

    number: int
    what: dict[str, Any] | None = None
    wrong: str = ""
    skipped: str = ""
