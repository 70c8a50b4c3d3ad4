"""Categories and payees by their names, how much they are used, and one of two made of them."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.ledger import Budget, Category, Entry, Payee, Recurring
from models.session import touch
from models.statements import changed

L = TypeVar("L", Category, Payee)


def named(session: Session, kind: type[L], name: str) -> L | None:
    """The one of this name, whatever the case."""
    same = select(kind).where(func.lower(kind.name) == name.lower()).order_by(kind.id)
    return session.scalars(select(kind).where(kind.name == name)).first() or session.scalars(same).first()


def used(session: Session, column: InstrumentedAttribute[Any], ids: Sequence[str]) -> dict[str, int]:
    """How many entries have each."""
    asked = select(column, func.count()).where(column.in_(ids)).group_by(column) if ids else None
    return dict(session.execute(asked).all()) if asked is not None else {}


def merge_categories(session: Session, source: Category, target: Category) -> int:
    """All that has the one gets the other, budgets too, and the one is gone. How many entries moved."""
    count = changed(session, update(Entry).where(Entry.category_id == source.id).values(category_id=target.id))
    for table in (Payee, Recurring):
        session.execute(update(table).where(table.category_id == source.id).values(category_id=target.id))
    budgets = update(Budget).where(Budget.category_id == source.id)
    session.execute(budgets.values(category_id=target.id, revision=Budget.revision + 1))
    session.execute(delete(Category).where(Category.id == source.id))
    for watched in (Entry, Budget):
        touch(session, watched, session.info["workspace"])
    return count
