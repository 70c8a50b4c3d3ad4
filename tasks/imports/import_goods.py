"""What imports of products, suppliers and movements write, and how it is taken back, in one transaction."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Table, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from models.base import new_id
from models.intake import Intake
from models.session import touch
from models.stock import SENT, Location, Movement, Product, Purchase, PurchaseLine, Supplier
from tasks.errors import JobError
from tasks.imports.fingerprints import fingerprint
from tasks.imports.import_money import UNSEEN, What, drop_unused, new_lines
from tasks.imports.matching import held, products_of, stub
from tasks.inventory import purchases
from tasks.inventory.movements_many import Row, Wrong, record_many
from tasks.inventory.movements_many import undo as take_back

ON_ORDER = "On order when the products were imported."
COUNTED = "On hand when the products were imported."


@dataclass
class Writer:
    """Writes the new lines of an import of a shop's things; `today` is the day of what was counted."""

    session: Session
    intake: Intake
    moment: int
    by: str | None
    today: date
    currency: str
    by_code: dict[str, str] = field(default_factory=dict)
    by_name: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    ordered: dict[str | None, list[What]] = field(default_factory=dict)
    written: int = 0
    known: int = 0

    def write(self) -> dict[str, int]:
        """Batch after batch, then the orders."""
        for row in self.session.execute(select(Supplier.code, Supplier.name, Supplier.id)):
            if row.code:
                self.by_code.setdefault(row.code.casefold(), row.id)
            self.by_name.setdefault(row.name.casefold(), row.id)
        self.places = {row.name: row.id for row in self.session.execute(select(Location.name, Location.id))}
        batch = {"products": self._products, "suppliers": self._suppliers, "movements": self._movements}
        for some in new_lines(self.session, self.intake.id):
            batch[self.intake.subject](some)
        for supplier, wanted in self.ordered.items():
            self._order(supplier, wanted)
        for table in (Product, Supplier):
            touch(self.session, table, self.intake.workspace_id)
        return {"written": self.written, "known": self.known}

    def _products(self, lines: list[What]) -> None:
        before = held(self.session, Product.sku, [what["sku"] for what in lines])
        fresh = [what for what in lines if what["sku"] not in before]
        rows = [self._product(what) for what in fresh]
        self.known += len(lines) - len(rows)
        self.written += len(rows)
        if rows:
            self.session.execute(insert(cast(Table, Product.__table__)), rows)
            self._record(list(self._counted(fresh, rows)))

    def _product(self, what: What) -> What:
        row: What = {
            "id": new_id(), "workspace_id": self.intake.workspace_id, "sku": what["sku"], "name": what["name"],
            "unit": what.get("unit", ""), "category": what.get("category", ""), "barcode": what.get("barcode"),
            "price": Decimal(what.get("price", 0)), "cost": _decimal(what, "cost"), "currency": self.currency,
            "supplier_id": self._supplier(what.get("supplier", "")),
            "location_id": self._place(what.get("location", "")),
            "reorder_level": Decimal(what.get("reorder level", 0)), "target": _decimal(what, "target"),
            "pack_size": Decimal(what.get("pack size", 1)), "lead_days": what.get("lead days"),
            "perishable": bool(what.get("perishable")), "discontinued": bool(what.get("discontinued")),
            "on_hand": Decimal(0), "revision": 1, "intake_id": self.intake.id,
        }  # fmt: skip
        if wanted := Decimal(what.get("on order", 0)):
            line = {"product_id": row["id"], "quantity": wanted, "unit_cost": row["cost"]}
            self.ordered.setdefault(row["supplier_id"], []).append(line)
        return row

    def _counted(self, lines: list[What], rows: list[What]) -> Iterator[Row]:
        """What lies on the shelf is a count, as any other change of a quantity is a movement."""
        for what, row in zip(lines, rows, strict=True):
            if Decimal(what.get("on hand", 0)):
                yield Row(
                    row["id"], "count", Decimal(what["on hand"]), self.today, note=COUNTED, intake_id=self.intake.id,
                    created_by=self.by,
                )  # fmt: skip

    def _suppliers(self, lines: list[What]) -> None:
        for what in lines:
            code, name = what.get("code", ""), what["name"]
            named = self.by_code.get(code.casefold()) if code else None
            if name.casefold() in self.by_name or (named and not self._fill_in(named, what)):
                self.known += 1
                continue
            if not named:
                self._add_supplier(name, code, what)
            self.written += 1

    def _fill_in(self, supplier_id: str, what: What) -> bool:
        """A supplier of which products named the code alone gets its name and all else."""
        bare = update(Supplier).where(Supplier.id == supplier_id, Supplier.name == stub(what["code"]))
        filled = bare.values(name=what["name"], **_of_supplier(what)).execution_options(**UNSEEN)
        self.by_name[what["name"].casefold()] = supplier_id
        return bool(cast(Any, self.session.execute(filled)).rowcount)

    def _add_supplier(self, name: str, code: str, what: What) -> str:
        row = Supplier(id=new_id(), name=name, code=code, created_at=self.moment, **_of_supplier(what))
        self.session.add(row)
        self.session.flush()
        self.by_name[name.casefold()] = row.id
        if code:
            self.by_code[code.casefold()] = row.id
        return row.id

    def _supplier(self, word: str) -> str | None:
        """By its code in the other program, or by its name; one that is not there yet is made."""
        if not word:
            return None
        known = self.by_code.get(word.casefold()) or self.by_name.get(word.casefold())
        return known or self._add_supplier(stub(word), word, {})

    def _place(self, name: str) -> str | None:
        if not name:
            return None
        if name not in self.places:
            row = Location(id=new_id(), name=name, created_at=self.moment)
            self.session.add(row)
            self.session.flush()
            self.places[name] = row.id
        return self.places[name]

    def _order(self, supplier: str | None, wanted: list[What]) -> None:
        """One order for each supplier, sent: it is on its way already."""
        more: What = {"intake_id": self.intake.id, "created_by": self.by, "note": ON_ORDER}
        order = purchases.draft(self.session, self.intake.workspace_id, supplier, (), **more)
        here = {"workspace_id": self.intake.workspace_id, "purchase_id": order.id, "received": Decimal(0)}
        lines = [{"id": new_id(), **here, **each} for each in wanted]
        self.session.execute(insert(cast(Table, PurchaseLine.__table__)), lines)
        purchases.send(self.session, order, self.today)

    def _movements(self, lines: list[What]) -> None:
        found = products_of(self.session, lines)
        marked = [(what, product) for what in lines if (product := found(what))]
        prints = [fingerprint(product, what["key"], what["n"]) for what, product in marked]
        before = held(self.session, Movement.fingerprint, prints)
        rows = [
            self._movement(what, product, mark)
            for (what, product), mark in zip(marked, prints, strict=True)
            if mark not in before
        ]
        self.known += len(lines) - len(rows)
        self.written += len(rows)
        self._record(rows)

    def _movement(self, what: What, product: str, mark: str) -> Row:
        expires = what.get("expires")
        return Row(
            product, what["kind"], Decimal(what["quantity"]), date.fromisoformat(what["on"]),
            location_id=self._place(what.get("location", "")), unit_price=_decimal(what, "price"),
            expires_on=date.fromisoformat(expires) if expires else None, note=what.get("note", ""),
            intake_id=self.intake.id, fingerprint=mark, created_by=self.by,
        )  # fmt: skip

    def _record(self, rows: list[Row]) -> None:
        try:
            record_many(self.session, rows)
        except Wrong as error:
            raise JobError(f"{error} Nothing was imported: correct the file, or allow it in the settings.") from error


