"""The API's purchase orders: what is on its way, and what came of it. Routes of web/api.py's own blueprint."""

from decimal import Decimal
from typing import Annotated, Any

from flask import jsonify, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models.stock import CANCELLED, CLOSED, DRAFT, PARTLY, SENT, Purchase, PurchaseLine
from tasks.handover import Refused
from tasks.inventory import purchases
from tasks.inventory.movements import plain
from tasks.inventory.purchases import Arrival
from web import stock_book, stock_orders, stock_view
from web.api import bp, idempotency_key, iso
from web.api_stock import body_of, read, told_movement
from web.current import me, reading, require_role, writing
from web.inputs import Form
from web.stock_inputs import Above, MaybeDay, MaybeId
from web.stock_view import PER_PAGE

STATES = (DRAFT, SENT, PARTLY, CLOSED, CANCELLED)


class Came(Form):
    """What came of a line."""

    line_id: str
    quantity: Above
    location_id: MaybeId = None
    expires_on: MaybeDay = None


class Delivery(Form):
    """What came of an order; without lines, all that is to come."""

    lines: Annotated[list[Came] | None, Field(min_length=1, max_length=purchases.MOST_LINES)] = None


@bp.get("/orders")
def order_list() -> ResponseReturnValue:
    """Purchase orders, the newest first; `next` leads to the following page."""
    state, after = request.args.get("state", ""), request.args.get("after", type=int)
    if state and state not in STATES:
        raise Refused({"state": f"Choose one of {', '.join(STATES)}."})
    asked = select(Purchase).options(
        selectinload(Purchase.lines).selectinload(PurchaseLine.product), selectinload(Purchase.supplier)
    )
    asked = asked.where(Purchase.state == state) if state else asked
    asked = asked.where(Purchase.number < min(after, 2**31 - 1)) if after else asked
    with reading() as session:
        rows = session.scalars(asked.order_by(Purchase.number.desc()).limit(PER_PAGE + 1)).all()
    last = rows[PER_PAGE - 1].number if rows[PER_PAGE:] else None
    following = url_for("api.order_list", state=state or None, after=last) if last else None
    return jsonify(orders=[_order(row) for row in rows[:PER_PAGE]], next=following)


@bp.get("/orders/<order_id>")
def show_order(order_id: str) -> ResponseReturnValue:
    """One order with its lines."""
    with reading() as session:
        return jsonify(_order(stock_orders.find(session, order_id)))


@bp.post("/orders/<order_id>/receive")
@require_role("member")
def receive_order(order_id: str) -> ResponseReturnValue:
    """What came, in whole or in part. The same key is recorded once."""
    given = read(Delivery, body_of({"lines"}) if request.content_length else {})
    key = idempotency_key()
    mark = stock_book.mark_of(f"{order_id} {key}") if key else None
    try:
        with writing() as session:
            found, today = stock_orders.find(session, order_id), stock_view.house(session).today
            arrivals = _arrivals(found, given)
            note = f"Order {found.number}"
            came = purchases.receive(session, found, arrivals, today, me().id, note, mark)
            session.expire_all()
            answer = _order(stock_orders.find(session, order_id)) | {"movements": [told_movement(one) for one in came]}
    except ValueError as error:
        raise Refused({"lines": str(error)}) from error
    return jsonify(answer)


def _arrivals(found: Purchase, given: Delivery) -> list[Arrival]:
    if given.lines is None:
        left = [(line, line.quantity - line.received) for line in found.lines]
        return [Arrival(line.id, amount) for line, amount in left if amount > 0] or [Arrival("", Decimal(1))]
    return [Arrival(each.line_id, each.quantity, each.location_id, each.expires_on) for each in given.lines]


def _order(one: Purchase) -> dict[str, Any]:
    return {
        "id": one.id, "number": one.number, "state": one.state, "supplier_id": one.supplier_id,
        "supplier": one.supplier.name if one.supplier else None, "note": one.note,
        "expected_on": one.expected_on.isoformat() if one.expected_on else None, "sent_at": iso(one.sent_at),
        "closed_at": iso(one.closed_at), "created_at": iso(one.created_at),
        "lines": [_line(each) for each in one.lines], "url": url_for("api.show_order", order_id=one.id),
    }  # fmt: skip


def _line(one: PurchaseLine) -> dict[str, Any]:
    return {
        "id": one.id, "product_id": one.product_id, "sku": one.product.sku, "quantity": plain(one.quantity),
        "received": plain(one.received), "unit_cost": None if one.unit_cost is None else plain(one.unit_cost),
        "currency": one.product.currency,
    }  # fmt: skip
