"""Purchase orders: drafted, sent, received in one go or in parts, closed. What arrives becomes movements here.

Each step asks in its own statement whether the order is still where it was, so two people cannot both take it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, selectinload

from models.base import db_now, new_id
from models.session import touch
from models.statements import changed
from models.stock import (
    CANCELLED,
    CLOSED,
    DRAFT,
    ON_ORDER,
    PARTLY,
    SENT,
    Movement,
    Product,
    Purchase,
    PurchaseLine,
    Supplier,
)  # fmt: skip
from models.workspace import Workspace
from tasks.inventory.movements import plain, quantity, record

MOST_LINES = 500
ELSEWHERE = "Somebody else took the next step with this order meanwhile. Look at what it is now."
TOO_MANY = "Only {left} of {name} are still to come; record what came beyond them as a purchase of its own."
LINES_FULL = f"An order has at most {MOST_LINES} lines; make another one for the rest."


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many of a product; they are rounded up to whole packs."""

    product_id: str
    amount: Decimal
    unit_cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """So many of an order's line are here; `location_id` None: the product's usual place."""

    line_id: str
    amount: Decimal
    location_id: str | None = None
    expires_on: date | None = None


def packed(amount: Decimal, pack_size: Decimal) -> Decimal:
    """The least number of whole packs that holds so many."""
    if pack_size <= 0:
        return amount
    return (amount / pack_size).to_integral_value(ROUND_CEILING) * pack_size


def draft(
    session: Session, workspace_id: str, supplier_id: str | None, wanted: Iterable[Wanted] = (), **more: Any
) -> Purchase:
    """A new order; its number follows the last one's, without gaps or doubles.

    Args:
        more: note, expected_on, created_by, intake_id.

    Raises:
        ValueError: with a sentence, when the supplier, a product or a quantity cannot be.
    """
    if supplier_id is not None:
        asked = select(Supplier.id).where(Supplier.id == supplier_id, Supplier.workspace_id == workspace_id)
        if session.scalar(asked) is None:
            raise ValueError("There is no such supplier; choose one from the list.")
    # Whoever makes another order of this workspace waits here until ours is written.
    session.execute(update(Workspace).where(Workspace.id == workspace_id).values(name=Workspace.name))
    last = session.scalar(select(func.max(Purchase.number)).where(Purchase.workspace_id == workspace_id))
    order = Purchase(
        id=new_id(), workspace_id=workspace_id, number=(last or 0) + 1, supplier_id=supplier_id, state=DRAFT, **more
    )
    session.add(order)
    session.flush()
    for each in wanted:
        put(session, order, each)
    return order


def find(session: Session, purchase_id: str) -> Purchase | None:
    """An order with its lines, their products and its supplier."""
    whole = (selectinload(Purchase.lines).selectinload(PurchaseLine.product), selectinload(Purchase.supplier))
    return session.scalar(select(Purchase).where(Purchase.id == purchase_id).options(*whole))


def put(session: Session, order: Purchase, wanted: Wanted) -> PurchaseLine:
    """So many of a product on a draft: a new line, or the quantity of the one that it has."""
    _step(session, order, (DRAFT,))
    amount, product = quantity(wanted.amount), _product(session, order, wanted.product_id)
    if wanted.unit_cost is not None and wanted.unit_cost < 0:
        raise ValueError("Give a cost of zero or more.")
    lines = session.scalars(select(PurchaseLine).where(PurchaseLine.purchase_id == order.id)).all()
    line = next((each for each in lines if each.product_id == product.id), None)
    if line is None:
        if len(lines) >= MOST_LINES:
            raise ValueError(LINES_FULL)
        line = PurchaseLine(
            id=new_id(), workspace_id=order.workspace_id, purchase_id=order.id, product_id=product.id, received=0
        )
        session.add(line)
    line.quantity = quantity(packed(amount, product.pack_size))
    line.unit_cost = product.cost if wanted.unit_cost is None else wanted.unit_cost
    session.flush()
    return line


def take_off(session: Session, order: Purchase, line_id: str) -> None:
    """A line goes from a draft."""
    _step(session, order, (DRAFT,))
    asked = select(PurchaseLine).where(PurchaseLine.id == line_id, PurchaseLine.purchase_id == order.id)
    if line := session.scalar(asked):
        session.delete(line)
        session.flush()


def send(session: Session, order: Purchase, today: date) -> None:
    """It is with the supplier. Without a day of its own it is expected after the longest lead time of its products."""
    asked = select(Product.lead_days).join(PurchaseLine, PurchaseLine.product_id == Product.id)
    own = session.scalars(asked.where(PurchaseLine.purchase_id == order.id)).all()
    if not own:
        raise ValueError("Put a product on the order first.")
    usual = session.scalar(select(Supplier.lead_days).where(Supplier.id == order.supplier_id)) or 0
    longest = max(usual if days is None else days for days in own)
    expected = order.expected_on or today + timedelta(days=longest)
    _step(session, order, (DRAFT,), state=SENT, sent_at=db_now(), expected_on=expected)


