"""The API's products and movements: routes of web/api.py's own blueprint, described by openapi_stock."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from flask import Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.stock import KINDS, Location, Movement, Product, Supplier
from tasks.handover import Refused
from tasks.inventory.movements import plain
from tasks.inventory.reversals import reverse
from web import stock_book, stock_products, stock_view
from web.api import NO_OBJECT, bp, idempotency_key, iso, json_body
from web.current import me, reading, require_role, writing
from web.inputs import Form, _plain
from web.stock_inputs import PROGRAM, MovementForm, ProductForm
from web.stock_view import NOTHING, PER_PAGE

F = TypeVar("F", bound=Form)
NAMED: dict[str, type[Supplier] | type[Location]] = {
    "supplier": Supplier,
    "location": Location,
    "to_location": Location,
}
WHICH = ("product_id", "sku", "barcode")
NO_FIELD = "There is no such field; leave it out."
NO_PRODUCT = "No product has this {name}."


@bp.get("/products")
def stock_list() -> ResponseReturnValue:
    """Products by SKU; `next` leads to the following page."""
    asked = {name: request.args.get(name, "").replace("\0", "").strip() for name in ("q", "sku", "barcode", "after")}
    found = select(Product).outerjoin(Supplier, Supplier.id == Product.supplier_id)
    for name in ("sku", "barcode"):
        found = found.where(getattr(Product, name) == asked[name]) if asked[name] else found
    found = found.where(stock_view.matching(asked["q"])) if asked["q"] else found
    found = found.where(Product.sku > asked["after"]) if asked["after"] else found
    with reading() as session:
        rows = session.scalars(found.order_by(Product.sku).limit(PER_PAGE + 1)).all()
        coming = stock_view.on_order(session, [row.id for row in rows])
    more = {name: value for name, value in asked.items() if value}
    following = (
        url_for("api.stock_list", _external=False, **(more | {"after": rows[PER_PAGE - 1].sku}))
        if rows[PER_PAGE:]
        else None
    )
    return jsonify(products=[_product(row, coming) for row in rows[:PER_PAGE]], next=following)


@bp.post("/products")
@require_role("member")
def add_stock() -> ResponseReturnValue:
    """A new product; its quantity is a movement's, so none is taken here."""
    given = body_of(set(ProductForm.model_fields) | {"supplier", "location"})
    try:
        with writing() as session:
            given = {"currency": stock_view.house(session).currency} | _references(session, given)
            form = read(ProductForm, given)
            if wrong := stock_products.clashes(session, form, None):
                raise Refused(wrong)
            made = stock_products.make(session, form)
    except IntegrityError as error:
        raise Refused({"sku": stock_products.SAME_SKU.format(name="look for it in the list")}) from error
    return _made(_whole(made.id), url_for("api.show_stock", product_id=made.id))


@bp.get("/products/<product_id>")
def show_stock(product_id: str) -> ResponseReturnValue:
    """One product."""
    return jsonify(_whole(product_id))


@bp.patch("/products/<product_id>")
@require_role("member")
def change_stock(product_id: str) -> ResponseReturnValue:
    """Other values of the fields that are named; “discontinued” among them."""
    given = body_of(set(ProductForm.model_fields) | {"supplier", "location", "discontinued"})
    try:
        with writing() as session:
            found = stock_view.product(session, product_id)
            ends = given.pop("discontinued", found.discontinued)
            if not isinstance(ends, bool):
                raise Refused({"discontinued": "Give true or false."})
            known = {name: getattr(found, name) for name in ProductForm.model_fields}
            form = read(ProductForm, known | {"barcode": found.barcode or ""} | _references(session, given))
            if wrong := stock_products.clashes(session, form, found.id):
                raise Refused(wrong)
            stock_products.change(found, stock_products.values_of(form) | {"discontinued": ends})
    except IntegrityError as error:
        raise Refused({"sku": stock_products.SAME_SKU.format(name="look for it in the list")}) from error
    return jsonify(_whole(product_id))


@bp.get("/movements")
def moves() -> ResponseReturnValue:
    """Movements, the newest record first; `next` leads to the following page."""
    asked = {name: request.args.get(name, "") for name in ("product_id", "kind", "after")}
    if asked["kind"] and asked["kind"] not in KINDS:
        raise Refused({"kind": f"Choose one of {', '.join(KINDS)}."})
    found = select(Movement)
    for name in ("product_id", "kind"):
        found = found.where(getattr(Movement, name) == asked[name]) if asked[name] else found
    found = found.where(Movement.id < asked["after"]) if asked["after"] else found
    with reading() as session:
        rows = session.scalars(found.order_by(Movement.id.desc()).limit(PER_PAGE + 1)).all()
    more = {name: value for name, value in asked.items() if value}
    following = (
        url_for("api.moves", _external=False, **(more | {"after": rows[PER_PAGE - 1].id})) if rows[PER_PAGE:] else None
    )
    return jsonify(movements=[told_movement(row) for row in rows[:PER_PAGE]], next=following)


