"""The API's money: routes of web/api.py's own blueprint. What pages call an account is one here too."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from flask import Response, abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger import Category, Entry, Payee, Purse
from tasks import money
from tasks.books import ledger, ledger_search, ledger_sums
from tasks.books.ledger import LONGEST_NOTE, LONGEST_PAYEE, MOST_PARTS, Part, Payment
from tasks.handover import Refused
from web import entries, entry_book, places
from web.api import NO_OBJECT, bp, idempotency_key, json_body
from web.current import reading, require_role, writing
from web.given import Given

FIELDS = ("account", "on", "amount", "payee", "category", "note", "parts")
OF_PART = ("amount", "category", "note")
NAMES = {"purse": "account"}  # fields that the pages' forms name otherwise
NO_FIELD = "There is no such field; leave it out."
NO_PARTS = f"Give a list of 2 to {MOST_PARTS} objects with amount, category and note."
UNEQUAL = "The parts come to {}, the amount is {}."
OF_A_TRANSFER = "This is one side of a transfer; change it on its page."
OF_SEVERAL = "This payment has parts: give all of them in “parts”."
NO_MARK = "This is no mark of a page; take it from “next”."


@bp.get("/expenses/accounts")
def expense_accounts() -> ResponseReturnValue:
    """Where money lies, with today's balances."""
    with reading() as session:
        purses = session.scalars(select(Purse).order_by(Purse.name)).all()
        held = ledger_sums.balances(session, purses, places.today(session))
    return jsonify(accounts=[_purse(purse, held[purse.id]) for purse in purses])


@bp.get("/expenses/categories")
def expense_categories() -> ResponseReturnValue:
    with reading() as session:
        rows = session.scalars(select(Category).order_by(Category.name)).all()
    return jsonify(categories=[{"id": row.id, "name": row.name, "hidden": row.hidden_at is not None} for row in rows])


@bp.get("/expenses/entries")
def expense_entries() -> ResponseReturnValue:
    """Entries, newest first, with the filters of the page; `next` leads to the following ones."""
    given = {("purse" if name == "account" else name): text for name, text in request.args.items()}
    filters, wrong = entries.read_filters(given)
    if wrong:
        raise Refused({NAMES.get(name, name): text for name, text in wrong.items()})
    with reading() as session:
        try:
            rows, following = ledger_search.page(session, filters, request.args.get("after", ""))
        except ValueError:
            raise Refused({"after": NO_MARK}) from None
    more: Any = {name: text for name, text in request.args.items() if name != "after"} | {"after": following}
    return jsonify(
        entries=[_entry(row, row.payee) for row in rows],
        next=url_for("api.expense_entries", _external=False, **more) if following else None,
    )


@bp.post("/expenses/entries")
@require_role("member")
def add_expense_entry() -> ResponseReturnValue:
    """A payment, with its parts where it has several; below zero it went out."""
    payment = _payment(_body())
    with _named(), writing() as session:
        rows = entry_book.add_once(session, payment, idempotency_key())
        answer: Response = jsonify(_whole(session, rows))
    answer.status_code = 201
    answer.headers["Location"] = url_for("api.expense_entry", entry_id=rows[0].id)
    return answer


@bp.get("/expenses/entries/<entry_id>")
def expense_entry(entry_id: str) -> ResponseReturnValue:
    """The payment that an entry belongs to, with all its parts."""
    with reading() as session:
        return jsonify(_whole(session, ledger.whole(session, _find(session, entry_id))))


@bp.patch("/expenses/entries/<entry_id>")
@require_role("member")
def change_expense_entry(entry_id: str) -> ResponseReturnValue:
    """What is named is changed, the rest stays."""
    body = _body()
    with _named(), writing() as session:
        entry = _find(session, entry_id)
        if entry.transfer_id:
            raise Refused({"": OF_A_TRANSFER}, 409)
        payment = _payment(_as_given(session, ledger.whole(session, entry), body) | body)
        return jsonify(_whole(session, ledger.change(session, entry, payment)))


@bp.delete("/expenses/entries/<entry_id>")
@require_role("member")
def delete_expense_entry(entry_id: str) -> ResponseReturnValue:
    """With the other parts of its payment, and the other side of its transfer."""
    with writing() as session:
        ledger.remove(session, [_find(session, entry_id).id])
    return "", 204


