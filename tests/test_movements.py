"""Movements: the only way a quantity changes, and none is ever lost, on every database."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models.base import new_id
from models.engine import again
from models.intake import Intake
from models.session import EVERYONE
from models.stock import Location, Movement, Product
from models.workspace import Workspace
from tasks.inventory.movements import record
from tasks.inventory.movements_many import Row, Wrong, record_many, undo
from tests.conftest import Person, at_once
from workers.runtime import Runtime

DAY = date(2026, 3, 2)
D = Decimal


@pytest.fixture
def tea(runtime: Runtime, ada: Person) -> Product:
    return product(runtime, ada, "TEA")


def product(runtime: Runtime, person: Person, sku: str, **more: Any) -> Product:
    with runtime.database.write(person.workspace_id) as session:
        made = Product(id=new_id(), sku=sku, name=sku.title(), currency="EUR", **more)
        session.add(made)
    return made


def place(runtime: Runtime, person: Person, name: str) -> str:
    with runtime.database.write(person.workspace_id) as session:
        made = Location(id=new_id(), name=name)
        session.add(made)
    return made.id


def rule(runtime: Runtime, person: Person, word: str) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Workspace).where(Workspace.id == person.workspace_id).values(negative_stock=word))


def move(runtime: Runtime, of: Product, kind: str, amount: Any, on: date = DAY, **more: Any) -> Decimal:
    """Record one; what is on hand afterwards."""
    with runtime.database.write(of.workspace_id) as session:
        found = session.get_one(Product, of.id)
        record(session, found, kind, D(amount), on, **more)
        return found.on_hand


def many(runtime: Runtime, person: Person, rows: list[Row]) -> int:
    with runtime.database.write(person.workspace_id) as session:
        return record_many(session, rows)


def on_hand(runtime: Runtime, of: Product) -> Decimal:
    with runtime.database.read(of.workspace_id) as session:
        kept = session.scalars(select(Product.on_hand).where(Product.id == of.id)).one()
        moved = session.scalar(select(func.sum(Movement.quantity)).where(Movement.product_id == of.id))
    assert kept == (moved or 0)  # whatever happens, it is the sum of its movements
    return kept


def lies(runtime: Runtime, of: Product, where: str) -> Decimal:
    with runtime.database.read(of.workspace_id) as session:
        asked = select(func.sum(Movement.quantity)).where(Movement.product_id == of.id, Movement.location_id == where)
        return session.scalar(asked) or D(0)


def test_each_kind_of_movement_goes_its_own_way(runtime: Runtime, tea: Product) -> None:
    assert move(runtime, tea, "purchase", "20") == 20
    assert move(runtime, tea, "sale", "3.5") == D("16.5")
    assert move(runtime, tea, "return", "1") == D("17.5")
    assert move(runtime, tea, "loss", "0.0001") == D("17.4999")
    assert move(runtime, tea, "count", "12") == 12
    assert on_hand(runtime, tea) == 12


def test_a_count_of_the_past_leaves_what_was_moved_since(runtime: Runtime, tea: Product) -> None:
    move(runtime, tea, "purchase", "10", DAY)
    move(runtime, tea, "sale", "4", DAY + timedelta(days=2))
    assert move(runtime, tea, "count", "9", DAY + timedelta(days=1)) == 5


def test_a_count_at_a_place_leaves_the_other_places_alone(runtime: Runtime, ada: Person, tea: Product) -> None:
    shop, cellar = place(runtime, ada, "Shop"), place(runtime, ada, "Cellar")
    move(runtime, tea, "purchase", "10", location_id=shop)
    move(runtime, tea, "purchase", "20", location_id=cellar)
    assert move(runtime, tea, "count", "0", location_id=shop) == 20
    assert [lies(runtime, tea, shop), lies(runtime, tea, cellar)] == [0, 20]


def test_a_transfer_changes_where_things_lie_and_not_how_many(runtime: Runtime, ada: Person) -> None:
    shop, cellar = place(runtime, ada, "Shop"), place(runtime, ada, "Cellar")
    tea = product(runtime, ada, "TEA", location_id=shop)
    move(runtime, tea, "purchase", "10")
    assert move(runtime, tea, "transfer", "4", to_location_id=cellar) == 10
    assert [lies(runtime, tea, shop), lies(runtime, tea, cellar)] == [6, 4]
    with pytest.raises(ValueError, match="another location"):
        move(runtime, tea, "transfer", "4", to_location_id=shop)
    rule(runtime, ada, "refuse")
    with pytest.raises(ValueError, match="Only 6 of Tea lie there"):
        move(runtime, tea, "transfer", "7", to_location_id=cellar)


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "0.00001", "1000000001", "1e30"])
def test_a_quantity_that_is_none_is_refused_with_a_sentence(runtime: Runtime, tea: Product, amount: str) -> None:
    with pytest.raises(ValueError, match=r"^Give .*\.$"):
        move(runtime, tea, "sale", amount)
    assert on_hand(runtime, tea) == 0


def test_a_place_of_another_workspace_is_refused(runtime: Runtime, grace: Person, tea: Product) -> None:
    with pytest.raises(ValueError, match="no such location"):
        move(runtime, tea, "purchase", "1", location_id=place(runtime, grace, "Hers"))


def test_two_sales_at_once_are_both_counted(runtime: Runtime, tea: Product) -> None:
    move(runtime, tea, "purchase", "100")

    @again
    def sell() -> None:
        move(runtime, tea, "sale", "1")

    at_once(*[lambda: [sell() for _ in range(5)]] * 6)
    assert on_hand(runtime, tea) == 70


def test_many_at_once_never_go_below_zero_where_that_is_refused(runtime: Runtime, ada: Person, tea: Product) -> None:
    rule(runtime, ada, "refuse")
    move(runtime, tea, "purchase", "7")
    refused: list[str] = []

    @again
    def sell() -> None:
        try:
            move(runtime, tea, "sale", "1")
        except ValueError as error:
            refused.append(str(error))

    at_once(*[lambda: [sell() for _ in range(3)]] * 5)
    assert on_hand(runtime, tea) == 0
    assert len(refused) == 8
    assert refused[0] == (
        "That is more than there is: 0 of Tea are on hand, and this workspace refuses negative stock."
    )


@pytest.mark.parametrize("word", ["allow", "flag"])
def test_a_workspace_may_sell_what_is_not_booked_yet(runtime: Runtime, ada: Person, tea: Product, word: str) -> None:
    rule(runtime, ada, word)
    assert move(runtime, tea, "sale", "2") == -2


def test_a_delivery_into_negative_stock_is_never_refused(runtime: Runtime, ada: Person, tea: Product) -> None:
    move(runtime, tea, "sale", "5")
    rule(runtime, ada, "refuse")
    assert move(runtime, tea, "purchase", "2") == -3


def test_two_counts_at_once_end_at_what_was_counted(runtime: Runtime, tea: Product) -> None:
    at_once(*[again(lambda: move(runtime, tea, "count", "9"))] * 4)
    assert on_hand(runtime, tea) == 9


def test_many_rows_do_what_the_same_one_by_one_do(runtime: Runtime, ada: Person) -> None:
    shop, cellar = place(runtime, ada, "Shop"), place(runtime, ada, "Cellar")
    one, other = product(runtime, ada, "ONE", location_id=shop), product(runtime, ada, "OTHER", location_id=shop)
    told: list[tuple[str, str, str | None, str | None]] = [
        ("purchase", "10", None, None), ("sale", "3", None, None), ("count", "5", None, None),
        ("sale", "1", None, None), ("transfer", "2", None, cellar), ("count", "3", cellar, None),
        ("count", "8", shop, None), ("loss", "1", None, None),
    ]  # fmt: skip
    rows = [Row(other.id, kind, D(n), DAY, location_id=a, to_location_id=b) for kind, n, a, b in told]
    for kind, n, a, b in told:
        move(runtime, one, kind, n, location_id=a, to_location_id=b)
    assert many(runtime, ada, rows) == 8
    assert on_hand(runtime, one) == on_hand(runtime, other) == 10
    for where in (shop, cellar):
        assert lies(runtime, one, where) == lies(runtime, other, where)


def test_rows_in_bulk_and_sales_at_once_are_all_counted(runtime: Runtime, ada: Person, tea: Product) -> None:
    rows = [Row(tea.id, "purchase", D(1), DAY)] * 600
    bulk = again(lambda: many(runtime, ada, rows))
    sell = again(lambda: move(runtime, tea, "sale", "1"))
    at_once(bulk, lambda: [sell() for _ in range(10)], bulk)
    assert on_hand(runtime, tea) == 1190


def test_a_row_that_cannot_be_is_named_and_nothing_is_written(runtime: Runtime, ada: Person, tea: Product) -> None:
    rule(runtime, ada, "refuse")
    rows = [Row(tea.id, "purchase", D(5), DAY), Row(tea.id, "sale", D(6), DAY), Row(tea.id, "purchase", D(9), DAY)]
    with pytest.raises(Wrong, match="5 of Tea are on hand") as raised:
        many(runtime, ada, rows)
    assert raised.value.row is rows[1]
    assert on_hand(runtime, tea) == 0


def test_a_product_of_another_workspace_is_no_product(runtime: Runtime, grace: Person, tea: Product) -> None:
    with pytest.raises(Wrong, match="no such product"):
        many(runtime, grace, [Row(tea.id, "purchase", D(5), DAY)])
    assert on_hand(runtime, tea) == 0


def test_an_import_is_taken_back_and_what_was_there_before_stays(runtime: Runtime, ada: Person, tea: Product) -> None:
    coffee = product(runtime, ada, "COFFEE")
    move(runtime, tea, "purchase", "10")
    with runtime.database.write(ada.workspace_id) as session:
        intake = Intake(id=new_id(), subject="movements", name="a.csv", sha256="0" * 64)
        session.add(intake)
    rows = [Row(one.id, "sale", D(2), DAY, intake_id=intake.id) for one in (tea, coffee, tea)]
    many(runtime, ada, rows)
    assert [on_hand(runtime, tea), on_hand(runtime, coffee)] == [6, -2]
    with runtime.database.write(ada.workspace_id) as session:
        assert undo(session, intake.id) == 3
        assert undo(session, intake.id) == 0
    assert [on_hand(runtime, tea), on_hand(runtime, coffee)] == [10, 0]


def test_an_import_whose_goods_are_sold_is_not_taken_back_where_negative_stock_is_refused(
    runtime: Runtime, ada: Person, tea: Product
) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        intake = Intake(id=new_id(), subject="movements", name="a.csv", sha256="0" * 64)
        session.add(intake)
    many(runtime, ada, [Row(tea.id, "purchase", D(5), DAY, intake_id=intake.id)])
    move(runtime, tea, "sale", "3")
    rule(runtime, ada, "refuse")
    with pytest.raises(ValueError, match="left with -3"), runtime.database.write(ada.workspace_id) as session:
        undo(session, intake.id)
    assert on_hand(runtime, tea) == 2


def test_watching_jobs_are_woken_by_rows_in_bulk(runtime: Runtime, ada: Person, tea: Product) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        record_many(session, [Row(tea.id, "purchase", D(5), DAY)])
        assert {(Product, ada.workspace_id), (Movement, ada.workspace_id)} <= session.info["changed"]
