"""Products, sales and orders as the stock's tests write them: through the one way that quantities change."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alert import Alert
from models.base import new_id
from models.session import EVERYONE
from models.stock import Product, Supplier
from tasks.inventory import movements, purchases
from tests.conftest import Person
from workers.runtime import Runtime

LONG_AGO = 1_600_000_000_000


def today() -> date:
    """As the workspaces of the tests have it: in UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC).date()


def supplier(session: Session, name: str = "Exotic Liquids", **more: Any) -> Supplier:
    found = session.scalars(select(Supplier).where(Supplier.name == name)).first()
    if found is None:
        found = Supplier(id=new_id(), name=name, **more)
        session.add(found)
        session.flush()
    return found


def product(session: Session, name: str = "Chai", on_hand: int | str = 0, **more: Any) -> Product:
    """A product that has been there for years, with a count of what is there."""
    made = Product(
        id=new_id(), name=name,
        **({"currency": "EUR", "sku": name.upper().replace(" ", "-"), "created_at": LONG_AGO, "lead_days": 7} | more),
    )  # fmt: skip
    session.add(made)
    session.flush()
    if Decimal(on_hand) > 0:
        movements.record(session, made, "count", Decimal(on_hand), today() - timedelta(days=400))
    return made


def sold(session: Session, made: Product, *weeks: int | str) -> None:
    """So many in each of the last weeks, the oldest first; what is on hand stays what it was."""
    for number, amount in enumerate(weeks):
        on = today() - timedelta(days=7 * (len(weeks) - 1 - number) + 1)
        if Decimal(amount):
            movements.record(session, made, "purchase", Decimal(amount), on - timedelta(days=100))
            movements.record(session, made, "sale", Decimal(amount), on)


def ordered(session: Session, made: Product, amount: int | str) -> str:
    """An order that is on its way; its id."""
    order = purchases.draft(
        session, made.workspace_id, made.supplier_id, [purchases.Wanted(made.id, Decimal(amount))]
    )  # fmt: skip
    purchases.send(session, order, today())
    return order.id


def the_alerts(runtime: Runtime, person: Person, rule: str = "stock") -> list[Alert]:
    with runtime.database.read(EVERYONE) as session:
        asked = select(Alert).where(Alert.workspace_id == person.workspace_id, Alert.rule == rule)
        return list(session.scalars(asked.order_by(Alert.title)))
