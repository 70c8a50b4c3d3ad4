"""Two tickets about one thing become one: find the other, see both, confirm."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.ticket import Customer, Ticket, TicketMessage
from tasks.care import copies, tickets
from tasks.care.moves import name
from tasks.care.tickets import OtherCustomer, Refused
from web import care_book, care_due
from web.care import bp
from web.care_deeds import other_ticket
from web.care_filter import Filter
from web.care_ticket import by, ticket_of
from web.current import reading, require_desk, writing

FOUND, SAID = 12, 3  # tickets that are offered; latest messages of each that are shown


@bp.get("/<int:number>/merge")
@require_desk("agent")
def merge(number: int) -> ResponseReturnValue:
    """Look for the other ticket: at first the same customer's are offered."""
    return _choose(number, request.args.get("q", "").replace("\0", "").strip()[:200], "")


def _choose(number: int, text: str, error: str, status: int = 200) -> ResponseReturnValue:
    with reading() as session:
        now, ticket = clock(session), care_book.find(session, number)
        wanted = Filter(text=text) if text else Filter(customer=ticket.customer_id)
        rows, _ = care_book.listed(session, wanted, None, now, FOUND + 1)
    found = [row for row in rows if row[0].id != ticket.id and row[0].merged_into_id is None][:FOUND]
    return render_template(
        "care/merge.html", ticket=ticket, found=found, q=text, error=error, status_name=name, due=care_due.due, now=now
    ), status  # fmt: skip


@bp.get("/<int:number>/merge/into")
@require_desk("agent")
def confirm(number: int) -> ResponseReturnValue:
    """Both, side by side, before anything is done."""
    try:
        return _both(number, request.args.get("into", ""))
    except Refused as error:
        return _choose(number, "", str(error), 422)


def _both(number: int, text: str, error: str = "", status: int = 200) -> ResponseReturnValue:
    with reading() as session:
        one, into = care_book.find(session, number), other_ticket(session, text, "into")
        both = [(each, _customer(session, each), _latest(session, each)) for each in (one, into)]
        here = copies.of(session, one.id)
        alone = [(email, one if email in here else into) for email in copies.apart(session, one, into)]
        now = clock(session)
    return render_template(
        "care/merge_confirm.html", one=one, into=into, both=both, error=error, status_name=name, due=care_due.due,
        now=now, apart=one.customer_id != into.customer_id, alone=alone,
    ), status  # fmt: skip


def _customer(session: Session, ticket: Ticket) -> Customer:
    return session.scalars(select(Customer).where(Customer.id == ticket.customer_id)).one()


def _latest(session: Session, ticket: Ticket) -> list[TicketMessage]:
    theirs = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    return list(session.scalars(theirs.order_by(TicketMessage.at.desc(), TicketMessage.id.desc()).limit(SAID)))


@bp.post("/<int:number>/merge")
@require_desk("agent")
def merged(number: int) -> ResponseReturnValue:
    """Do it. Of two customers it has to be confirmed by itself; who takes part in one of them goes on by a tick."""
    text, keep = request.form.get("into", ""), request.form.getlist("keep")
    try:
        with writing() as session:
            ticket, now = ticket_of(session, number)
            other, sure = other_ticket(session, text, "into"), bool(request.form.get("apart"))
            into = tickets.merge(session, ticket, other, by(), now, confirmed=sure, keep=keep)
    except OtherCustomer as error:
        return _both(number, text, str(error), 409)
    except Refused as error:
        return _choose(number, "", str(error), error.status)
    flash(f"#{number} is part of #{into.number} now.", "success")
    return redirect(url_for("care.show", number=into.number), 303)
