"""Money that moves from one purse to another: two entries that are no spending."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import new_id
from models.ledger import Entry, Purse
from tasks.books import ledger
from tasks.books.ledger import find, purse_for
from tasks.handover import Refused

BOTH_SAME = "Both accounts are in {}, so what arrives is what left: leave this out, or write the same amount."
NEEDS_RECEIVED = "Write how much arrived, in {}."
NO_PAIR = "Choose exactly two entries of two accounts, one that went out and one that came in."
SAME_PURSE = "Choose two different accounts."
UNEQUAL = "These two differ in their amounts, so they are no transfer."


@dataclass(frozen=True, slots=True)
class Transfer:
    """From one purse to another; both amounts above zero, and the same unless the currencies differ."""

    from_id: str
    to_id: str
    on: date
    sent: Decimal
    received: Decimal | None = None
    note: str = ""


def transfer(session: Session, wanted: Transfer, account_id: str | None, known: Sequence[Entry] = ()) -> list[Entry]:
    """Write both sides of a transfer, into the rows that it has already.

    Raises:
        Refused: with a message for each field at fault.
    """
    stays = {row.purse_id for row in known}
    source = purse_for(session, wanted.from_id, "from", stays=wanted.from_id if wanted.from_id in stays else "")
    target = purse_for(session, wanted.to_id, "to", stays=wanted.to_id if wanted.to_id in stays else "")
    received = _received(wanted, source, target)
    number = known[0].transfer_id if known else new_id()
    sides = {row.amount < 0: row for row in known}
    rows = []
    for purse, amount in ((source, -wanted.sent), (target, received)):
        row = sides.get(amount < 0) or Entry(id=new_id(), created_by=account_id)
        row.purse_id, row.currency, row.amount, row.transfer_id = purse.id, purse.currency, amount, number
        row.on, row.note, row.category_id, row.payee_id = wanted.on, wanted.note, None, None
        rows.append(row)
    session.add_all(rows)
    session.flush()
    return rows


def sides(session: Session, entry: Entry) -> list[Entry]:
    """Both sides of the transfer that an entry belongs to; one, where the other's purse is gone."""
    rows = session.scalars(select(Entry).where(Entry.transfer_id == entry.transfer_id).order_by(Entry.amount))
    return list(rows)


def pair(session: Session, ids: Sequence[str]) -> None:
    """Make one transfer of an entry that went out and one that came in.

    Raises:
        Refused: they do not fit.
    """
    rows = [row for row in (find(session, Entry, each) for each in ids) if row is not None]
    single = all(row.transfer_id is None and row.split_id is None for row in rows)
    if len(rows) != 2 or not single or rows[0].purse_id == rows[1].purse_id or rows[0].amount * rows[1].amount >= 0:
        raise Refused({"": NO_PAIR})
    if rows[0].currency == rows[1].currency and rows[0].amount != -rows[1].amount:
        raise Refused({"": UNEQUAL})
    number = new_id()
    for row in rows:
        row.transfer_id, row.category_id, row.payee_id = number, None, None


def _received(wanted: Transfer, source: Purse, target: Purse) -> Decimal:
    wrong: dict[str, str] = {}
    if source.id == target.id:
        wrong["to"] = SAME_PURSE
    if problem := (ledger.NOTHING if wanted.sent <= 0 else ledger.fitting(wanted.sent, source.currency)):
        wrong["amount"] = problem
    received = wanted.received
    if source.currency == target.currency:
        if received is not None and received != wanted.sent:
            wrong["received"] = BOTH_SAME.format(source.currency)
        received = wanted.sent
    elif received is None:
        wrong["received"] = NEEDS_RECEIVED.format(target.currency)
    elif problem := (ledger.NOTHING if received <= 0 else ledger.fitting(received, target.currency)):
        wrong["received"] = problem
    if wrong or received is None:
        raise Refused(wrong)
    return received
