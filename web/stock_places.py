"""Who delivers, and where things lie."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base import new_id, total
from models.stock import ON_ORDER, Location, Movement, Product, Purchase, Supplier
from web import stock_view
from web.current import reading, require_role, writing
from web.inputs import Form, page_number, read_form
from web.stock import bp
from web.stock_inputs import LocationForm, SupplierForm
from web.stock_view import PER_PAGE

SAME_NAME = "There is one of this name already."
LIES_THERE = "Something still lies there: move it first, or count it down to nothing."


@bp.get("/stock/suppliers")
def suppliers() -> ResponseReturnValue:
    page = page_number()
    with reading() as session:
        found = session.scalar(select(func.count()).select_from(Supplier)) or 0
        rows = session.scalars(
            select(Supplier).order_by(Supplier.name).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
        ).all()
        ids = [row.id for row in rows]
        many = select(Product.supplier_id, func.count()).where(Product.supplier_id.in_(ids))
        many = many.where(Product.discontinued.is_(False)).group_by(Product.supplier_id)
        orders = select(Purchase.supplier_id, func.count()).where(Purchase.supplier_id.in_(ids))
        orders = orders.where(Purchase.state.in_(ON_ORDER)).group_by(Purchase.supplier_id)
        return render_template(
            "stock/suppliers.html", rows=rows, page=page, pages=stock_view.pages(found), found=found,
            products={row[0]: row[1] for row in session.execute(many)},
            orders={row[0]: row[1] for row in session.execute(orders)},
        )  # fmt: skip


@bp.get("/stock/suppliers/new")
@require_role("member")
def new_supplier() -> ResponseReturnValue:
    return _supplier_form({"lead_days": 7})


@bp.post("/stock/suppliers/new")
@require_role("member")
def make_supplier() -> ResponseReturnValue:
    return _save_supplier(None)


@bp.get("/stock/suppliers/<supplier_id>")
@require_role("member")
def edit_supplier(supplier_id: str) -> ResponseReturnValue:
    with reading() as session:
        found = _one(session, Supplier, supplier_id)
    return _supplier_form({name: getattr(found, name) for name in SupplierForm.model_fields}, found=found)


@bp.post("/stock/suppliers/<supplier_id>")
@require_role("member")
def save_supplier(supplier_id: str) -> ResponseReturnValue:
    return _save_supplier(supplier_id)


@bp.post("/stock/suppliers/<supplier_id>/delete")
@require_role("member")
def delete_supplier(supplier_id: str) -> ResponseReturnValue:
    """Its products and orders stay, with nobody in particular."""
    with writing() as session:
        found = _one(session, Supplier, supplier_id)
        on_its_way = select(Purchase.id).where(Purchase.supplier_id == supplier_id, Purchase.state.in_(ON_ORDER))
        if session.scalar(on_its_way.limit(1)):
            flash("An order to this supplier is on its way: receive or close it first.", "warning")
            return redirect(url_for("stock.edit_supplier", supplier_id=supplier_id), 303)
        session.delete(found)
    flash("The supplier is gone.", "success")
    return redirect(url_for("stock.suppliers"), 303)


@bp.get("/stock/locations")
def locations() -> ResponseReturnValue:
    return _locations_page()


@bp.post("/stock/locations")
@require_role("member")
def make_location() -> ResponseReturnValue:
    _, errors = _save(Location, LocationForm, None)
    if errors:
        return _locations_page(errors, request.form), 422
    flash("Saved.", "success")
    return redirect(url_for("stock.locations"), 303)


@bp.get("/stock/locations/<location_id>")
def location(location_id: str) -> ResponseReturnValue:
    return _location_page(location_id)


@bp.post("/stock/locations/<location_id>")
@require_role("member")
def save_location(location_id: str) -> ResponseReturnValue:
    _, errors = _save(Location, LocationForm, location_id)
    if errors:
        return _location_page(location_id, errors, request.form), 422
    flash("Saved.", "success")
    return redirect(url_for("stock.location", location_id=location_id), 303)


@bp.post("/stock/locations/<location_id>/delete")
@require_role("member")
def delete_location(location_id: str) -> ResponseReturnValue:
    with writing() as session:
        found = _one(session, Location, location_id)
        if _lying(session, location_id, 1, 0):
            flash(LIES_THERE, "warning")
            return redirect(url_for("stock.location", location_id=location_id), 303)
        session.delete(found)
    flash("The location is gone.", "success")
    return redirect(url_for("stock.locations"), 303)


def _one(session: Session, table: type[Any], found: str) -> Any:
    return session.scalar(select(table).where(table.id == found)) or abort(404)


def _save(table: type[Any], model: type[Form], known: str | None) -> tuple[str, dict[str, str]]:
    """Make or change a row of names; its id, or what is wrong."""
    form, errors = read_form(model)
    if form is None:
        return "", errors
    try:
        with writing() as session:
            row = _one(session, table, known) if known else table(id=new_id())
            for name, value in form.model_dump().items():
                setattr(row, name, value)
            session.add(row)
        return str(row.id), {}
    except IntegrityError:
        return "", {"name": SAME_NAME}


def _save_supplier(supplier_id: str | None) -> ResponseReturnValue:
    _, errors = _save(Supplier, SupplierForm, supplier_id)
    if errors:
        with reading() as session:
            found = _one(session, Supplier, supplier_id) if supplier_id else None
        return _supplier_form(request.form, errors, found), 422
    flash("Saved.", "success")
    return redirect(url_for("stock.suppliers"), 303)


def _supplier_form(
    values: Mapping[str, Any], errors: dict[str, str] | None = None, found: Supplier | None = None
) -> str:
    return render_template("stock/supplier.html", values=values, errors=errors or {}, supplier=found)


def _locations_page(errors: dict[str, str] | None = None, given: Mapping[str, Any] | None = None) -> str:
    with reading() as session:
        rows = session.scalars(select(Location).order_by(Location.name)).all()
        kinds = _lies().subquery()
        many = select(kinds.c.location_id, func.count()).group_by(kinds.c.location_id)
        return render_template(
            "stock/locations.html", rows=rows, errors=errors or {}, given=given or {},
            products={row[0]: row[1] for row in session.execute(many)},
        )  # fmt: skip


def _location_page(
    location_id: str, errors: dict[str, str] | None = None, given: Mapping[str, Any] | None = None
) -> str:
    page = page_number()
    with reading() as session:
        found = _one(session, Location, location_id)
        count = session.scalar(select(func.count()).select_from(_lies(location_id).subquery())) or 0
        rows = _lying(session, location_id, PER_PAGE, (page - 1) * PER_PAGE)
        return render_template(
            "stock/location.html", location=found, rows=rows, page=page, pages=stock_view.pages(count), found=count,
            errors=errors or {}, given=given or {"name": found.name, "note": found.note},
        )  # fmt: skip


def _lies(location_id: str | None = None) -> Any:
    """Which products lie where, and how many of each."""
    asked = select(Movement.location_id, Movement.product_id, total(Movement.quantity).label("lies"))
    asked = asked.where(Movement.location_id == location_id if location_id else Movement.location_id.is_not(None))
    return asked.group_by(Movement.location_id, Movement.product_id).having(total(Movement.quantity) != 0)


def _lying(session: Session, location_id: str, most: int, skip: int) -> list[Any]:
    lies = _lies(location_id).subquery()
    asked = select(Product, lies.c.lies).join(lies, lies.c.product_id == Product.id)
    return list(session.execute(asked.order_by(Product.name, Product.id).limit(most).offset(skip)))
