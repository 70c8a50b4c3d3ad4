"""Where money lies. People read “account”: a bank's, a card, cash, savings."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import clock, new_id
from models.ledger import Entry, Purse, Recurring
from models.session import touch
from tasks import money
from tasks.books import ledger, ledger_search, ledger_sums
from tasks.books.ledger_search import Filters
from tasks.handover import Refused
from web import expense_figures, places
from web.current import current_workspace, reading, require_role, writing
from web.given import Given
from web.money import offered

bp = Blueprint("purses", __name__, url_prefix="/expenses/accounts")
KINDS = {"bank": "Bank account", "card": "Card", "cash": "Cash", "savings": "Savings"}
TAKEN = "There is an account of this name already."
FIXED = "Its entries are in {}; make another account for another currency."
LONGEST_NAME, LONGEST_NUMBER = 80, 40


@bp.get("")
def index() -> ResponseReturnValue:
    with reading() as session:
        purses = session.scalars(select(Purse).order_by(Purse.closed_at.is_not(None), Purse.name)).all()
        held = ledger_sums.balances(session, purses, places.today(session))
    totals: dict[str, Any] = {}
    for purse in purses:
        totals[purse.currency] = totals.get(purse.currency, 0) + held[purse.id]
    return render_template("expenses/purses.html", purses=purses, held=held, totals=totals, kinds=KINDS)


@bp.get("/new")
@require_role("member")
def new() -> ResponseReturnValue:
    with reading() as session:
        return page({"currency": places.here(session).currency, "kind": "bank", "opening": "0"})


@bp.post("/new")
@require_role("member")
def create() -> ResponseReturnValue:
    return _save(None)


@bp.get("/<purse_id>")
def show(purse_id: str) -> ResponseReturnValue:
    with reading() as session:
        purse = find(session, purse_id)
        held = ledger_sums.balances(session, [purse], places.today(session))[purse_id]
        rows, following = ledger_search.page(session, Filters(purse=purse_id), size=20)
        months = ledger_sums.months(places.today(session), 12)
        ends = ledger_sums.month_ends(session, [purse], months)
    return render_template(
        "expenses/purse.html", purse=purse, held=held, rows=rows, following=following,
        drawn=expense_figures.balance(ends, purse.currency), kinds=KINDS,
    )  # fmt: skip


@bp.get("/<purse_id>/edit")
@require_role("member")
def edit(purse_id: str) -> ResponseReturnValue:
    with reading() as session:
        purse = find(session, purse_id)
    values = {name: getattr(purse, name) for name in ("name", "kind", "currency", "number")}
    return page(values | {"opening": money.typed(purse.opening, purse.currency)}, purse)


@bp.post("/<purse_id>/edit")
@require_role("member")
def save(purse_id: str) -> ResponseReturnValue:
    with reading() as session:
        return _save(find(session, purse_id))


@bp.post("/<purse_id>/close")
@require_role("member")
def close(purse_id: str) -> ResponseReturnValue:
    """It takes no new entries; those that it has stay and count."""
    with writing() as session:
        purse = find(session, purse_id)
        purse.closed_at = None if purse.closed_at else clock(session)
    flash("It is closed. Its entries stay and count." if purse.closed_at else "It is open again.", "success")
    return redirect(url_for("purses.show", purse_id=purse_id), 303)


@bp.get("/<purse_id>/delete")
@require_role("member")
def ask(purse_id: str) -> ResponseReturnValue:
    with reading() as session:
        purse = find(session, purse_id)
        count = session.scalar(select(func.count()).select_from(Entry).where(Entry.purse_id == purse_id)) or 0
        coming = session.scalars(select(Recurring.name).where(Recurring.purse_id == purse_id)).all()
    return render_template("expenses/delete_purse.html", purse=purse, count=count, coming=coming)


@bp.post("/<purse_id>/delete")
@require_role("member")
def delete(purse_id: str) -> ResponseReturnValue:
    """With its entries and what recurs in it. The other sides of its transfers stay, and are no spending still."""
    with writing() as session:
        session.execute(delete_rows(Purse).where(Purse.id == find(session, purse_id).id))  # the rest goes with it
        touch(session, Entry, current_workspace())
    flash("The account and its entries are gone.", "success")
    return redirect(url_for("purses.index"), 303)


def find(session: Session, purse_id: str) -> Purse:
    return ledger.find(session, Purse, purse_id) or abort(404)


def page(values: Mapping[str, Any], purse: Purse | None = None, errors: dict[str, str] | None = None) -> str:
    return render_template(
        "expenses/purse_form.html", values=values, purse=purse, errors=errors or {}, kinds=list(KINDS.items()),
        currencies=offered(),
    )  # fmt: skip


def _save(purse: Purse | None) -> ResponseReturnValue:
    values = dict(request.form)
    try:
        with writing() as session:
            saved = write(session, values, purse)
    except Refused as error:
        return page(values, purse, error.errors), error.status
    flash("Saved.", "success")
    return redirect(url_for("purses.show", purse_id=saved.id), 303)


def write(session: Session, values: Mapping[str, Any], known: Purse | None) -> Purse:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    name, kind = given.text("name", LONGEST_NAME, required=True), given.choice("kind", KINDS, "bank")
    currency, opening = given.currency("currency"), given.amount("opening", required=False) or Decimal(0)
    number = given.text("number", LONGEST_NUMBER)
    same = select(Purse.id).where(Purse.name == name, Purse.id != (known.id if known else ""))
    if session.scalar(same):
        given.wrong.setdefault("name", TAKEN)
    if not given.wrong and (problem := ledger.fitting(opening, currency)):
        given.wrong["opening"] = problem
    purse = find(session, known.id) if known else Purse(id=new_id())
    used = select(Entry.id).where(Entry.purse_id == purse.id).limit(1)
    if known and currency != purse.currency and session.scalar(used):
        given.wrong.setdefault("currency", FIXED.format(purse.currency))
    given.done()
    purse.name, purse.kind, purse.currency, purse.opening, purse.number = name, kind, currency, opening, number
    session.add(purse)
    session.flush()
    return purse
