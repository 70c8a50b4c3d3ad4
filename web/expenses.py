"""The expense tracker's first page, which says what to do today, and its charts."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from models.alert import FIRING, Alert
from models.ledger import Category, Entry, Purse, Recurring
from tasks.books import budgets, ledger_sums, recurrence, sample_money
from tasks.books.budgets import BudgetState
from tasks.handover import Refused
from web import expense_figures as figures
from web import places
from web.current import current_workspace, me, reading, require_role, writing
from web.given import Given

bp = Blueprint("expenses", __name__, url_prefix="/expenses")
SOON = timedelta(days=7)
COUNTED = 1_000  # no further: a page is not to wait for it
SPANS = {"3": "3 months", "6": "6 months", "12": "12 months", "24": "24 months"}


@bp.get("")
def index() -> ResponseReturnValue:
    with reading() as session:
        purses = session.scalars(select(Purse).where(Purse.closed_at.is_(None)).order_by(Purse.name)).all()
        if not purses and session.scalar(select(Purse.id).limit(1)) is None:
            return render_template("expenses/first.html")
        today = places.today(session)
        found = _to_do(session, today) | _months(session, today)
        found |= {"purses": purses, "held": ledger_sums.balances(session, purses, today)}
        recent = select(Entry).order_by(Entry.on.desc(), Entry.id.desc()).limit(8)
        names = (joinedload(Entry.purse), joinedload(Entry.category), joinedload(Entry.payee))
        found["recent"] = session.scalars(recent.options(*names)).all()
    return render_template("expenses/index.html", today=today, **found)


@bp.get("/charts")
def charts() -> ResponseReturnValue:
    """What went for what, to whom, and over time; of one currency at a time."""
    given = Given(request.args)
    span = given.choice("span", SPANS, "12")
    span = span if span in SPANS else "12"
    with reading() as session:
        today, offered = places.today(session), ledger_sums.currencies(session)
        currency = request.args.get("currency", "")
        currency = currency if currency in offered else (offered or [places.here(session).currency])[0]
        months = ledger_sums.months(today, int(span))
        since, until = months[0], figures.last_of(months[-1])
        cells = ledger_sums.cells(session, since, until)
        purses = session.scalars(select(Purse).where(Purse.currency == currency)).all()
        ends = ledger_sums.month_ends(session, purses, months)
        payees = ledger_sums.by_payee(session, since, until, currency, figures.MOST_BARS)
        names = _categories(session)
    spent = list(ledger_sums.shown(ledger_sums.by_category(cells, currency), names, figures.NO_CATEGORY))
    drawn = {
        "time": figures.over_time(ledger_sums.by_month(cells, currency, months), ends, currency),
        "categories": figures.by_category(spent, currency, since, until),
        "payees": figures.by_payee(payees, currency, since, until),
    }
    return render_template(
        "expenses/charts.html", drawn=drawn, currency=currency, currencies=offered, span=span, spans=SPANS,
        empty=not cells,
    )  # fmt: skip


@bp.post("/sample")
@require_role("member")
def sample() -> ResponseReturnValue:
    """A few months of an invented household, to look around in."""
    try:
        with writing() as session:
            place = places.here(session)
            sample_money.write(session, places.today(session), place.currency, me().id)
    except Refused as error:
        flash(" ".join(error.errors.values()), "info")
    else:
        flash("Look around. To be rid of it, delete the accounts whose names begin with “Sample”.", "success")
    return redirect(url_for("expenses.index"), 303)


def _to_do(session: Session, today: date) -> dict[str, Any]:
    """What wants somebody's attention."""
    firing = select(Alert).where(Alert.area == "expenses", Alert.state == FIRING)
    alerts = session.scalars(firing.order_by(Alert.level.desc(), Alert.id.desc()).limit(20)).all()
    due = select(Recurring, Purse).join(Purse, Purse.id == Recurring.purse_id)
    due = due.where(Recurring.paused.is_(False), Recurring.next_on <= today + SOON).order_by(Recurring.next_on)
    bare = select(Entry.id).where(Entry.category_id.is_(None), Entry.transfer_id.is_(None)).limit(COUNTED + 1)
    loose = session.scalar(select(func.count()).select_from(bare.subquery())) or 0
    return {
        "alerts": alerts,
        "due": session.execute(due.limit(20)).all(),
        "uncategorised": loose,
        "counted": COUNTED,
        "words": recurrence.words,
        "budgets": _budgets(session, today),
    }


def _months(session: Session, today: date) -> dict[str, Any]:
    """This month beside the last: of each currency, and of the first one by category."""
    months = ledger_sums.months(today, 6)
    this, last = months[-1], months[-2]
    cells = ledger_sums.cells(session, months[0], figures.last_of(this))
    offered = ledger_sums.currencies(session)
    so_far = min(last + timedelta(days=today.day - 1), figures.last_of(last))
    compared = []
    for code in offered:
        now = ledger_sums.flow([cell for cell in cells if this <= cell.on <= today], code)
        then = ledger_sums.flow([cell for cell in cells if last <= cell.on <= so_far], code)
        whole = ledger_sums.flow([cell for cell in cells if last <= cell.on < this], code)
        compared.append((code, now, then, whole))
    currency, names = offered[0], _categories(session)
    flows = ledger_sums.by_category([cell for cell in cells if this <= cell.on <= today], currency)
    spent = list(ledger_sums.shown(flows, names, figures.NO_CATEGORY))
    return {
        "compared": compared,
        "currency": currency,
        "by_category": figures.by_category(spent, currency, this, today) if spent else None,
        "over_time": figures.over_time(ledger_sums.by_month(cells, currency, months), {}, currency),
        "so_far": so_far,
    }


def _budgets(session: Session, today: date) -> list[BudgetState]:
    """The fullest first."""
    found = budgets.states(session, current_workspace(), today)
    return sorted(found, key=lambda each: -(each.standing.share or 0))[:6]


def _categories(session: Session) -> dict[str, str]:
    return {row.id: row.name for row in session.scalars(select(Category))}
