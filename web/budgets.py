"""Pages of budgets: how each stands, where it will end, what it was; made, changed, archived and deleted."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alert import RESOLVED, Alert, Mute
from models.ledger import Budget, Category
from tasks import money
from tasks.books import budget_history, budgets
from tasks.books.budgets import BudgetState
from tasks.budget import words
from tasks.handover import Refused
from web import budget_book, places
from web import budget_figures as figures
from web.current import current_workspace, reading, require_role, writing
from web.inputs import page_number
from web.money import offered

bp = Blueprint("budgets", __name__, url_prefix="/expenses/budgets")
PAGE, FEW = 50, 8
PERIODS = {"month": "A month", "week": "A week", "payday": "From pay day to pay day", "year": "A year"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@bp.get("")
def index() -> ResponseReturnValue:
    page = page_number()
    with reading() as session:
        every = budgets.states(session, current_workspace(), places.today(session))
        old = select(Budget).where(Budget.archived_at.is_not(None)).order_by(Budget.archived_at.desc()).limit(PAGE)
        archived = session.scalars(old).all()
    pages = max(1, -(-len(every) // PAGE))
    shown = every[PAGE * (page - 1) : PAGE * page]
    return render_template(
        "budgets/index.html", states=shown, archived=archived, page=page, pages=pages, **_words()
    )  # fmt: skip


@bp.get("/<budget_id>")
def show(budget_id: str) -> ResponseReturnValue:
    with reading() as session:
        budget, one = _find(session, budget_id)
        place = current_workspace()
        found = {
            "drawn": figures.burn_down(one, budget_history.daily(session, place, one)),
            "past": budget_history.past(session, place, one),
            "left_out": budget_history.left_out(session, place, one),
            "alerts": _alerts(session, budget_id),
            "mute": session.scalars(select(Mute).where(Mute.rule == budgets.RULE, Mute.subject == budget_id)).first(),
        }
    return render_template("budgets/show.html", budget=budget, one=one, ending=figures.ending(one), **found, **_words())


@bp.get("/new")
@require_role("member")
def new() -> ResponseReturnValue:
    with reading() as session:
        values = {"currency": places.here(session).currency, "period": "month", "starts": "1"}
        return _form(session, values | {"category": request.args.get("category", "")})


@bp.post("/new")
@require_role("member")
def create() -> ResponseReturnValue:
    try:
        with writing() as session:
            budget = budget_book.create(session, _values())
    except Refused as error:
        return _again(error)
    flash("Saved. You are warned before it is used up.", "success")
    return _to(budget.id)


@bp.get("/<budget_id>/edit")
@require_role("member")
def edit(budget_id: str) -> ResponseReturnValue:
    with reading() as session:
        budget = _budget(session, budget_id)
        values: dict[str, Any] = {name: getattr(budget, name) for name in budget_book.FIELDS if name != "category"}
        values |= {"category": budget.category_id or "", "limit": money.typed(budget.limit, budget.currency)}
        return _form(session, values, budget)


@bp.post("/<budget_id>/edit")
@require_role("member")
def save(budget_id: str) -> ResponseReturnValue:
    try:
        with writing() as session:
            budget_book.change(session, _budget(session, budget_id), _values())
    except Refused as error:
        return _again(error, budget_id)
    flash("Saved.", "success")
    return _to(budget_id)


@bp.post("/<budget_id>/archive")
@require_role("member")
def archive(budget_id: str) -> ResponseReturnValue:
    with writing() as session:
        budget = _budget(session, budget_id)
        budget_book.archive(session, budget)
        gone = budget.archived_at is not None
    flash("Archived: it warns of nothing any more, and its entries stay." if gone else "It counts again.", "success")
    return redirect(url_for("budgets.index"), 303) if gone else _to(budget_id)


@bp.get("/<budget_id>/delete")
@require_role("member")
def ask(budget_id: str) -> ResponseReturnValue:
    with reading() as session:
        return render_template("budgets/delete.html", budget=_budget(session, budget_id))


@bp.post("/<budget_id>/delete")
@require_role("member")
def delete(budget_id: str) -> ResponseReturnValue:
    with writing() as session:
        session.delete(_budget(session, budget_id))
    flash("The budget is gone. The entries that counted for it stay.", "success")
    return redirect(url_for("budgets.index"), 303)


def begins(period: str, starts: int) -> str:
    """When its periods begin, in words."""
    if period == "week":
        return f"Every week from {WEEKDAYS[starts - 1]} on"
    if period == "year":
        return f"Every year from 1 {MONTHS[starts - 1]} on"
    if period == "month" and starts == 1:
        return "Every month"
    day = f"day {starts}" if starts < 29 else f"day {starts}, or the last one of a shorter month,"
    return f"From pay day to pay day: {day} on" if period == "payday" else f"Every month from {day} on"


def _words() -> dict[str, Any]:
    return {"percent": words.percent, "days": words.days, "begins": begins}


def _values() -> Mapping[str, Any]:
    """The posted form; each period has its own field for when it begins."""
    form = dict(request.form)
    period = form.get("period", "")
    return form | {"starts": form.get(f"starts_{'month' if period == 'payday' else period}", form.get("starts", "1"))}


def _budget(session: Session, budget_id: str) -> Budget:
    return budget_book.find(session, budget_id) or abort(404)


def _find(session: Session, budget_id: str) -> tuple[Budget, BudgetState]:
    budget = _budget(session, budget_id)
    one = budgets.state(session, current_workspace(), places.today(session), budget_id)
    return budget, one or abort(404)


def _alerts(session: Session, budget_id: str) -> list[Alert]:
    mine = select(Alert).where(Alert.rule == budgets.RULE, Alert.subject == budget_id)
    latest = (Alert.state == RESOLVED, Alert.moved_at.desc(), Alert.id)
    return list(session.scalars(mine.order_by(*latest).limit(FEW)))


def _again(error: Refused, budget_id: str = "") -> ResponseReturnValue:
    with reading() as session:
        budget = _budget(session, budget_id) if budget_id else None
        return _form(session, _values(), budget, error.errors), error.status


def _form(
    session: Session, values: Mapping[str, Any], budget: Budget | None = None, errors: dict[str, str] | None = None
) -> str:
    chosen = values.get("category")
    shown = select(Category).where(Category.hidden_at.is_(None) | (Category.id == chosen)).order_by(Category.name)
    categories = [("", "All together"), *((row.id, row.name) for row in session.scalars(shown))]
    return render_template(
        "budgets/form.html", values=values, budget=budget, errors=errors or {}, categories=categories,
        currencies=offered(), periods=list(PERIODS.items()), weekdays=WEEKDAYS, months=MONTHS,
    )  # fmt: skip


def _to(budget_id: str) -> ResponseReturnValue:
    return redirect(url_for("budgets.show", budget_id=budget_id), 303)
