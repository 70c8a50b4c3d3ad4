"""The scan of dates: what expires soon or has, of the lots that first expired first out leaves."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.alert import RESOLVED
from models.session import EVERYONE
from models.stock import Location, Product
from models.workspace import SYSTEM
from tasks.inventory import ageing, movements, stock_figures
from tests.conftest import Person
from tests.stock_rows import product, the_alerts, today
from tests.test_stock_scan import scan
from workers.runtime import Runtime


def check(runtime: Runtime, person: Person) -> dict[str, Any]:
    return scan(runtime, person.workspace_id, "expiry")


def move(runtime: Runtime, made: Product, kind: str, amount: int, days_ago: int = 0, **more: Any) -> None:
    with runtime.database.write(made.workspace_id) as session:
        found = session.get_one(Product, made.id)
        movements.record(session, found, kind, Decimal(amount), today() - timedelta(days=days_ago), **more)


@pytest.fixture
def milk(runtime: Runtime, ada: Person) -> Product:
    with runtime.database.write(ada.workspace_id) as session:
        return product(session, "Milk")


def test_a_lot_that_expires_is_warned_of_until_it_is_gone(runtime: Runtime, ada: Person, milk: Product) -> None:
    soon, late = today() + timedelta(days=3), today() + timedelta(days=90)
    move(runtime, milk, "purchase", 6, 20, expires_on=soon)
    move(runtime, milk, "sale", 2, 10)
    move(runtime, milk, "purchase", 50, expires_on=late)
    result = check(runtime, ada)
    assert (result["soon"], result["expired"], result["opened"]) == (1, 0, 1)
    (alert,) = the_alerts(runtime, ada, "expiry")
    assert (alert.title, alert.level) == (f"Milk: 4 expire on {ageing.say(soon, today())}", 1)
    assert check(runtime, ada)["opened"] == 0
    move(runtime, milk, "loss", 4)
    assert check(runtime, ada)["resolved"] == 1
    (alert,) = the_alerts(runtime, ada, "expiry")
    assert (alert.state, alert.title) == (RESOLVED, "Milk: nothing that is left expires soon")


def test_what_has_expired_is_worse_and_what_was_sold_since_is_not_there(
    runtime: Runtime, ada: Person, milk: Product
) -> None:
    old = today() - timedelta(days=2)
    with runtime.database.write(ada.workspace_id) as session:
        cream = product(session, "Cream")
    for made in (milk, cream):
        move(runtime, made, "purchase", 6, 11, expires_on=old)
        move(runtime, made, "purchase", 9, 2)
    move(runtime, cream, "sale", 6, 2)
    assert (check(runtime, ada)["expired"], check(runtime, ada)["soon"]) == (1, 0)
    (alert,) = the_alerts(runtime, ada, "expiry")
    assert (alert.title, alert.level) == (f"Milk: 6 expired, since {ageing.say(old, today())}", 2)


def test_the_next_lot_is_told_of_by_itself(runtime: Runtime, ada: Person, milk: Product) -> None:
    first, second = today() + timedelta(days=3), today() + timedelta(days=9)
    move(runtime, milk, "purchase", 4, 9, expires_on=first)
    move(runtime, milk, "purchase", 7, 9, expires_on=second)
    check(runtime, ada)
    move(runtime, milk, "sale", 4)
    assert check(runtime, ada)["opened"] == 1
    assert [alert.title for alert in the_alerts(runtime, ada, "expiry") if alert.state != RESOLVED] == [
        f"Milk: 7 expire on {ageing.say(second, today())}"
    ]


def test_a_transfer_spends_no_lot_and_what_was_reversed_never_was(runtime: Runtime, ada: Person, milk: Product) -> None:
    soon = today() + timedelta(days=3)
    move(runtime, milk, "purchase", 6, 20, expires_on=soon)
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Location(id="x" * 28, name="Cellar"))
        session.flush()
        found = session.get_one(Product, milk.id)
        movements.record(session, found, "transfer", Decimal(5), today(), to_location_id="x" * 28)
        wrong = movements.record(session, found, "sale", Decimal(6), today())
        movements.record(session, found, "purchase", Decimal(1), today())
        movements.reverse_of(session, wrong, found, today())
    check(runtime, ada)
    assert the_alerts(runtime, ada, "expiry")[0].title.startswith("Milk: 6 expire on ")


def test_what_expired_more_than_a_year_ago_is_not_looked_for_any_more(
    runtime: Runtime, ada: Person, milk: Product
) -> None:
    move(runtime, milk, "purchase", 6, 500, expires_on=today() - timedelta(days=400))
    assert check(runtime, ada)["expired"] == 0


def test_the_system_s_scan_finds_the_same_in_parts(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock_figures.parts, "__defaults__", (2,))
    for person in (ada, grace):
        with runtime.database.write(person.workspace_id) as session:
            made = [product(session, f"Milk {number}") for number in range(5)]
        move(runtime, made[3], "purchase", 6, 20, expires_on=today() + timedelta(days=3))
    with runtime.database.read(EVERYONE) as session:
        assert len(stock_figures.parts(session)) == 6
    result = scan(runtime, SYSTEM, "expiry")
    assert (result["soon"], result["opened"], result["lines"]) == (2, 2, [])
    assert scan(runtime, SYSTEM, "expiry")["opened"] == 0
    assert check(runtime, ada)["opened"] == 0
