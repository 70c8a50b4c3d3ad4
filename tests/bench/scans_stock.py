"""The shops that the stock scan looks at: one huge, some middling, many small; two years of movements."""

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from models.stock import CLOSED, PARTLY, SENT, Movement, Product, Purchase, PurchaseLine, Supplier
from tests.bench.scans_data import MOVEMENT_DAYS, ONE, Size, days, ids, people, pick
from tests.bench.scans_load import bulk, load

SHOPS = [0.4] + [0.1] * 5 + [0.005] * 20  # of all products: one huge shop, five of a tenth, twenty small ones
SUPPLIERS = 8  # of each shop
LINES = 10  # of an order
KINDS = {"sale": 0.86, "purchase": 0.08, "return": 0.01, "count": 0.02, "loss": 0.02, "transfer": 0.01}


def stock(engine: Engine, size: Size, today: date, seed: int = 2) -> None:
    """Products with what moved them, and orders on their way."""
    chance = np.random.default_rng(seed)
    _, places = people(engine, len(SHOPS), "s")
    shops = np.repeat(np.arange(len(SHOPS)), [round(share * size.products) for share in SHOPS])
    suppliers = ids("6", SUPPLIERS * len(SHOPS))
    load(
        engine, Supplier, len(suppliers), id=suppliers,
        workspace_id=[place for place in places for _ in range(SUPPLIERS)],
        name=[f"Supplier {number}" for number in range(SUPPLIERS)] * len(SHOPS),
    )  # fmt: skip
    products = ids("7", len(shops))
    with bulk(engine, Movement, Product):
        on_hand, sold = _movements(engine, size, chance, products, pick(places, shops), today)
        _products(engine, chance, products, (places, suppliers), shops, on_hand, sold)
    _orders(engine, chance, products, (places, suppliers), shops, today)


def _movements(
    engine: Engine, size: Size, chance: np.random.Generator, products: list[str], owners: list[str], today: date
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Few products sell daily, most now and then → (what is on hand, sold in a day)."""
    count, kinds = size.movements - len(products), list(KINDS)
    weight = chance.pareto(1.2, len(products)) + 0.1
    which = chance.choice(len(products), count, p=weight / weight.sum())
    kind = chance.choice(len(kinds), count, p=list(KINDS.values()))
    pieces = chance.geometric(0.4, count)
    signs = np.array([-1, 8, 1, 0, -1, 0])[kind]  # a purchase brings what some sales take
    quantity = pieces * signs
    _, on = days(chance, count, MOVEMENT_DAYS, today)
    moved = np.zeros(len(products), dtype=np.int64)
    np.add.at(moved, which, quantity)
    sales = np.zeros(len(products))
    np.add.at(sales, which, np.where(kind == 0, pieces, 0))
    wanted = chance.integers(0, 60, len(products)) + (
        sales / MOVEMENT_DAYS * chance.integers(0, 60, len(products))
    ).astype(int)
    first = wanted - moved  # the opening count, so that what is left is what we want
    opened = (today - timedelta(days=MOVEMENT_DAYS)).isoformat()
    lots = np.where((kind == 1) & (which % 20 == 0))[0]
    expires: list[str | None] = [None] * count
    for each, left in zip(lots.tolist(), chance.integers(-200, 200, len(lots)).tolist(), strict=True):
        expires[each] = (today + timedelta(days=left)).isoformat()
    load(
        engine, Movement, size.movements, id=ids("8", size.movements), workspace_id=owners + pick(owners, which),
        product_id=products + pick(products, which), kind=["count"] * len(products) + pick(kinds, kind),
        quantity=(first * ONE).tolist() + (quantity * ONE).tolist(), on=[opened] * len(products) + on,
        expires_on=[None] * len(products) + expires,
    )  # fmt: skip
    return wanted, sales / MOVEMENT_DAYS


def _products(
    engine: Engine,
    chance: np.random.Generator,
    products: list[str],
    owned: tuple[list[str], list[str]],
    shops: NDArray[np.int64],
    on_hand: NDArray[np.int64],
    sold: NDArray[np.float64],
) -> None:
    places, suppliers = owned
    count = len(products)
    numbers = np.arange(count)
    levels = np.maximum(2, (sold * 10).astype(int)) * (chance.random(count) < 0.7)
    load(
        engine, Product, count, id=products, workspace_id=pick(places, shops),
        sku=[f"SKU-{number}" for number in range(count)], name=[f"Product {number}" for number in range(count)],
        currency="EUR", price=5 * ONE, cost=3 * ONE,
        supplier_id=pick(suppliers, SUPPLIERS * shops + numbers % SUPPLIERS),
        reorder_level=(levels * ONE).tolist(), on_hand=(on_hand * ONE).tolist(), pack_size=ONE,
        lead_days=[None if number % 4 else 14 for number in range(count)],
        perishable=[number % 20 == 0 for number in range(count)],
        discontinued=[bool(each) for each in chance.random(count) < 0.03],
    )  # fmt: skip


def _orders(
    engine: Engine,
    chance: np.random.Generator,
    products: list[str],
    owned: tuple[list[str], list[str]],
    shops: NDArray[np.int64],
    today: date,
) -> None:
    """An order for each fifth product's number; a third of them on the way, some partly received."""
    places, suppliers = owned
    count = max(1, len(products) // 5)
    lines = chance.integers(0, len(products), (count, LINES))
    lines[:, 1:] = np.where(shops[lines[:, 1:]] == shops[lines[:, :1]], lines[:, 1:], lines[:, :1])  # of one shop
    shop = shops[lines[:, 0]]
    states = [(SENT, PARTLY, CLOSED, CLOSED, CLOSED, CLOSED)[each] for each in chance.integers(0, 6, count).tolist()]
    with bulk(engine, Purchase, PurchaseLine):
        load(
            engine, Purchase, count, id=ids("9", count), workspace_id=pick(places, shop), number=list(range(count)),
            supplier_id=pick(suppliers, SUPPLIERS * shop + lines[:, 0] % SUPPLIERS), state=states,
            expected_on=(today + timedelta(days=5)).isoformat(),
        )  # fmt: skip
        got = {SENT: 0, PARTLY: 4, CLOSED: 10}
        load(
            engine, PurchaseLine, count * LINES, id=ids("5", count * LINES),
            workspace_id=[place for place in pick(places, shop) for _ in range(LINES)],
            purchase_id=[order for order in ids("9", count) for _ in range(LINES)],
            product_id=pick(products, lines.ravel()), quantity=10 * ONE,
            received=[got[state] * ONE for state in states for _ in range(LINES)],
        )  # fmt: skip