def receive(
    session: Session,
    order: Purchase,
    arrivals: Sequence[Arrival],
    on: date,
    by: str | None = None,
    note: str = "",
    mark: str | None = None,
) -> list[Movement]:
    """What came: movements, and the order one step further. All of it is written, or nothing.

    Args:
        mark: a fingerprint of whoever asks; what it was recorded for before is not recorded again.

    Raises:
        ValueError: more than is to come, nothing at all, or an order that is not on its way.
    """
    if not arrivals:
        raise ValueError("Say of at least one line how many came.")
    _lock(session, order)
    if mark and session.scalar(select(Movement.id).where(Movement.fingerprint == mark).limit(1)):
        return []
    _step(session, order, ON_ORDER)
    came: list[Movement] = []
    for each in arrivals:
        asked = select(PurchaseLine).where(PurchaseLine.id == each.line_id, PurchaseLine.purchase_id == order.id)
        line = session.scalar(asked)
        if line is None:
            raise ValueError("This line is not on the order any more.")
        came.append(_arrived(session, line, each, on, by, note, mark if not came else None))
    _standing(session, order)
    return came


def close(session: Session, order: Purchase) -> None:
    """What has not come will not come: it is no longer on order."""
    _step(session, order, ON_ORDER, state=CLOSED, closed_at=db_now())


def cancel(session: Session, order: Purchase) -> None:
    """It is not wanted any more; nothing of it has come. Its number stays, so that none is missing."""
    if order.state == PARTLY:
        raise ValueError("A part of it has come already: close the order instead.")
    _step(session, order, (DRAFT, SENT), state=CANCELLED, closed_at=db_now())


def expect(session: Session, order: Purchase, day: date | None, note: str) -> None:
    """The day that it is expected, and its note."""
    _step(session, order, (DRAFT, *ON_ORDER), expected_on=day, note=note)


def take_back(session: Session, movement: Movement) -> None:
    """What was received by mistake is still to come; an order that it had completed is open again."""
    line = session.scalar(select(PurchaseLine).where(PurchaseLine.id == movement.line_id))
    order = find(session, line.purchase_id) if line else None
    if line is None or order is None:
        return
    _lock(session, order)
    complete = order.state == CLOSED and all(each.received >= each.quantity for each in order.lines)
    _receive(session, line, -movement.quantity)
    if complete or order.state == PARTLY:
        some = any(each.received > 0 for each in order.lines)
        _step(session, order, (PARTLY, CLOSED), state=PARTLY if some else SENT, closed_at=None)


def _arrived(
    session: Session, line: PurchaseLine, each: Arrival, on: date, by: str | None, note: str, mark: str | None
) -> Movement:
    amount, product = quantity(each.amount), line.product
    if not _receive(session, line, amount):
        left = max(line.quantity - line.received, Decimal(0))
        raise ValueError(TOO_MANY.format(left=plain(left), name=product.name))
    return record(
        session, product, "purchase", amount, on, location_id=each.location_id, expires_on=each.expires_on,
        unit_price=line.unit_cost, line_id=line.id, created_by=by, note=note, fingerprint=mark,
    )  # fmt: skip


def _receive(session: Session, line: PurchaseLine, amount: Decimal) -> bool:
    """Never more than were ordered, whoever else receives at the moment."""
    more = update(PurchaseLine).where(PurchaseLine.id == line.id, PurchaseLine.received <= line.quantity - amount)
    more = more.values(received=PurchaseLine.received + amount).execution_options(synchronize_session=False)
    done = changed(session, more) == 1
    session.refresh(line, ["received"])
    touch(session, PurchaseLine, line.workspace_id)
    return done


def _standing(session: Session, order: Purchase) -> None:
    """Closed when all has come."""
    left = select(func.count()).where(
        PurchaseLine.purchase_id == order.id, PurchaseLine.received < PurchaseLine.quantity
    )
    if session.scalar(left):
        _step(session, order, ON_ORDER, state=PARTLY)
    else:
        _step(session, order, ON_ORDER, state=CLOSED, closed_at=db_now())


def _step(session: Session, order: Purchase, before: tuple[str, ...], **values: Any) -> None:
    """From one of these states, or ValueError; without `values` it only holds the order until the commit."""
    step = update(Purchase).where(Purchase.id == order.id, Purchase.state.in_(before))
    step = step.values(values or {"number": Purchase.number}).execution_options(synchronize_session=False)
    if changed(session, step) != 1:
        raise ValueError(ELSEWHERE)
    touch(session, Purchase, order.workspace_id)
    session.refresh(order, ["state", "sent_at", "closed_at", "expected_on", "note"])


def _lock(session: Session, order: Purchase) -> None:
    _step(session, order, (DRAFT, SENT, PARTLY, CLOSED, CANCELLED))


def _product(session: Session, order: Purchase, product_id: str) -> Product:
    asked = select(Product).where(Product.id == product_id, Product.workspace_id == order.workspace_id)
    if product := session.scalar(asked):
        return product
    raise ValueError("There is no such product; search it by its name, SKU or barcode.")
