"""Purchase orders from draft to closed, and wrong movements taken back: each step once, however many click."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import new_id
from models.engine import again
from models.session import EVERYONE
from models.stock import CANCELLED, CLOSED, PARTLY, SENT, Movement, Product, Purchase, PurchaseLine, Supplier
from tasks.inventory import purchases
from tasks.inventory.purchases import Arrival, Wanted
from tasks.inventory.reversals import counted_since, reverse
from tests.conftest import Person, at_once
from tests.test_movements import DAY, D, lies, move, on_hand, place, product, rule
from workers.runtime import Runtime


@pytest.fixture
def farm(runtime: Runtime, ada: Person) -> Supplier:
    with runtime.database.write(ada.workspace_id) as session:
        made = Supplier(id=new_id(), name="Farm", lead_days=5)
        session.add(made)
    return made


def draft(runtime: Runtime, farm: Supplier, *wanted: Wanted) -> str:
    with runtime.database.write(farm.workspace_id) as session:
        return purchases.draft(session, farm.workspace_id, farm.id, wanted).id


def sent(runtime: Runtime, farm: Supplier, *wanted: Wanted) -> str:
    found = draft(runtime, farm, *wanted)
    with runtime.database.write(farm.workspace_id) as session:
        purchases.send(session, order(session, found), DAY)
    return found


def order(session: Session, found: str) -> Purchase:
    made = purchases.find(session, found)
    assert made is not None
    return made


def read(runtime: Runtime, found: str) -> Purchase:
    with runtime.database.read(EVERYONE) as session:
        return order(session, found)


def receive(runtime: Runtime, found: str, amount: str, number: int = 0, **more: object) -> None:
    with runtime.database.write(read(runtime, found).workspace_id) as session:
        line = order(session, found).lines[number]
        arrival = Arrival(line.id, D(amount), **more)  # type: ignore[arg-type]
        purchases.receive(session, order(session, found), [arrival], DAY)


def take_back(runtime: Runtime, of: Product, kind: str) -> None:
    with runtime.database.write(of.workspace_id) as session:
        asked = select(Movement).where(Movement.product_id == of.id, Movement.kind == kind)
        reverse(session, session.scalars(asked.order_by(Movement.id)).all()[-1])


def test_numbers_count_without_gaps_or_doubles_when_many_are_made_at_once(runtime: Runtime, farm: Supplier) -> None:
    make = again(lambda: draft(runtime, farm))
    at_once(*[lambda: [make() for _ in range(3)]] * 5)
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Purchase.number).order_by(Purchase.number)).all() == list(range(1, 16))


def test_each_workspace_counts_its_own_orders(runtime: Runtime, farm: Supplier, grace: Person) -> None:
    draft(runtime, farm)
    with runtime.database.write(grace.workspace_id) as session:
        assert purchases.draft(session, grace.workspace_id, None).number == 1
        with pytest.raises(ValueError, match="no such supplier"):
            purchases.draft(session, grace.workspace_id, farm.id)


@pytest.mark.parametrize(
    ("amount", "pack", "packs"), [("1", "6", "6"), ("6", "6", "6"), ("6.0001", "6", "12"), ("0.3", "0.25", "0.5")]
)
def test_quantities_are_rounded_up_to_whole_packs(
    runtime: Runtime, ada: Person, farm: Supplier, amount: str, pack: str, packs: str
) -> None:
    eggs = product(runtime, ada, "EGGS", pack_size=D(pack))
    line = read(runtime, draft(runtime, farm, Wanted(eggs.id, D(amount)))).lines[0]
    assert line.quantity == D(packs)


def test_a_product_stands_on_an_order_once(runtime: Runtime, ada: Person, farm: Supplier) -> None:
    eggs = product(runtime, ada, "EGGS", cost=D("0.2"))
    lines = read(runtime, draft(runtime, farm, Wanted(eggs.id, D(3)), Wanted(eggs.id, D(5), D("0.3")))).lines
    assert [(line.quantity, line.unit_cost) for line in lines] == [(D(5), D("0.3"))]


def test_an_order_is_expected_after_the_longest_lead_time_of_its_products(
    runtime: Runtime, ada: Person, farm: Supplier
) -> None:
    eggs, milk = product(runtime, ada, "EGGS", lead_days=9), product(runtime, ada, "MILK")
    assert read(runtime, sent(runtime, farm, Wanted(milk.id, D(1)))).expected_on == DAY + timedelta(days=5)
    both = (Wanted(milk.id, D(1)), Wanted(eggs.id, D(1)))
    assert read(runtime, sent(runtime, farm, *both)).expected_on == DAY + timedelta(days=9)


def test_an_empty_order_is_not_sent(runtime: Runtime, farm: Supplier) -> None:
    with pytest.raises(ValueError, match="Put a product"):
        sent(runtime, farm)


def test_an_order_is_received_in_parts_each_with_its_place_and_date(
    runtime: Runtime, ada: Person, farm: Supplier
) -> None:
    cellar, day = place(runtime, ada, "Cellar"), date(2026, 5, 1)
    eggs, milk = product(runtime, ada, "EGGS"), product(runtime, ada, "MILK")
    found = sent(runtime, farm, Wanted(eggs.id, D(10), D("0.2")), Wanted(milk.id, D(4)))
    receive(runtime, found, "4", location_id=cellar, expires_on=day)
    assert read(runtime, found).state == PARTLY
    assert [on_hand(runtime, eggs), lies(runtime, eggs, cellar)] == [4, 4]
    receive(runtime, found, "6")
    receive(runtime, found, "4", 1)
    assert (read(runtime, found).state, on_hand(runtime, eggs), on_hand(runtime, milk)) == (CLOSED, D(10), D(4))
    with runtime.database.read(ada.workspace_id) as session:
        first = session.scalars(select(Movement).order_by(Movement.id)).first()
        assert first is not None
        assert (first.kind, first.expires_on, first.unit_price) == ("purchase", day, D("0.2"))


def test_two_who_receive_the_same_delivery_book_it_once(runtime: Runtime, ada: Person, farm: Supplier) -> None:
    eggs = product(runtime, ada, "EGGS")
    found, refused = sent(runtime, farm, Wanted(eggs.id, D(10))), []

    @again
    def arrive() -> None:
        try:
            receive(runtime, found, "10")
        except ValueError as error:
            refused.append(str(error))

    at_once(*[arrive] * 4)
    assert on_hand(runtime, eggs) == 10
    assert refused == [purchases.ELSEWHERE] * 3


def test_more_than_is_to_come_is_refused_and_nothing_is_booked(runtime: Runtime, ada: Person, farm: Supplier) -> None:
    eggs = product(runtime, ada, "EGGS")
    found = sent(runtime, farm, Wanted(eggs.id, D(10)))
    receive(runtime, found, "8")
    with pytest.raises(ValueError, match="Only 2 of Eggs are still to come"):
        receive(runtime, found, "3")
    assert on_hand(runtime, eggs) == 8


def test_what_is_sent_cannot_be_changed_what_came_in_part_not_cancelled(
    runtime: Runtime, ada: Person, farm: Supplier
) -> None:
    eggs = product(runtime, ada, "EGGS")
    found = sent(runtime, farm, Wanted(eggs.id, D(10)))
    for step in (
        lambda session: purchases.put(session, order(session, found), Wanted(eggs.id, D(3))),
        lambda session: purchases.take_off(session, order(session, found), order(session, found).lines[0].id),
        lambda session: purchases.send(session, order(session, found), DAY),
    ):
        with pytest.raises(ValueError, match="meanwhile"), runtime.database.write(ada.workspace_id) as session:
            step(session)
    receive(runtime, found, "1")
    with pytest.raises(ValueError, match="close the order"), runtime.database.write(ada.workspace_id) as session:
        purchases.cancel(session, order(session, found))
    with runtime.database.write(ada.workspace_id) as session:
        purchases.close(session, order(session, found))
    assert read(runtime, found).state == CLOSED
    with pytest.raises(ValueError, match="meanwhile"):
        receive(runtime, found, "1")


def test_a_cancelled_order_keeps_its_number(runtime: Runtime, farm: Supplier) -> None:
    found = draft(runtime, farm)
    with runtime.database.write(farm.workspace_id) as session:
        purchases.cancel(session, order(session, found))
    assert read(runtime, found).state == CANCELLED
    assert read(runtime, draft(runtime, farm)).number == 2


def test_a_wrong_movement_is_taken_back_once(runtime: Runtime, ada: Person) -> None:
    tea, refused = product(runtime, ada, "TEA"), []
    move(runtime, tea, "purchase", "10")
    move(runtime, tea, "sale", "4")

    @again
    def click() -> None:
        try:
            take_back(runtime, tea, "sale")
        except ValueError as error:
            refused.append(str(error))

    at_once(click, click, click)
    assert on_hand(runtime, tea) == 10
    assert len(refused) == 2
    with runtime.database.read(ada.workspace_id) as session:
        last = session.scalars(select(Movement).order_by(Movement.id.desc())).first()
        assert last is not None
        assert (last.kind, last.quantity, last.on) == ("sale", D(4), DAY)


def test_a_transfer_is_taken_back_on_both_sides(runtime: Runtime, ada: Person) -> None:
    shop, cellar = place(runtime, ada, "Shop"), place(runtime, ada, "Cellar")
    tea = product(runtime, ada, "TEA", location_id=shop)
    move(runtime, tea, "purchase", "10")
    move(runtime, tea, "transfer", "4", to_location_id=cellar)
    rule(runtime, ada, "refuse")
    take_back(runtime, tea, "transfer")
    assert [lies(runtime, tea, shop), lies(runtime, tea, cellar)] == [10, 0]
    with pytest.raises(ValueError, match="reversal itself"):
        take_back(runtime, tea, "transfer")


def test_what_was_received_by_mistake_is_still_to_come(runtime: Runtime, ada: Person, farm: Supplier) -> None:
    eggs = product(runtime, ada, "EGGS")
    found = sent(runtime, farm, Wanted(eggs.id, D(10)))
    receive(runtime, found, "4")
    receive(runtime, found, "6")
    take_back(runtime, eggs, "purchase")
    assert (read(runtime, found).state, on_hand(runtime, eggs)) == (PARTLY, D(4))
    receive(runtime, found, "6")
    assert (read(runtime, found).state, on_hand(runtime, eggs)) == (CLOSED, D(10))


def test_who_counted_after_a_wrong_movement_is_told(runtime: Runtime, ada: Person) -> None:
    tea = product(runtime, ada, "TEA")
    move(runtime, tea, "sale", "4")
    with runtime.database.read(ada.workspace_id) as session:
        wrong = session.scalars(select(Movement)).one()
        assert counted_since(session, wrong) is None
    move(runtime, tea, "count", "10", DAY + timedelta(days=1))
    with runtime.database.read(ada.workspace_id) as session:
        assert counted_since(session, wrong) == DAY + timedelta(days=1)


def test_the_steps_wake_the_jobs_that_watch_orders(runtime: Runtime, ada: Person, farm: Supplier) -> None:
    found = draft(runtime, farm, Wanted(product(runtime, ada, "EGGS").id, D(10)))
    with runtime.database.write(ada.workspace_id) as session:
        purchases.send(session, order(session, found), DAY)
        assert (Purchase, ada.workspace_id) in session.info["changed"]
        assert order(session, found).state == SENT
    with runtime.database.write(ada.workspace_id) as session:
        line = order(session, found).lines[0]
        purchases.receive(session, order(session, found), [Arrival(line.id, Decimal(1))], DAY)
        assert (PurchaseLine, ada.workspace_id) in session.info["changed"]
