"""What is written of money: payments and their parts, and whom they went to. Every rule stands here."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import TypeVar

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.base import Base, new_id
from models.ledger import Category, Entry, Payee, Purse, Recurring
from models.session import touch
from models.statements import changed
from tasks import money
from tasks.books import labels
from tasks.handover import Refused

R = TypeVar("R", bound=Base)
MOST_PARTS = 50
LONGEST_PAYEE, LONGEST_NOTE = 120, 500
SOME = 500  # ids in one statement
NO_PURSE = "Choose one of your accounts."
CLOSED = "This account is closed; open it again, or choose another."
NO_CATEGORY = "Choose one of your categories."
NOTHING = "An amount of nothing says nothing; write how much."
DECIMALS = "{} has {} decimals at most."
NO_DECIMALS = "{} has no decimals."


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a payment; below zero it went out."""

    amount: Decimal
    category_id: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """What a bank shows in one line: one part, or several that make it up."""

    purse_id: str
    on: date
    parts: tuple[Part, ...]
    payee: str = ""


def find(session: Session, kind: type[R], row_id: str | None) -> R | None:
    """A row of the session's workspace."""
    return session.scalars(select(kind).where(kind.id == row_id)).one_or_none() if row_id else None  # type: ignore[attr-defined]


def add(session: Session, payment: Payment, account_id: str | None, fingerprint: str | None = None) -> list[Entry]:
    """Write a payment.

    Raises:
        Refused: with a message for each field at fault.
    """
    purse = purse_for(session, payment.purse_id, "purse")
    check_parts(session, payment.parts, purse)
    split = new_id() if len(payment.parts) > 1 else None
    payee = payee_named(session, payment.payee)
    rows = [Entry(id=new_id(), split_id=split, created_by=account_id) for _ in payment.parts]
    rows[0].fingerprint = fingerprint
    _fill(rows, payment, purse, payee)
    session.add_all(rows)
    _remember(payee, payment)
    session.flush()
    return rows


def change(session: Session, entry: Entry, payment: Payment) -> list[Entry]:
    """Write a payment anew, in the rows that it has; what a bank's line or a schedule made of it stays known.

    Raises:
        Refused: with a message for each field at fault.
    """
    rows = whole(session, entry)
    purse = purse_for(session, payment.purse_id, "purse", stays=rows[0].purse_id)
    check_parts(session, payment.parts, purse)
    split = rows[0].split_id or new_id()
    _free_the_day(session, rows, payment.on)
    kept: list[Entry] = []
    for row, part in zip_longest(rows, payment.parts):
        if part is None:
            session.delete(row)
        elif row is None:
            first = rows[0]
            kept.append(Entry(id=new_id(), created_by=first.created_by, intake_id=first.intake_id))
        else:
            kept.append(row)
    payee = payee_named(session, payment.payee)
    for row in kept:
        row.split_id = split if len(kept) > 1 else None
    _fill(kept, payment, purse, payee)
    session.add_all(kept)
    _remember(payee, payment)
    session.flush()
    return kept


def whole(session: Session, entry: Entry) -> list[Entry]:
    """All parts of the payment that an entry belongs to, the one that the bank knows first."""
    if entry.split_id is None:
        return [entry]
    rows = session.scalars(select(Entry).where(Entry.split_id == entry.split_id).order_by(Entry.id)).all()
    return sorted(rows, key=lambda row: (row.fingerprint is None, row.id))


def remove(session: Session, ids: Collection[str]) -> int:
    """Delete entries, each with all parts of its payment and the other side of its transfer. How many rows went."""
    wanted = together(session, ids)
    count = sum(changed(session, delete(Entry).where(Entry.id.in_(some))) for some in _some(sorted(wanted)))
    touch(session, Entry, session.info["workspace"])
    return count


def together(session: Session, ids: Collection[str]) -> set[str]:
    """The ids of all rows that go when these go."""
    found: set[str] = set()
    for some in _some(sorted(ids)):
        named = session.execute(select(Entry.id, Entry.split_id, Entry.transfer_id).where(Entry.id.in_(some))).all()
        found |= {row.id for row in named}
        for column in (Entry.split_id, Entry.transfer_id):
            groups = {getattr(row, column.key) for row in named} - {None}
            for part in _some(sorted(groups)):
                found |= set(session.scalars(select(Entry.id).where(column.in_(part))))
    return found


