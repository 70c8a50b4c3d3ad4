"""What the preview of an import shows: columns by what the file holds, choices, and what is to be said about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from tasks import money
from tasks.importing import job as reading_job
from tasks.importing import presets
from tasks.job import Job
from tasks.tabular.records import DELIMITERS
from web.import_book import Shown

AMBIGUOUS = (
    "Each date in this file could be read with day and month changed. They are read as {}; "
    "if that is wrong, choose another order under “How it was read”, and read it again."
)
LOOSE = (
    "No amount in this file says whether its sign stands before decimals or between thousands. "
    "{} is taken for the sign before the decimals; look at the amounts below before you import."
)
SEEN = "The very same file was imported before, so its lines are known."
NAMES = {"accounts": "Accounts", "categories": "Categories", "payees": "Payees", "suppliers": "Suppliers",
         "locations": "Locations"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cells:
    """A column of the preview: its title, its field, and whether it is a number."""

    title: str
    field: str
    number: bool = False

    def of(self, what: Mapping[str, Any] | None) -> str:
        value = (what or {}).get(self.field, "")
        if self.field == "amount" and value:
            return _amount(what or {})
        if self.field == "price" and value:
            return money.typed(Decimal(str(value)), "EUR")
        if self.number and value:
            return money.quantity(Decimal(str(value)))
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(value)


EXPENSES = (
    Cells("Date", "on"), Cells("Account", "purse"), Cells("Payee", "payee"), Cells("Category", "category"),
    Cells("Note", "note"), Cells("Amount", "amount", True),
)  # fmt: skip
PRODUCTS = (
    Cells("SKU", "sku"), Cells("Name", "name"), Cells("Unit", "unit"), Cells("Supplier", "supplier"),
    Cells("Price", "price", True), Cells("On hand", "on hand", True), Cells("On order", "on order", True),
    Cells("Reorder level", "reorder level", True), Cells("Discontinued", "discontinued"),
)  # fmt: skip
SUPPLIERS = (
    Cells("Code", "code"), Cells("Name", "name"), Cells("E-mail", "email"), Cells("Phone", "phone"),
    Cells("Lead time", "lead days"), Cells("Note", "note"),
)  # fmt: skip
MOVEMENTS = (
    Cells("Date", "on"), Cells("SKU", "sku"), Cells("Barcode", "barcode"), Cells("Kind", "kind"),
    Cells("Quantity", "quantity", True), Cells("Unit price", "price", True), Cells("Location", "location"),
    Cells("Note", "note"),
)  # fmt: skip
SHOWN = {"expenses": EXPENSES, "products": PRODUCTS, "suppliers": SUPPLIERS, "movements": MOVEMENTS}


def columns(subject: str) -> tuple[Cells, ...]:
    return SHOWN[subject]


def _amount(what: Mapping[str, Any]) -> str:
    return money.show(Decimal(str(what["amount"])), str(what.get("currency") or "XXX"))


def told(shown: Shown) -> list[str | Markup]:
    """What somebody should know before they import it."""
    layout, said = shown.intake.layout or {}, []
    if layout.get("ambiguous"):
        said.append(AMBIGUOUS.format(reading_job.ORDERS[layout["dates"]].lower()))
    if layout.get("loose"):
        said.append(LOOSE.format("A comma" if layout["decimal"] == "," else "A point"))
    if shown.earlier and shown.state == "previewed":
        said.append(SEEN)
    return said


def choices(layout: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, tuple[str, list[tuple[str, str]], str]]:
    """The selects of “How it was read”: title, options and what is chosen."""
    words = {sign: name for name, sign in reading_job.SIGNS.items() if sign in DELIMITERS}
    found = {
        "delimiter": words.get(layout.get("delimiter", ""), ""),
        "encoding": layout.get("encoding", ""),
        "decimal": "comma" if layout.get("decimal") == "," else "point",
        "dates": layout.get("dates", ""),
        "header": "yes" if layout.get("header") else "no",
    }
    options: dict[str, tuple[str, dict[str, str]]] = {
        "delimiter": ("Between the columns", reading_job.BETWEEN),
        "encoding": ("Encoding", reading_job.WRITTEN),
        "decimal": ("Before the decimals", {"point": "Point", "comma": "Comma"}),
        "dates": ("Order of dates", reading_job.ORDERS),
        "header": ("First line is a header", {"yes": "Yes", "no": "No"}),
    }
    fitting = ("decimal", "dates", "encoding") if layout.get("form") == "qif" else tuple(options)
    return {
        name: (title, [("", "Find it again"), *labels.items()], chosen.get(name, found[name]))
        for name, (title, labels) in options.items()
        if name in fitting
    }


def presets_for(layout: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The banks' layouts that have as many columns and the same sign between them, to choose from."""
    fitting = presets.fitting(layout.get("delimiter", ""), len(layout.get("columns", ())))
    return [("", "None of these"), *((each.name, each.title) for each in fitting)] if fitting else []


def asked(job: Job, given: Mapping[str, str]) -> dict[str, Any]:
    """What a link to the page of imports fills in already: `?subject=products`."""
    known = reading_job.HOLDS
    subject = given.get("subject", "")
    return {"subject": subject if subject in known else "expenses", "account": given.get("account", "")[:80]}
