"""What is to be ordered, by supplier: quantities to look over, which become drafts of purchase orders; and as CSV."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import clock
from models.engine import again
from models.stock import DRAFT, Product, Purchase, PurchaseLine
from tasks.inventory import purchases, stock_lines
from tasks.inventory.movements import quantity
from tasks.inventory.purchases import Wanted
from tasks.stock import words
from tasks.stock.words import Line
from tasks.tables import csv_lines
from web import stock_view
from web.current import current_workspace, me, reading, require_role, writing
from web.inputs import page_number
from web.stock_inputs import read_amount

bp = Blueprint("reorder", __name__)
PER_PAGE = 100  # of one order no more than 500 lines go in
NONE = "none"  # the choice “without a supplier”
HEAD = (
    "SKU", "Product", "Supplier", "On hand", "On order", "Reorder level", "Days of cover", "Lead time in days", "Order",
    "Pack size", "Packs", "Unit cost", "Cost", "Currency", "Why",
)  # fmt: skip
TICK = "Tick what is to be ordered first."


@dataclass(frozen=True)
class Group:
    """What one supplier is to deliver, as far as it is on this page."""

    name: str
    lines: list[Line]
    costs: dict[str, Decimal] = field(default_factory=dict)


@bp.get("/stock/reorder")
def index() -> ResponseReturnValue:
    return _page()


@bp.post("/stock/reorder")
@require_role("member")
def order() -> ResponseReturnValue:
    """Drafts of what is ticked, one for each supplier. Nothing is sent by it."""
    wanted, errors = _wanted(request.form)
    if errors or not wanted:
        return _page(errors or {"": TICK}, request.form), 422
    try:
        made = _draft(wanted)
    except ValueError as error:
        return _page({"": str(error)}, request.form), 422
    if len(made) == 1:
        flash("A draft: look it over, then mark it as sent.", "success")
        return redirect(url_for("stock.order", order_id=made[0]), 303)
    flash(f"{len(made)} drafts, one for each supplier: look them over, then mark them as sent.", "success")
    return redirect(url_for("stock.orders", show="draft"), 303)


@bp.get("/stock/reorder.csv")
def as_csv() -> Response:
    with reading() as session:
        lines = _short(session)
    head = {"Content-Disposition": 'attachment; filename="to-order.csv"'}
    return Response(csv_lines(HEAD, map(_row, lines)), content_type="text/csv; charset=utf-8", headers=head)


def _short(session: Session) -> list[Line]:
    """All that is to be ordered, by supplier; what has none comes last."""
    return sorted(
        stock_lines.short(session, clock(session)),
        key=lambda line: (not line.supplier, line.supplier.casefold(), line.name.casefold(), line.product_id),
    )


def _page(errors: Mapping[str, str] | None = None, given: Mapping[str, str] | None = None) -> str:
    chosen, page = request.args.get("supplier", ""), page_number()
    with reading() as session:
        every = _short(session)
        lines = [line for line in every if not chosen or (line.supplier_id or NONE) == chosen]
        shown = lines[(page - 1) * PER_PAGE : page * PER_PAGE]
        drafted = _drafted(session, [line.product_id for line in shown])
        return render_template(
            "stock/reorder.html", groups=_groups(shown), found=len(lines), every=len(every), page=page,
            pages=stock_view.pages(len(lines), PER_PAGE), chosen=chosen, suppliers=_suppliers(every),
            drafted=drafted, errors=errors or {}, given=given, ticked=_ticked(shown, drafted, given),
            why=words.reason, any=session.scalar(select(Product.id).limit(1)) is not None,
        )  # fmt: skip


def _groups(lines: list[Line]) -> list[Group]:
    groups: dict[str | None, Group] = {}
    for line in lines:
        group = groups.setdefault(line.supplier_id, Group(line.supplier, []))
        group.lines.append(line)
        if line.total is not None:
            group.costs[line.currency] = group.costs.get(line.currency, Decimal(0)) + line.total
    return list(groups.values())


def _ticked(lines: list[Line], drafted: Mapping[str, object], given: Mapping[str, str] | None) -> set[str]:
    """What was ticked; at first all of which something is to be ordered and that stands on no draft yet."""
    if given is not None:
        return set(request.form.getlist("tick"))
    return {line.product_id for line in lines if line.order > 0 and line.product_id not in drafted}


def _suppliers(lines: list[Line]) -> list[tuple[str, str, int]]:
    """Whom something is to be ordered from, and how many products."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for line in sorted(lines, key=attrgetter("supplier")):
        counts[line.supplier_id or NONE, line.supplier or "No supplier"] += 1
    return [(found, name, count) for (found, name), count in counts.items()]


def _drafted(session: Session, ids: list[str]) -> dict[str, tuple[str, int]]:
    """Products that stand on a draft already, which is not on order yet: its id and number."""
    asked = select(PurchaseLine.product_id, func.max(Purchase.number)).join(
        Purchase, Purchase.id == PurchaseLine.purchase_id
    )
    asked = asked.where(Purchase.state == DRAFT, PurchaseLine.product_id.in_(ids)).group_by(PurchaseLine.product_id)
    numbers = dict(session.execute(asked).all())
    named = select(Purchase.number, Purchase.id).where(Purchase.number.in_(set(numbers.values())))
    orders = dict(session.execute(named).all())
    return {product: (orders[number], number) for product, number in numbers.items()}


def _wanted(form: Mapping[str, str]) -> tuple[list[Wanted], dict[str, str]]:
    """What is ticked, with the quantities as they were typed."""
    wanted, errors = [], {}
    for product in dict.fromkeys(request.form.getlist("tick")[:PER_PAGE]):
        try:
            wanted.append(Wanted(product, quantity(read_amount(form.get(f"amount-{product}", "")))))
        except ValueError as error:
            errors[f"amount-{product}"] = str(error)
    return wanted, errors


@again
def _draft(wanted: list[Wanted]) -> list[str]:
    """One draft for each supplier, all of them or none."""
    with writing() as session:
        asked = select(Product.id, Product.supplier_id).where(Product.id.in_([each.product_id for each in wanted]))
        whose = dict(session.execute(asked).all())
        if len(whose) < len(wanted):
            raise ValueError("One of these products is gone. Look at the list again.")
        parts: dict[str | None, list[Wanted]] = defaultdict(list)
        for each in wanted:
            parts[whose[each.product_id]].append(each)
        return [
            purchases.draft(session, current_workspace(), supplier, some, created_by=me().id).id
            for supplier, some in parts.items()
        ]


def _row(line: Line) -> tuple[str | int | float | Decimal | None, ...]:
    cover = None if line.cover_projected is None else round(line.cover_projected, 1)
    return (
        line.sku, line.name, line.supplier, line.on_hand, line.on_order, line.reorder_level, cover, line.lead_days,
        line.order, line.pack, line.packs, line.cost, line.total, line.currency, words.text(line),
    )  # fmt: skip
