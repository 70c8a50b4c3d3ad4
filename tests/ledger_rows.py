"""Rows of the expense tracker for tests: a purse, categories, budgets and what was spent."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select, update

from models.base import new_id
from models.ledger import Budget, Category, Entry, Purse, Recurring
from models.session import EVERYONE
from tasks.alerting.alerts import Count
from tasks.books import budget_scan
from tasks.books.budget_sums import Scope
from tests.conftest import Person
from workers.runtime import Runtime


def noon(day: date) -> int:
    """A moment of a day, in every zone between Honolulu and Auckland's eve: epoch milliseconds."""
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1000)


@dataclass
class Household:
    """One workspace's money."""

    runtime: Runtime
    person: Person
    purse: str

    def category(self, name: str) -> str:
        """Its id; made when it is not there."""
        with self.runtime.database.write(self.person.workspace_id) as session:
            found = session.scalar(select(Category.id).where(Category.name == name))
            if found is None:
                session.add(Category(id=(found := new_id()), name=name))
        return found

    def budget(self, limit: int | str, category: str | None = "Groceries", **more: Any) -> str:
        which = {"category_id": self.category(category) if category else None, "name": category or "Everything"}
        values = {"currency": "EUR", "since": date(2020, 1, 1), **which, **more}
        with self.runtime.database.write(self.person.workspace_id) as session:
            session.add(row := Budget(id=new_id(), limit=Decimal(limit), **values))
        return row.id

    def entry(self, amount: int | str, on: date, category: str | None = "Groceries", **more: Any) -> str:
        """Below zero: spent."""
        values = {"purse_id": self.purse, "currency": "EUR", **more}
        values["category_id"] = self.category(category) if category else None
        with self.runtime.database.write(self.person.workspace_id) as session:
            session.add(row := Entry(id=new_id(), amount=Decimal(amount), on=on, **values))
        return row.id

    def recurring(self, amount: int, first: date, following: date, category: str, every: str = "month") -> str:
        which = {"category_id": self.category(category), "every": every, "first_on": first, "next_on": following}
        with self.runtime.database.write(self.person.workspace_id) as session:
            session.add(row := Recurring(id=new_id(), name="Due", purse_id=self.purse, amount=Decimal(amount), **which))
        return row.id

    def change(self, table: type[Any], row: str, **values: Any) -> None:
        with self.runtime.database.write(self.person.workspace_id) as session:
            session.execute(update(table).where(table.id == row).values(**values))

    def remove(self, table: type[Any], row: str) -> None:
        with self.runtime.database.write(self.person.workspace_id) as session:
            session.execute(delete(table).where(table.id == row))

    def scan(self, today: date) -> Count:
        """The scan of all workspaces, as if it were noon of that day."""
        database = self.runtime.database
        return budget_scan.scan(
            lambda: database.read(EVERYONE), lambda: database.write(EVERYONE), noon(today), Scope()
        )[1]


def household(runtime: Runtime, person: Person, purse_name: str = "Bank") -> Household:
    purse = new_id()
    with runtime.database.write(person.workspace_id) as session:
        session.add(Purse(id=purse, name=purse_name, currency="EUR"))
    return Household(runtime, person, purse)


def budget_of(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """A budget whose name and category are not for others; its id for addresses."""
    home = household(runtime, person, f"Purse {secret}")
    return {"budget_id": home.budget(100, f"Category {secret}")}
