"""Pages of stock: what is recorded with them, what they show, and what they say to whoever fills them in wrongly."""

import csv
import html
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from models.alert import Alert
from models.session import EVERYONE
from models.stock import Location, Movement, Product, Purchase, Supplier
from models.workspace import Workspace
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.test_movements import D, place, product, rule
from tests.web_fixtures import Browser
from workers.runtime import Runtime

TODAY = date.today()


def text_of(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def rows(runtime: Runtime, table: type[Any]) -> list[Any]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(table).order_by(table.id)))


def on_hand(runtime: Runtime, of: Product) -> Decimal:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Product.on_hand).where(Product.id == of.id)).one()


def move(browser: Browser, of: Product, kind: str, quantity: str, **more: Any) -> Any:
    return browser.post(f"/stock/products/{of.id}/move", {"kind": kind, "quantity": quantity, **more})


def read_csv(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


@pytest.fixture
def tea(runtime: Runtime, ada: Person) -> Product:
    return product(runtime, ada, "TEA", unit="pack", barcode="4006381333931", reorder_level=D(5), price=D("4.20"))


def test_who_keeps_nothing_yet_is_told_the_first_steps_and_can_look_at_a_sample(
    ada_s: Browser, runtime: Runtime
) -> None:
    assert "Nothing is kept here yet" in text_of(ada_s.get("/stock"))
    assert ada_s.post("/stock/sample").status_code == 303
    page = text_of(ada_s.get("/stock"))
    assert "12 products are kept here" in page
    assert "Late orders Order 1 from Old Mill Foods" in page
    assert ada_s.post("/stock/sample", follow_redirects=True).text.count("There are products here already") == 1
    assert len(rows(runtime, Product)) == 12
    for path in ("products", "movements", "orders", "suppliers", "locations", "stocktake", "charts"):
        assert ada_s.get(f"/stock/{path}").status_code == 200, path
    for one in rows(runtime, Product):
        assert ada_s.get(f"/stock/products/{one.id}").status_code == 200, one.name


def test_a_product_is_made_found_and_changed_with_the_form(ada_s: Browser, runtime: Runtime) -> None:
    form = {"sku": "TEA", "name": "Tea & <b>more</b>", "currency": "EUR", "price": "1.234,50", "reorder_level": "12"}
    answer = ada_s.post("/stock/products/new", form)
    assert answer.status_code == 303
    made = rows(runtime, Product)[0]
    assert (made.price, made.reorder_level, made.barcode, made.revision) == (D("1234.5"), D(12), None, 1)
    page = ada_s.get(answer.location).text
    assert "Tea &amp; &lt;b&gt;more&lt;/b&gt;" in page
    assert "€1,234.50" in page
    changed = ada_s.post(f"/stock/products/{made.id}/edit", form | {"reorder_level": "9", "name": "Tea"})
    assert changed.status_code == 303
    made = rows(runtime, Product)[0]
    assert (made.name, made.reorder_level, made.revision) == ("Tea", D(9), 2)
    assert (
        ada_s.post(f"/stock/products/{made.id}/edit", form | {"reorder_level": "9", "name": "Teas"}).status_code == 303
    )
    assert rows(runtime, Product)[0].revision == 2  # a name is nothing that is judged by


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sku", "", "Fill this in"), ("name", "x" * 161, "at most 160"), ("price", "1e9", "exponent"),
        ("price", "-1", "from 0 to"), ("price", "NaN", "no amount"), ("currency", "ZZZ", "Choose a currency"),
        ("reorder_level", "-3", "zero or more"), ("target", "2", "below the reorder level"),
        ("pack_size", "0", "above zero"), ("lead_days", "a week", "whole number of days"),
        ("supplier_id", "nobody", "Choose one from the list"),
        ("location_id", "nowhere", "Choose one from the list"), ("sku", "TEA", "has this SKU already: Tea"),
        ("barcode", "4006381333931", "has this barcode already: Tea"), ("price", "1.23456", "at most four"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_product_stands_beside_its_field(
    ada_s: Browser, runtime: Runtime, tea: Product, field: str, value: str, words: str
) -> None:
    form = {"sku": "NEW", "name": "New", "currency": "EUR", "reorder_level": "3", field: value}
    answer = ada_s.post("/stock/products/new", form)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert f'id="{field}-error"' in answer.text
    assert len(rows(runtime, Product)) == 1


def test_a_supplier_or_place_of_another_workspace_cannot_be_chosen(
    ada_s: Browser, runtime: Runtime, grace: Person
) -> None:
    hers = place(runtime, grace, "Hers")
    form = {"sku": "NEW", "name": "New", "currency": "EUR", "location_id": hers}
    assert ada_s.post("/stock/products/new", form).status_code == 422


def test_products_are_searched_by_all_their_names_and_sorted(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        farm = Supplier(name="Green Farm")
        session.add(farm)
    one = product(runtime, ada, "AAA-1", category="Dairy", barcode="111", supplier_id=farm.id)
    other = product(runtime, ada, "BBB_2", category="Dry goods", discontinued=True)
    for text in ("aaa-1", "dairy", "111", "green"):
        page = ada_s.get(f"/stock/products?q={text}&show=all").text
        assert one.id in page
        assert other.id not in page, text
    assert other.id in ada_s.get("/stock/products?q=b_2&show=all").text
    assert other.id not in ada_s.get("/stock/products?q=b%252&show=all").text  # % is a sign like any other
    assert other.id not in ada_s.get("/stock/products").text
    page = ada_s.get("/stock/products?show=all&sort=-sku").text
    assert page.index(other.id) < page.index(one.id)
    assert ada_s.get("/stock/products?sort=nothing&show=what&page=99999999999999999999").status_code == 200


def test_a_code_leads_to_its_product_and_a_part_of_a_name_to_the_list(ada_s: Browser, tea: Product) -> None:
    for code in ("TEA", "4006381333931", " 4006381333931 "):
        assert ada_s.get(f"/stock/find?code={code}").location == f"/stock/products/{tea.id}?kind=sale"
    assert ada_s.get("/stock/find?code=te").location == "/stock/products?q=te"


def test_what_happens_is_recorded_with_one_form_and_shown(ada_s: Browser, runtime: Runtime, tea: Product) -> None:
    assert move(ada_s, tea, "count", "20").status_code == 303
    answer = move(ada_s, tea, "sale", "3,5", note="=cmd|' /C calc'!A0")
    assert answer.location == f"/stock/products/{tea.id}?kind=sale#record"
    assert on_hand(runtime, tea) == D("16.5")
    page = text_of(ada_s.get(f"/stock/products/{tea.id}"))
    assert "Sold: 3.5 pack. On hand: 16.5." in page
    assert "16.5 on hand now" in page  # under the drawing


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"quantity": "0"}, "quantity", "above zero"), ({"quantity": "-2"}, "quantity", "zero or more"),
        ({"quantity": "NaN"}, "quantity", "no amount"), ({"quantity": "1e9"}, "quantity", "exponent"),
        ({"quantity": "lots"}, "quantity", "no amount"),
        ({"quantity": "1", "on": "2026-02-31"}, "on", "day of the calendar"),
        ({"quantity": "1", "on": "2199-01-01"}, "on", "still to come"),
        ({"quantity": "1", "kind": "purchase", "expires_on": "2020-01-01"}, "expires_on", "past its day"),
        ({"quantity": "1", "expires_on": "2199-01-01"}, "expires_on", "Only what comes in"),
        ({"quantity": "1", "note": "x" * 201}, "note", "at most 200"),
        ({"quantity": "1", "unit_price": "(5)"}, "unit_price", "from 0 to"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_movement_stands_beside_its_field_and_nothing_is_recorded(
    ada_s: Browser, runtime: Runtime, tea: Product, given: dict[str, str], field: str, words: str
) -> None:
    answer = ada_s.post(f"/stock/products/{tea.id}/move", {"kind": "sale", **given})
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert f'id="{field}-error"' in answer.text
    assert rows(runtime, Movement) == []


def test_an_unknown_kind_is_refused(ada_s: Browser, runtime: Runtime, tea: Product) -> None:
    assert "Choose one of sale, purchase" in text_of(move(ada_s, tea, "theft", "1"))
    assert rows(runtime, Movement) == []


def test_a_lot_past_its_day_is_recorded_when_somebody_says_so(ada_s: Browser, runtime: Runtime, tea: Product) -> None:
    assert move(ada_s, tea, "purchase", "2", expires_on="2020-01-01", expired="true").status_code == 303
    assert "expired on 1 Jan 2020" in text_of(ada_s.get(f"/stock/products/{tea.id}"))


def test_a_form_that_is_sent_twice_is_recorded_once(ada_s: Browser, runtime: Runtime, tea: Product) -> None:
    for _ in range(3):
        assert move(ada_s, tea, "sale", "1", key="form:twice").status_code == 303
    assert len(rows(runtime, Movement)) == 1
    assert move(ada_s, tea, "sale", "2", key="form:twice").status_code == 409
    assert on_hand(runtime, tea) == -1


def test_negative_stock_is_flagged_refused_or_allowed_as_the_owner_chose(
    app: Flask, ada_s: Browser, runtime: Runtime, ada: Person, tea: Product
) -> None:
    assert "less than nothing" in text_of(
        ada_s.post(f"/stock/products/{tea.id}/move", {"kind": "sale", "quantity": "2"}, follow_redirects=True)
    )
    assert "Less than nothing" in text_of(ada_s.get("/stock"))
    assert ada_s.post("/stock/rule", {"negative": "refuse"}).status_code == 303
    answer = move(ada_s, tea, "sale", "1")
    assert answer.status_code == 422
    assert "this workspace refuses negative stock" in text_of(answer)
    assert ada_s.post("/stock/rule", {"negative": "allow"}).status_code == 303
    assert move(ada_s, tea, "sale", "1").status_code == 303
    assert "Less than nothing" not in text_of(ada_s.get("/stock"))
    assert ada_s.post("/stock/rule", {"negative": "whatever"}).status_code == 400
    member = browser_of(app, runtime, member_of(runtime, ada, "grace", "member"))
    assert member.post("/stock/rule", {"negative": "refuse"}).status_code == 403


def test_a_wrong_movement_is_reversed_with_a_button_and_both_stay(
    ada_s: Browser, runtime: Runtime, tea: Product
) -> None:
    move(ada_s, tea, "sale", "5")
    wrong = rows(runtime, Movement)[0]
    assert ada_s.post(f"/stock/movements/{wrong.id}/reverse").status_code == 303
    assert on_hand(runtime, tea) == 0
    page = text_of(ada_s.get(f"/stock/products/{tea.id}"))
    assert "reversal" in page
    again = ada_s.post(f"/stock/movements/{wrong.id}/reverse", follow_redirects=True)
    assert "reversed already" in text_of(again)
    assert ada_s.post("/stock/movements/nothing/reverse").status_code == 404


def test_the_lists_as_files_hold_no_formula_and_all_of_the_search(
    ada_s: Browser, runtime: Runtime, ada: Person, tea: Product
) -> None:
    evil = product(runtime, ada, "=1+1", category="@SUM(A1)")
    move(ada_s, evil, "sale", "2", note="+1")
    move(ada_s, tea, "purchase", "1000")
    lines = read_csv(ada_s.get("/stock/products.csv?q=sum"))
    assert [line[0] for line in lines] == ["SKU", "'=1+1"]
    assert (lines[1][3], lines[1][6]) == ("'@SUM(A1)", "-2")
    moves = read_csv(ada_s.get("/stock/movements.csv"))
    assert [line[4] for line in moves[1:]] == ["1000", "-2"]
    assert moves[2][10] == "'+1"
    assert len(read_csv(ada_s.get("/stock/movements.csv?kind=sale"))) == 2


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


def test_the_first_page_tells_the_worst_alerts_of_each_rule_and_how_many_there_are_besides(
    ada_s: Browser, runtime: Runtime, ada: Person, tea: Product
) -> None:
    assert "Nothing needs you" in text_of(ada_s.get("/stock"))
    with runtime.database.write(ada.workspace_id) as session:
        for number in range(11):
            title, link = f"Thing <{number}> is short", f"/stock/products/{tea.id}"
            session.add(
                Alert(area="stock", rule="stock", subject=f"{number}", title=title, link=link, level=number % 3)
            )
        session.add(Alert(area="stock", rule="expiry", subject=tea.id, title="Tea expires soon"))
        session.add(Alert(area="expenses", rule="budget", subject="b", title="Money is short"))
    page = text_of(ada_s.get("/stock"))
    assert page.index("Thing <2> is short") < page.index("Thing <1> is short")
    assert "And 3 more." in page
    assert "Sell first, or take off the shelf Tea expires soon" in page
    assert "Money is short" not in page


def test_dead_stock_is_told_with_the_money_it_binds(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    dead = product(runtime, ada, "DEAD", cost=D("2.50"))
    alive = product(runtime, ada, "ALIVE", cost=D(1))
    long_ago = (TODAY - timedelta(days=300)).isoformat()
    for one in (dead, alive):
        move(ada_s, one, "purchase", "10", on=long_ago)
    move(ada_s, alive, "sale", "1")
    page = text_of(ada_s.get("/stock/charts?weeks=13"))
    assert "1 product binds €25.00" in page
    assert "None: all that is on hand was sold" in text_of(ada_s.get("/stock/charts?weeks=52"))


def test_viewers_look_and_change_nothing(app: Flask, runtime: Runtime, ada: Person, tea: Product) -> None:
    viewer = browser_of(app, runtime, member_of(runtime, ada, "grace", "viewer"))
    rule(runtime, ada, "flag")
    walked = 0
    for one in app.url_map.iter_rules():
        if one.endpoint.startswith("stock.") and "POST" in (one.methods or ()):
            path = re.sub(r"<any\(([^,)]+)[^>]*>", r"\1", one.rule)
            path = re.sub(r"<[^>]+>", tea.id, path)
            assert viewer.post(path, {"kind": "sale", "quantity": "1"}).status_code == 403, path
            walked += 1
    assert walked > 15
    for path in (
        "",
        "/products",
        f"/products/{tea.id}",
        "/movements",
        "/orders",
        "/suppliers",
        "/locations",
        "/charts",
    ):
        page = viewer.get(f"/stock{path}")
        assert page.status_code == 200, path
        assert "csrf_token" not in page.text.split('id="content"')[1], path
    with runtime.database.read(EVERYONE) as session:
        assert session.scalar(select(func.count()).select_from(Movement)) == 0
        assert session.scalar(select(Workspace.negative_stock).where(Workspace.id == ada.workspace_id)) == "flag"
