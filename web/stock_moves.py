"""Movements: the list of all, searched and as a CSV file; and the stocktake, which counts many products at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from models.account import Account
from models.base import total
from models.stock import KINDS, Location, Movement, Product
from tasks.inventory.movements import quantity
from tasks.inventory.movements_many import Row, Wrong, record_many
from tasks.tables import csv_lines
from web import stock_view
from web.current import current_workspace, me, reading, require_role, runtime, writing
from web.inputs import page_number
from web.stock import bp
from web.stock_inputs import read_amount
from web.stock_view import PER_PAGE, moved

HEAD = (
    "Day", "Kind", "SKU", "Product", "Quantity", "Counted", "Unit price", "Currency", "Location", "Expires on", "Note",
    "Recorded by", "Reverses", "Id",
)  # fmt: skip
AT_ONCE = 100  # products on a page of the stocktake
MOST_COUNTED = 50_000  # of the list: more are “many”, since counting them all takes longer than reading a page


@dataclass(frozen=True, slots=True)
class Line:
    """A movement as lists show it."""

    movement: Movement
    sku: str
    product: str
    unit: str
    currency: str
    place: str
    by: str
    reversed: bool


@bp.get("/stock/movements")
def movements() -> ResponseReturnValue:
    asked, page = _asked(), page_number()
    with reading() as session:
        wanted = _wanted(asked)
        rows = _lines(session, wanted, PER_PAGE, (page - 1) * PER_PAGE)
        # A last page says how many there are; only before it they have to be counted.
        last = len(rows) < PER_PAGE and (rows or page == 1)
        found = (page - 1) * PER_PAGE + len(rows) if last else _count(session, wanted)
        product = session.scalar(select(Product).where(Product.id == asked["product"])) if asked["product"] else None
        return render_template(
            "stock/movements.html", rows=rows, found=found, most=MOST_COUNTED, asked=asked, page=page, kinds=KINDS,
            pages=stock_view.pages(found), product=product, locations=stock_view.locations(session),
        )  # fmt: skip


@bp.get("/stock/movements.csv")
def movements_csv() -> Response:
    asked, database, workspace = _asked(), runtime().database, current_workspace()

    def rows() -> Iterator[tuple[Any, ...]]:
        with database.read(workspace) as session:
            found = session.execute(_whole(_wanted(asked)).execution_options(yield_per=500))
            for move, sku, name, _unit, currency, place, by in found:
                yield (
                    move.on, move.kind, sku, name, move.quantity, move.counted, move.unit_price, currency, place,
                    move.expires_on, move.note, by, move.reverses_id, move.id,
                )  # fmt: skip

    head = {"Content-Disposition": 'attachment; filename="movements.csv"'}
    return Response(csv_lines(HEAD, rows()), content_type="text/csv; charset=utf-8", headers=head)


@bp.get("/stock/stocktake")
@require_role("member")
def stocktake() -> ResponseReturnValue:
    return _stocktake({}, {})


@bp.post("/stock/stocktake")
@require_role("member")
def count_all() -> ResponseReturnValue:
    """What was counted; what was left empty was not. All of a page is recorded, or nothing of it."""
    place = request.form.get("location", "")
    given = {name[8:]: text.strip() for name, text in request.form.items() if name.startswith("counted-")}
    given = dict(list(given.items())[: AT_ONCE * 2])
    rows, errors = [], {}
    with reading() as session:
        day = stock_view.house(session).today
        known = {one for one, _ in stock_view.locations(session)}
    for product_id, text in given.items():
        if text:
            try:
                amount = quantity(read_amount(text), zero=True)
                rows.append(Row(product_id, "count", amount, day, place or None, note="Stocktake", created_by=me().id))
            except ValueError as error:
                errors[product_id] = str(error)
    if place and place not in known:
        errors[""] = "Choose a location from the list."
    if not errors and rows:
        try:
            with writing() as session:
                record_many(session, rows)
        except Wrong as wrong:
            errors[wrong.row.product_id] = str(wrong)
    if errors or not rows:
        errors = errors or {"": "Write what you counted beside at least one product."}
        return _stocktake(errors, given), 422
    flash(f"{len(rows)} product{'' if len(rows) == 1 else 's'} counted.", "success")
    return redirect(url_for("stock.stocktake", location=place or None, page=page_number() + 1), 303)


def lines(session: Session, product_id: str, most: int = PER_PAGE) -> list[Line]:
    """The last movements of a product, which was found in the workspace."""
    last = select(moved.id).where(moved.product_id == product_id).order_by(moved.on_day.desc(), moved.id.desc())
    ids = session.scalars(last.limit(most)).all()
    found = _told(session, _whole([Movement.id.in_(ids)]).order_by(None)) if ids else []
    return sorted(found, key=lambda line: (line.movement.on, line.movement.id), reverse=True)


def _lines(session: Session, wanted: list[ColumnElement[bool]], most: int, skip: int) -> list[Line]:
    return _told(session, _whole(wanted).limit(most).offset(skip))


def _told(session: Session, asked: Select[Movement, str, str, str, str, str, str]) -> list[Line]:
    found = session.execute(asked).all()
    ids = [row[0].id for row in found]
    back = set(session.scalars(select(moved.reverses_id).where(moved.reverses_id.in_(ids)))) if ids else set()
    return [
        Line(row[0], row[1], row[2], row[3], row[4], row[5] or "", row[6] or "", row[0].id in back) for row in found
    ]


def _whole(wanted: list[ColumnElement[bool]]) -> Select[Movement, str, str, str, str, str, str]:
    asked = select(
        Movement, Product.sku, Product.name, Product.unit, Product.currency, Location.name, Account.name
    ).join(Product, Product.id == Movement.product_id)
    asked = asked.outerjoin(Location, Location.id == Movement.location_id)
    asked = asked.outerjoin(Account, Account.id == Movement.created_by)
    return asked.where(*wanted).order_by(Movement.on.desc(), Movement.id.desc())


def _count(session: Session, wanted: list[ColumnElement[bool]]) -> int:
    """How many there are, no further than people page."""
    asked = select(Movement.id).join(Product, Product.id == Movement.product_id).where(*wanted).limit(MOST_COUNTED)
    return session.scalar(select(func.count()).select_from(asked.subquery())) or 0


def _asked() -> dict[str, str]:
    names = ("q", "kind", "product", "location", "first", "last")
    asked = {name: request.args.get(name, "").replace("\0", "").strip()[:160] for name in names}
    for name in ("first", "last"):
        try:
            asked[name] = date.fromisoformat(asked[name]).isoformat() if asked[name] else ""
        except ValueError:
            asked[name] = ""
    return asked


def _wanted(asked: dict[str, str]) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if asked["q"]:
        fields = (Product.sku, Product.name, Product.barcode, Movement.note)
        wanted.append(or_(*(field.icontains(asked["q"], autoescape=True) for field in fields)))
    if asked["kind"] in KINDS:
        wanted.append(Movement.kind == asked["kind"])
    if asked["product"]:
        wanted.append(Movement.product_id == asked["product"])
    if asked["location"]:
        wanted.append(Movement.location_id == asked["location"])
    if asked["first"]:
        wanted.append(Movement.on >= date.fromisoformat(asked["first"]))
    if asked["last"]:
        wanted.append(Movement.on <= date.fromisoformat(asked["last"]))
    return wanted


def _stocktake(errors: dict[str, str], given: dict[str, str]) -> str:
    place, page = request.values.get("location", ""), page_number()
    with reading() as session:
        chosen = _counted_at(place)
        found = stock_view.count(session, chosen.with_only_columns(Product.id))
        rows = session.scalars(chosen.order_by(Product.name, Product.id).limit(AT_ONCE).offset((page - 1) * AT_ONCE))
        products = rows.all()
        lying = _lying(session, place, [one.id for one in products])
        return render_template(
            "stock/stocktake.html", products=products, lying=lying, place=place, page=page, errors=errors, given=given,
            pages=stock_view.pages(found, AT_ONCE), locations=stock_view.locations(session), found=found,
        )  # fmt: skip


def _counted_at(place: str) -> Select[Product]:
    """What belongs to a place or lies there; without a place, all that is in the range or still on hand."""
    if not place:
        return select(Product).where(or_(Product.discontinued.is_(False), Product.on_hand != 0))
    there = aliased(Movement)
    lies = select(there.product_id).where(there.location_id == place).group_by(there.product_id)
    return select(Product).where(
        or_(Product.location_id == place, Product.id.in_(lies.having(total(there.quantity) != 0)))
    )


def _lying(session: Session, place: str, ids: list[str]) -> dict[str, Decimal]:
    """What should be there of each."""
    if not place:
        asked = select(Product.id, Product.on_hand).where(Product.id.in_(ids))
    else:
        asked = select(Movement.product_id, total(Movement.quantity)).where(Movement.product_id.in_(ids))
        asked = asked.where(Movement.location_id == place).group_by(Movement.product_id)
    return {one: there for one, there in session.execute(asked)}  # noqa: C416  # typed as what it is
