"""Pages of stock: what is recorded with them, what they show, and what they say to whoever fills them in wrongly."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from models.alert import Alert
from models.session import EVERYONE
from models.stock import Movement, Product, Supplier
from models.workspace import Workspace
from tests.conftest import Person
from tests.front import browser_of, member_of
from tests.stock_front import TODAY, move, on_hand, read_csv, rows, text_of
from tests.test_movements import D, place, product, rule
from tests.web_fixtures import Browser
from workers.runtime import Runtime


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
