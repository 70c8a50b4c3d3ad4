"""The reorder list and the codes at the shelf: what is listed, what becomes of it, and what each role may do."""

import csv
import io
import re
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from models.session import EVERYONE
from models.stock import DRAFT, Product, Purchase
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.stock_rows import ordered, product, sold, supplier
from tests.web_fixtures import Browser
from workers.runtime import Runtime


@pytest.fixture
def shop(runtime: Runtime, ada: Person) -> dict[str, str]:
    """Two suppliers, of whom three products are to be ordered, and one product that is not."""
    with runtime.database.write(ada.workspace_id) as session:
        exotic, grandma = supplier(session), supplier(session, "Grandma Kelly")
        chai = product(
            session, "Chai", 4, supplier_id=exotic.id, target=28, pack_size=10, cost=Decimal("2.5"),
            barcode="4006381333931",
        )  # fmt: skip
        sold(session, chai, *[8] * 8)
        made = [
            chai,
            product(session, "Syrup", 3, supplier_id=exotic.id, reorder_level=5),
            product(session, "Jam", 1, supplier_id=grandma.id, reorder_level=10),
            product(session, "Tofu", 90, reorder_level=5),
            product(session, "Old", 0, reorder_level=5, discontinued=True),
        ]
        return {each.name: each.id for each in made}


def orders(runtime: Runtime) -> dict[str, list[tuple[str, Decimal]]]:
    with runtime.database.read(EVERYONE) as session:
        found = session.scalars(select(Purchase).order_by(Purchase.number)).all()
        return {
            f"{order.supplier.name if order.supplier else ''} {order.state}": sorted(
                (line.product.name, line.quantity) for line in order.lines
            )
            for order in found
        }


def test_the_list_has_what_is_short_by_supplier_with_why_and_what_it_costs(
    ada_s: Browser, shop: dict[str, str]
) -> None:
    page = ada_s.get("/stock/reorder").text
    assert re.findall(r'id="from-\d+">([^<]+)<', page) == ["Exotic Liquids", "Grandma Kelly"]
    assert f'name="amount-{shop["Chai"]}"' in page
    assert 'value="30"' in page, "up to 28 in packs of ten"
    assert "What is there lasts 3 days at the rate it sells" in page
    assert "€75.00" in page
    assert shop["Tofu"] not in page
    assert shop["Old"] not in page
    only = ada_s.get(f"/stock/reorder?supplier={_supplier(page, 'Grandma Kelly')}").text
    assert shop["Jam"] in only
    assert shop["Chai"] not in only


def _supplier(page: str, name: str) -> str:
    found = re.search(rf'<option value="([0-9a-f]+)"[^>]*>{name}', page)
    assert found
    return found[1]


def test_what_is_ticked_becomes_a_draft_for_each_supplier(
    ada_s: Browser, runtime: Runtime, shop: dict[str, str]
) -> None:
    form = {
        "tick": [shop["Chai"], shop["Jam"]], f"amount-{shop['Chai']}": "21", f"amount-{shop['Jam']}": "19.5",
        f"amount-{shop['Syrup']}": "7",
    }  # fmt: skip
    answer = ada_s.post("/stock/reorder", form)
    assert answer.status_code == 303
    assert answer.location == "/stock/orders?show=draft"
    assert orders(runtime) == {
        f"Exotic Liquids {DRAFT}": [("Chai", Decimal(30))],
        f"Grandma Kelly {DRAFT}": [("Jam", Decimal(20))],
    }
    page = ada_s.get("/stock/reorder").text
    assert page.count("on draft") == 2, "a draft is not on order yet: it stands there, and is not ticked again"
    assert page.count('name="tick"') == 3
    assert page.count(" checked") == 1


def test_one_supplier_s_draft_is_shown_at_once(ada_s: Browser, runtime: Runtime, shop: dict[str, str]) -> None:
    answer = ada_s.post("/stock/reorder", {"tick": [shop["Jam"]], f"amount-{shop['Jam']}": "19"})
    with runtime.database.read(EVERYONE) as session:
        (order,) = session.scalars(select(Purchase)).all()
    assert answer.location == f"/stock/orders/{order.id}"


