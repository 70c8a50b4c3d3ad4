"""Rows of the expense tracker for the tests of its pages and API."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from models.base import new_id
from models.ledger import Category, Entry, Payee, Purse, Recurring
from models.session import EVERYONE
from tests.conftest import Person
from workers.runtime import Runtime

DAY = date(2026, 3, 14)


def purse_of(runtime: Runtime, person: Person, name: str = "Bank", currency: str = "EUR", opening: str = "0") -> str:
    row = Purse(id=new_id(), workspace_id=person.workspace_id, name=name, currency=currency, opening=Decimal(opening))
    return _added(runtime, row)


def category_of(runtime: Runtime, person: Person, name: str = "Groceries") -> str:
    return _added(runtime, Category(id=new_id(), workspace_id=person.workspace_id, name=name))


def payee_of(runtime: Runtime, person: Person, name: str = "Corner shop") -> str:
    return _added(runtime, Payee(id=new_id(), workspace_id=person.workspace_id, name=name))


def entry_of(runtime: Runtime, person: Person, purse: str, amount: str, on: date = DAY, **more: str | None) -> str:
    row = Entry(
        id=new_id(), workspace_id=person.workspace_id, purse_id=purse, amount=Decimal(amount), on=on, currency="EUR",
        **more,
    )  # fmt: skip
    return _added(runtime, row)


def recurring_of(runtime: Runtime, person: Person, purse: str, next_on: date = DAY, **more: object) -> str:
    values: dict[str, object] = {"name": "Rent", "amount": Decimal(-700), "every": "month", "first_on": next_on, **more}
    row = Recurring(id=new_id(), workspace_id=person.workspace_id, purse_id=purse, next_on=next_on, **values)
    return _added(runtime, row)


def entries(runtime: Runtime, person: Person) -> list[Entry]:
    """All of a person's workspace, the oldest first."""
    with runtime.database.read(person.workspace_id) as session:
        return list(session.scalars(select(Entry).order_by(Entry.on, Entry.id)))


def all_of(runtime: Runtime, table: type) -> list[object]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(table)))


def _added(runtime: Runtime, row: Purse | Category | Payee | Entry | Recurring) -> str:
    with runtime.database.write(EVERYONE) as session:
        session.add(row)
    return row.id


def a_household(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """One of each, with a mark in it: for the walk through all routes of another workspace."""
    purse, category = purse_of(runtime, person, f"{secret} bank"), category_of(runtime, person, f"{secret} food")
    payee = payee_of(runtime, person, f"{secret} shop")
    entry = entry_of(runtime, person, purse, "-12.34", category_id=category, payee_id=payee, note=secret)
    recurring = recurring_of(runtime, person, purse, date(2099, 1, 1), note=secret, payee_id=payee)
    return {
        "purse_id": purse, "category_id": category, "payee_id": payee, "entry_id": entry, "recurring_id": recurring,
    }  # fmt: skip
