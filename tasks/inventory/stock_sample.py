"""A sample to look around in: a small grocer with half a year of sales, an order on its way and one to be sent."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from models.base import new_id
from models.stock import Location, Product, Supplier
from tasks.inventory import purchases
from tasks.inventory.movements_many import Row, record_many
from tasks.inventory.purchases import Wanted

DAYS = 180
# Name, SKU, unit, category, price, cost, supplier, reorder level, pack, sold a day, left at the end, days a lot keeps
GOODS = (
    ("Breakfast tea, 250 g", "TEA-250", "pack", "Drinks", "4.20", "2.10", 0, 20, 12, 2.0, 9, 0),
    ("Coffee beans, 1 kg", "COF-1000", "bag", "Drinks", "16.90", "10.40", 0, 12, 6, 1.1, 31, 0),
    ("Oat milk, 1 l", "OAT-1", "carton", "Drinks", "1.95", "1.05", 1, 24, 12, 4.0, 46, 40),
    ("Whole milk, 1 l", "MLK-1", "bottle", "Dairy", "1.35", "0.80", 1, 20, 6, 5.0, 22, 9),
    ("Butter, 250 g", "BUT-250", "piece", "Dairy", "2.79", "1.70", 1, 15, 10, 2.2, 0, 45),
    ("Hard cheese", "CHE-KG", "kg", "Dairy", "18.50", "11.20", 1, 4, 2, 0.6, 7, 60),
    ("Spaghetti, 500 g", "SPA-500", "pack", "Dry goods", "1.60", "0.75", 2, 30, 20, 3.0, 84, 0),
    ("Basmati rice, 1 kg", "RIC-1000", "bag", "Dry goods", "3.40", "1.90", 2, 15, 10, 1.0, 28, 0),
    ("Chickpeas, tin", "CHK-400", "tin", "Dry goods", "1.10", "0.55", 2, 24, 24, 1.4, 61, 0),
    ("Saffron, 1 g", "SAF-1", "tube", "Spices", "8.90", "5.20", 2, 4, 5, 0.06, 11, 0),
    ("Vanilla pods", "VAN-2", "tube", "Spices", "6.50", "3.90", 2, 3, 5, 0.0, 18, 0),
    ("Dish soap, 500 ml", "SOP-500", "bottle", "Household", "2.20", "1.15", 0, 12, 6, 0.8, 23, 0),
)
Good = tuple[str, str, str, str, str, str, int, int, int, float, int, int]
SUPPLIERS = (("Harbour Wholesale", 6), ("Green Valley Dairy", 2), ("Old Mill Foods", 10))
PLACES = ("Shop", "Back room")


def fill(session: Session, workspace_id: str, currency: str, today: date, by: str | None = None) -> int:
    """Write the sample; gives how many products it has. Its chance is always the same."""
    suppliers = [Supplier(id=new_id(), workspace_id=workspace_id, name=n, lead_days=d) for n, d in SUPPLIERS]
    places = [Location(id=new_id(), workspace_id=workspace_id, name=name) for name in PLACES]
    session.add_all([*suppliers, *places])
    session.flush()
    products = [_product(each, workspace_id, currency, suppliers, places[0]) for each in GOODS]
    session.add_all(products)
    session.flush()
    chance = random.Random(4)  # noqa: S311  # no secret
    rows = [row for one, each in zip(products, GOODS, strict=True) for row in _moves(one.id, each, today, chance, by)]
    record_many(session, sorted(rows, key=lambda row: row.on))
    spaghetti, tea = products[6], products[0]
    order = purchases.draft(session, workspace_id, suppliers[2].id, [Wanted(spaghetti.id, Decimal(40))], created_by=by)
    order.expected_on = today - timedelta(days=2)
    session.flush()
    purchases.send(session, order, today)
    order.sent_at = (order.sent_at or 0) - 12 * 86_400_000
    purchases.draft(session, workspace_id, suppliers[0].id, [Wanted(tea.id, Decimal(48))], created_by=by)
    return len(products)


def _product(
    each: Good, workspace_id: str, currency: str,
    suppliers: list[Supplier], place: Location,
) -> Product:  # fmt: skip
    name, sku, unit, category, price, cost, who, level, pack, _daily, _left, keeps = each
    return Product(
        id=new_id(), workspace_id=workspace_id, name=name, sku=sku, unit=unit, category=category, price=Decimal(price),
        cost=Decimal(cost), currency=currency, supplier_id=suppliers[who].id, location_id=place.id,
        reorder_level=Decimal(level), pack_size=Decimal(pack), perishable=bool(keeps),
    )  # fmt: skip


def _moves(
    product_id: str, each: Good, today: date,
    chance: random.Random, by: str | None,
) -> Iterator[Row]:  # fmt: skip
    """Deliveries about every month and sales in between, so that at the end there is left what is said."""
    _name, _sku, _unit, _category, price, cost, _who, _level, _pack, daily, left, keeps = each
    sold = {day: sum(chance.random() < daily / 12 for _ in range(12)) for day in range(DAYS)}
    step = min(28, keeps or 28)
    for day in range(0, DAYS, step):
        needed = sum(sold[at] for at in range(day, min(day + step, DAYS)))
        came = needed + (left if (day + step >= DAYS if daily else day == 0) else 0)  # what nobody buys came long ago
        on = today - timedelta(days=DAYS - day)
        if came:
            until = on + timedelta(days=keeps) if keeps else None
            yield Row(
                product_id,
                "purchase",
                Decimal(came),
                on,
                unit_price=Decimal(cost),
                expires_on=until,
                note="Sample",
                created_by=by,
            )
    for day, many in sold.items():
        if many:
            yield Row(
                product_id,
                "sale",
                Decimal(many),
                today - timedelta(days=DAYS - day - 1),
                unit_price=Decimal(price),
                note="Sample",
                created_by=by,
            )
