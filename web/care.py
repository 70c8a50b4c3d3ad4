"""The queue of customer care: lists of tickets, and one thing done to many of them."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.ticket import STATUSES, Ticket
from tasks.care import moves
from web import care_book, care_due, care_filter, care_many, care_people, care_presence, care_view
from web.care_people import Desk
from web.current import may_answer, me, reading, require_desk

bp = Blueprint("care", __name__, url_prefix="/care")
COUNTED = ("mine", "team", "nobody", "waiting", "overdue")
MOST_COUNTED = 100
WORDS: dict[str, Any] = {
    "views": care_filter.VIEWS, "sorts": care_filter.SORTS, "dues": care_filter.DUES, "statuses": STATUSES,
    "priorities": care_filter.PRIORITIES, "sources": care_filter.SOURCES, "status_name": moves.name,
    "status_choices": [(name, moves.name(name).capitalize()) for name in STATUSES],
    "priority_choices": [(word, word.capitalize()) for word in care_filter.PRIORITIES.values()],
}  # fmt: skip


@bp.get("")
@require_desk("look")
def index() -> ResponseReturnValue:
    with reading() as session:
        now, desk = clock(session), care_people.choices(session)
        teams = tuple(sorted(row[0] for row in desk.mine))
        wanted, wrong = care_filter.read(request.args, me().time_zone, me().id, teams, _first_view())
        after = care_book.mark_of(request.args.get("after", ""), wanted.order)
        rows, following = care_book.listed(session, wanted, after, now)
        found = _beside(session, [row[0] for row in rows], desk, now)
        counts = care_book.counted(session, COUNTED, me().id, teams, now, MOST_COUNTED)
        empty = not rows and session.scalar(select(Ticket.id).limit(1)) is None
    return render_template(
        "care/index.html", rows=rows, wanted=wanted, wrong=wrong, counts=counts, now=now, first_time=empty,
        due=care_due.due, most_counted=MOST_COUNTED, asked=dict(wanted.given), after=request.args.get("after", ""),
        following={**wanted.given, "after": following} if following else None, most=care_many.MOST, **found, **WORDS,
    )  # fmt: skip


def _first_view() -> str:
    """What is shown first: what waits for this person; a search goes through all."""
    return "mine" if may_answer() and not request.args.get("q") else "all"


def _beside(session: Session, tickets: list[Ticket], desk: Desk, now: int) -> dict[str, Any]:
    """What the rows show of other tables: a question for each."""
    ids = [each.id for each in tickets]
    looking: dict[str, list[care_presence.Somebody]] = {}
    for each in care_presence.others(session, ids, me().id, now) if ids else ():
        looking.setdefault(each.ticket_id, []).append(each)
    return {
        "desk": desk, "looking": looking, "tags": care_view.tags(session, ids) if ids else {},
        "names": care_people.names(session, [each.assignee_id for each in tickets], desk.agents),
    }  # fmt: skip


@bp.post("/many")
@require_desk("agent")
def many() -> ResponseReturnValue:
    """Assign, move, tag or close what was ticked."""
    numbers = care_many.chosen(request.form.getlist("numbers"))
    if not numbers:
        flash("Choose at least one ticket first: tick the box before it.", "info")
        return _back()
    action = request.form.get("action", "")
    done = care_many.perform(action, numbers, request.form.get(action, ""))
    flash(done.words, "success" if done.done and not done.refused else "warning")
    return _back()


def _back() -> ResponseReturnValue:
    """To the list, with the filters that it had."""
    known = {name: request.form.get(f"back-{name}", "")[:200] for name in (*care_filter.NAMES, "after")}
    return redirect(url_for("care.index", **{name: text for name, text in known.items() if text}), 303)  # type: ignore[arg-type]
