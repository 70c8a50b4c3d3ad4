"""Payments and transfers, read from a form or the API and written once, however often they are sent."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger import Entry
from tasks import money
from tasks.books import ledger
from tasks.books.ledger import LONGEST_NOTE, LONGEST_PAYEE, MOST_PARTS, Part, Payment
from tasks.books.transfers import Transfer
from web import people
from web.current import current_workspace, me
from web.given import Given
from workers.enqueue import KeyConflict

DIRECTIONS = ("out", "in")
UNEQUAL = "The parts come to {}, the whole is {}: {} is {}."


def read_payment(values: Mapping[str, Any]) -> Payment:
    """A form's payment: a direction and amounts without a sign; with parts, they have to come to the whole.

    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    sign = -1 if given.choice("kind", DIRECTIONS, "out") == "out" else 1
    purse, on = given.row("purse", required=True), given.day("on")
    payee, whole = given.text("payee", LONGEST_PAYEE), given.unsigned("amount")
    rows = part_rows(values)
    if rows:
        parts = _parts(given, rows, whole, sign)
    else:
        parts = (Part((whole or Decimal(0)) * sign, given.row("category") or None, given.text("note", LONGEST_NOTE)),)
    given.done()
    assert on  # or there was a message
    return Payment(purse, on, parts, payee)


def part_rows(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """The parts that were filled in, without the empty lines between them."""
    names = ("amount", "category", "note")
    rows = [{name: str(values.get(f"part-{n}-{name}") or "").strip() for name in names} for n in range(MOST_PARTS)]
    return [row for row in rows if row["amount"] or row["category"] or row["note"]]


def _parts(given: Given, rows: list[dict[str, str]], whole: Decimal | None, sign: int) -> tuple[Part, ...]:
    """Parts may be below zero, as a voucher is."""
    parts = []
    for number, row in enumerate(rows):
        one = Given(row)
        amount, note = one.amount("amount"), one.text("note", LONGEST_NOTE)
        given.wrong |= {f"part-{number}-{name}": text for name, text in one.wrong.items()}
        parts.append(Part((amount or Decimal(0)) * sign, row["category"] or None, note))
    sum_of = sum((part.amount for part in parts), Decimal(0)) * sign
    if whole is not None and sum_of != whole and not any(name.startswith("part-") for name in given.wrong):
        gap = whole - sum_of
        words = "missing" if gap > 0 else "too much"
        given.wrong["parts"] = UNEQUAL.format(*map(money.typed, (sum_of, whole, abs(gap))), words)
    return tuple(parts)


def read_transfer(values: Mapping[str, Any]) -> Transfer:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    source, target = given.row("from", required=True), given.row("to", required=True)
    on, note = given.day("on"), given.text("note", LONGEST_NOTE)
    sent = given.unsigned("amount", message="Write the amount without a minus.")
    received = given.unsigned("received", required=False, message="Write the amount without a minus.")
    given.done()
    assert on
    assert sent
    return Transfer(source, target, on, sent, received, note)


def add_once(session: Session, payment: Payment, key: str | None) -> list[Entry]:
    """Write a payment; the same key again gives the one that was written.

    Raises:
        Refused: with a message for each field at fault.
        KeyConflict: the key stands for another payment.
    """
    if key is None:
        return ledger.add(session, payment, me().id)
    people.one_at_a_time(session, current_workspace())
    known = fingerprint(key)
    found = session.scalars(select(Entry).where(Entry.fingerprint == known)).first()
    if found is None:
        return ledger.add(session, payment, me().id, known)
    rows = ledger.whole(session, found)
    whole = sum((part.amount for part in payment.parts), Decimal(0))
    if (found.purse_id, found.on, sum(row.amount for row in rows)) != (payment.purse_id, payment.on, whole):
        raise KeyConflict
    return rows


def fingerprint(key: str) -> str:
    """What an entry is known by that came with a key."""
    return f"key:{hashlib.sha256(key.encode()).hexdigest()[:56]}"
