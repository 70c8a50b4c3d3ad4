"""Beside a ticket: what was answered to such a question before, and the topic and priority that such tickets have.

The ticket's page includes `care/_suggestions.html` (`ticket` in its context), which fetches this after it is shown.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.desk import Topic
from models.ticket import QUESTION, Ticket, TicketMessage
from tasks.care import tickets
from tasks.care.fields import PRIORITIES
from tasks.care.suggestions.said import Guess
from tasks.care.tickets import AGENT, By, Refused
from web import care_book
from web.care_answers import SURE, suggested
from web.current import current_workspace, me, reading, require_desk, writing

bp = Blueprint("care_suggestions", __name__, url_prefix="/care")


@bp.get("/<int:number>/suggestions")
@require_desk("look")
def show(number: int) -> ResponseReturnValue:
    """A page; with `part`, what the script puts into the ticket's page."""
    with reading() as session:
        ticket = care_book.find(session, number)
        found = suggested(session, current_workspace(), ticket.id, _question(session, ticket))
        names = {row.id: row.name for row in session.scalars(select(Topic).where(Topic.archived.is_(False)))}
    answers, topics, priorities = found or ([], (), ())
    topic = _first(topics, lambda guess: guess.value in names and guess.value != ticket.topic_id)
    priority = _first(priorities, lambda guess: int(guess.value) != ticket.priority)
    page = "care/_suggested.html" if request.args.get("part") else "care/suggestions.html"
    return render_template(
        page, ticket=ticket, learned=found is not None, answers=answers, names=names, topic=topic, priority=priority,
        priorities=PRIORITIES, sure=SURE,
    )  # fmt: skip


@bp.post("/<int:number>/suggested")
@require_desk("agent")
def take(number: int) -> ResponseReturnValue:
    """Give the ticket the topic or priority that was suggested."""
    with writing() as session:
        ticket = care_book.find(session, number)
        by = By(AGENT, account_id=me().id, why="suggested by the assistant")
        try:
            tickets.change(session, ticket, by, clock(session), **_chosen(session))
        except Refused as error:
            flash(str(error), "danger")
        else:
            flash("Changed, as was suggested.", "success")
    return redirect(f"/care/{number}", 303)


def _chosen(session: Session) -> dict[str, Any]:
    topic, priority = request.form.get("topic", ""), request.form.get("priority", "")
    if topic:
        return {"topic_id": session.scalar(select(Topic.id).where(Topic.id == topic)) or abort(404)}
    if priority.isascii() and priority.isdigit() and int(priority) in PRIORITIES:
        return {"priority": int(priority)}
    abort(400)


def _first(guesses: tuple[Guess, ...], fits: Callable[[Guess], bool]) -> Guess | None:
    """The likeliest, if it is sure enough and says something new."""
    best = guesses[0] if guesses else None
    return best if best is not None and best.sure != "unsure" and fits(best) else None


def _question(session: Session, ticket: Ticket) -> str:
    """Its subject and first question."""
    asked = select(TicketMessage.text).where(TicketMessage.ticket_id == ticket.id, TicketMessage.kind == QUESTION)
    first = session.scalar(asked.order_by(TicketMessage.at, TicketMessage.id).limit(1))
    return f"{ticket.subject}\n{first or ''}"
