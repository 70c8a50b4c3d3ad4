"""The forms of a payment and of a transfer: new, again, and changed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ledger import Entry, Payee
from tasks import money
from tasks.books import ledger, transfers
from tasks.books.ledger import MOST_PARTS, Payment
from tasks.handover import Refused
from web import entry_book, places, submission
from web.current import me, reading, require_role, writing
from web.entries import choices
from web.submission import form_key, new_key
from workers.enqueue import KeyConflict

bp = Blueprint("entry_editor", __name__, url_prefix="/expenses")
NAMED = 500  # payees that the field proposes
Values = dict[str, Any]


@bp.get("/entries/new")
@require_role("member")
def new() -> ResponseReturnValue:
    values = {name: request.args.get(name, "") for name in ("purse", "category", "payee", "amount", "note", "on")}
    kind = request.args.get("kind", "")
    values["purse"] = values["purse"] or _last_purse()
    return page(values | {"kind": kind if kind in entry_book.DIRECTIONS else "out", "on": values["on"] or today()})


@bp.post("/entries/new")
@require_role("member")
def create() -> ResponseReturnValue:
    return _save(None)


@bp.get("/entries/<entry_id>/edit")
@require_role("member")
def edit(entry_id: str) -> ResponseReturnValue:
    with reading() as session:
        entry = ledger.find(session, Entry, entry_id) or abort(404)
        if entry.transfer_id:
            return transfer_page(_of_transfer(transfers.sides(session, entry)), entry)
        rows = ledger.whole(session, entry)
        payee = ledger.find(session, Payee, entry.payee_id)
    return page(_of_payment(rows, payee), entry)


@bp.post("/entries/<entry_id>/edit")
@require_role("member")
def save(entry_id: str) -> ResponseReturnValue:
    with reading() as session:
        entry = ledger.find(session, Entry, entry_id) or abort(404)
    return _save_transfer(entry) if entry.transfer_id else _save(entry)


@bp.get("/transfers/new")
@require_role("member")
def new_transfer() -> ResponseReturnValue:
    return transfer_page({"on": today(), "from": request.args.get("purse", "")})


@bp.post("/transfers/new")
@require_role("member")
def create_transfer() -> ResponseReturnValue:
    return _save_transfer(None)


def today() -> str:
    """The day that it is in the workspace, as a form's field has it."""
    with reading() as session:
        return places.today(session).isoformat()


def _last_purse() -> str:
    """Where the newest entry lies: most people pay from one account."""
    with reading() as session:
        newest = select(Entry.purse_id).order_by(Entry.on.desc(), Entry.id.desc()).limit(1)
        return session.scalar(newest) or ""


def _save(entry: Entry | None) -> ResponseReturnValue:
    values: Values = dict(request.form)
    if "more" in request.form or "fewer" in request.form:
        return page(values, entry, more="more" in request.form)
    try:
        payment = entry_book.read_payment(values)
        with writing() as session:
            rows = _write(session, entry, payment)
    except Refused as error:
        return page(values, entry, errors=error.errors), error.status
    except KeyConflict:
        return page(values, entry, errors={"": submission.SENT_ALREADY}), 409
    flash("Saved." if entry else "Written down.", "success")
    if "another" in request.form:
        return redirect(
            url_for("entry_editor.new", kind=values.get("kind"), purse=payment.purse_id, on=payment.on), 303
        )
    return redirect(url_for("entries.index", purse=rows[0].purse_id), 303)


def _write(session: Session, entry: Entry | None, payment: Payment) -> list[Entry]:
    if entry is None:
        return entry_book.add_once(session, payment, form_key())
    return ledger.change(session, ledger.find(session, Entry, entry.id) or abort(404), payment)


def _save_transfer(entry: Entry | None) -> ResponseReturnValue:
    values: Values = dict(request.form)
    try:
        wanted = entry_book.read_transfer(values)
        with writing() as session:
            known = transfers.sides(session, entry) if entry else ()
            transfers.transfer(session, wanted, me().id, known)
    except Refused as error:
        return transfer_page(values, entry, error.errors), error.status
    flash("Saved.", "success")
    return redirect(url_for("entries.index", kind="transfer"), 303)


def page(
    values: Mapping[str, Any], entry: Entry | None = None, errors: dict[str, str] | None = None, more: bool = False
) -> str:
    """The form of a payment, with what was typed and what is wrong with it."""
    parts = entry_book.part_rows(values)
    if more:
        first = {"amount": "", "category": values.get("category", ""), "note": values.get("note", "")}
        parts = [*(parts or [first]), {"amount": "", "category": "", "note": ""}][:MOST_PARTS]
    with reading() as session:
        names = session.execute(select(Payee.name, Payee.category_id).order_by(Payee.name).limit(NAMED)).all()
        offered = choices(session)
    key = request.form.get("key") if errors and "" not in errors else None
    return render_template(
        "expenses/entry.html", values=values, entry=entry, errors=errors or {}, split_rows=parts, payees=names,
        key=key or new_key(), most_parts=MOST_PARTS, **offered,
    )  # fmt: skip


def transfer_page(values: Mapping[str, Any], entry: Entry | None = None, errors: dict[str, str] | None = None) -> str:
    with reading() as session:
        offered = choices(session)
    return render_template("expenses/transfer.html", values=values, entry=entry, errors=errors or {}, **offered)


def _of_payment(rows: list[Entry], payee: Payee | None) -> Values:
    first, whole = rows[0], sum((row.amount for row in rows), Decimal(0))
    sign = -1 if whole < 0 else 1
    values: Values = {"kind": "out" if sign < 0 else "in", "purse": first.purse_id, "on": first.on.isoformat()}
    values |= {"payee": payee.name if payee else "", "amount": money.typed(whole * sign, first.currency)}
    if len(rows) == 1:
        return values | {"category": first.category_id or "", "note": first.note}
    for number, row in enumerate(rows):
        part = {"amount": money.typed(row.amount * sign, row.currency), "category": row.category_id or ""}
        values |= {f"part-{number}-{name}": text for name, text in (part | {"note": row.note}).items()}
    return values


def _of_transfer(sides: list[Entry]) -> Values:
    values: Values = {"on": sides[0].on.isoformat(), "note": sides[0].note}
    for row in sides:
        values["from" if row.amount < 0 else "to"] = row.purse_id
        values["amount" if row.amount < 0 else "received"] = money.typed(abs(row.amount), row.currency)
    if len(sides) == 2 and sides[0].currency == sides[1].currency:
        values["received"] = ""
    return values
