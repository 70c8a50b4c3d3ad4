"""What a workspace has already: each line of a file is held against it, a batch at a time and never one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.intake import DUPLICATE, NEW, SKIPPED, WRONG
from models.ledger import Category, Entry, Payee, Purse
from models.stock import Location, Movement, Product, Supplier
from tasks.errors import JobError
from tasks.imports.fingerprints import Counts, fingerprint

AT_ONCE = 1000
NAMES_KEPT = 50
MOST_MADE = {"accounts": 200, "categories": 2_000, "locations": 2_000, "suppliers": 20_000}
TOO_MANY_MADE = "This file would make more than {:,} {}. Look at its columns: one of them is something else."
WHICH_ACCOUNT = "Say which account this file is of: choose one, or give a new one's name."
OTHER_CURRENCY = "This line is in {}, and the account “{}” is in {}."
KNOWN = "This line was imported before."
HAVE_SKU = "The SKU “{}” exists already; an import changes no product that is there."
SKU_AGAIN = "The SKU “{}” stands in line {} of this file already."
HAVE_SUPPLIER = "The supplier “{}” exists already."
SUPPLIER_AGAIN = "The supplier “{}” stands in this file already."
FILLS_IN = "It was named by products before, and gets its name now."
NO_PRODUCT = "There is no product with the {} “{}”. Import the products first."


@dataclass
class Row:
    """A line with what became of it."""

    number: int
    state: str
    what: dict[str, Any] | None
    reason: str = ""


@dataclass
class Made:
    """Names of what has to be made for a file, each once; of very many the first ones."""

    names: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, kind: str, name: str) -> None:
        """One more; a file that would make thousands has another column there.

        Raises:
            JobError: there are too many.
        """
        if not name:
            return
        names = self.names.setdefault(kind, {})
        names[name] = None
        if len(names) > MOST_MADE.get(kind, len(names)):
            raise JobError(TOO_MANY_MADE.format(MOST_MADE[kind], kind))

    def told(self) -> dict[str, Any]:
        return {kind: {"count": len(names), "names": list(names)[:NAMES_KEPT]} for kind, names in self.names.items()}


@dataclass
class Matcher:
    """Holds lines against what is there. `rows` is called batch after batch, in the order of the file.

    Attributes:
        account: the account that was chosen, by name, number or id; it counts before what the file says.
        currency: of accounts that have to be made.
    """

    subject: str
    account: str = ""
    currency: str = "EUR"
    ours: bool = False  # the file itself says which account a line is of, as other trackers' exports do
    made: Made = field(default_factory=Made)
    counts: Counts = field(default_factory=Counts)
    seen: dict[str, int] = field(default_factory=dict)
    purses: list[Purse] | None = None
    categories: set[str] | None = None

    def rows(self, session: Session, lines: Sequence[Any]) -> list[Row]:
        rows = [_row(line) for line in lines]
        fresh = [row for row in rows if row.state == NEW and row.what is not None]
        MATCH[self.subject](self, session, fresh)
        return rows


def _row(line: Any) -> Row:
    if line.wrong:
        return Row(line.number, WRONG, line.what, line.wrong[:300])
    return Row(line.number, SKIPPED if line.skipped else NEW, line.what, line.skipped)


def held(session: Session, column: InstrumentedAttribute[Any], wanted: Sequence[str]) -> set[str]:
    """Which of these stand in a column."""
    some = sorted(set(wanted))
    return {value for value in session.scalars(select(column).where(column.in_(some))) if value} if some else set()


def purse_of(purses: Sequence[Purse], wanted: str) -> Purse | None:
    """An account by its id, its name or its number, however that is spaced."""
    bare = "".join(wanted.split()).casefold()
    for purse in purses:
        if wanted == purse.id or wanted.casefold() == purse.name.casefold():
            return purse
    return next((each for each in purses if bare and bare == "".join(each.number.split()).casefold()), None)


def _expenses(matcher: Matcher, session: Session, rows: list[Row]) -> None:
    if matcher.purses is None or matcher.categories is None:
        matcher.purses = list(session.scalars(select(Purse).order_by(Purse.closed_at.is_not(None), Purse.id)))
        matcher.categories = set(session.scalars(select(Category.name)))
    for row in rows:
        _place(matcher, matcher.purses, row)
    placed = [row for row in rows if row.state == NEW and row.what]
    known = held(session, Entry.fingerprint, [row.what["print"] for row in placed if row.what and "print" in row.what])
    names = sorted({row.what.get("payee", "") for row in placed if row.what})
    asked = select(Payee.name, Category.name).outerjoin(Category, Category.id == Payee.category_id)
    payees: dict[str, str | None] = {row[0]: row[1] for row in session.execute(asked.where(Payee.name.in_(names)))}
    for row in placed:
        what = row.what or {}
        if what.pop("print", "") in known:
            row.state, row.reason = DUPLICATE, KNOWN
            continue
        _name(matcher, what, payees)


def _place(matcher: Matcher, purses: list[Purse], row: Row) -> None:
    """Which account it is of, and which of its equals it is."""
    what = row.what or {}
    wanted = what.get("purse", "") if matcher.ours else (matcher.account or what.get("purse", ""))
    wanted = wanted or matcher.account
    purse = purse_of(purses, wanted) if wanted else (purses[0] if len(purses) == 1 else None)
    if purse is None and not wanted:
        raise JobError(WHICH_ACCOUNT)
    what["purse"] = purse.name if purse else wanted
    if purse is None:
        what.setdefault("currency", matcher.currency)
    elif what.setdefault("currency", purse.currency) != purse.currency:
        row.state, row.reason = WRONG, OTHER_CURRENCY.format(what["currency"], purse.name, purse.currency)
        return
    what["n"] = matcher.counts.next(purse.id if purse else wanted, what["key"])
    if purse:
        what["print"] = fingerprint(purse.id, what["key"], what["n"])


def _name(matcher: Matcher, what: dict[str, Any], payees: dict[str, str | None]) -> None:
    """The payee's category is proposed; and what has to be made is told."""
    payee = what.get("payee", "")
    if "category" not in what and "parts" not in what and "other" not in what and payees.get(payee):
        what |= {"category": payees[payee], "proposed": True}
    for name in [what.get("category", ""), *(part.get("category", "") for part in what.get("parts", []))]:
        if name not in (matcher.categories or ()):
            matcher.made.add("categories", name)
    if payee not in payees:
        matcher.made.add("payees", payee)
    for name in (what["purse"], what.get("other", "")):
        if name and purse_of(matcher.purses or [], name) is None:
            matcher.made.add("accounts", name)


