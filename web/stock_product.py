"""One product: what there is of it, where, until when, how it moved; and the quick form that records what happens."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.alert import FIRING, PENDING, Alert
from models.base import total
from models.stock import KINDS, Location, Movement, Product
from tasks.inventory.movements import plain
from tasks.inventory.reversals import counted_since, reverse
from web import stock_book, stock_charts, stock_moves, stock_view, submission
from web.current import me, reading, require_role, writing
from web.inputs import read_form
from web.stock import bp
from web.stock_charts import Chart
from web.stock_inputs import MovementForm
from web.stock_view import NOTHING, moved
from workers.enqueue import KeyConflict

BACK = 180  # days of history on the page
SHOWN = 15  # movements on the page; the list has all
SAID = {
    "sale": "Sold",
    "purchase": "Came in",
    "return": "Taken back",
    "count": "Counted",
    "loss": "Lost",
    "transfer": "Moved",
}
SENT_ALREADY = "This form was sent before, with other values. Look at the movements, and send it again if it is new."


@bp.get("/stock/products/<product_id>")
def product(product_id: str) -> ResponseReturnValue:
    with reading() as session:
        return _page(session, stock_view.product(session, product_id))


@bp.post("/stock/products/<product_id>/move")
@require_role("member")
def move(product_id: str) -> ResponseReturnValue:
    """Record what happened. The same form sent twice is recorded once."""
    form, errors = read_form(MovementForm)
    told, status = stock_book.Told(None, errors), 422
    try:
        with writing() as session:
            found, house = stock_view.product(session, product_id), stock_view.house(session)
            if form is not None:
                told = stock_book.record_form(session, found, form, house, key=submission.form_key())
    except KeyConflict:
        told, status = stock_book.Told(None, {"": SENT_ALREADY}), 409
    if told.movement is None:
        with reading() as session:
            return _page(session, stock_view.product(session, product_id), told.errors, request.form), status
    flash(_said(told.movement, found), "success")
    if found.on_hand < 0 and house.negative == "flag":
        flash(f"{plain(found.on_hand)} of {found.name} are on hand now: less than nothing. Count it.", "warning")
    kind = told.movement.kind
    return redirect(url_for("stock.product", product_id=product_id, kind=kind, _anchor="record"), 303)


@bp.post("/stock/movements/<movement_id>/reverse")
@require_role("member")
def reverse_movement(movement_id: str) -> ResponseReturnValue:
    """A counter movement; the wrong one stays to be seen."""
    with reading() as session:
        wrong = stock_book.movement(session, movement_id)
        product_id, counted = wrong.product_id, counted_since(session, wrong)
    try:
        with writing() as session:
            reverse(session, stock_book.movement(session, movement_id), me().id)
        flash("Reversed by a counter movement; both stay in the list.", "success")
    except ValueError as error:
        flash(str(error), "warning")
        counted = None
    if counted:
        words = f"The product was counted on {counted:%-d %b %Y}, after the movement that was wrong, and that count "
        flash(words + "may have set it right already. Look whether the quantity is what lies there.", "warning")
    return redirect(url_for("stock.product", product_id=product_id, _anchor="movements"), 303)


def _said(movement: Movement, product: Product) -> str:
    amount = movement.counted if movement.counted is not None else abs(movement.quantity)
    return (
        f"{SAID[movement.kind]}: {plain(amount)} {product.unit or ''}".strip() + f". On hand: {plain(product.on_hand)}."
    )


def _page(
    session: Session, found: Product, errors: dict[str, str] | None = None, given: Mapping[str, Any] | None = None
) -> str:
    from tasks.inventory import stock_lines

    house = stock_view.house(session)
    coming = stock_view.on_order(session, [found.id]).get(found.id, NOTHING)
    open_ = (Alert.subject == found.id, Alert.area == "stock", Alert.state.in_((FIRING, PENDING)))
    return render_template(
        "stock/product.html",
        product=found,
        house=house,
        coming=coming,
        projected=found.on_hand + coming,
        line=stock_lines.of_products(session, [found.id]).get(found.id),
        orders=stock_view.coming(session, found.id),
        places=stock_view.places(session, found.id),
        lots=stock_view.lots_of(session, found.id),
        soon=house.today + timedelta(days=stock_view.SOON),
        home=session.scalar(select(Location.name).where(Location.id == found.location_id)),
        alerts=session.scalars(select(Alert).where(*open_).order_by(Alert.level.desc())).all(),
        chart=_history(session, found, house.today),
        moves=stock_moves.lines(session, product_id=found.id)[:SHOWN],
        locations=stock_view.locations(session),
        errors=errors or {},
        given=given or {"kind": request.args.get("kind", "sale")},
        key=submission.new_key(),
        kinds=KINDS,
    )


def _history(session: Session, found: Product, today: date) -> Chart | None:
    """Its last half year, or since its first movement when that is later."""
    of_it = moved.product_id == found.id
    begun = session.scalar(select(func.min(moved.on_day)).where(of_it))
    if begun is None:
        return None
    first = max(min(begun, today), today - timedelta(days=BACK))
    asked = select(moved.on_day, moved.kind, total(moved.quantity)).where(of_it, moved.on_day >= first)
    rows = session.execute(asked.group_by(moved.on_day, moved.kind, moved.quantity > 0))
    moves = [(on, kind, quantity or Decimal(0)) for on, kind, quantity in rows]
    return stock_charts.history(moves, found.on_hand, first, today)
