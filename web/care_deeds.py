"""What agents do to a ticket besides answering: its fields, tags, links and who takes part."""

from collections.abc import Callable
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from models.ticket import Ticket
from tasks.care import history, reaching, tickets
from tasks.care.tickets import By, Refused, Stale
from web import care_book
from web.care import bp
from web.care_filter import NUMBER_OF
from web.care_ticket import back, by, expected, page, ticket_of
from web.current import me, require_desk, writing

FIELDS = ("status", "priority", "topic_id", "team_id", "assignee_id", "subject")
NO_NUMBER = "Give the number of a ticket of this workspace, such as 42."
Deed = Callable[[Session, Ticket, By, int], object]


@bp.post("/<int:number>/change")
@require_desk("agent")
def change(number: int) -> ResponseReturnValue:
    """Set the fields that the form has. What others changed meanwhile stays, unless it is the same field."""
    form = {name: request.form[name].replace("\0", "") for name in FIELDS if name in request.form}
    fields: dict[str, Any] = {name: text for name, text in form.items() if text != request.form.get(f"was-{name}")}
    if "priority" in fields:
        fields["priority"] = NUMBER_OF.get(fields["priority"], 0)
    if fields.get("assignee_id") == "me":
        fields["assignee_id"] = me().id
    if not fields:
        return back(number)

    def set_them(session: Session, ticket: Ticket, who: By, now: int) -> None:
        _since_is_other(session, ticket, fields)
        tickets.change(session, ticket, who, now, **fields)

    return _do(number, set_them, "Saved.")


def _since_is_other(session: Session, ticket: Ticket, fields: dict[str, Any]) -> None:
    """
    Raises:
        Stale: somebody changed the same fields since this page was shown.
    """
    seen = expected()
    if seen is None or seen >= ticket.version:
        return
    came = history.since(session, ticket.id, seen)
    if {name.removesuffix("_id") for name in fields} & {each.what for each in came}:
        raise Stale(ticket, came)


@bp.post("/<int:number>/tag")
@require_desk("agent")
def tag(number: int) -> ResponseReturnValue:
    """Put a tag on, or take one off."""
    put, off = request.form.get("tag", "").replace("\0", ""), request.form.get("off", "").replace("\0", "")

    def deed(session: Session, ticket: Ticket, who: By, now: int) -> object:
        return tickets.untag(session, ticket, off, who, now) if off else tickets.tag(session, ticket, put, who, now)

    return _do(number, deed)


@bp.post("/<int:number>/link")
@require_desk("agent")
def link(number: int) -> ResponseReturnValue:
    """Link it with another ticket, or take that back."""
    off = request.form.get("off", "")

    def deed(session: Session, ticket: Ticket, who: By, now: int) -> object:
        other = other_ticket(session, off or request.form.get("link", ""), "link")
        do = tickets.unlink if off else tickets.link
        return do(session, ticket, other, who, now)

    return _do(number, deed)


@bp.post("/<int:number>/copy")
@require_desk("agent")
def copy(number: int) -> ResponseReturnValue:
    """Let another address take part, or no more."""
    put, off = request.form.get("copy", "").replace("\0", ""), request.form.get("off", "").replace("\0", "")

    def deed(session: Session, ticket: Ticket, who: By, now: int) -> object:
        if off:
            return tickets.drop_copy(session, ticket, off, who, now)
        try:
            return tickets.add_copy(session, ticket, put, who, now)
        except Refused as error:
            raise Refused("copy", str(error), error.status) from error

    return _do(number, deed)


@bp.post("/<int:number>/reached")
@require_desk("agent")
def reached(number: int) -> ResponseReturnValue:
    """Mail to somebody who takes part works again, whatever came back before."""
    email = request.form.get("email", "").replace("\0", "")

    def deed(session: Session, ticket: Ticket, who: By, now: int) -> object:
        return reaching.works_again(session, ticket, email, who, now)

    return _do(number, deed, "Mail is sent there again.")


def other_ticket(session: Session, text: str, field: str) -> Ticket:
    """The ticket that somebody named by its number, with or without a #.

    Raises:
        Refused: there is none.
    """
    plain = text.strip().lstrip("#").strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10):
        raise Refused(field, NO_NUMBER)
    try:
        return care_book.find(session, int(plain))
    except NotFound:
        raise Refused(field, NO_NUMBER) from None


def _do(number: int, deed: Deed, said: str = "") -> ResponseReturnValue:
    try:
        with writing() as session:
            ticket, now = ticket_of(session, number)
            deed(session, ticket, by(), now)
    except Refused as error:
        return page(number, {error.field: str(error)}, error.status)
    except Stale as error:
        return page(number, {}, 409, error.since)
    if said:
        flash(said, "success")
    return back(number)