@bp.post("/movements")
@require_role("member")
def add_move() -> ResponseReturnValue:
    """Record what happened, of the product with this SKU, barcode or id. The same key is recorded once."""
    given = body_of(set(MovementForm.model_fields) | {*WHICH, "location", "to_location"})
    with writing() as session:
        product = _which(session, {name: given.pop(name) for name in WHICH if name in given})
        form, house = read(MovementForm, _references(session, given)), stock_view.house(session)
        told = stock_book.record_form(session, product, form, house, key=idempotency_key())
        if told.movement is None:
            raise Refused(told.errors)
        answer = told_movement(told.movement) | {"on_hand": plain(product.on_hand)}
    return _made(answer, url_for("api.show_stock", product_id=product.id))


@bp.post("/movements/<movement_id>/reverse")
@require_role("member")
def reverse_move(movement_id: str) -> ResponseReturnValue:
    """A counter movement of a wrong one; both stay."""
    try:
        with writing() as session:
            made = reverse(session, stock_book.movement(session, movement_id), me().id)
    except ValueError as error:
        raise Refused({"": str(error)}, 409) from error
    return jsonify(movements=[told_movement(each) for each in made]), 201


def body_of(fields: set[str]) -> dict[str, Any]:
    body = json_body() if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise Refused({"": NO_OBJECT})
    if unknown := set(body) - fields:
        raise Refused(dict.fromkeys(sorted(unknown), NO_FIELD))
    return {name: value.replace("\0", "") if isinstance(value, str) else value for name, value in body.items()}


def read(model: type[F], given: Mapping[str, Any]) -> F:
    try:
        return model.model_validate(given, context=PROGRAM)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        raise Refused({str(each["loc"][0]): _plain(each["type"], each["msg"]) for each in wrong}) from error


def _references(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """Names of suppliers and locations become their ids."""
    found = dict(given)
    for name, table in NAMED.items():
        told = found.pop(name, None)
        if told is not None:
            known = session.scalar(select(table.id).where(table.name == str(told)))
            if known is None:
                raise Refused({name: "Nothing has this name; make it on the web first."})
            found[f"{name}_id"] = known
    return found


def _which(session: Session, told: dict[str, Any]) -> Product:
    if len(told) != 1:
        raise Refused({"sku": "Name the product by one of sku, barcode and product_id."})
    name, value = next(iter(told.items()))
    column = Product.id if name == "product_id" else getattr(Product, name)
    found = session.scalars(select(Product).where(column == str(value)).order_by(Product.id)).first()
    if found is None:
        raise Refused({name: NO_PRODUCT.format(name=name)})
    return found


def _made(body: Mapping[str, Any], where: str) -> Response:
    answer: Response = jsonify(body)
    answer.status_code = 201
    answer.headers["Location"] = where
    return answer


def _whole(product_id: str) -> dict[str, Any]:
    with reading() as session:
        found = stock_view.product(session, product_id)
        return _product(found, stock_view.on_order(session, [product_id]))


def _product(one: Product, coming: Mapping[str, Decimal]) -> dict[str, Any]:
    due = coming.get(one.id, NOTHING)
    amounts = {"price": one.price, "cost": one.cost, "reorder_level": one.reorder_level, "target": one.target}
    amounts |= {"pack_size": one.pack_size, "on_hand": one.on_hand, "on_order": due, "projected": one.on_hand + due}
    told = {name: getattr(one, name) for name in ("id", "sku", "name", "unit", "category", "barcode", "currency")}
    told |= {name: getattr(one, name) for name in ("supplier_id", "location_id", "lead_days", "perishable")}
    told |= {name: None if value is None else plain(value) for name, value in amounts.items()}
    return told | {
        "discontinued": one.discontinued,
        "created_at": iso(one.created_at),
        "url": url_for("api.show_stock", product_id=one.id),
    }


def told_movement(one: Movement) -> dict[str, Any]:
    amounts = {"quantity": one.quantity, "counted": one.counted, "unit_price": one.unit_price}
    told = {name: getattr(one, name) for name in ("id", "product_id", "kind", "location_id", "note")}
    told |= {name: getattr(one, name) for name in ("transfer_id", "reverses_id")}
    told |= {name: None if value is None else plain(value) for name, value in amounts.items()}
    return told | {"on": one.on.isoformat(), "expires_on": one.expires_on.isoformat() if one.expires_on else None}
