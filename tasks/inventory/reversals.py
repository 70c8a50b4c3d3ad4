"""A wrong movement is never edited: a counter movement takes it back, and both stay to be seen."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stock import Movement, Product
from tasks.inventory.movements import hold, reverse_of
from tasks.inventory.purchases import take_back

TWICE = "This movement was reversed already."
OF_ONE = "This is a reversal itself. If it was wrong, record the movement anew."


def reverse(session: Session, wrong: Movement, by: str | None = None) -> list[Movement]:
    """Take a movement back, on its own day, so that sums of that time are right again; both sides of a transfer.

    What was received of an order is still to come then.

    Raises:
        ValueError: it was reversed before, is a reversal, or the workspace refuses what would be left.
    """
    product = session.scalars(select(Product).where(Product.id == wrong.product_id)).one()
    hold(session, [product.id])  # two who click at once
    if wrong.reverses_id is not None:
        raise ValueError(OF_ONE)
    sides = _sides(session, wrong)
    if session.scalar(select(Movement.id).where(Movement.reverses_id.in_([each.id for each in sides])).limit(1)):
        raise ValueError(TWICE)
    if wrong.line_id is not None:
        take_back(session, wrong)
    # What came in goes first: a transfer leaves the sum as it is at each moment that matters.
    sides.sort(key=lambda side: side.quantity)
    return [reverse_of(session, side, product, side.on, created_by=by) for side in sides]


def counted_since(session: Session, wrong: Movement) -> date | None:
    """The day of a later count, which has set right what the wrong movement did; None: nobody counted."""
    later = (Movement.product_id == wrong.product_id, Movement.kind == "count", Movement.reverses_id.is_(None))
    return session.scalar(
        select(Movement.on)
        .where(*later, Movement.on >= wrong.on, Movement.id > wrong.id)
        .order_by(Movement.id)
        .limit(1)
    )


def _sides(session: Session, wrong: Movement) -> list[Movement]:
    if wrong.transfer_id is None:
        return [wrong]
    of_it = (Movement.product_id == wrong.product_id, Movement.transfer_id == wrong.transfer_id)
    return list(session.scalars(select(Movement).where(*of_it, Movement.reverses_id.is_(None))))