def _products(matcher: Matcher, session: Session, rows: list[Row]) -> None:
    known = held(session, Product.sku, [row.what["sku"] for row in rows if row.what])
    suppliers = {text.casefold() for pair in session.execute(select(Supplier.code, Supplier.name)) for text in pair}
    places = set(session.scalars(select(Location.name)))
    for row in rows:
        what = row.what or {}
        sku = what["sku"]
        if sku in known:
            row.state, row.reason = DUPLICATE, HAVE_SKU.format(sku)
        elif sku in matcher.seen:
            row.state, row.reason = DUPLICATE, SKU_AGAIN.format(sku, matcher.seen[sku])
        else:
            matcher.seen[sku] = row.number
            if what.get("supplier", "").casefold() not in suppliers:
                matcher.made.add("suppliers", what.get("supplier", ""))
            if what.get("location", "") not in places:
                matcher.made.add("locations", what.get("location", ""))


def stub(code: str) -> str:
    """The name of a supplier of which products say no more than its code."""
    return f"Supplier {code}" if len(code) < 8 and any(sign.isdigit() for sign in code) else code


def _suppliers(matcher: Matcher, session: Session, rows: list[Row]) -> None:
    codes = {row.what.get("code", "") for row in rows if row.what} - {""}
    by_code = {row.code: row.name for row in session.execute(select(Supplier.code, Supplier.name)) if row.code in codes}
    names = held(session, Supplier.name, [row.what["name"] for row in rows if row.what])
    for row in rows:
        what = row.what or {}
        code, name = what.get("code", ""), what["name"]
        if code in by_code and by_code[code] == stub(code) and name not in names:
            row.reason, what["fills"] = FILLS_IN, True
        elif code in by_code or name in names:
            row.state, row.reason = DUPLICATE, HAVE_SUPPLIER.format(name)
            continue
        for mark in (f"code {code}" if code else "", f"name {name}"):
            if mark and mark in matcher.seen:
                row.state, row.reason = DUPLICATE, SUPPLIER_AGAIN.format(name)
            matcher.seen.setdefault(mark, row.number)


def _movements(matcher: Matcher, session: Session, rows: list[Row]) -> None:
    found = products_of(session, [row.what for row in rows if row.what])
    prints = []
    for row in rows:
        what = row.what or {}
        product = found(what)
        if product is None:
            by = "SKU" if what.get("sku") else "barcode"
            row.state, row.reason = WRONG, NO_PRODUCT.format(by, what.get("sku") or what.get("barcode", ""))
            continue
        what["n"] = matcher.counts.next(product, what["key"])
        prints.append(fingerprint(product, what["key"], what["n"]))
    known = held(session, Movement.fingerprint, prints)
    places = set(session.scalars(select(Location.name)))
    for row in (each for each in rows if each.state == NEW):
        what = row.what or {}
        if fingerprint(found(what) or "", what["key"], what["n"]) in known:
            row.state, row.reason = DUPLICATE, KNOWN
        elif what.get("location", "") not in places:
            matcher.made.add("locations", what.get("location", ""))


def products_of(session: Session, wanted: Sequence[dict[str, Any]]) -> Callable[[dict[str, Any]], str | None]:
    """The id of the product that a movement names by SKU or barcode; a SKU goes first."""
    skus = sorted({what["sku"] for what in wanted if what.get("sku")})
    bars = sorted({what[name] for what in wanted for name in ("barcode", "sku") if what.get(name)})
    by_sku: dict[str, str] = {}
    by_bar: dict[str, str] = {}
    if skus:
        by_sku = {
            row.sku: row.id for row in session.execute(select(Product.sku, Product.id).where(Product.sku.in_(skus)))
        }
    if bars:
        asked = select(Product.barcode, Product.id).where(Product.barcode.in_(bars))
        by_bar = {row.barcode: row.id for row in session.execute(asked) if row.barcode}
    return lambda what: (
        by_sku.get(what.get("sku", "")) or by_bar.get(what.get("barcode", "")) or by_bar.get(what.get("sku", ""))
    )


MATCH: dict[str, Callable[[Matcher, Session, list[Row]], None]] = {
    "expenses": _expenses,
    "products": _products,
    "suppliers": _suppliers,
    "movements": _movements,
}
