"""The page of a ticket for the people of the desk: the conversation, an answer, who else is there."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.ticket import ANSWER, NOTE, Customer, Ticket, TicketMessage
from tasks.care import customers, reaching, tickets, words
from tasks.care.attachments import NotTaken, Stored
from tasks.care.history import Since
from tasks.care.moves import name
from tasks.care.tickets import AGENT, By, Refused, Stale
from web import care_book, care_due, care_files, care_history, care_people, care_presence, care_view
from web.care import bp
from web.care_filter import PRIORITIES
from web.current import current_workspace, may_answer, me, reading, require_desk, writing
from web.inputs import page_number

Errors = Mapping[str, str]
LONGEST = 200_000
TOO_LONG = "Write at most 200,000 characters, or send the rest as a file."
KINDS = (ANSWER, NOTE)
NO_MAIL = "Your answer stands in the ticket. The customer gets no mail: no address of theirs is known to work."


@bp.get("/<int:number>")
@require_desk("look")
def show(number: int) -> ResponseReturnValue:
    here(number, writes=False)
    return page(number)


def page(
    number: int, errors: Errors | None = None, status: int = 200, since: Sequence[Since] = ()
) -> ResponseReturnValue:
    """The ticket; with what was typed and why it was not taken, or with what came meanwhile."""
    with reading() as session:
        now, ticket = clock(session), care_book.find(session, number)
        shown = care_view.shown(session, ticket, me().id, now, page_number())
        names = care_people.names(session, [each.account_id for each in since], shown.desk.agents)
        changed = _version_of(ticket, shown.present)
    typed = request.form if request.method == "POST" else {}
    return render_template(
        "care/show.html", shown=shown, ticket=ticket, errors=errors or {}, typed=typed, now=now, due=care_due.due,
        came=care_history.came(since, names), priorities=PRIORITIES, status_name=name, etag=changed,
    ), status  # fmt: skip


@bp.get("/<int:number>/presence")
@require_desk("look")
def presence(number: int) -> ResponseReturnValue:
    """Who else is here, and whether something came: polled; 304 while nothing has changed."""
    return _present(number, writes=False)


@bp.post("/<int:number>/presence")
@require_desk("agent")
def writing_now(number: int) -> ResponseReturnValue:
    """The same, told by somebody who writes an answer, or who goes."""
    if request.form.get("gone"):
        with writing() as session:
            care_presence.leave(session, care_book.find(session, number).id, me().id)
        return "", 204
    return _present(number, writes=True)


def here(number: int, writes: bool) -> Ticket:
    """Note that this person is at the ticket; viewers change nothing, and are not told of."""
    with reading() as session:
        now, ticket = clock(session), care_book.find(session, number)
        due = may_answer() and care_presence.seen(session, ticket.id, me().id, writes, now)
    if due:
        with writing() as session:
            care_presence.note(session, ticket.id, me().id, writes, now)
    return ticket


def _present(number: int, writes: bool) -> ResponseReturnValue:
    ticket = here(number, writes)
    with reading() as session:
        found = care_presence.others(session, [ticket.id], me().id, clock(session))
    response: Response = make_response()
    response.set_etag(_version_of(ticket, found), weak=True)
    response.headers["X-Ticket-Version"] = str(ticket.version)
    if response.make_conditional(request).status_code != 304:
        response.set_data(render_template("care/_presence.html", present=found))
    return response


def _version_of(ticket: Ticket, present: Sequence[care_presence.Somebody]) -> str:
    """Changes with the ticket and with who is there."""
    shown = [ticket.id, ticket.version, *((each.name, each.writes) for each in present)]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:20]


@bp.get("/<int:number>/files/<ticket_file_id>")
@require_desk("look")
def file(number: int, ticket_file_id: str) -> ResponseReturnValue:
    with reading() as session:
        ticket = care_book.find(session, number)
        found = care_files.find(session, ticket.id, ticket_file_id, notes=True)
    return care_files.send(found)


@bp.post("/<int:number>/answer")
@require_desk("agent")
def answer(number: int) -> ResponseReturnValue:
    """A public answer or an internal note, and what the ticket becomes with it."""
    kind, text = request.form.get("kind", ""), request.form.get("text", "").replace("\0", "")
    wrong = {} if len(text) <= LONGEST else {"text": TOO_LONG}
    if kind not in KINDS:
        wrong["kind"] = "Choose whether the customer gets it, or the team alone."
    kept: list[Stored] = []
    try:
        if wrong:
            return page(number, wrong, 422)
        kept = _files()
        message = _say(number, kind, text, kept)
    except NotTaken as error:
        care_files.drop(kept)
        return page(number, {"files": str(error)}, 422)
    except Refused as error:
        care_files.drop(kept)
        return page(number, {error.field: str(error)}, error.status)
    except Stale as error:
        care_files.drop(kept)
        if sent := _sent_before(error.ticket, kind, text):
            return _to(number, sent)
        return page(number, {}, 409, error.since)
    flash(_done(number) if kind == ANSWER else "Your note is kept for the team.", "success")
    return _to(number, message)


def _done(number: int) -> str:
    """What becomes of an answer."""
    with reading() as session:
        ticket = care_book.find(session, number)
        customer = session.scalars(select(Customer).where(Customer.id == ticket.customer_id)).one()
        silent = customers.nowhere(customer.email) or reaching.problem(session, ticket.workspace_id, customer.email)
    return NO_MAIL if silent else "The customer gets your answer by mail."


def _files() -> list[Stored]:
    files = care_files.checked()
    with reading() as session:
        return care_files.stored(session, current_workspace(), files)


def _say(number: int, kind: str, text: str, files: Sequence[Stored]) -> TicketMessage:
    with writing() as session:
        ticket, now = care_book.find(session, number), clock(session)
        message = tickets.say(
            session, ticket, kind, text, By(AGENT, account_id=me().id), now, files=files,
            status=request.form.get("status") or None, expected=expected(),
        )  # fmt: skip
        care_presence.note(session, ticket.id, me().id, writes=False, now=now)
    return message


def expected() -> int | None:
    """The version that the page showed; a form without one is taken for the newest."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _sent_before(ticket: Ticket, kind: str, text: str) -> TicketMessage | None:
    """The same words of the same person, just before: the form was sent twice."""
    with reading() as session:
        since = (TicketMessage.ticket_id == ticket.id, TicketMessage.version > (expected() or 0))
        mine = (TicketMessage.account_id == me().id, TicketMessage.kind == kind)
        latest = select(TicketMessage).where(*since, *mine).order_by(TicketMessage.at.desc())
        return next((each for each in session.scalars(latest) if each.text == words.plain(text)), None)


def _to(number: int, message: TicketMessage) -> ResponseReturnValue:
    return redirect(url_for("care.show", number=number, sent=1) + f"#message-{message.id}", 303)


def by() -> By:
    return By(AGENT, account_id=me().id)


def ticket_of(session: Session, number: int) -> tuple[Ticket, int]:
    """A ticket and the time."""
    return care_book.find(session, number), clock(session)


def back(number: int) -> ResponseReturnValue:
    return redirect(url_for("care.show", number=number), 303)


def context() -> dict[str, Any]:
    return {"priorities": PRIORITIES, "status_name": name, "due": care_due.due}
