"""Amounts are exact on every database: whole ten-thousandths in, decimals out, sums too."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError

from models.ledger import Entry, Purse
from tasks.days import today
from tests.conftest import Person
from workers.runtime import Runtime


def furnish(runtime: Runtime, person: Person, amounts: list[Decimal]) -> None:
    with runtime.database.write(person.workspace_id) as session:
        purse = Purse(name="Cash", currency="EUR")
        session.add(purse)
        session.flush()
        session.add_all(Entry(purse_id=purse.id, on=date(2026, 11, 1), amount=one, currency="EUR") for one in amounts)


def test_ten_thousand_tenths_are_a_thousand_and_not_a_little_less(runtime: Runtime, ada: Person) -> None:
    furnish(runtime, ada, [Decimal("0.1")] * 10_000)
    with runtime.database.read(ada.workspace_id) as session:
        total = session.scalar(select(func.sum(Entry.amount)))
        assert total == Decimal(1000)
        assert isinstance(total, Decimal)
        assert session.scalar(select(func.sum(Entry.amount)).where(Entry.amount > Decimal("0.1"))) is None
        assert session.scalar(select(func.count()).where(Entry.amount == Decimal("0.1"))) == 10_000


def test_the_largest_and_the_smallest_amount_come_back_as_they_went(runtime: Runtime, ada: Person) -> None:
    kept = [Decimal("-999999999999.9999"), Decimal("0.0001"), Decimal("999999999999.9999")]
    furnish(runtime, ada, kept)
    with runtime.database.read(ada.workspace_id) as session:
        assert session.scalars(select(Entry.amount).order_by(Entry.amount)).all() == kept


def test_a_sum_is_compared_as_what_it_is(runtime: Runtime, ada: Person) -> None:
    furnish(runtime, ada, [Decimal("1.5")])
    with runtime.database.read(ada.workspace_id) as session:
        for right, found in ((Decimal("2.5"), 1), (Decimal("2.4"), 0)):
            asked = select(func.count()).where(Entry.amount + Decimal(1) <= right)
            assert session.scalar(asked) == found
        assert session.scalar(select(Entry.amount - Decimal("0.25"))) == Decimal("1.25")
        assert session.scalar(select(func.sum(Entry.amount) + Decimal(1))) == Decimal("2.5")


def test_what_is_finer_than_can_be_kept_is_refused_and_never_rounded(runtime: Runtime, ada: Person) -> None:
    with pytest.raises(StatementError, match="finer"):
        furnish(runtime, ada, [Decimal("0.00001")])


def test_a_day_begins_at_midnight_of_its_place() -> None:
    new_year = 1_767_225_600_000  # 2026-01-01 00:00 UTC
    assert today("UTC", new_year) == date(2026, 1, 1)
    assert today("America/New_York", new_year) == date(2025, 12, 31)
    assert today("Asia/Tokyo", new_year - 9 * 3_600_000) == date(2026, 1, 1)
    assert today("Asia/Tokyo", new_year - 9 * 3_600_000 - 1) == date(2025, 12, 31)
