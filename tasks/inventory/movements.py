"""Movements: the only way a quantity changes. Each is written together with its product's `on_hand`, or not at all.

`on_hand` moves by arithmetic in the database, so two sales at once are both counted. Where a workspace refuses negative
stock, the condition stands in the same statement, and the number of rows that it changed decides.

Imports write many at a time and take them back: `record_many` and `undo` in `tasks.inventory.movements_many`.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from models.base import new_id, total
from models.session import touch
from models.statements import changed
from models.stock import KINDS, Location, Movement, Product
from models.workspace import Workspace

COMES = ("purchase", "return")  # the others take away; a count says what is there, a transfer does both
REFUSE, FLAG = "refuse", "flag"
MOST = Decimal(1_000_000_000)  # of one movement: sums of nine hundred thousand of them still fit into every database
FINEST = Decimal("0.0001")
_product = cast(Table, Product.__table__)
SHORT = "That is more than there is: {there} of {name} {are} on hand, and this workspace refuses negative stock."


def quantity(value: Decimal, *, zero: bool = False) -> Decimal:
    """A quantity as people say it: never below zero, the kind of a movement says whether it comes or goes.

    Raises:
        ValueError: with a sentence for whoever gave it.
    """
    if not value.is_finite() or value < 0 or (value == 0 and not zero):
        raise ValueError("Give a quantity above zero." if not zero else "Give what was counted: zero or more.")
    if value > MOST:
        raise ValueError("Give a quantity of at most 1,000,000,000.")
    if value != value.quantize(FINEST):
        raise ValueError("Give at most four digits after the point.")
    return value


def record(
    session: Session,
    product: Product,
    kind: str,
    amount: Decimal,
    on: date,
    *,
    location_id: str | None = None,
    to_location_id: str | None = None,
    **more: Any,
) -> Movement:
    """Write a movement and move the product's quantity, in the caller's transaction.

    Args:
        amount: how many, above zero; of a count, what was found.
        on: the day it was; a count is held against what was there at the end of that day.
        location_id: where it was; None: the product's usual place. A count without one counts all places together.
        to_location_id: of a transfer, where it went.
        more: unit_price, expires_on, note, line_id, intake_id, fingerprint, created_by.

    Returns:
        The movement; of a transfer, the side that came in. `product.on_hand` is what is there now.

    Raises:
        ValueError: with a sentence for the person, when it cannot be.
    """
    if kind not in KINDS:
        raise ValueError(f"A movement is one of {', '.join(KINDS)}.")
    amount = quantity(amount, zero=kind == "count")
    _own_place(session, product, location_id, to_location_id)
    if kind == "transfer":
        return _transfer(session, product, amount, on, location_id, to_location_id, more)
    place = location_id or product.location_id
    if kind == "count":
        more["counted"] = amount
        hold(session, [product.id])
        signed = amount - present(session, product, on, location_id)
    else:
        signed = amount if kind in COMES else -amount
    _move(session, product, signed)
    return _written(session, product, kind, signed, on, place, more)


def reverse_of(session: Session, wrong: Movement, product: Product, on: date, **more: Any) -> Movement:
    """A counter movement of one that was wrong; `reversals` decides when. It shares the import, to go with it."""
    _move(session, product, -wrong.quantity)
    told: dict[str, Any] = {"reverses_id": wrong.id, "intake_id": wrong.intake_id, "unit_price": wrong.unit_price}
    told |= {"expires_on": wrong.expires_on, "line_id": wrong.line_id, "transfer_id": wrong.transfer_id}
    return _written(session, product, wrong.kind, -wrong.quantity, on, wrong.location_id, told | more)


def hold(session: Session, product_ids: Iterable[str]) -> None:
    """Whoever else moves these products waits for our commit; in the order of ids, so that no two wait in a ring."""
    ids = [{"which": one} for one in sorted(set(product_ids))]
    stays = update(_product).where(_product.c.id == bindparam("which")).values(on_hand=_product.c.on_hand)
    if ids:
        session.connection().execute(stays, ids)


def present(session: Session, product: Product, on: date, location_id: str | None) -> Decimal:
    """What was there at the end of a day: at a place, or (None) at all of them together. After `hold`."""
    if location_id is None:
        later = select(total(Movement.quantity)).where(Movement.product_id == product.id, Movement.on > on)
        now = session.scalar(select(Product.on_hand).where(Product.id == product.id)) or Decimal(0)
        return now - (session.scalar(later) or Decimal(0))
    asked = select(total(Movement.quantity)).where(
        Movement.product_id == product.id, Movement.location_id == location_id, Movement.on <= on
    )
    return session.scalar(asked) or Decimal(0)


def rule(session: Session, workspace_id: str) -> str:
    """What the workspace does about negative stock: allow, flag or refuse."""
    return session.scalar(select(Workspace.negative_stock).where(Workspace.id == workspace_id)) or FLAG


def _transfer(
    session: Session, product: Product, amount: Decimal, on: date, source: str | None, goal: str | None, more: Any
) -> Movement:
    source = source or product.location_id
    if goal is None or goal == source:
        raise ValueError("Say where it goes: another location than the one it comes from.")
    hold(session, [product.id])
    if rule(session, product.workspace_id) == REFUSE and source is not None:
        there = present(session, product, date.max, source)
        if there < amount:
            raise ValueError(f"Only {plain(there)} of {product.name} lie there, so {plain(amount)} cannot be moved.")
    both = {"transfer_id": new_id(), **more}
    _written(session, product, "transfer", -amount, on, source, both)
    return _written(session, product, "transfer", amount, on, goal, both | {"fingerprint": None})


def _written(
    session: Session, product: Product, kind: str, signed: Decimal, on: date, place: str | None, more: dict[str, Any]
) -> Movement:
    movement = Movement(
        id=new_id(), workspace_id=product.workspace_id, product_id=product.id, kind=kind, quantity=signed, on=on,
        location_id=place, **more,
    )  # fmt: skip
    session.add(movement)
    session.flush()
    touch(session, Product, product.workspace_id)
    session.refresh(product, ["on_hand"])
    return movement


def _move(session: Session, product: Product, signed: Decimal) -> None:
    refuses = signed < 0 and rule(session, product.workspace_id) == REFUSE
    if _update(session, product.id, signed, refuses):
        return
    there = session.scalar(select(Product.on_hand).where(Product.id == product.id))
    if there is None:
        raise ValueError("This product is gone.")
    raise ValueError(SHORT.format(there=plain(there), name=product.name, are="is" if there == 1 else "are"))


def _update(session: Session, product_id: str, signed: Decimal, refuses: bool = False) -> bool:
    moved = update(Product).where(Product.id == product_id).values(on_hand=Product.on_hand + signed)
    if refuses:
        moved = moved.where(Product.on_hand >= -signed)  # not the sum: it would be compared as a plain number
    return changed(session, moved.execution_options(synchronize_session=False)) == 1


def _own_place(session: Session, product: Product, *places: str | None) -> None:
    """A place is of the product's own workspace, also in a session that sees all of them."""
    for place in filter(None, places):
        asked = select(Location.id).where(Location.id == place, Location.workspace_id == product.workspace_id)
        if session.scalar(asked) is None:
            raise ValueError("There is no such location; choose one from the list.")


def plain(value: Decimal) -> str:
    """A quantity in a sentence: 12, not 12.0000."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