def _find(session: Session, entry_id: str) -> Entry:
    return ledger.find(session, Entry, entry_id) or abort(404)


@contextmanager
def _named() -> Iterator[None]:
    """Messages for the fields as the API names them."""
    try:
        yield
    except Refused as error:
        raise Refused({NAMES.get(name, name): text for name, text in error.errors.items()}, error.status) from error


def _body() -> dict[str, Any]:
    body = json_body() if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise Refused({"": NO_OBJECT})
    if unknown := set(body) - set(FIELDS):
        raise Refused(dict.fromkeys(sorted(unknown), NO_FIELD))
    return body


def _payment(body: Mapping[str, Any]) -> Payment:
    given = Given(body, decimal=".")
    purse, on = given.row("account", required=True), given.day("on")
    payee, whole = given.text("payee", LONGEST_PAYEE), given.amount("amount")
    if body.get("parts") is None:
        parts = [Part(whole or Decimal(0), given.row("category") or None, given.text("note", LONGEST_NOTE))]
    else:
        parts = _parts(given, body["parts"], whole)
    given.done()
    assert on
    return Payment(purse, on, tuple(parts), payee)


def _parts(given: Given, listed: Any, whole: Decimal | None) -> list[Part]:
    fit = isinstance(listed, list) and 2 <= len(listed) <= MOST_PARTS
    if not fit or not all(isinstance(each, dict) and set(each) <= set(OF_PART) for each in listed):
        given.wrong["parts"] = NO_PARTS
        return []
    parts = []
    for number, each in enumerate(listed):
        one = Given(each, decimal=".")
        amount, note = one.amount("amount") or Decimal(0), one.text("note", LONGEST_NOTE)
        parts.append(Part(amount, one.row("category") or None, note))
        given.wrong |= {f"part-{number}-{name}": text for name, text in one.wrong.items()}
    total = sum((part.amount for part in parts), Decimal(0))
    if whole is not None and total != whole and not given.wrong:
        given.wrong["parts"] = UNEQUAL.format(money.typed(total), money.typed(whole))
    return parts


def _as_given(session: Session, rows: list[Entry], body: Mapping[str, Any]) -> dict[str, Any]:
    """A payment as it would have been sent."""
    payee = ledger.find(session, Payee, rows[0].payee_id)
    common = {"account": rows[0].purse_id, "on": rows[0].on.isoformat(), "payee": payee.name if payee else ""}
    if len(rows) == 1 and "parts" not in body:
        return common | {"amount": str(rows[0].amount), "category": rows[0].category_id, "note": rows[0].note}
    if {"amount", "category", "note"} & set(body) and "parts" not in body:
        raise Refused({"parts": OF_SEVERAL})
    parts = [{"amount": str(row.amount), "category": row.category_id, "note": row.note} for row in rows]
    return common | {"amount": str(sum(row.amount for row in rows)), "parts": parts}


def _purse(purse: Purse, held: Decimal) -> dict[str, Any]:
    told = {"id": purse.id, "name": purse.name, "kind": purse.kind, "currency": purse.currency, "number": purse.number}
    return told | {"balance": money.typed(held, purse.currency), "closed": purse.closed_at is not None}


def _entry(row: Entry, payee: Payee | None) -> dict[str, Any]:
    """Amounts are texts: a JSON number would be read as a float."""
    return {
        "id": row.id, "account": row.purse_id, "on": row.on.isoformat(), "currency": row.currency,
        "amount": money.typed(row.amount, row.currency), "payee": payee.name if payee else "",
        "category": row.category_id, "note": row.note, "payment": row.split_id or row.id,
        "transfer": row.transfer_id, "recurring": row.recurring_id,
        "url": url_for("api.expense_entry", entry_id=row.id),
    }  # fmt: skip


def _whole(session: Session, rows: list[Entry]) -> dict[str, Any]:
    payee = ledger.find(session, Payee, rows[0].payee_id)
    amount = sum((row.amount for row in rows), Decimal(0))
    told = _entry(rows[0], payee) | {"amount": money.typed(amount, rows[0].currency)}
    return told | {"parts": [_entry(row, payee) for row in rows] if len(rows) > 1 else []}
