"""Questions about stock that several pages ask: what is on order, what lies where, who delivers, what is late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import cast

from flask import abort
from sqlalchemy import ColumnElement, Select, Table, func, or_, select
from sqlalchemy.orm import Session, joinedload

from models.base import clock, total
from models.stock import ON_ORDER, Location, Movement, Product, Purchase, PurchaseLine, Supplier
from models.workspace import Workspace
from tasks.days import today
from tasks.inventory import lots
from web.current import current_workspace

PER_PAGE = 50
NOTHING = Decimal(0)
# For questions about products that were found in the workspace already. The ORM would add the workspace to each of
# them, and SQLite then walks through all movements of the workspace instead of those of the product.
moved = cast(Table, Movement.__table__).c
SOON = 14  # days: a lot that expires within them is marked


@dataclass(frozen=True)
class House:
    """What the workspace says of itself: its day, its currency, and what it does about negative stock."""

    today: date
    currency: str
    negative: str


def house(session: Session) -> House:
    asked = select(Workspace.time_zone, Workspace.currency, Workspace.negative_stock)
    zone, currency, negative = session.execute(asked.where(Workspace.id == current_workspace())).one()
    return House(today(zone, clock(session)), currency, negative)


def product(session: Session, product_id: str) -> Product:
    """A product of this workspace, with its supplier; 404 for all others."""
    asked = select(Product).where(Product.id == product_id).options(joinedload(Product.supplier))
    return session.scalar(asked) or abort(404)


def by_code(session: Session, code: str) -> Product | None:
    """The product that has this SKU, else the one that has this barcode."""
    code = code.strip()
    if not code:
        return None
    found = session.scalar(select(Product).where(Product.sku == code[:60]))
    return found or session.scalar(select(Product).where(Product.barcode == code[:64]).order_by(Product.id).limit(1))


def suppliers(session: Session) -> list[tuple[str, str]]:
    return [(one.id, one.name) for one in session.execute(select(Supplier.id, Supplier.name).order_by(Supplier.name))]


def locations(session: Session) -> list[tuple[str, str]]:
    return [(one.id, one.name) for one in session.execute(select(Location.id, Location.name).order_by(Location.name))]


def categories(session: Session, most: int = 200) -> list[str]:
    asked = select(Product.category).where(Product.category != "").distinct().order_by(Product.category)
    return list(session.scalars(asked.limit(most)))


def on_order(session: Session, ids: Sequence[str] | None) -> dict[str, Decimal]:
    """What is still to come of each product (None: of all), by orders that were sent."""
    asked = select(PurchaseLine.product_id, total(PurchaseLine.quantity), total(PurchaseLine.received))
    asked = asked.join(Purchase, Purchase.id == PurchaseLine.purchase_id).where(Purchase.state.in_(ON_ORDER))
    asked = asked if ids is None else asked.where(PurchaseLine.product_id.in_(ids))
    rows = session.execute(asked.group_by(PurchaseLine.product_id))
    return {product_id: max(ordered - received, NOTHING) for product_id, ordered, received in rows}


def coming(session: Session, product_id: str) -> list[tuple[Purchase, PurchaseLine]]:
    """The orders that a product is still to come by."""
    asked = select(Purchase, PurchaseLine).join(PurchaseLine, PurchaseLine.purchase_id == Purchase.id)
    asked = asked.where(PurchaseLine.product_id == product_id, Purchase.state.in_(ON_ORDER))
    asked = asked.where(PurchaseLine.received < PurchaseLine.quantity).options(joinedload(Purchase.supplier))
    return [(order, line) for order, line in session.execute(asked.order_by(Purchase.number))]


def places(session: Session, product_id: str) -> list[tuple[str | None, str, Decimal]]:
    """How many of a product lie where; what has no place comes last."""
    asked = select(moved.location_id, total(moved.quantity)).where(moved.product_id == product_id)
    found = session.execute(asked.group_by(moved.location_id)).all()
    known = dict(locations(session))
    lying = [(place, known.get(place, ""), lies) for place, lies in found if lies]
    return sorted(lying, key=lambda each: (each[0] is None, each[1].lower()))


def lots_of(session: Session, product_id: str) -> list[lots.Lot]:
    """What is left of each lot, if any had a date: reckoned from the movements, first expired first out."""
    of_it = moved.product_id == product_id
    if session.scalar(select(moved.id).where(of_it, moved.expires_on.is_not(None)).limit(1)) is None:
        return []
    asked = select(moved.on_day, moved.quantity, moved.expires_on).where(of_it, moved.kind != "transfer")
    return lots.left(lots.Step(*row) for row in session.execute(asked.order_by(moved.id)))


def late(session: Session, day: date) -> list[Purchase]:
    """Orders that were expected before today and are not here."""
    asked = select(Purchase).where(Purchase.state.in_(ON_ORDER), Purchase.expected_on < day)
    return list(session.scalars(asked.options(joinedload(Purchase.supplier)).order_by(Purchase.expected_on).limit(20)))


def awaited(session: Session, day: date) -> list[Purchase]:
    """Orders that are on their way and not late, the next one first."""
    due = or_(Purchase.expected_on.is_(None), Purchase.expected_on >= day)
    asked = select(Purchase).where(Purchase.state.in_(ON_ORDER), due).options(joinedload(Purchase.supplier))
    return list(session.scalars(asked.order_by(Purchase.expected_on, Purchase.number).limit(10)))


def below_zero(session: Session, most: int = 20) -> list[Product]:
    return list(session.scalars(select(Product).where(Product.on_hand < 0).order_by(Product.name).limit(most)))


def matching(text: str) -> ColumnElement[bool]:
    """Products in which a text occurs: in SKU, name, barcode, category or the supplier's name."""
    fields = (Product.sku, Product.name, Product.barcode, Product.category, Supplier.name)
    return or_(*(field.icontains(text, autoescape=True) for field in fields))


def count(session: Session, asked: Select[str]) -> int:
    return session.scalar(select(func.count()).select_from(asked.order_by(None).subquery())) or 0


def pages(found: int, per_page: int = PER_PAGE) -> int:
    return max(1, -(-found // per_page))
