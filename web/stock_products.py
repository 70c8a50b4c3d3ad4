"""Products: the list that is searched and sorted, and the form that makes and changes one."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, contains_eager

from models.base import new_id
from models.stock import Location, Movement, Product, PurchaseLine, Supplier
from tasks import money
from tasks.tables import csv_lines
from web import stock_view
from web.current import current_workspace, reading, require_role, runtime, writing
from web.inputs import page_number, read_form
from web.stock import bp
from web.stock_inputs import ProductForm, typed
from web.stock_view import PER_PAGE

SORTS: dict[str, Any] = {
    "name": Product.name, "sku": Product.sku, "on_hand": Product.on_hand, "category": Product.category,
    "supplier": Supplier.name,
}  # fmt: skip
SHOWN = {"kept": "In the range", "negative": "Below zero", "gone": "Discontinued", "all": "All"}
LIMITS = ("reorder_level", "target", "pack_size", "lead_days", "discontinued")  # by which stock is judged
SAME_SKU = "Another product has this SKU already: {name}."
SAME_BARCODE = "Another product has this barcode already: {name}."
HEAD = (
    "SKU", "Name", "Barcode", "Category", "Unit", "Supplier", "On hand", "On order", "Reorder level", "Target",
    "Pack size", "Price", "Cost", "Currency", "Discontinued",
)  # fmt: skip


@bp.get("/stock/products")
def products() -> ResponseReturnValue:
    asked, page = _asked(), page_number()
    with reading() as session:
        chosen = _chosen(asked)
        found = stock_view.count(session, chosen.with_only_columns(Product.id))
        rows = session.scalars(_sorted(chosen, asked).limit(PER_PAGE).offset((page - 1) * PER_PAGE)).unique().all()
        return render_template(
            "stock/products.html",
            rows=rows,
            coming=stock_view.on_order(session, [row.id for row in rows]),
            found=found,
            asked=asked,
            page=page,
            pages=stock_view.pages(found),
            suppliers=stock_view.suppliers(session),
            categories=stock_view.categories(session),
            shown=SHOWN,
            sorts=SORTS,
        )


@bp.get("/stock/products.csv")
def products_csv() -> Response:
    """The list as it is searched, all of its pages."""
    asked, database, workspace = _asked(), runtime().database, current_workspace()

    def rows() -> Iterator[tuple[Any, ...]]:
        with database.read(workspace) as session:
            coming = stock_view.on_order(session, None)  # before: while rows stream, no other question can be asked
            for one in session.scalars(_sorted(_chosen(asked), asked).execution_options(yield_per=500)):
                yield _line(one, coming)

    head = {"Content-Disposition": 'attachment; filename="products.csv"'}
    return Response(csv_lines(HEAD, rows()), content_type="text/csv; charset=utf-8", headers=head)


@bp.get("/stock/products/new")
@require_role("member")
def new_product() -> ResponseReturnValue:
    with reading() as session:
        house = stock_view.house(session)
        given = {"currency": house.currency, "barcode": request.args.get("barcode", "")[:64]}
        return _form(session, given | {"sku": given["barcode"]})


@bp.post("/stock/products/new")
@require_role("member")
def make_product() -> ResponseReturnValue:
    return _save(None)


@bp.get("/stock/products/<product_id>/edit")
@require_role("member")
def edit_product(product_id: str) -> ResponseReturnValue:
    with reading() as session:
        found = stock_view.product(session, product_id)
        return _form(session, _shown(found), product=found)


@bp.post("/stock/products/<product_id>/edit")
@require_role("member")
def save_product(product_id: str) -> ResponseReturnValue:
    return _save(product_id)


@bp.post("/stock/products/<product_id>/discontinue")
@require_role("member")
def discontinue(product_id: str) -> ResponseReturnValue:
    """It is not ordered any more, and nobody is warned of it; or it is taken up again."""
    ends = request.form.get("discontinued") == "yes"
    with writing() as session:
        change(stock_view.product(session, product_id), {"discontinued": ends})
    flash("Discontinued: it is not ordered any more, and no alert is made of it." if ends else "Taken up again.")
    return redirect(url_for("stock.product", product_id=product_id), 303)


@bp.post("/stock/products/<product_id>/delete")
@require_role("member")
def delete_product(product_id: str) -> ResponseReturnValue:
    """Only what was made by mistake: a product that ever moved keeps its history."""
    with writing() as session:
        found = stock_view.product(session, product_id)
        for table in (Movement, PurchaseLine):
            if session.scalar(select(table.id).where(table.product_id == product_id).limit(1)):
                flash(
                    "This product has movements or orders, which would go with it. Discontinue it instead.", "warning"
                )
                return redirect(url_for("stock.product", product_id=product_id), 303)
        session.delete(found)
    flash("The product is gone.", "success")
    return redirect(url_for("stock.products"), 303)


def clashes(session: Session, form: ProductForm, product_id: str | None) -> dict[str, str]:
    """What is wrong with a form beside the other rows: doubles, and names of places that are not here."""
    wrong = {}
    for field, value, words in (("sku", form.sku, SAME_SKU), ("barcode", form.barcode, SAME_BARCODE)):
        same = select(Product.name).where(getattr(Product, field) == value, Product.id != (product_id or ""))
        if value and (name := session.scalar(same.limit(1))) is not None:
            wrong[field] = words.format(name=name)
    for field, table in (("supplier_id", Supplier), ("location_id", Location)):
        chosen = getattr(form, field)
        if chosen and session.scalar(select(table.id).where(table.id == chosen)) is None:
            wrong[field] = "Choose one from the list."
    return wrong


def change(product: Product, values: Mapping[str, Any]) -> None:
    """Other values; when what it is judged by changes, what was said of it is said anew."""
    judged = any(name in values and getattr(product, name) != values[name] for name in LIMITS)
    for name, value in values.items():
        if getattr(product, name) != value:
            setattr(product, name, value)
    product.revision += judged


def values_of(form: ProductForm) -> dict[str, Any]:
    return form.model_dump() | {"barcode": form.barcode or None}


def make(session: Session, form: ProductForm) -> Product:
    made = Product(id=new_id(), **values_of(form))
    session.add(made)
    session.flush()
    return made


def _save(product_id: str | None) -> ResponseReturnValue:
    form, errors = read_form(ProductForm)
    found = None
    try:
        with writing() as session:
            found = stock_view.product(session, product_id) if product_id else None
            errors = errors or (clashes(session, form, product_id) if form else {})
            if form and not errors:
                made = found or make(session, form)
                change(made, values_of(form))
                flash("Saved.", "success")
                return redirect(url_for("stock.product", product_id=made.id), 303)
    except IntegrityError:  # somebody else took the SKU at the same moment
        errors = {"sku": SAME_SKU.format(name="look for it in the list")}
    with reading() as session:
        return _form(session, request.form, errors, found), 422


def _form(
    session: Session, values: Mapping[str, Any], errors: dict[str, str] | None = None, product: Product | None = None
) -> str:
    return render_template(
        "stock/product_form.html",
        values=values,
        errors=errors or {},
        product=product,
        suppliers=[("", "Nobody in particular"), *stock_view.suppliers(session)],
        locations=[("", "No usual place"), *stock_view.locations(session)],
        categories=stock_view.categories(session),
        currencies=[(code, f"{code} · {name}") for code, name in money.currencies()],
    )


def _shown(product: Product) -> dict[str, Any]:
    """As it stands in the form's fields."""
    values = {name: getattr(product, name) for name in ProductForm.model_fields}
    for name in ("price", "cost"):
        values[name] = typed(values[name], product.currency)
    for name in ("reorder_level", "target", "pack_size"):
        values[name] = typed(values[name])
    return {name: "" if value is None else value for name, value in values.items()}


