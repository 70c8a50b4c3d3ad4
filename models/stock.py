"""The inventory's tables: products, where they lie, what moved them, and what is on its way."""

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import ID, Base, Fixed, Owned, db_now, new_id

KINDS = ("sale", "purchase", "return", "count", "loss", "transfer")
DRAFT, SENT, PARTLY, CLOSED, CANCELLED = "draft", "sent", "partly received", "closed", "cancelled"
ON_ORDER = (SENT, PARTLY)


class Supplier(Owned, Base):
    """Who delivers."""

    __tablename__ = "supplier"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    code: Mapped[str] = mapped_column(String(60), default="")  # its name in other programs, so that imports find it
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    lead_days: Mapped[int] = mapped_column(Integer, default=7)
    note: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Location(Owned, Base):
    """A shelf, a room, a shop."""

    __tablename__ = "location"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())


class Product(Owned, Base):
    """A thing that is kept. `on_hand` is the sum of its movements; `tasks.inventory.movements.record` keeps it so."""

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("workspace_id", "sku"),
        Index("ix_product_barcode", "workspace_id", "barcode"),
        Index("ix_product_name", "workspace_id", "name"),
        Index("ix_product_category", "workspace_id", "category"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    sku: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(160))
    unit: Mapped[str] = mapped_column(String(40), default="")  # piece, kg, “10 boxes x 30 bags”
    category: Mapped[str] = mapped_column(String(80), default="")
    barcode: Mapped[str | None] = mapped_column(String(64))
    price: Mapped[Decimal] = mapped_column(Fixed, default=0)
    cost: Mapped[Decimal | None] = mapped_column(Fixed)
    currency: Mapped[str] = mapped_column(String(3))
    supplier_id: Mapped[str | None] = mapped_column(ID, ForeignKey("supplier.id", ondelete="SET NULL"), index=True)
    location_id: Mapped[str | None] = mapped_column(ID, ForeignKey("location.id", ondelete="SET NULL"))  # its usual one
    reorder_level: Mapped[Decimal] = mapped_column(Fixed, default=0)
    target: Mapped[Decimal | None] = mapped_column(Fixed)  # order up to; None: reckoned from lead time and sales
    pack_size: Mapped[Decimal] = mapped_column(Fixed, default=1)
    lead_days: Mapped[int | None] = mapped_column(Integer)  # None: the supplier's
    perishable: Mapped[bool] = mapped_column(Boolean, default=False)
    discontinued: Mapped[bool] = mapped_column(Boolean, default=False)
    on_hand: Mapped[Decimal] = mapped_column(Fixed, default=0)
    revision: Mapped[int] = mapped_column(Integer, default=1)  # grows when its limits change, as a budget's
    intake_id: Mapped[str | None] = mapped_column(ID, ForeignKey("intake.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    supplier: Mapped[Supplier | None] = relationship()


class Movement(Owned, Base):
    """What changed a quantity: the only thing that does. A count writes the difference; a transfer is two of them."""

    __tablename__ = "movement"
    __table_args__ = (
        Index("ix_movement_product", "product_id", "kind", "on_day", "quantity"),
        Index("ix_movement_list", "workspace_id", "on_day", "id"),
        Index("ix_movement_expiry", "workspace_id", "expires_on"),
        Index("ix_movement_fingerprint", "workspace_id", "fingerprint"),
        Index("ix_movement_place", "location_id", "product_id", "quantity"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ID, ForeignKey("workspace.id", ondelete="CASCADE"))  # indexed above
    product_id: Mapped[str] = mapped_column(ID, ForeignKey("product.id", ondelete="CASCADE"))
    location_id: Mapped[str | None] = mapped_column(ID, ForeignKey("location.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(10))  # one of KINDS
    quantity: Mapped[Decimal] = mapped_column(Fixed)  # above zero: it came in
    on: Mapped[date] = mapped_column("on_day", Date)
    counted: Mapped[Decimal | None] = mapped_column(Fixed)  # what a count found
    unit_price: Mapped[Decimal | None] = mapped_column(Fixed)
    expires_on: Mapped[date | None] = mapped_column(Date)  # of a lot that came in
    note: Mapped[str] = mapped_column(String(200), default="")
    transfer_id: Mapped[str | None] = mapped_column(ID)  # its two sides share it
    reverses_id: Mapped[str | None] = mapped_column(ID, index=True)  # the wrong one that it takes back
    line_id: Mapped[str | None] = mapped_column(ID, ForeignKey("purchase_line.id", ondelete="SET NULL"), index=True)
    intake_id: Mapped[str | None] = mapped_column(ID, ForeignKey("intake.id", ondelete="SET NULL"), index=True)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    created_by: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    product: Mapped[Product] = relationship()


class Purchase(Owned, Base):
    """A purchase order to one supplier; `number` counts in the workspace."""

    __tablename__ = "purchase"
    __table_args__ = (UniqueConstraint("workspace_id", "number"), Index("ix_purchase_state", "workspace_id", "state"))

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    number: Mapped[int] = mapped_column(Integer)
    supplier_id: Mapped[str | None] = mapped_column(ID, ForeignKey("supplier.id", ondelete="SET NULL"), index=True)
    state: Mapped[str] = mapped_column(String(16), default=DRAFT)
    note: Mapped[str] = mapped_column(String(500), default="")
    expected_on: Mapped[date | None] = mapped_column(Date)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    intake_id: Mapped[str | None] = mapped_column(ID, ForeignKey("intake.id", ondelete="SET NULL"), index=True)
    created_by: Mapped[str | None] = mapped_column(ID, ForeignKey("account.id", ondelete="SET NULL"))
    created_at: Mapped[int] = mapped_column(BigInteger, default=db_now())
    supplier: Mapped[Supplier | None] = relationship()
    lines: Mapped[list["PurchaseLine"]] = relationship(order_by="PurchaseLine.id")


class PurchaseLine(Owned, Base):
    """One product of a purchase order. What is on order: `quantity - received` of orders that were sent."""

    __tablename__ = "purchase_line"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    purchase_id: Mapped[str] = mapped_column(ID, ForeignKey("purchase.id", ondelete="CASCADE"), index=True)
    product_id: Mapped[str] = mapped_column(ID, ForeignKey("product.id", ondelete="CASCADE"), index=True)
    quantity: Mapped[Decimal] = mapped_column(Fixed)
    received: Mapped[Decimal] = mapped_column(Fixed, default=0)
    unit_cost: Mapped[Decimal | None] = mapped_column(Fixed)
    product: Mapped[Product] = relationship()
