"""The scan of the stock: alerts that open and resolve, expiry dates, what it says, and Northwind's two."""

import csv
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from models.alert import FIRING, PENDING, RESOLVED, Notice
from models.run import Run
from models.session import EVERYONE
from models.stock import Product
from models.workspace import SYSTEM, Workspace
from tasks import discover
from tasks.handover import HandedOver
from tasks.inventory import movements, stock_figures
from tests.conftest import Person
from tests.front import WORKER
from tests.stock_rows import ordered, product, sold, supplier, the_alerts, today
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

NORTHWIND = Path(__file__).parents[2] / "shared/data/retail"


def scan(runtime: Runtime, workspace: str, kind: str = "stock") -> dict[str, Any]:
    """Run the real job to its end; its result."""
    job = discover()[kind]
    with runtime.database.write(workspace) as session:
        found = submit(runtime, session, job, HandedOver(job.params()), workspace).id
    execute(runtime, found, WORKER)
    with runtime.database.read(EVERYONE) as session:
        children = session.scalars(select(Run.id).where(Run.parent_id == found)).all()
    for child in children:
        assert execute(runtime, child, WORKER) == "succeeded"
    if children:
        assert execute(runtime, found, WORKER) == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        run = session.scalars(select(Run).where(Run.id == found)).one()
    assert run.state == "succeeded", run.error
    return dict(run.result or {})


@pytest.fixture
def check(runtime: Runtime, ada: Person) -> Callable[[], dict[str, Any]]:
    return lambda: scan(runtime, ada.workspace_id)


Check = Callable[[], dict[str, Any]]


def test_the_news_says_what_is_left_how_long_it_lasts_and_what_to_order(
    runtime: Runtime, ada: Person, check: Check
) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        chai = product(session, "Chai", 4, supplier_id=supplier(session).id, target=28, cost=Decimal("2.50"))
        sold(session, chai, *[8] * 8)
    result = check()
    (alert,) = the_alerts(runtime, ada)
    assert alert.title == "Chai: 4 left, 3 days of sales; order 24 from Exotic Liquids"
    assert (alert.state, alert.level, alert.link) == (FIRING, 2, f"/stock/products/{chai.id}")
    assert alert.text == (
        "What is there lasts 3 days at the rate it sells; an order takes 7 days to come. It sells 8 a week. "
        "Order 24 from Exotic Liquids, up to its target of 28."
    )
    (line,) = result["lines"]
    assert (Decimal(line["order"]), Decimal(line["total"]), line["supplier"]) == (
        Decimal(24),
        Decimal(60),
        "Exotic Liquids",
    )


def test_a_second_scan_tells_nothing_and_an_order_on_its_way_resolves_it(
    runtime: Runtime, ada: Person, check: Check
) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        tofu = product(session, "Tofu", 10, reorder_level=15)
    assert check()["opened"] == 1
    again = check()
    assert (again["opened"], again["levelled"], again["resolved"]) == (0, 0, 0)
    with runtime.database.write(ada.workspace_id) as session:
        ordered(session, session.get_one(Product, tofu.id), 20)
    assert check()["resolved"] == 1
    (alert,) = the_alerts(runtime, ada)
    assert (alert.state, alert.title) == (RESOLVED, "Tofu: 10 on hand and 20 on order, enough again")
    with runtime.database.read(EVERYONE) as session:
        assert len(session.scalars(select(Notice)).all()) == 2, "it opened, it was resolved"


def test_a_little_above_the_limit_an_alert_stays_with_words_that_are_true(
    runtime: Runtime, ada: Person, check: Check
) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        tofu = product(session, "Tofu", 20, reorder_level=20)
    check()
    with runtime.database.write(ada.workspace_id) as session:
        movements.record(session, session.get_one(Product, tofu.id), "purchase", Decimal(1), today())
    assert check()["resolved"] == 0
    (alert,) = the_alerts(runtime, ada)
    assert (alert.state, alert.title) == (FIRING, "Tofu: 21 left, a little above its limit")
    with runtime.database.write(ada.workspace_id) as session:
        movements.record(session, session.get_one(Product, tofu.id), "purchase", Decimal(1), today())
    assert check()["resolved"] == 1


def test_nothing_left_but_enough_on_order_is_pending_and_no_one_is_called(
    runtime: Runtime, ada: Person, check: Check
) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        ordered(session, product(session, "Gorgonzola", 0, reorder_level=20), 70)
    result = check()
    (alert,) = the_alerts(runtime, ada)
    assert (alert.state, alert.title) == (PENDING, "Gorgonzola: nothing left, 70 on order")
    assert (result["short"], result["coming"], result["opened"]) == (0, 1, 0)


def test_a_worse_level_is_told_once_more(runtime: Runtime, ada: Person, check: Check) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        tofu = product(session, "Tofu", 10, reorder_level=15)
    check()
    with runtime.database.write(ada.workspace_id) as session:
        movements.record(session, session.get_one(Product, tofu.id), "loss", Decimal(10), today())
    assert check()["levelled"] == 1
    assert the_alerts(runtime, ada)[0].title == "Tofu: nothing left; order 30"


def test_a_product_that_is_gone_ends_its_alert_without_a_word(runtime: Runtime, ada: Person, check: Check) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        tofu = product(session, "Tofu", 10, reorder_level=15)
    check()
    with runtime.database.write(ada.workspace_id) as session:
        session.delete(session.get_one(Product, tofu.id))
    assert check()["resolved"] == 0
    assert the_alerts(runtime, ada)[0].state == RESOLVED