def _asked() -> dict[str, str]:
    asked = {name: request.args.get(name, "").replace("\0", "").strip()[:160] for name in ("q", "supplier", "category")}
    shown, sort = request.args.get("show", ""), request.args.get("sort", "")
    asked["show"] = shown if shown in SHOWN else "kept"
    asked["sort"] = sort if sort.removeprefix("-") in SORTS else "name"
    return asked


def _chosen(asked: Mapping[str, str]) -> Select[Product]:
    chosen = select(Product).outerjoin(Supplier, Supplier.id == Product.supplier_id)
    wanted: list[ColumnElement[bool]] = []
    if asked["q"]:
        wanted.append(stock_view.matching(asked["q"]))
    if asked["supplier"]:
        wanted.append(Product.supplier_id == asked["supplier"])
    if asked["category"]:
        wanted.append(Product.category == asked["category"])
    if asked["show"] == "negative":
        wanted.append(Product.on_hand < 0)
    elif asked["show"] in ("kept", "gone"):
        wanted.append(Product.discontinued.is_(asked["show"] == "gone"))
    return chosen.where(*wanted)


def _sorted(chosen: Select[Product], asked: Mapping[str, str]) -> Select[Product]:
    column = SORTS[asked["sort"].removeprefix("-")]
    first = column.desc() if asked["sort"].startswith("-") else column
    return chosen.options(contains_eager(Product.supplier)).order_by(first, Product.id)


def _line(one: Product, coming: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        one.sku, one.name, one.barcode, one.category, one.unit, one.supplier.name if one.supplier else "", one.on_hand,
        coming.get(one.id, 0), one.reorder_level, one.target, one.pack_size, one.price, one.cost, one.currency,
        one.discontinued,
    )  # fmt: skip
