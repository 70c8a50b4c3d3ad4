"""Stock: what somebody who keeps a shelf should do today. Its other pages, in web/stock_*.py, use this blueprint."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.alert import FIRING, PENDING, Alert
from models.stock import DRAFT, Product, Purchase
from models.workspace import Workspace
from tasks.inventory import stock_sample
from web import people, stock_view
from web.current import current_workspace, everyone, me, reading, require_role, writing

bp = Blueprint("stock", __name__)
RULES = {
    "flag": "Record it, and show it here",
    "allow": "Record it, and say nothing",
    "refuse": "Refuse it",
}
WORST = 8  # alerts on the first page; the others stand on the page of alerts


@bp.get("/stock")
def index() -> ResponseReturnValue:
    with reading() as session:
        house = stock_view.house(session)
        products = session.scalar(select(func.count()).select_from(Product)) or 0
        if not products:
            return render_template("stock/first.html", house=house)
        alerts, more = _alerts(session, "stock")
        ageing, more_ageing = _alerts(session, "expiry")
        drafts = session.scalars(select(Purchase).where(Purchase.state == DRAFT).order_by(Purchase.number).limit(10))
        return render_template(
            "stock/index.html",
            house=house,
            products=products,
            alerts=alerts,
            more=more,
            late=stock_view.late(session, house.today),
            awaited=stock_view.awaited(session, house.today),
            drafts=drafts.all(),
            suppliers=dict(stock_view.suppliers(session)),
            ageing=ageing,
            more_ageing=more_ageing,
            negative=stock_view.below_zero(session) if house.negative != "allow" else [],
            rules=RULES,
        )


@bp.get("/stock/find")
def find() -> ResponseReturnValue:
    """Where a scanned or typed code leads: to its product, or to those in which it occurs."""
    code = request.args.get("code", "").replace("\0", "").strip()[:160]
    with reading() as session:
        found = stock_view.by_code(session, code)
    if found:
        return redirect(url_for("stock.product", product_id=found.id, kind="sale"))  # ready to record
    return redirect(url_for("stock.products", q=code))


@bp.post("/stock/rule")
@require_role("owner")
def rule() -> ResponseReturnValue:
    """What becomes of a movement that would leave less than nothing."""
    chosen = request.form.get("negative", "")
    if chosen not in RULES:
        abort(400)
    with everyone(write=True) as session:
        session.execute(update(Workspace).where(Workspace.id == current_workspace()).values(negative_stock=chosen))
        people.audit(session, "negative stock set", me().id, current_workspace(), now=chosen)
    flash("Saved.", "success")
    return redirect(url_for("stock.index"), 303)


@bp.post("/stock/sample")
@require_role("member")
def sample() -> ResponseReturnValue:
    """Something to look around in, where nothing is kept yet."""
    with writing() as session:
        if session.scalar(select(Product.id).limit(1)) is not None:
            flash("There are products here already; the sample is for an empty workspace.", "warning")
            return redirect(url_for("stock.index"), 303)
        house = stock_view.house(session)
        names = {name for _, name in [*stock_view.suppliers(session), *stock_view.locations(session)]}
        if names & {*stock_sample.PLACES, *(name for name, _ in stock_sample.SUPPLIERS)}:
            flash("Suppliers or locations of the sample are here already: delete them first.", "warning")
            return redirect(url_for("stock.index"), 303)
        many = stock_sample.fill(session, current_workspace(), house.currency, house.today, me().id)
    flash(f"{many} products with half a year of sales, to look around.", "success")
    return redirect(url_for("stock.index"), 303)


def _alerts(session: Session, rule: str) -> tuple[list[Alert], int]:
    """The worst open alerts of a rule, those that fire first, and how many there are besides."""
    open_ = (Alert.area == "stock", Alert.rule == rule, Alert.state.in_((FIRING, PENDING)))
    asked = select(Alert).where(*open_).order_by(Alert.state, Alert.level.desc(), Alert.id).limit(WORST)
    count = session.scalar(select(func.count()).select_from(Alert).where(*open_)) or 0
    return list(session.scalars(asked)), max(0, count - WORST)
