"""The API's budgets: routes of web/api.py's own blueprint, and their part of the description."""

from collections.abc import Mapping
from typing import Any

from flask import Response, abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from models.ledger import PERIODS, Budget
from tasks import money
from tasks.books import budgets
from tasks.books.budgets import BudgetState
from tasks.handover import Refused
from web import budget_book, places
from web.api import NO_OBJECT, bp, json_body
from web.current import current_workspace, reading, require_role, writing

FIELDS = (*budget_book.FIELDS, "archived")
NO_FIELD = "There is no such field; leave it out."
YES_OR_NO = "Say true or false."
Spec = dict[str, Any]
ONE = "/api/v1/expenses/budgets/{budget_id}"
TEXT: Spec = {"type": "string"}
AMOUNT: Spec = {"type": "string", "description": "A decimal number with a point, such as “12.50”."}
DAY: Spec = {"type": "string", "format": "date"}
COUNT: Spec = {"type": "integer", "minimum": 0}


@bp.get("/expenses/budgets")
def expense_budgets() -> ResponseReturnValue:
    """All that are not archived, with how they stand today, the most pressing first."""
    with reading() as session:
        found = budgets.states(session, current_workspace(), places.today(session))
    return jsonify(budgets=[_shown(one) for one in found])


@bp.post("/expenses/budgets")
@require_role("member")
def make_expense_budget() -> ResponseReturnValue:
    """A new budget; of a category, or without one of all together."""
    given = _body()
    with writing() as session:
        made = budget_book.create(session, given)
        answer: Response = jsonify(_whole(session, made.id))
    answer.status_code = 201
    answer.headers["Location"] = url_for("api.expense_budget", budget_id=made.id)
    return answer


@bp.get("/expenses/budgets/<budget_id>")
def expense_budget(budget_id: str) -> ResponseReturnValue:
    """One budget and how it stands."""
    with reading() as session:
        return jsonify(_whole(session, budget_id))


@bp.patch("/expenses/budgets/<budget_id>")
@require_role("member")
def change_expense_budget(budget_id: str) -> ResponseReturnValue:
    """What is named changes, the rest stays; `archived` puts it away or takes it out again."""
    given = _body()
    with writing() as session:
        budget = budget_book.find(session, budget_id) or abort(404)
        wanted = bool(given.get("archived", budget.archived_at is not None))
        if set(given) - {"archived"}:
            begins = {"starts": 1} if given.get("period", budget.period) != budget.period else {}
            budget_book.change(session, budget, {**_known(budget), **begins, **given})
        if wanted != (budget.archived_at is not None):
            budget_book.archive(session, budget)
        return jsonify(_whole(session, budget_id))


@bp.delete("/expenses/budgets/<budget_id>")
@require_role("member")
def delete_expense_budget(budget_id: str) -> ResponseReturnValue:
    """The budget goes; the entries that counted for it stay."""
    with writing() as session:
        session.delete(budget_book.find(session, budget_id) or abort(404))
    return "", 204


def _body() -> dict[str, Any]:
    body = json_body() if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise Refused({"": NO_OBJECT})
    wrong = dict.fromkeys(sorted(set(body) - set(FIELDS)), NO_FIELD)
    wrong |= {name: YES_OR_NO for name in ("rollover", "archived") if not isinstance(body.get(name, False), bool)}
    if wrong:
        raise Refused(wrong)
    return body


def _known(budget: Budget) -> Mapping[str, Any]:
    """As it would be given."""
    same = {name: getattr(budget, name) for name in ("name", "currency", "period", "starts", "rollover")}
    more = {"category": budget.category_id, "limit": money.typed(budget.limit, budget.currency)}
    return dict(same | more | {"since": budget.since.isoformat()})


def _whole(session: Session, budget_id: str) -> Spec:
    found = budgets.state(session, current_workspace(), places.today(session), budget_id)
    budget = budget_book.find(session, budget_id)
    if found is None or budget is None:
        abort(404)
    return _shown(found) | {"archived": budget.archived_at is not None, "revision": budget.revision}


