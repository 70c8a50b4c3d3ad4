"""What Ada keeps in stock, for others not to find: one row of each kind, with her secret in all that is text."""

from datetime import date
from decimal import Decimal

from models.base import new_id
from models.stock import Location, Product, Supplier
from tasks.inventory import purchases
from tasks.inventory.movements import record
from tasks.inventory.purchases import Arrival, Wanted
from tests.conftest import Person
from workers.runtime import Runtime

DAY = date(2026, 3, 2)


def stock_of(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """Writes them; their ids by the names that routes have for them."""
    with runtime.database.write(person.workspace_id) as session:
        supplier = Supplier(id=new_id(), name=secret, note=secret)
        location = Location(id=new_id(), name=secret, note=secret)
        session.add_all([supplier, location])
        session.flush()
        product = Product(
            id=new_id(), sku=secret, name=secret, category=secret, barcode=secret, unit=secret, currency="EUR",
            supplier_id=supplier.id, location_id=location.id,
        )  # fmt: skip
        session.add(product)
        session.flush()
        moved = record(session, product, "purchase", Decimal(2), DAY, expires_on=DAY, note=secret)
        order = purchases.draft(
            session, person.workspace_id, supplier.id, [Wanted(product.id, Decimal(5))], note=secret
        )
        purchases.send(session, order, DAY)
        line = purchases.find(session, order.id).lines[0]  # type: ignore[union-attr]
        purchases.receive(session, order, [Arrival(line.id, Decimal(1))], DAY)
    return {
        "supplier_id": supplier.id, "location_id": location.id, "product_id": product.id, "movement_id": moved.id,
        "order_id": order.id, "line_id": line.id, "step": "close",
    }  # fmt: skip
