"""Pages of stock: counting many at once, suppliers and places, purchase orders from a draft to what came of them."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from models.session import EVERYONE
from models.stock import Location, Product, Purchase, Supplier
from tests.conftest import Person
from tests.stock_front import TODAY, move, on_hand, read_csv, rows, text_of
from tests.test_movements import D, place, product
from tests.web_fixtures import Browser
from workers.runtime import Runtime


@pytest.fixture
def tea(runtime: Runtime, ada: Person) -> Product:
    return product(runtime, ada, "TEA", unit="pack", barcode="4006381333931", reorder_level=D(5))


def test_a_stocktake_counts_many_at_once_and_leaves_alone_what_is_empty(
    ada_s: Browser, runtime: Runtime, ada: Person, tea: Product
) -> None:
    shop = place(runtime, ada, "Shop")
    rice, salt = product(runtime, ada, "RICE", location_id=shop), product(runtime, ada, "SALT", location_id=shop)
    move(ada_s, salt, "purchase", "7")
    page = text_of(ada_s.get(f"/stock/stocktake?location={shop}"))
    assert "Rice" in page
    assert "Tea" not in page  # neither lies there nor belongs there
    form = {"location": shop, f"counted-{rice.id}": "12", f"counted-{salt.id}": ""}
    assert ada_s.post("/stock/stocktake", form).status_code == 303
    assert (on_hand(runtime, rice), on_hand(runtime, salt), on_hand(runtime, tea)) == (D(12), D(7), D(0))
    answer = ada_s.post("/stock/stocktake", {"location": shop, f"counted-{rice.id}": "5", f"counted-{salt.id}": "-1"})
    assert answer.status_code == 422
    assert on_hand(runtime, rice) == 12
    assert ada_s.post("/stock/stocktake", {"location": "nowhere", f"counted-{rice.id}": "5"}).status_code == 422
    assert ada_s.post("/stock/stocktake", {"location": shop, "counted-nothing": "5"}).status_code == 422
    assert ada_s.post("/stock/stocktake", {"location": shop}).status_code == 422


def test_suppliers_and_locations_are_made_changed_and_deleted(ada_s: Browser, runtime: Runtime) -> None:
    assert ada_s.post("/stock/suppliers/new", {"name": "Farm", "lead_days": "x"}).status_code == 422
    assert ada_s.post("/stock/suppliers/new", {"name": "Farm", "email": "no address"}).status_code == 422
    assert ada_s.post("/stock/suppliers/new", {"name": "Farm", "email": "Farm@Example.org"}).status_code == 303
    assert "of this name already" in text_of(ada_s.post("/stock/suppliers/new", {"name": "Farm"}))
    farm = rows(runtime, Supplier)[0]
    assert farm.email == "farm@example.org"
    assert ada_s.post(f"/stock/suppliers/{farm.id}", {"name": "Farms", "lead_days": "3"}).status_code == 303
    assert ada_s.post("/stock/locations", {"name": "Shop"}).status_code == 303
    shop = rows(runtime, Location)[0]
    assert ada_s.post(f"/stock/locations/{shop.id}", {"name": ""}).status_code == 422
    assert ada_s.post(f"/stock/locations/{shop.id}/delete").status_code == 303
    assert ada_s.post(f"/stock/suppliers/{farm.id}/delete").status_code == 303
    assert rows(runtime, Supplier) == rows(runtime, Location) == []


def test_a_location_with_something_in_it_is_not_deleted(
    ada_s: Browser, runtime: Runtime, ada: Person, tea: Product
) -> None:
    shop = place(runtime, ada, "Shop")
    move(ada_s, tea, "purchase", "3", location_id=shop)
    assert "Lies here" in text_of(ada_s.get(f"/stock/locations/{shop}"))
    assert "Something still lies there" in text_of(ada_s.post(f"/stock/locations/{shop}/delete", follow_redirects=True))
    move(ada_s, tea, "count", "0", location_id=shop)
    ada_s.post(f"/stock/locations/{shop}/delete")
    assert rows(runtime, Location) == []
    assert on_hand(runtime, tea) == 0


def test_only_what_never_moved_can_be_deleted(ada_s: Browser, runtime: Runtime, ada: Person, tea: Product) -> None:
    rice = product(runtime, ada, "RICE")
    move(ada_s, tea, "sale", "1")
    for one in (tea, rice):
        assert ada_s.post(f"/stock/products/{one.id}/delete").status_code == 303
    assert [one.sku for one in rows(runtime, Product)] == ["TEA"]
    assert ada_s.post(f"/stock/products/{tea.id}/discontinue", {"discontinued": "yes"}).status_code == 303
    assert (rows(runtime, Product)[0].discontinued, rows(runtime, Product)[0].revision) == (True, 2)


def order_of(browser: Browser, runtime: Runtime, supplier: str = "") -> str:
    answer = browser.post("/stock/orders/new", {"supplier_id": supplier})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_an_order_goes_from_a_draft_over_a_part_to_closed(
    ada_s: Browser, runtime: Runtime, ada: Person, tea: Product
) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Product).values(pack_size=D(12), cost=D("2.10"), on_hand=D(0)))
    path = order_of(ada_s, runtime)
    assert "Put a product" in text_of(ada_s.post(f"{path}/send"))
    page = ada_s.post(f"{path}/lines", {"product": "4006381333931", "quantity": "13"}, follow_redirects=True)
    assert "Rounded up to whole packs: 24 of Tea" in text_of(page)
    assert "€50.40" in text_of(ada_s.get(path))
    assert ada_s.post(f"{path}/send").status_code == 303
    assert "our order 1" in ada_s.get(path).text
    line = re.search(r'name="came-(\w+)"', ada_s.get(path).text)
    assert line
    assert ada_s.post(f"{path}/receive", {f"came-{line[1]}": "25"}).status_code == 422
    assert (
        ada_s.post(f"{path}/receive", {f"came-{line[1]}": "2", f"expires-{line[1]}": "2020-01-01"}).status_code == 422
    )
    assert ada_s.post(f"{path}/receive", {}).status_code == 422
    until = (TODAY + timedelta(days=400)).isoformat()
    assert ada_s.post(f"{path}/receive", {f"came-{line[1]}": "4", f"expires-{line[1]}": until}).status_code == 303
    assert "Partly received" in text_of(ada_s.get(path))
    assert "20 to come" in text_of(ada_s.get(f"/stock/products/{tea.id}"))
    assert ada_s.post(f"{path}/receive", {"all": "1"}).status_code == 303
    assert (rows(runtime, Purchase)[0].state, on_hand(runtime, tea)) == ("closed", D(24))
    assert ada_s.post(f"{path}/receive", {"all": "1", f"came-{line[1]}": "1"}).status_code == 422


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"product": "nothing like that", "quantity": "1"}, "No product has this SKU"),
        ({"product": "TEA", "quantity": "0"}, "above zero"), ({"product": "TEA", "quantity": "1e9"}, "exponent"),
        ({"product": "TEA", "quantity": "1", "unit_cost": "-1"}, "from 0 to"),
        ({"product": "", "quantity": "1"}, "Fill"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_line_of_an_order_is_said(
    ada_s: Browser, runtime: Runtime, tea: Product, form: dict[str, str], words: str
) -> None:
    answer = ada_s.post(f"{order_of(ada_s, runtime)}/lines", form)
    assert answer.status_code == 422
    assert words in text_of(answer)


def test_an_order_can_be_printed_saved_as_a_file_and_mailed_by_hand(
    ada_s: Browser, runtime: Runtime, ada: Person, tea: Product
) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        farm = Supplier(name="=Farm", email="farm@example.org")
        session.add(farm)
    path = order_of(ada_s, runtime, farm.id)
    ada_s.post(f"{path}/lines", {"product": "Tea", "quantity": "3", "unit_cost": "2"})
    lines = read_csv(ada_s.get(f"{path}/order.csv"))
    assert lines[1][:4] == ["1", "'=Farm", "TEA", "Tea"]
    assert lines[1][6] == "3"
    assert "Purchase order 1" in text_of(ada_s.get(f"{path}/print"))
    assert "- 3 pack · Tea (SKU TEA)" in ada_s.get(path).text
    assert "mailto:farm@example.org?subject=Order%201" in ada_s.get(path).text


def test_late_orders_are_told_until_they_are_here_or_given_another_day(
    ada_s: Browser, runtime: Runtime, tea: Product
) -> None:
    path = order_of(ada_s, runtime)
    ada_s.post(f"{path}/lines", {"product": "TEA", "quantity": "3"})
    late = (TODAY - timedelta(days=9)).isoformat()
    assert ada_s.post(f"{path}/details", {"expected_on": "31.02.2026"}).status_code == 422
    ada_s.post(f"{path}/details", {"expected_on": late, "note": "Call them"})
    assert "Late orders" not in text_of(ada_s.get("/stock"))  # a draft is nobody's promise
    ada_s.post(f"{path}/send")
    assert "Late orders Order 1" in text_of(ada_s.get("/stock"))
    ada_s.post(f"{path}/details", {"expected_on": (TODAY + timedelta(days=9)).isoformat()})
    assert "Late orders" not in text_of(ada_s.get("/stock"))
    assert "On their way Order 1" in text_of(ada_s.get("/stock"))