def _shown(one: BudgetState) -> Spec:
    seen, ends = one.standing, one.standing.forecast
    return {
        "id": one.id, "name": one.name, "category": one.category_id, "currency": one.currency, "limit": str(one.limit),
        "period": one.period, "starts": one.starts, "rollover": one.rollover, "since": one.since.isoformat(),
        "state": {
            "from": seen.window.start.isoformat(), "until": seen.window.last.isoformat(), "spent": str(seen.spent),
            "may_go": str(seen.limit), "carried": str(seen.carried), "percent": seen.share, "level": seen.level,
            "days_left": seen.days_left, "even_percent": seen.even,
            "likely": {"low": str(ends.low), "middle": str(ends.end), "high": str(ends.high)} if ends else None,
            "likely_exceeds": seen.exceeds,
        },
        "url": url_for("api.expense_budget", budget_id=one.id),
    }  # fmt: skip


def schemas() -> Spec:
    given: Spec = {
        "name": {**TEXT, "maxLength": budget_book.LONGEST_NAME, "description": "Without one, that of its category."},
        "category": {"type": ["string", "null"], "description": "A category's id; null for all together."},
        "limit": AMOUNT, "currency": TEXT, "period": {"type": "string", "enum": list(PERIODS)},
        "starts": {"type": "integer", "minimum": 1, "maximum": 31, "description": "Of a week the weekday, 1 is Monday; "
                   "of a month and a pay day the day, clamped in short months; of a year the month."},
        "rollover": {"type": "boolean", "description": "What is left, or overspent, goes to the next period."},
        "since": {**DAY, "description": "The first day that counts; else that of the period that is now."},
    }  # fmt: skip
    likely: Spec = {"type": "object", "properties": {"low": AMOUNT, "middle": AMOUNT, "high": AMOUNT}}
    state: Spec = {
        "from": DAY, "until": DAY, "spent": AMOUNT, "may_go": AMOUNT, "carried": AMOUNT,
        "percent": {"type": ["integer", "null"], "description": "Null where nothing may go."},
        "level": {"type": "integer", "enum": [0, 50, 70, 80, 100], "description": "70: it will likely be overspent."},
        "days_left": COUNT, "even_percent": COUNT, "likely": {"anyOf": [likely, {"type": "null"}]},
        "likely_exceeds": {"type": "boolean"},
    }  # fmt: skip
    shown = {"id": TEXT, **given, "state": {"type": "object", "properties": state, "required": list(state)}}
    shown["url"] = TEXT
    whole = shown | {"archived": {"type": "boolean"}, "revision": COUNT}
    change = given | {"archived": {"type": "boolean", "description": "True: it warns of nothing any more."}}
    return {
        "Budget": {"type": "object", "properties": shown, "required": list(shown)},
        "WholeBudget": {"type": "object", "properties": whole, "required": list(whole)},
        "NewBudget": {"type": "object", "properties": given, "required": ["limit", "currency"]},
        "BudgetChange": {"type": "object", "properties": change},
    }


def paths(operation: Any) -> Spec:
    """The routes, by openapi's own maker of an operation."""
    one = [{"name": "budget_id", "in": "path", "required": True, "schema": TEXT}]
    whole, bad = _ref("WholeBudget"), (400, 401, 403, 404, 413, 422)
    listed = {"type": "object", "properties": {"budgets": {"type": "array", "items": _ref("Budget")}}}
    gone = operation("delete_expense_budget", "Delete a budget", {}, one, 204, (401, 403, 404))
    gone["responses"]["204"].pop("content")
    return {
        "/api/v1/expenses/budgets": {
            "get": operation("expense_budgets", "Budgets and how they stand", listed, bad=(401,)),
            "post": operation("make_expense_budget", "Make a budget", whole, [], 201, bad) | _body_of("NewBudget"),
        },
        ONE: {
            "get": operation("expense_budget", "A budget and how it stands", whole, one, bad=(401, 404)),
            "patch": operation("change_expense_budget", "Change a budget", whole, one, 200, bad)
            | _body_of("BudgetChange"),
            "delete": gone,
        },
    }


def _ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}


def _body_of(name: str) -> Spec:
    return {"requestBody": {"content": {"application/json": {"schema": _ref(name)}}}}
