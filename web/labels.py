"""What entries are sorted by: categories, and payees, who can be renamed and merged."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import clock, new_id
from models.ledger import Category, Entry, Payee
from tasks.books import labels, ledger
from tasks.books.labels import L
from tasks.books.ledger import LONGEST_PAYEE
from tasks.handover import Refused
from web.current import reading, require_role, writing
from web.given import Given
from web.inputs import page_number

bp = Blueprint("labels", __name__, url_prefix="/expenses")
LONGEST_CATEGORY = 80
PAGE = 50
TAKEN = "There is one of this name already; merge the two instead."
NOT_ITSELF = "Choose another one."


@bp.get("/categories")
def categories() -> ResponseReturnValue:
    return _categories()


@bp.post("/categories")
@require_role("member")
def add_category() -> ResponseReturnValue:
    given = Given(request.form)
    name = given.text("name", LONGEST_CATEGORY, required=True)
    with writing() as session:
        _free(session, Category, name, given)
        if not given.wrong:
            session.add(Category(id=new_id(), name=name))
    if given.wrong:
        return _categories(given.wrong), 422
    flash("Added.", "success")
    return redirect(url_for("labels.categories"), 303)


@bp.post("/categories/<category_id>/rename")
@require_role("member")
def rename_category(category_id: str) -> ResponseReturnValue:
    given = Given(request.form)
    name = given.text("name", LONGEST_CATEGORY, required=True)
    with writing() as session:
        category = ledger.find(session, Category, category_id) or abort(404)
        _free(session, Category, name, given, category.id)
        if not given.wrong:
            category.name = name
    if given.wrong:
        return _categories({f"name-{category_id}": given.wrong["name"]}), 422
    flash("Saved.", "success")
    return redirect(url_for("labels.categories"), 303)


@bp.post("/categories/<category_id>/hide")
@require_role("member")
def hide_category(category_id: str) -> ResponseReturnValue:
    """A hidden one is not proposed any more; entries keep it."""
    with writing() as session:
        category = ledger.find(session, Category, category_id) or abort(404)
        category.hidden_at = None if category.hidden_at else clock(session)
    return redirect(url_for("labels.categories"), 303)


@bp.post("/categories/<category_id>/merge")
@require_role("member")
def merge_category(category_id: str) -> ResponseReturnValue:
    """All that has this one gets the other, and this one is gone."""
    with writing() as session:
        source = ledger.find(session, Category, category_id) or abort(404)
        target = ledger.find(session, Category, request.form.get("into", ""))
        if target is None or target.id == source.id:
            wrong = {f"into-{category_id}": NOT_ITSELF}
        else:
            wrong = {}
            count = labels.merge_categories(session, source, target)
    if wrong:
        return _categories(wrong), 422
    flash(f"Merged; {count} entries moved.", "success")
    return redirect(url_for("labels.categories"), 303)


@bp.get("/payees")
def payees() -> ResponseReturnValue:
    wanted, page = request.args.get("q", "").strip()[:100], page_number()
    with reading() as session:
        found = select(Payee)
        if wanted:
            found = found.where(func.lower(Payee.name).contains(wanted.lower(), autoescape=True))
        count = session.scalar(select(func.count()).select_from(found.subquery())) or 0
        rows = session.scalars(found.order_by(Payee.name, Payee.id).limit(PAGE).offset((page - 1) * PAGE)).all()
        names = _names(session)
        used = labels.used(session, Entry.payee_id, [row.id for row in rows])
    return render_template(
        "expenses/payees.html", rows=rows, names=names, used=used, page=page, pages=-(-count // PAGE), q=wanted,
        count=count,
    )  # fmt: skip


@bp.get("/payees/<payee_id>")
def payee(payee_id: str) -> ResponseReturnValue:
    return _payee(payee_id)


@bp.post("/payees/<payee_id>")
@require_role("member")
def save_payee(payee_id: str) -> ResponseReturnValue:
    given = Given(request.form)
    name = given.text("name", LONGEST_PAYEE, required=True)
    category = given.row("category") or None
    with writing() as session:
        found = ledger.find(session, Payee, payee_id) or abort(404)
        _free(session, Payee, name, given, payee_id)
        if category and ledger.find(session, Category, category) is None:
            given.wrong["category"] = ledger.NO_CATEGORY
        if not given.wrong:
            found.name, found.category_id = name, category
    if given.wrong:
        return _payee(payee_id, given.wrong), 422
    flash("Saved.", "success")
    return redirect(url_for("labels.payees"), 303)


@bp.post("/payees/<payee_id>/merge")
@require_role("member")
def merge_payee(payee_id: str) -> ResponseReturnValue:
    try:
        with writing() as session:
            source = ledger.find(session, Payee, payee_id) or abort(404)
            target = labels.named(session, Payee, " ".join(request.form.get("into", "").split()))
            if target is None or target.id == source.id:
                raise Refused({"into": "Write the name of another payee that there is."})
            count = ledger.merge(session, source, target)
    except Refused as error:
        return _payee(payee_id, error.errors), error.status
    flash(f"Merged into {target.name}; {count} entries moved.", "success")
    return redirect(url_for("labels.payees"), 303)


def _categories(errors: dict[str, str] | None = None) -> str:
    with reading() as session:
        rows = session.scalars(select(Category).order_by(Category.hidden_at.is_not(None), Category.name)).all()
        used = labels.used(session, Entry.category_id, [row.id for row in rows])
    return render_template("expenses/categories.html", rows=rows, used=used, errors=errors or {})


def _payee(payee_id: str, errors: dict[str, str] | None = None) -> str:
    with reading() as session:
        found = ledger.find(session, Payee, payee_id) or abort(404)
        others = session.scalars(select(Payee.name).where(Payee.id != payee_id).order_by(Payee.name).limit(500)).all()
        used = labels.used(session, Entry.payee_id, [payee_id])
        categories = session.scalars(select(Category).order_by(Category.name)).all()
    return render_template(
        "expenses/payee.html", payee=found, others=others, used=used.get(payee_id, 0), errors=errors or {},
        categories=categories,
    )  # fmt: skip


def _names(session: Session) -> dict[str, str]:
    return {row.id: row.name for row in session.scalars(select(Category))}


def _free(session: Session, kind: type[L], name: str, given: Given, own: str = "") -> None:
    found = labels.named(session, kind, name)
    if found is not None and found.id != own:
        given.wrong.setdefault("name", TAKEN)
