"""The list of entries: searched, paged, downloaded, and many of them changed at once."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.ledger import Category, Entry, Payee, Purse
from tasks import tables
from tasks.books import ledger, ledger_search, transfers
from tasks.books.ledger_search import NONE, Filters, Line
from tasks.handover import Refused
from web.current import reading, require_role, writing
from web.given import Given

bp = Blueprint("entries", __name__, url_prefix="/expenses/entries")
MOST = 500  # ids of one form
KINDS = {"out": "Money out", "in": "Money in", "transfer": "Transfers"}
NAMES = ("q", "purse", "category", "payee", "kind", "since", "until", "least", "most")
HEADER = ("Day", "Account", "Payee", "Category", "Amount", "Currency", "Note", "Part of a split", "Transfer")
NONE_CHOSEN = "Choose at least one entry first: tick the box before it."


@bp.get("")
def index() -> ResponseReturnValue:
    filters, wrong = read_filters(request.args)
    after = request.args.get("after", "")
    with reading() as session:
        try:
            rows, following = ledger_search.page(session, filters, after) if not wrong else ([], "")
        except ValueError:
            abort(404)
        whole = None if after or following else rows
        total = ledger_search.total(session, filters, whole) if filters and not wrong else None
        more = choices(session) | {"someone": ledger.find(session, Payee, filters.payee)}
        started = bool(rows) or session.scalar(select(Entry.id).limit(1)) is not None
    page = render_template(
        "expenses/entries.html", rows=rows, following=following, total=total, asked=asked(), wrong=wrong, kinds=KINDS,
        none=NONE, filters=filters, started=started, after=after, all_chosen=request.args.get("choose") == "all",
        **more,
    )  # fmt: skip
    return page, 422 if wrong else 200


@bp.get("/download")
def download() -> ResponseReturnValue:
    """All that the filters find, as a file for a spreadsheet; written while it is read."""
    filters, wrong = read_filters(request.args)
    if wrong:
        return redirect(url_for("entries.index", **asked()))
    pieces = tables.csv_lines(HEADER, map(_cells, ledger_search.everything(reading, filters)))
    response = Response(stream_with_context(pieces), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=entries.csv"
    return response


def _cells(line: Line) -> tuple[Any, ...]:
    return (*line[:-2], *("yes" if mark else "" for mark in line[-2:]))


@bp.post("/many")
@require_role("member")
def many() -> ResponseReturnValue:
    """A category for all that were ticked, a transfer of two, or the question before they are deleted."""
    ids, action = chosen(), request.form.get("action", "")
    if not ids:
        flash(NONE_CHOSEN, "info")
        return back()
    if action == "delete":
        return ask(ids)
    try:
        with writing() as session:
            words = _act(session, action, ids)
    except Refused as error:
        flash(" ".join(error.errors.values()), "danger")
    else:
        flash(words, "success")
    return back()


def _act(session: Session, action: str, ids: list[str]) -> str:
    if action == "pair":
        transfers.pair(session, ids)
        return "They are one transfer now, and no spending."
    if action != "categorise":
        abort(400)
    wanted = request.form.get("to_category", "")
    if not wanted:
        raise Refused({"": "Choose a category for the entries you ticked."})
    count = ledger.categorise(session, ids, None if wanted == NONE else wanted)
    return f"{counted(count)} changed."


@bp.get("/<entry_id>/delete")
@require_role("member")
def ask_one(entry_id: str) -> ResponseReturnValue:
    with reading() as session:
        ledger.find(session, Entry, entry_id) or abort(404)
    return ask([entry_id])


@bp.post("/delete")
@require_role("member")
def delete() -> ResponseReturnValue:
    with writing() as session:
        count = ledger.remove(session, chosen())
    flash(f"{counted(count)} deleted.", "success")
    return back()


def ask(ids: list[str]) -> str:
    """What would be deleted: with each entry the other parts of its payment, and the other side of its transfer."""
    with reading() as session:
        going = sorted(ledger.together(session, ids))
        rows = session.scalars(
            select(Entry)
            .where(Entry.id.in_(going[:MOST]))
            .order_by(Entry.on.desc(), Entry.id)
            .options(joinedload(Entry.purse), joinedload(Entry.payee))
        ).all()
    return render_template(
        "expenses/delete_entries.html", rows=rows, ids=ids, more=len(going) - len(ids), asked=asked()
    )  # fmt: skip


def counted(count: int) -> str:
    return "1 entry was" if count == 1 else f"{count or 'No'} entries were"


def chosen() -> list[str]:
    return list(dict.fromkeys(request.form.getlist("ids")))[:MOST]


def asked() -> dict[str, Any]:
    """The filters as they were typed, for links and forms."""
    given: Mapping[str, Any] = request.values
    return {name: text for name in NAMES if (text := str(given.get(name) or "").strip()[:200])}


def back() -> ResponseReturnValue:
    return redirect(url_for("entries.index", **asked()), 303)


def read_filters(values: Mapping[str, Any]) -> tuple[Filters, dict[str, str]]:
    """The filters, and a message for each that cannot be read."""
    given = Given({name: values.get(name, "") for name in NAMES})
    filters = Filters(
        text=given.text("q", 100),
        purse=given.row("purse"),
        category=given.row("category"),
        payee=given.row("payee"),
        kind=given.choice("kind", ("", *KINDS)),
        since=given.day("since", required=False),
        until=given.day("until", required=False),
        least=given.amount("least", required=False),
        most=given.amount("most", required=False),
    )
    return filters, given.wrong


def choices(session: Session) -> dict[str, Any]:
    """What the filters and the forms offer."""
    purses = session.scalars(select(Purse).order_by(Purse.closed_at.is_not(None), Purse.name)).all()
    categories = session.scalars(select(Category).order_by(Category.hidden_at.is_not(None), Category.name)).all()
    return {"purses": purses, "categories": categories}
