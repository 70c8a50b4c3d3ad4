"""Importing a shop's files: products with what lies there and what is on its way, suppliers, movements."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from models.session import EVERYONE
from models.stock import Movement, Product, Purchase, PurchaseLine, Supplier
from models.workspace import Workspace
from tests.conftest import Person
from tests.import_files import counts, lines, read, step, table_sizes
from workers.runtime import Runtime

NORTHWIND = Path(os.environ.get("NIGHTSHIFT_SHARED", Path(__file__).parents[2] / "shared")) / "data" / "retail"
SHOP = """SKU,Name,Price,Stock,On order,Supplier,Reorder level,Location,Discontinued
MILK,Milk,1.29,12,24,8,10,Fridge,0
TEA,Tea,2.20,5,0,Wholesaler,6,Shelf,0
SOAP,Soap,1.10,0,0,,0,,1
"""
SUPPLIERS = "supplier_id,company_name,phone\n8,The dairy,123\n9,Bakery,\n"


def products(runtime: Runtime) -> dict[str, Product]:
    with runtime.database.read(EVERYONE) as session:
        return {each.sku: each for each in session.scalars(select(Product))}


def test_products_come_with_counts_and_one_sent_order_for_each_supplier(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    found = read(runtime, ada, SHOP, tmp_path, subject="products", currency="GBP")
    assert counts(found) == (3, 0, 0, 0)
    step(runtime, ada, found)
    made = products(runtime)
    assert {sku: each.on_hand for sku, each in made.items()} == {"MILK": 12, "TEA": 5, "SOAP": 0}
    assert made["SOAP"].discontinued
    assert made["MILK"].currency == "GBP"
    with runtime.database.read(EVERYONE) as session:
        moved = session.execute(select(Movement.kind, Movement.counted, Movement.quantity)).all()
        order = session.execute(select(Purchase.state, PurchaseLine.quantity).join(PurchaseLine)).all()
        suppliers = {row.code: row.name for row in session.execute(select(Supplier.code, Supplier.name))}
    assert sorted(tuple(row) for row in moved) == [("count", Decimal(many), Decimal(many)) for many in (5, 12)]
    assert [tuple(row) for row in order] == [("sent", Decimal(24))]
    assert suppliers == {"8": "Supplier 8", "Wholesaler": "Wholesaler"}
    assert counts(read(runtime, ada, SHOP, tmp_path, subject="products")) == (0, 3, 0, 0)


def test_suppliers_that_come_after_their_products_get_their_names(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    step(runtime, ada, read(runtime, ada, SHOP, tmp_path, subject="products"))
    found = read(runtime, ada, SUPPLIERS, tmp_path, subject="suppliers")
    assert [line.reason for line in lines(runtime, found)] == [
        "It was named by products before, and gets its name now.", "",
    ]  # fmt: skip
    step(runtime, ada, found)
    with runtime.database.read(EVERYONE) as session:
        names = session.scalars(select(Supplier.name).order_by(Supplier.name)).all()
        dairy = session.scalars(select(Supplier.name).join(Product).where(Product.sku == "MILK")).one()
    assert names == ["Bakery", "The dairy", "Wholesaler"]
    assert dairy == "The dairy"
    assert counts(read(runtime, ada, SUPPLIERS, tmp_path, subject="suppliers")) == (0, 2, 0, 0)
    step(runtime, ada, found, "undo")
    assert table_sizes(runtime)["supplier"] == 2, "the one that a product names stays"


def test_products_that_come_after_their_suppliers_find_them_by_code(
    runtime: Runtime, ada: Person, tmp_path: Path
) -> None:
    step(runtime, ada, read(runtime, ada, SUPPLIERS, tmp_path, subject="suppliers"))
    step(runtime, ada, read(runtime, ada, SHOP, tmp_path, subject="products"))
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Supplier.name).join(Product).where(Product.sku == "MILK")).one() == "The dairy"


def test_undo_takes_products_back_but_not_what_was_used_since(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    found = read(runtime, ada, SHOP, tmp_path, subject="products")
    step(runtime, ada, found)
    sold = read(runtime, ada, "sku,date,kind,quantity\nTEA,2026-02-01,sale,2\n", tmp_path, subject="movements")
    step(runtime, ada, sold)
    assert products(runtime)["TEA"].on_hand == 3
    done = step(runtime, ada, found, "undo")
    assert done.result
    assert (done.result["count"], done.result["kept"]) == (2, 1)
    left = products(runtime)
    assert list(left) == ["TEA"]
    assert left["TEA"].on_hand == -2
    step(runtime, ada, sold, "undo")
    assert products(runtime)["TEA"].on_hand == 0
    assert table_sizes(runtime) == {"product": 1, "supplier": 1, "location": 1}


def test_an_order_of_which_something_came_stays(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    found = read(runtime, ada, SHOP, tmp_path, subject="products")
    step(runtime, ada, found)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(PurchaseLine).values(received=Decimal(4)))
    done = step(runtime, ada, found, "undo")
    assert done.result
    assert done.result["kept"] == 2, "the order, and its product"
    assert table_sizes(runtime)["purchase"] == 1


def test_movements_find_their_products_and_equal_ones_count(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    step(runtime, ada, read(runtime, ada, SHOP, tmp_path, subject="products"))
    text = "date,sku,kind,quantity,price\n" + "2026-03-01,MILK,sale,2,1.29\n" * 2 + "2026-03-01,NONE,sale,1,1\n"
    found = read(runtime, ada, text, tmp_path, subject="movements")
    assert counts(found) == (2, 0, 1, 0)
    assert lines(runtime, found)[2].reason == "There is no product with the SKU “NONE”. Import the products first."
    step(runtime, ada, found)
    assert products(runtime)["MILK"].on_hand == 8
    assert [line.number for line in lines(runtime, found)] == [4], "wrong lines are kept to look at"
    again = read(runtime, ada, text + "2026-03-01,MILK,sale,2,1.29\n", tmp_path, subject="movements")
    assert counts(again) == (1, 2, 1, 0)


def test_what_a_workspace_refuses_is_not_half_imported(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    step(runtime, ada, read(runtime, ada, SHOP, tmp_path, subject="products"))
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Workspace).where(Workspace.id == ada.workspace_id).values(negative_stock="refuse"))
    text = "date,sku,kind,quantity\n2026-03-01,MILK,sale,2\n2026-03-02,TEA,sale,6\n"
    found = read(runtime, ada, text, tmp_path, subject="movements")
    failed = step(runtime, ada, found)
    assert failed.state == "failed"
    assert failed.error
    assert "Nothing was imported" in failed.error
    assert products(runtime)["MILK"].on_hand == 12
    assert len(lines(runtime, found)) == 2


@pytest.mark.skipif(not NORTHWIND.is_dir(), reason="needs the data beside the repository: ../shared/data")
def test_northwind_is_what_it_should_be(runtime: Runtime, ada: Person, tmp_path: Path) -> None:
    for name in ("products", "suppliers"):
        text = (NORTHWIND / f"northwind_{name}.csv").read_bytes()
        step(runtime, ada, read(runtime, ada, text, tmp_path, subject=name))
    assert table_sizes(runtime) == {
        "product": 77, "movement": 72, "purchase": 14, "purchase_line": 17, "supplier": 29,
    }  # fmt: skip
    with runtime.database.read(EVERYONE) as session:
        ordered = select(PurchaseLine.product_id, func.sum(PurchaseLine.quantity).label("many"))
        sums = ordered.group_by(PurchaseLine.product_id).subquery()
        rows = session.execute(
            select(Product.name, Product.on_hand, Product.reorder_level, sums.c.many)
            .outerjoin(sums, sums.c.product_id == Product.id)
            .where(Product.discontinued.is_(False))
        ).all()
    low = {row.name for row in rows if row.on_hand + (row.many or 0) <= row.reorder_level}
    assert len(low) == 2