@pytest.mark.parametrize("amount", ["0", "-3", "1e9", "NaN", "", "many", "1.23456", "9999999999"])
def test_a_quantity_that_cannot_be_is_said_beside_it_and_nothing_is_ordered(
    ada_s: Browser, runtime: Runtime, shop: dict[str, str], amount: str
) -> None:
    form = {"tick": [shop["Chai"], shop["Jam"]], f"amount-{shop['Chai']}": "24", f"amount-{shop['Jam']}": amount}
    answer = ada_s.post("/stock/reorder", form)
    assert answer.status_code == 422
    assert f'id="amount-{shop["Jam"]}-error"' in answer.text
    assert f'value="{amount}"' in answer.text, "what was typed is still there"
    assert orders(runtime) == {}


def test_nothing_ticked_says_what_to_do(ada_s: Browser, shop: dict[str, str]) -> None:
    answer = ada_s.post("/stock/reorder", {f"amount-{shop['Jam']}": "19"})
    assert answer.status_code == 422
    assert "Tick what is to be ordered first." in answer.text


def test_a_product_of_another_workspace_cannot_be_ordered(
    app: Flask, runtime: Runtime, grace: Person, shop: dict[str, str]
) -> None:
    eve = browser_of(app, runtime, grace)
    answer = eve.post("/stock/reorder", {"tick": [shop["Jam"]], f"amount-{shop['Jam']}": "19"})
    assert answer.status_code == 422
    assert orders(runtime) == {}
    assert "Jam" not in eve.get("/stock/scan?code=4006381333931").text


def test_a_viewer_reads_the_list_and_orders_nothing(
    app: Flask, runtime: Runtime, ada: Person, shop: dict[str, str]
) -> None:
    viewer = browser_of(app, runtime, member_of(runtime, ada, "vera", "viewer"))
    page = viewer.get("/stock/reorder").text
    assert "Chai" in page
    assert "tick" not in page
    assert viewer.post("/stock/reorder", {"tick": [shop["Jam"]]}).status_code == 403
    scan = viewer.get("/stock/scan?code=4006381333931").text
    assert "Chai" in scan
    assert "kind=sale" not in scan


def test_the_csv_has_the_whole_list_with_numbers_as_numbers(ada_s: Browser, shop: dict[str, str]) -> None:
    rows = list(csv.DictReader(io.StringIO(ada_s.get("/stock/reorder.csv").data.decode("utf-8-sig"))))
    assert [row["Product"] for row in rows] == ["Chai", "Syrup", "Jam"]
    assert (rows[0]["Order"], rows[0]["Packs"], rows[0]["Cost"], rows[0]["Days of cover"]) == ("30", "3", "75", "3.5")


def test_where_nothing_is_short_the_page_says_so(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    assert "No products yet" in ada_s.get("/stock/reorder").text
    with runtime.database.write(ada.workspace_id) as session:
        ordered(session, product(session, "Tofu", 3, reorder_level=5), 10)
    assert "Nothing is to be ordered" in ada_s.get("/stock/reorder").text


def test_a_code_leads_to_its_product_and_what_can_be_done_with_it(ada_s: Browser, shop: dict[str, str]) -> None:
    page = ada_s.get("/stock/scan?code=4006381333931").text
    assert "Chai" in page
    for kind in ("sale", "purchase", "count"):
        assert f"/stock/products/{shop['Chai']}?kind={kind}#record" in page
    assert "Jam" in ada_s.get("/stock/scan?code=JAM").text, "by its SKU as well"


def test_an_unknown_code_offers_a_product_and_a_misread_one_says_so(ada_s: Browser, shop: dict[str, str]) -> None:
    page = ada_s.get("/stock/scan?code=5901234123457").text
    assert "/stock/products/new?barcode=5901234123457" in page
    assert "would be" not in page
    assert "would be 7" in ada_s.get("/stock/scan?code=5901234123458").text


def test_a_upc_is_found_with_and_without_its_leading_zero(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Product(sku="cereal", name="Cereal", currency="EUR", barcode="036000291452"))
    for code in ("036000291452", "0036000291452"):
        assert "Cereal" in ada_s.get(f"/stock/scan?code={code}").text


def test_of_all_pages_the_scan_page_alone_may_ask_for_the_camera(ada_s: Browser) -> None:
    headers = ada_s.get("/stock/scan").headers
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert "media-src 'self' blob:" in headers["Content-Security-Policy"]
    for path in ("/stock", "/stock/reorder", "/account"):
        headers = ada_s.get(path).headers
        assert "camera=()" in headers["Permissions-Policy"]
        assert "media-src" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("code", ["<script>alert(1)</script>", "x" * 500, "%00", "'; DROP TABLE product; --", "＝1"])
def test_a_hostile_code_is_only_a_code(ada_s: Browser, code: str) -> None:
    answer = ada_s.get("/stock/scan", query_string={"code": code})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
