"""What comes by itself: rent, salary. Its form, its next days, pausing, skipping one."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import new_id
from models.ledger import EVERY, Category, Payee, Purse, Recurring
from tasks import money
from tasks.books import ledger, recurrence
from tasks.books.ledger import LONGEST_NOTE, LONGEST_PAYEE
from tasks.books.ledger_search import Filters
from tasks.books.ledger_search import page as entries_page
from tasks.handover import Refused
from web import places
from web.current import me, reading, require_role, writing
from web.entries import choices
from web.given import Given

bp = Blueprint("recurring", __name__, url_prefix="/expenses/recurring")
LONGEST_NAME = 80
MOST_STEPS = 60
SHOWN = 5
BEFORE = "The last day lies before the first."
NEVER = "With these days it would never come again: choose a later last day."


@bp.get("")
def index() -> ResponseReturnValue:
    with reading() as session:
        rows = session.scalars(select(Recurring).order_by(Recurring.next_on.is_(None), Recurring.next_on)).all()
        named = names(session)
    return render_template("expenses/recurring.html", rows=rows, words=recurrence.words, **named)


@bp.get("/new")
@require_role("member")
def new() -> ResponseReturnValue:
    with reading() as session:
        first = places.today(session).isoformat()
    return page({"every": "month", "steps": "1", "first_on": first, "kind": "out"})


@bp.post("/new")
@require_role("member")
def create() -> ResponseReturnValue:
    return _save(None)


@bp.get("/<recurring_id>")
def show(recurring_id: str) -> ResponseReturnValue:
    with reading() as session:
        one = find(session, recurring_id)
        entered, _ = entries_page(session, Filters(recurring=recurring_id), size=12)
        named = names(session)
    return render_template(
        "expenses/recurring_one.html", one=one, coming=coming(one), entered=entered, words=recurrence.words, **named
    )


@bp.get("/<recurring_id>/edit")
@require_role("member")
def edit(recurring_id: str) -> ResponseReturnValue:
    with reading() as session:
        one = find(session, recurring_id)
        purse, payee = find_purse(session, one), ledger.find(session, Payee, one.payee_id)
    values = {name: getattr(one, name) or "" for name in ("name", "note", "every", "steps", "first_on", "last_on")}
    values |= {"purse": one.purse_id, "category": one.category_id or "", "payee": payee.name if payee else ""}
    values |= {"kind": "out" if one.amount < 0 else "in", "amount": money.typed(abs(one.amount), purse.currency)}
    return page(values, one)


@bp.post("/<recurring_id>/edit")
@require_role("member")
def save(recurring_id: str) -> ResponseReturnValue:
    with reading() as session:
        return _save(find(session, recurring_id))


@bp.post("/<recurring_id>/pause")
@require_role("member")
def pause(recurring_id: str) -> ResponseReturnValue:
    """Paused, or going on with its next day from today: what passed meanwhile is not made up for."""
    with writing() as session:
        one = find(session, recurring_id)
        one.paused = not one.paused
        if not one.paused:
            one.next_on = next(following(one, places.today(session)), None)
    flash("Paused." if one.paused else "It goes on.", "success")
    return _to(recurring_id)


@bp.post("/<recurring_id>/skip")
@require_role("member")
def skip(recurring_id: str) -> ResponseReturnValue:
    """Leave its next day out."""
    with writing() as session:
        one = find(session, recurring_id)
        if one.next_on is not None and str(one.next_on) == request.form.get("day"):
            one.next_on = next((day for day in following(one, one.next_on) if day > one.next_on), None)
            flash("That day is left out.", "success")
    return _to(recurring_id)


@bp.post("/<recurring_id>/delete")
@require_role("member")
def delete(recurring_id: str) -> ResponseReturnValue:
    with writing() as session:
        session.delete(find(session, recurring_id))
    flash("It is gone. What it entered already stays.", "success")
    return redirect(url_for("recurring.index"), 303)


def find(session: Session, recurring_id: str) -> Recurring:
    return ledger.find(session, Recurring, recurring_id) or abort(404)


def find_purse(session: Session, one: Recurring) -> Purse:
    return ledger.find(session, Purse, one.purse_id) or abort(404)


def following(one: Recurring, since: date) -> Any:
    return recurrence.following(one.first_on, one.every, one.steps, since, one.last_on)


def coming(one: Recurring) -> list[date]:
    """Its next days."""
    return list(islice(following(one, one.next_on), SHOWN)) if one.next_on else []


def names(session: Session) -> dict[str, Any]:
    """Purses, categories and payees by their ids."""
    payees = select(Payee).where(Payee.id.in_(select(Recurring.payee_id)))
    return {
        "purses": {row.id: row for row in session.scalars(select(Purse))},
        "categories": {row.id: row.name for row in session.scalars(select(Category))},
        "payees": {row.id: row.name for row in session.scalars(payees)},
    }


def page(values: Mapping[str, Any], one: Recurring | None = None, errors: dict[str, str] | None = None) -> str:
    with reading() as session:
        offered = choices(session)
        payees = session.execute(select(Payee.name, Payee.category_id).order_by(Payee.name).limit(500)).all()
    return render_template(
        "expenses/recurring_form.html", values=values, one=one, errors=errors or {}, payees=payees,
        every=[(each, f"{each}s") for each in EVERY], most_steps=MOST_STEPS, **offered,
    )  # fmt: skip


def _save(known: Recurring | None) -> ResponseReturnValue:
    values = dict(request.form)
    try:
        with writing() as session:
            saved = write(session, values, known)
    except Refused as error:
        return page(values, known, error.errors), error.status
    flash("Saved. It is entered by itself on its days.", "success")
    return _to(saved.id)


def write(session: Session, values: Mapping[str, Any], known: Recurring | None) -> Recurring:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    name, note = given.text("name", LONGEST_NAME, required=True), given.text("note", LONGEST_NOTE)
    sign = -1 if given.choice("kind", ("out", "in"), "out") == "out" else 1
    amount, payee = given.unsigned("amount"), given.text("payee", LONGEST_PAYEE)
    every, steps = given.choice("every", EVERY, "month"), given.number("steps", 1, MOST_STEPS, 1)
    first, last = given.day("first_on"), given.day("last_on", required=False)
    purse_id, category = given.row("purse", required=True), given.row("category") or None
    if first and last and last < first:
        given.wrong["last_on"] = BEFORE
    given.done()
    assert first
    assert amount
    purse = ledger.purse_for(session, purse_id, "purse", stays=known.purse_id if known else "")
    ledger.check_parts(session, [ledger.Part(amount * sign, category)], purse)
    one = find(session, known.id) if known else Recurring(id=new_id(), created_by=me().id)
    moved = known is None or (one.every, one.steps, one.first_on, one.last_on) != (every, steps, first, last)
    one.name, one.note, one.every, one.steps, one.first_on, one.last_on = name, note, every, steps, first, last
    one.purse_id, one.category_id, one.amount = purse.id, category, Decimal(amount * sign)
    found = ledger.payee_named(session, payee)
    one.payee_id = found.id if found else None
    if moved:
        one.next_on = next(following(one, max(first, places.today(session))), None)
        if one.next_on is None:
            raise Refused({"last_on": NEVER})
    session.add(one)
    session.flush()
    return one


def _to(recurring_id: str) -> ResponseReturnValue:
    return redirect(url_for("recurring.show", recurring_id=recurring_id), 303)
