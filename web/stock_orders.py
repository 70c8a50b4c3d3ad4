"""Purchase orders: from a draft to what has come of it. “Sent” marks an order; the mail is the person's own to send."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from models.engine import again
from models.stock import CANCELLED, CLOSED, DRAFT, ON_ORDER, PARTLY, SENT, Product, Purchase, PurchaseLine
from tasks.inventory import purchases
from tasks.inventory.movements import plain, quantity
from tasks.inventory.purchases import Arrival, Wanted
from tasks.tables import csv_lines
from web import stock_view
from web.current import current_workspace, me, reading, require_role, writing
from web.inputs import page_number, read_form
from web.stock import bp
from web.stock_inputs import NO_DAY, LineForm, OrderForm, day_of, read_amount
from web.stock_view import PER_PAGE

SHOWN = {
    "open": (DRAFT, *ON_ORDER),
    "draft": (DRAFT,),
    "sent": ON_ORDER,
    "closed": (CLOSED,),
    "cancelled": (CANCELLED,),
}
HEAD = (
    "Order", "Supplier", "SKU", "Product", "Barcode", "Unit", "Quantity", "Pack size", "Packs", "Received",
    "Unit cost", "Currency",
)  # fmt: skip
UNKNOWN = "No product has this SKU, barcode or name. Look it up in the list of products."
TWO = "Several products have this name; give the SKU."
DONE = {"send": "Marked as sent.", "close": "Closed. What did not come is no longer on order.", "cancel": "Cancelled."}


@bp.get("/stock/orders")
def orders() -> ResponseReturnValue:
    shown, page = request.args.get("show", "open"), page_number()
    wanted: list[ColumnElement[bool]] = [Purchase.state.in_(SHOWN[shown])] if shown in SHOWN else []
    with reading() as session:
        found = session.scalar(select(func.count()).select_from(Purchase).where(*wanted)) or 0
        asked = select(Purchase).where(*wanted).options(joinedload(Purchase.supplier))
        rows = session.scalars(asked.order_by(Purchase.number.desc()).limit(PER_PAGE).offset((page - 1) * PER_PAGE))
        return render_template(
            "stock/orders.html", rows=rows.all(), shown=shown, page=page, pages=stock_view.pages(found), found=found,
            house=stock_view.house(session), suppliers=stock_view.suppliers(session), states=list(SHOWN),
            any=session.scalar(select(Purchase.id).limit(1)) is not None, on_order=ON_ORDER,
        )  # fmt: skip


@bp.post("/stock/orders/new")
@require_role("member")
def make_order() -> ResponseReturnValue:
    try:
        made = _drafted(request.form.get("supplier_id") or None)
    except ValueError as error:
        flash(str(error), "danger")
        return redirect(url_for("stock.orders"), 303)
    return _to(made)


@bp.get("/stock/orders/<order_id>")
def order(order_id: str) -> ResponseReturnValue:
    return _page(order_id)


@bp.get("/stock/orders/<order_id>/print")
def print_order(order_id: str) -> ResponseReturnValue:
    with reading() as session:
        found = find(session, order_id)
        return render_template(
            "stock/order_print.html", order=found, sums=_sums(found), house=stock_view.house(session)
        )


@bp.get("/stock/orders/<order_id>/order.csv")
def order_csv(order_id: str) -> Response:
    with reading() as session:
        found = find(session, order_id)
        rows = list(_rows(found))
    head = {"Content-Disposition": f'attachment; filename="order-{found.number}.csv"'}
    return Response(csv_lines(HEAD, rows), content_type="text/csv; charset=utf-8", headers=head)


@bp.post("/stock/orders/<order_id>/lines")
@require_role("member")
def put_line(order_id: str) -> ResponseReturnValue:
    """A product and how many; one that stands on the order already gets this quantity."""
    form, errors = read_form(LineForm)
    if form is None:
        return _page(order_id, errors, request.form), 422

    def put(session: Session, found: Purchase) -> None:
        product = _named(session, form.product)
        line = purchases.put(session, found, Wanted(product.id, form.quantity, form.unit_cost))
        if line.quantity != form.quantity:
            flash(f"Rounded up to whole packs: {plain(line.quantity)} of {product.name}.", "info")

    return _do(order_id, put, "", "product")


@bp.post("/stock/orders/<order_id>/lines/<line_id>/remove")
@require_role("member")
def remove_line(order_id: str, line_id: str) -> ResponseReturnValue:
    return _do(order_id, lambda session, found: purchases.take_off(session, found, line_id), "")


@bp.post("/stock/orders/<order_id>/details")
@require_role("member")
def save_order(order_id: str) -> ResponseReturnValue:
    form, errors = read_form(OrderForm)
    if form is None:
        return _page(order_id, errors, request.form), 422
    return _do(order_id, lambda session, found: purchases.expect(session, found, form.expected_on, form.note), "Saved.")


@bp.post("/stock/orders/<order_id>/<step>")
@require_role("member")
def step(order_id: str, step: str) -> ResponseReturnValue:
    if step not in DONE:
        abort(404)

    def take(session: Session, found: Purchase) -> None:
        if step == "send":
            purchases.send(session, found, stock_view.house(session).today)
        else:
            (purchases.close if step == "close" else purchases.cancel)(session, found)

    return _do(order_id, take, DONE[step])


@bp.post("/stock/orders/<order_id>/receive")
@require_role("member")
def receive(order_id: str) -> ResponseReturnValue:
    """What came: of all lines what is still to come, or of each the quantity that was written beside it."""
    with reading() as session:
        found, today = find(session, order_id), stock_view.house(session).today
        arrivals, errors = _arrivals(found, request.form, today)
    if errors:
        return _page(order_id, errors, request.form), 422
    by = me().id

    def come(session: Session, found: Purchase) -> None:
        purchases.receive(session, found, arrivals, today, by, f"Order {found.number}")

    return _do(order_id, come, "Received: the quantities on hand have grown.")


@again
def _do(order_id: str, deed: Callable[[Session, Purchase], Any], words: str, field: str = "") -> ResponseReturnValue:
    """A step of an order, written or refused with its sentence."""
    try:
        with writing() as session:
            deed(session, find(session, order_id))
    except ValueError as error:
        return _page(order_id, {field: str(error)}, request.form), 422
    if words:
        flash(words, "success")
    return _to(order_id)


def _arrivals(found: Purchase, form: Mapping[str, str], today: date) -> tuple[list[Arrival], dict[str, str]]:
    arrivals: list[Arrival] = []
    errors: dict[str, str] = {}
    for line in found.lines:
        left = line.quantity - line.received
        text = form.get(f"came-{line.id}", "").strip()
        if left <= 0 or not (text or "all" in form):
            continue
        try:
            amount = left if "all" in form and not text else quantity(read_amount(text))
            expires = day_of(form.get(f"expires-{line.id}", ""))
            if expires and expires < today and "expired" not in form:
                raise ValueError("That day is past already; tick “past its day” below if it came in all the same.")
            arrivals.append(Arrival(line.id, amount, form.get("location_id") or None, expires))
        except ValueError as error:
            errors[f"expires-{line.id}" if "day" in str(error).lower() else f"came-{line.id}"] = str(error)
    return arrivals, errors


@again
def _drafted(supplier_id: str | None) -> str:
    with writing() as session:
        return purchases.draft(session, current_workspace(), supplier_id, created_by=me().id).id


def _named(session: Session, text: str) -> Product:
    """The product that was meant: by SKU or barcode, or by its whole name."""
    if found := stock_view.by_code(session, text.split(" · ")[0]) or stock_view.by_code(session, text):
        return found
    same = session.scalars(select(Product).where(Product.name == text).limit(2)).all()
    if len(same) == 1:
        return same[0]
    raise ValueError(TWO if same else UNKNOWN)


def find(session: Session, order_id: str) -> Purchase:
    return purchases.find(session, order_id) or abort(404)


def _to(order_id: str) -> ResponseReturnValue:
    return redirect(url_for("stock.order", order_id=order_id), 303)


def _page(order_id: str, errors: dict[str, str] | None = None, given: Mapping[str, Any] | None = None) -> str:
    with reading() as session:
        found = find(session, order_id)
        offered = select(Product).where(Product.discontinued.is_(False)).order_by(Product.name).limit(300)
        if found.supplier_id:
            offered = offered.where(Product.supplier_id == found.supplier_id)
        return render_template(
            "stock/order.html", order=found, sums=_sums(found), letter=_letter(found), errors=errors or {},
            given=given or {}, house=stock_view.house(session), locations=stock_view.locations(session),
            offered=session.scalars(offered).all() if found.state == DRAFT else [], on_order=ON_ORDER,
            DRAFT=DRAFT, SENT=SENT, PARTLY=PARTLY, NO_DAY=NO_DAY,
        )  # fmt: skip


def _sums(found: Purchase) -> list[tuple[str, Any]]:
    """What the lines with a cost come to, by currency."""
    sums: dict[str, Any] = {}
    for line in found.lines:
        if line.unit_cost is not None:
            sums[line.product.currency] = sums.get(line.product.currency, 0) + line.quantity * line.unit_cost
    return sorted(sums.items())


def _packs(line: PurchaseLine) -> Any:
    return line.quantity / line.product.pack_size if line.product.pack_size > 0 else line.quantity


def _rows(found: Purchase) -> Iterator[tuple[Any, ...]]:
    for line in found.lines:
        product = line.product
        yield (
            found.number, found.supplier.name if found.supplier else "", product.sku, product.name, product.barcode,
            product.unit, line.quantity, product.pack_size, round(_packs(line), 4), line.received, line.unit_cost,
            product.currency,
        )  # fmt: skip


def _letter(found: Purchase) -> str:
    """What to write to the supplier."""
    goods = [
        f"- {plain(line.quantity)} {line.product.unit}".rstrip() + f" · {line.product.name} (SKU {line.product.sku})"
        for line in found.lines
    ]
    due = [f"Please deliver by {found.expected_on:%-d %B %Y}."] if found.expected_on else []
    note = [found.note] if found.note else []
    words = ["Good day,", "", f"please send us what follows (our order {found.number}):", "", *goods, "", *due, *note]
    return "\n".join([*words, "", "With kind regards,", me().name])