def categorise(session: Session, ids: Collection[str], category_id: str | None) -> int:
    """Give entries a category; transfers have none and stay as they are. How many rows changed.

    Raises:
        Refused: there is no such category.
    """
    _category(session, category_id, "category")
    count = 0
    for some in _some(sorted(ids)):
        chosen = update(Entry).where(Entry.id.in_(some), Entry.transfer_id.is_(None))
        count += changed(session, chosen.values(category_id=category_id))
    touch(session, Entry, session.info["workspace"])
    return count


def payee_named(session: Session, name: str) -> Payee | None:
    """The payee of this name, made where there is none; case does not make another one."""
    name = " ".join(name.split())[:LONGEST_PAYEE]
    if not name:
        return None
    found = labels.named(session, Payee, name)
    if found is None:
        found = Payee(id=new_id(), name=name)
        session.add(found)
        session.flush()
    return found


def merge(session: Session, source: Payee, target: Payee) -> int:
    """All that names the one names the other, and the one is gone. How many entries moved."""
    count = changed(session, update(Entry).where(Entry.payee_id == source.id).values(payee_id=target.id))
    session.execute(update(Recurring).where(Recurring.payee_id == source.id).values(payee_id=target.id))
    target.category_id = target.category_id or source.category_id
    session.delete(source)
    session.flush()
    touch(session, Entry, session.info["workspace"])
    return count


def fitting(amount: Decimal, currency: str) -> str:
    """What is wrong with an amount in this currency; empty when nothing is."""
    if money.fits(amount, currency):
        return ""
    count = money.digits(currency)
    return DECIMALS.format(currency, count) if count else NO_DECIMALS.format(currency)


def purse_for(session: Session, purse_id: str, field: str, stays: str = "") -> Purse:
    """A purse that takes entries, or that has the one in question already (`stays`).

    Raises:
        Refused: there is none, or it is closed.
    """
    purse = find(session, Purse, purse_id)
    if purse is None:
        raise Refused({field: NO_PURSE})
    if purse.closed_at is not None and purse.id != stays:
        raise Refused({field: CLOSED})
    return purse


def _category(session: Session, category_id: str | None, field: str) -> None:
    if category_id is not None and find(session, Category, category_id) is None:
        raise Refused({field: NO_CATEGORY})


def check_parts(session: Session, parts: Sequence[Part], purse: Purse) -> None:
    """
    Raises:
        Refused: with messages for `amount` and `category`, of a split payment for `part-0-amount` and so on.
    """
    wrong: dict[str, str] = {}
    for number, part in enumerate(parts):
        place = f"part-{number}-" if len(parts) > 1 else ""
        if problem := (NOTHING if part.amount == 0 else fitting(part.amount, purse.currency)):
            wrong[f"{place}amount"] = problem
        if part.category_id is not None and find(session, Category, part.category_id) is None:
            wrong[f"{place}category"] = NO_CATEGORY
    if wrong:
        raise Refused(wrong)


def _fill(rows: list[Entry], payment: Payment, purse: Purse, payee: Payee | None) -> None:
    for row, part in zip(rows, payment.parts, strict=True):
        row.purse_id, row.currency, row.on = purse.id, purse.currency, payment.on
        row.amount, row.category_id, row.note = part.amount, part.category_id, part.note[:LONGEST_NOTE]
        row.payee_id = payee.id if payee else None


def _remember(payee: Payee | None, payment: Payment) -> None:
    """The category of one's last payment is proposed for the next."""
    if payee is not None and len(payment.parts) == 1 and payment.parts[0].category_id:
        payee.category_id = payment.parts[0].category_id


def _free_the_day(session: Session, rows: list[Entry], on: date) -> None:
    """An entry of a recurring one that moves to another day of it is its own from then on."""
    for row in rows:
        if row.recurring_id and row.on != on:
            taken = select(Entry.id).where(Entry.recurring_id == row.recurring_id, Entry.on == on)
            if session.scalar(taken.limit(1)):
                row.recurring_id = None


def _some(many: Iterable[str]) -> Iterable[list[str]]:
    listed = list(many)
    return (listed[start : start + SOME] for start in range(0, len(listed), SOME))