def test_a_product_that_is_discontinued_resolves(runtime: Runtime, ada: Person, check: Check) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        tofu = product(session, "Tofu", 10, reorder_level=15)
    check()
    with runtime.database.write(ada.workspace_id) as session:
        session.get_one(Product, tofu.id).discontinued = True
    check()
    assert the_alerts(runtime, ada)[0].title == "Tofu is discontinued: no more is ordered"


def test_a_sale_that_was_reversed_and_one_of_long_ago_are_no_demand(
    runtime: Runtime, ada: Person, check: Check
) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        tofu = product(session, "Tofu", 90)
        wrong = movements.record(session, tofu, "sale", Decimal(80), today())
        movements.reverse_of(session, wrong, tofu, today())
        movements.record(session, tofu, "sale", Decimal(80), today() - timedelta(days=56))
    assert check()["short"] == 0


def test_sales_are_counted_in_the_days_of_each_workspace(runtime: Runtime, ada: Person, grace: Person) -> None:
    """Where it is tomorrow already, a sale of tomorrow counts; elsewhere it is to come."""
    zones = {ada.workspace_id: "Pacific/Kiritimati", grace.workspace_id: "Pacific/Pago_Pago"}
    for person in (ada, grace):
        with runtime.database.write(EVERYONE) as session:
            zone = update(Workspace).where(Workspace.id == person.workspace_id)
            session.execute(zone.values(time_zone=zones[person.workspace_id]))
    now = 1_790_000_000_000  # 2026-09-21, 14:13 UTC: the 22nd in Kiritimati, the 21st in Pago Pago
    for person in (ada, grace):
        with runtime.database.write(person.workspace_id) as session:
            made = product(session, "Tofu", 50)
            movements.record(session, made, "sale", Decimal(5), today().replace(2026, 9, 22))
    with runtime.database.read(EVERYONE) as session:
        seen = stock_figures.read(session, stock_figures.Part(), now)
    sums = dict(zip(seen.workspaces, seen.sold.sum(axis=1).tolist(), strict=True))
    assert sums == {ada.workspace_id: 5, grace.workspace_id: 0}


def test_the_system_s_scan_in_parts_finds_what_each_workspace_s_own_would(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock_figures.parts, "__defaults__", (3,))
    for person in (ada, grace):
        with runtime.database.write(person.workspace_id) as session:
            for number in range(8):
                product(session, f"Tofu {number}", 10 if number % 4 == 0 else 90, reorder_level=15)
    with runtime.database.read(EVERYONE) as session:
        assert len(stock_figures.parts(session)) == 6
    first = scan(runtime, SYSTEM)
    assert (first["products"], first["short"], first["opened"]) == (16, 4, 4)
    assert first["lines"] == [], "what is in whose workspace is for its members alone"
    again = scan(runtime, SYSTEM)
    assert (again["opened"], again["resolved"]) == (0, 0), "a part does not end the alerts of another"
    assert [len(the_alerts(runtime, person)) for person in (ada, grace)] == [2, 2]
    assert scan(runtime, ada.workspace_id)["opened"] == 0


def test_a_person_cannot_look_into_another_s_part(runtime: Runtime, ada: Person, grace: Person) -> None:
    with runtime.database.write(grace.workspace_id) as session:
        product(session, "Tofu", 10, reorder_level=15)
    job = discover()["stock"]
    with runtime.database.write(ada.workspace_id) as session:
        params = job.params(part=[""] * 5)  # type: ignore[call-arg]
        found = submit(runtime, session, job, HandedOver(params), ada.workspace_id).id
    assert execute(runtime, found, WORKER) == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        assert (session.scalars(select(Run.result).where(Run.id == found)).one() or {})["products"] == 0
    assert the_alerts(runtime, grace) == []


def test_a_change_of_the_stock_enqueues_one_scan(runtime: Runtime, ada: Person) -> None:
    for _ in range(3):
        with runtime.database.write(ada.workspace_id) as session:
            product(session, f"Tofu {_}", 10, reorder_level=15)
    with runtime.database.read(EVERYONE) as session:
        runs = session.scalars(select(Run).where(Run.kind == "stock")).all()
    assert [run.workspace_id for run in runs] == [ada.workspace_id]


def northwind(runtime: Runtime, person: Person) -> None:
    """The 77 products, and an order on its way for each that has one."""
    text = (NORTHWIND / "northwind_products.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    with runtime.database.write(person.workspace_id) as session:
        for row in rows:
            made = product(
                session, row["product_name"], row["units_in_stock"], sku=row["product_id"],
                reorder_level=int(row["reorder_level"]), discontinued=row["discontinued"] == "1",
            )  # fmt: skip
            if int(row["units_on_order"]):
                ordered(session, made, row["units_on_order"])


@pytest.mark.skipif(not NORTHWIND.is_dir(), reason="needs shared/data/retail beside the project")
def test_of_northwind_exactly_two_are_to_be_ordered_and_it_says_why_the_others_are_not(
    runtime: Runtime, ada: Person, check: Check
) -> None:
    northwind(runtime, ada)
    result = check()
    firing = [alert.title for alert in the_alerts(runtime, ada) if alert.state == FIRING]
    assert firing == [
        "Nord-Ost Matjeshering: 10 left, reorder at 15; order 20",
        "Outback Lager: 15 left and 10 on order, reorder at 30; order 35",
    ]
    told = {
        each["rule"]: (each["count"], {one["words"]: one["count"] for one in each["reasons"]}, each["missed"])
        for each in result["simpler"]
    }
    assert told == {
        "on hand at or below the reorder level": (
            22, {"to be ordered": 2, "discontinued": 5, "on their way": 15}, 0,
        ),
        "10 or fewer on hand": (
            14,
            {
                "to be ordered": 1, "discontinued": 4, "on their way": 8,
                "without a reorder level, and lasting": 1,
            },
            1,
        ),
    }  # fmt: skip
