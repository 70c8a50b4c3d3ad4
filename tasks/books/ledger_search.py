"""Entries that are looked for: newest first, a page at a time, by the table's indexes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from models.base import total as added
from models.ledger import Category, Entry, Payee, Purse
from tasks import money

NONE = "none"  # for entries without a category, or without a payee
PAGE = 50
MOST_SUMMED = 10_000
TOGETHER = 5_000  # rows of a download that are read at once
ESCAPE = "\\"
COLUMNS = (
    Entry.id, Entry.on.label("on_day"), Entry.purse_id, Entry.payee_id, Entry.category_id, Entry.amount, Entry.currency,
    Entry.note, Entry.split_id, Entry.transfer_id,
)  # fmt: skip


class Reading(Protocol):
    def __call__(self) -> AbstractContextManager[Session]: ...


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked of an entry; what is empty is not asked. `kind`: "out", "in" or "transfer"."""

    text: str = ""
    purse: str = ""
    category: str = ""
    payee: str = ""
    recurring: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None
    least: Decimal | None = None
    most: Decimal | None = None

    def __bool__(self) -> bool:
        return self != Filters()


class Line(NamedTuple):
    """An entry as a download has it."""

    on: date
    purse: str
    payee: str
    category: str
    amount: Decimal
    currency: str
    note: str
    part: bool
    transfer: bool


@dataclass(frozen=True, slots=True)
class Total:
    """The sums of what was found, by currency; `count` None: more than are summed."""

    count: int | None
    sums: dict[str, Decimal]


def page(session: Session, filters: Filters, after: str = "", size: int = PAGE) -> tuple[list[Entry], str]:
    """The entries after a mark, and the mark of the following page; empty where there is none.

    Raises:
        ValueError: the mark is none.
    """
    asked = select(Entry).where(*conditions(filters)).order_by(Entry.on.desc(), Entry.id.desc()).limit(size + 1)
    if after:
        asked = asked.where(_behind(after))
    names = (joinedload(Entry.purse), joinedload(Entry.category), joinedload(Entry.payee))
    rows = list(session.scalars(asked.options(*names)))
    return rows[:size], mark(rows[size - 1]) if len(rows) > size else ""


def mark(entry: Entry) -> str:
    return f"{entry.on}~{entry.id}"


def total(session: Session, filters: Filters, known: Sequence[Entry] | None = None) -> Total:
    """How many there are and what they come to; beyond a limit nobody waits for it.

    Args:
        known: all of them, where one page holds them: they are not looked for twice.
    """
    if known is not None:
        sums_of: dict[str, Decimal] = defaultdict(Decimal)
        for entry in known:
            sums_of[entry.currency] += entry.amount
        return Total(len(known), dict(sorted(sums_of.items())))
    some = select(Entry.amount, Entry.currency).where(*conditions(filters)).limit(MOST_SUMMED + 1).subquery()
    sums: Select[Any] = select(some.c.currency, func.count(), added(some.c.amount)).group_by(some.c.currency)
    found = session.execute(sums.order_by(some.c.currency)).all()
    count = sum(number for _, number, _ in found)
    return Total(count, {code: amount for code, _, amount in found}) if count <= MOST_SUMMED else Total(None, {})


def everything(reading: Reading, filters: Filters) -> Iterator[Line]:
    """All of them, in batches, so that a million need no more memory than a few thousand."""
    with reading() as session:
        purses, payees, categories = (_names(session, kind) for kind in (Purse, Payee, Category))
    asked = select(*COLUMNS).where(*conditions(filters)).order_by(Entry.on.desc(), Entry.id.desc()).limit(TOGETHER)
    after = ""
    while True:
        with reading() as session:
            rows = session.execute(asked.where(_behind(after)) if after else asked).all()
        for row in rows:
            names = purses.get(row.purse_id, ""), payees.get(row.payee_id, ""), categories.get(row.category_id, "")
            marks = row.split_id is not None, row.transfer_id is not None
            yield Line(row.on_day, *names, row.amount, row.currency, row.note, *marks)
        if len(rows) < TOGETHER:
            return
        after = f"{rows[-1].on_day}~{rows[-1].id}"


def _names(session: Session, kind: type[Purse] | type[Payee] | type[Category]) -> dict[str | None, str]:
    return {row.id: row.name for row in session.execute(select(kind.id, kind.name))}


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.purse:
        found.append(Entry.purse_id == filters.purse)
    for column, wanted in ((Entry.category_id, filters.category), (Entry.payee_id, filters.payee)):
        if wanted == NONE:
            found += [column.is_(None), Entry.transfer_id.is_(None)]
        elif wanted:
            found.append(column == wanted)
    if filters.recurring:
        found.append(Entry.recurring_id == filters.recurring)
    if filters.since:
        found.append(Entry.on >= filters.since)
    if filters.until:
        found.append(Entry.on <= filters.until)
    return found + _by_amount(filters) + ([_by_text(filters.text)] if filters.text else [])


def _by_amount(filters: Filters) -> list[ColumnElement[bool]]:
    """Amounts are compared without their sign."""
    found: list[ColumnElement[bool]] = []
    if filters.kind == "transfer":
        found.append(Entry.transfer_id.is_not(None))
    elif filters.kind:
        found += [Entry.transfer_id.is_(None), Entry.amount < 0 if filters.kind == "out" else Entry.amount > 0]
    if filters.least is not None:
        found.append(or_(Entry.amount >= abs(filters.least), Entry.amount <= -abs(filters.least)))
    if filters.most is not None:
        found.append(Entry.amount.between(-abs(filters.most), abs(filters.most)))
    return found


def _by_text(text: str) -> ColumnElement[bool]:
    """In the note, the payee's or the category's name; an amount finds itself."""
    words = text.lower().replace(ESCAPE, ESCAPE * 2).replace("%", f"{ESCAPE}%").replace("_", f"{ESCAPE}_")
    like = f"%{words}%"

    def holds(column: Any) -> ColumnElement[bool]:
        return func.lower(column).like(like, escape=ESCAPE)

    payees, categories = select(Payee.id).where(holds(Payee.name)), select(Category.id).where(holds(Category.name))
    ways = [holds(Entry.note), Entry.payee_id.in_(payees), Entry.category_id.in_(categories)]
    try:
        amount = abs(money.parse(text))
    except ValueError:
        return or_(*ways)
    return or_(*ways, Entry.amount.in_((amount, -amount)))


def _behind(after: str) -> ColumnElement[bool]:
    day, _, entry_id = after.partition("~")
    on = date.fromisoformat(day)
    # The first condition alone tells the index where to begin.
    return and_(Entry.on <= on, or_(Entry.on < on, Entry.id < entry_id))
