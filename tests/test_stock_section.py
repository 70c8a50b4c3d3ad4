"""What the stock adds to a digest: what is to be ordered, what that costs for who asks, a picture with words."""

from decimal import Decimal

import pytest

from tasks import discover
from tasks.sections import Reader, Section
from tests.conftest import Person
from tests.stock_rows import ordered, product, sold, supplier
from workers.runtime import Runtime


def section(runtime: Runtime, person: Person, amounts: bool = False, pictures: bool = True) -> Section | None:
    made = discover()["stock"].section
    assert made
    reader = Reader(person.account_id, "Ada", "UTC", amounts=amounts, pictures=pictures, since=0)
    with runtime.database.read(person.workspace_id) as session:
        return made(session, person.workspace_id, reader)


@pytest.fixture
def shop(runtime: Runtime, ada: Person) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        exotic = supplier(session)
        chai = product(session, "Chai", 4, supplier_id=exotic.id, target=28, cost=Decimal("2.50"))
        sold(session, chai, *[8] * 8)
        product(session, "Syrup $5", 2, reorder_level=5, cost=Decimal(1), currency="USD")
        product(session, "Jam", 1, reorder_level=5)
        sold(session, product(session, "Tofu", 90), *[3] * 8)


@pytest.mark.usefixtures("shop")
def test_the_worst_comes_first_and_costs_are_for_who_wants_them(runtime: Runtime, ada: Person) -> None:
    found = section(runtime, ada)
    assert found
    assert found.link == "/stock/reorder"
    assert found.lines == [
        "Chai: 4 left, 3 days of sales; order 24 from Exotic Liquids",
        "Jam: 1 left, reorder at 5; order 9",
        "Syrup $5: 2 left, reorder at 5; order 8",
    ]
    rich = section(runtime, ada, amounts=True)
    assert rich
    assert rich.lines[-1] == "To order all of it costs €60.00 and $8.00, without 1 whose cost is not known."


@pytest.mark.usefixtures("shop")
def test_the_picture_says_in_words_what_it_shows(runtime: Runtime, ada: Person) -> None:
    found = section(runtime, ada)
    assert found
    (figure,) = found.figures
    assert figure.png.startswith(b"\x89PNG")
    assert len(figure.png) < 200_000
    assert figure.alt == "Days of sales that are left, and of lead time: Chai 3 of 7; Tofu 210 of 7."
    without = section(runtime, ada, pictures=False)
    assert without
    assert without.figures == []


def test_where_nothing_is_short_there_is_nothing_to_say(runtime: Runtime, ada: Person) -> None:
    assert section(runtime, ada) is None
    with runtime.database.write(ada.workspace_id) as session:
        ordered(session, product(session, "Tofu", 3, reorder_level=5), 10)
    assert section(runtime, ada) is None


def test_another_workspace_s_stock_is_in_no_digest(runtime: Runtime, ada: Person, grace: Person) -> None:
    with runtime.database.write(grace.workspace_id) as session:
        product(session, "Tofu", 3, reorder_level=5)
    assert section(runtime, ada) is None