def _of_supplier(what: What) -> What:
    told = {"email": what.get("email", ""), "phone": what.get("phone", ""), "note": what.get("note", "")}
    return told | ({"lead_days": what["lead days"]} if "lead days" in what else {})


def _decimal(what: What, name: str) -> Decimal | None:
    return Decimal(what[name]) if name in what else None


def undo(session: Session, intake: Intake, *, also: bool) -> dict[str, int]:
    """Movements go back, then orders of which nothing came, then products that nothing else is about."""
    try:
        moved = take_back(session, intake.id)
    except ValueError as error:
        raise JobError(f"{error} Nothing was undone.") from error
    orders = _orders(session, intake)
    mine = Product.intake_id == intake.id
    used = exists().where(Movement.product_id == Product.id) | exists().where(PurchaseLine.product_id == Product.id)
    if not also:
        used = used | (Product.revision > 1)
    kept = session.scalar(select(func.count()).select_from(Product).where(mine, used)) or 0
    gone = session.scalar(select(func.count()).select_from(Product).where(mine, ~used)) or 0
    session.execute(delete(Product).where(mine, ~used).execution_options(**UNSEEN))
    session.execute(update(Product).where(mine).values(intake_id=None).execution_options(**UNSEEN))
    made = drop_unused(session, Supplier, (Product.supplier_id, Purchase.supplier_id), intake.applied_at)
    made += drop_unused(session, Location, (Product.location_id, Movement.location_id), intake.applied_at)
    for table in (Product, Movement, Purchase, Supplier):
        touch(session, table, intake.workspace_id)
    if intake.subject == "suppliers":
        return {"deleted": made, "kept": _suppliers_left(session, intake), "made": 0}
    return {"deleted": moved if intake.subject == "movements" else gone, "kept": kept + orders, "made": made}


def _suppliers_left(session: Session, intake: Intake) -> int:
    return (
        session.scalar(select(func.count()).select_from(Supplier).where(Supplier.created_at == intake.applied_at)) or 0
    )


def _orders(session: Session, intake: Intake) -> int:
    """Orders that stand as they were imported go; gives how many stay because something of them came."""
    mine = Purchase.intake_id == intake.id
    came = exists().where(PurchaseLine.purchase_id == Purchase.id, PurchaseLine.received > 0)
    free = (mine, Purchase.state == SENT, ~came)
    ids = list(session.scalars(select(Purchase.id).where(*free)))
    kept = (session.scalar(select(func.count()).select_from(Purchase).where(mine)) or 0) - len(ids)
    session.execute(delete(PurchaseLine).where(PurchaseLine.purchase_id.in_(ids)).execution_options(**UNSEEN))
    session.execute(delete(Purchase).where(Purchase.id.in_(ids)).execution_options(**UNSEEN))
    session.execute(update(Purchase).where(mine).values(intake_id=None).execution_options(**UNSEEN))
    return kept
