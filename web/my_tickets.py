"""/care/my: a customer's own tickets, and nothing else: raise one, follow it, answer, say that it is solved."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.account import Account
from models.base import clock
from models.ticket import Customer, Ticket
from models.workspace import CUSTOMER
from tasks.care import customers, next_steps
from tasks.care.attachments import NotTaken
from tasks.care.by import By, Refused
from web import care_chat, care_customer, care_files, throttle
from web.current import current_workspace, everyone, may_look, me, own, reading, runtime, writing
from web.inputs import MOST_PAGES, page_number, read_form
from web.submission import new_key

bp = Blueprint("my_tickets", __name__, url_prefix="/care/my")
P = ParamSpec("P")
R = TypeVar("R")
LISTED = 25
MOST_NEW = 20  # tickets that one customer raises in a quarter of an hour
MOST_NUMBER = 2**31 - 1
UNCONFIRMED = "Confirm your mail address first, by the link that was mailed to you; then ask again."


def for_customers(view: Callable[P, R]) -> Callable[P, R]:
    """For pages of a customer's own; whoever answers tickets here has the desk's pages instead."""

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        return view(*args, **kwargs) if me().role == CUSTOMER else abort(404)

    return own(wrapped)


@bp.get("")
@own
def index() -> ResponseReturnValue:
    """Their tickets, the newest first; those who answer tickets are led to all of them."""
    if me().role != CUSTOMER:
        return redirect("/care") if may_look() else abort(404)
    _adopt()
    page = page_number()
    with reading() as session:
        desk, now = care_customer.desk_of(session, current_workspace()), clock(session)
        newest = mine().order_by(Ticket.created_at.desc(), Ticket.id.desc())
        found = session.scalars(newest.limit(LISTED + 1).offset(LISTED * (page - 1))).all()
        lines = [(each, next_steps.standing(each, desk.close_days, now)) for each in found[:LISTED]]
    return render_template("care/my.html", lines=lines, desk=desk, page=page, more=len(found) > LISTED)


@bp.get("/new")
@for_customers
def new() -> ResponseReturnValue:
    return _new_page({})


@bp.post("/new")
@for_customers
def create() -> ResponseReturnValue:
    throttle.count("ticket", me().id, MOST_NEW)
    words, errors = read_form(care_customer.Words)
    if words is None:
        return _new_page(errors), 422
    if not _adopt():
        return _new_page({"text": UNCONFIRMED}), 422
    who = {"email": me().email, "name": me().name, "account_id": me().id}
    try:
        number = care_customer.open_new(runtime().database, current_workspace(), words, By("customer", me().id), **who)
    except (NotTaken, Refused) as error:
        return _new_page({error.field: str(error)}), error.status
    flash("We have it. This page shows how it goes on, and every news comes by mail as well.", "success")
    return redirect(url_for("my_tickets.show", number=number), 303)


@bp.get("/<int:number>")
@for_customers
def show(number: int) -> ResponseReturnValue:
    return _page(number)


@bp.post("/<int:number>/answer")
@for_customers
def answer(number: int) -> ResponseReturnValue:
    throttle.count("ticket-answer", me().id, MOST_NEW)
    with reading() as session:
        ticket, customer = _find(session, number)
    errors = care_customer.answer(runtime().database, ticket, care_customer.voice(customer, me().id))
    if errors:
        return _page(number, errors), 422
    flash(care_customer.thanks(runtime().database, ticket), "success")
    return redirect(url_for("my_tickets.show", number=number), 303)


@bp.post("/<int:number>/solved")
@for_customers
def solved(number: int) -> ResponseReturnValue:
    with reading() as session:
        ticket, customer = _find(session, number)
    errors = care_customer.solve(runtime().database, ticket, care_customer.voice(customer, me().id))
    if errors:
        return _page(number, errors), 422
    flash("Thank you for telling us. If it comes back, answer here.", "success")
    return redirect(url_for("my_tickets.show", number=number), 303)


@bp.get("/<int:number>/files/<file_id>")
@for_customers
def download(number: int, file_id: str) -> Response:
    with reading() as session:
        ticket, _ = _find(session, number)
        file = care_files.find(session, ticket.id, file_id, notes=False)
    return care_files.send(file)


def mine() -> Select[Ticket]:
    """The tickets of the person who asks."""
    theirs = select(Customer.id).where(Customer.account_id == me().id)
    return select(Ticket).where(Ticket.customer_id.in_(theirs))


def _adopt() -> bool:
    """Tickets that came from their confirmed address before they had an account are theirs from now on.

    Returns:
        Whether their address is confirmed: who only says that it is theirs sees nothing of it.
    """
    unknown = select(Customer.id).where(Customer.email == me().email, Customer.account_id.is_(None))
    with reading() as session:
        waiting = session.scalar(unknown)
    if waiting:
        with writing() as session:
            customers.adopt(session, current_workspace(), me().id)
    with everyone() as session:
        return session.get_one(Account, me().id).confirmed_at is not None


def _find(session: Session, number: int) -> tuple[Ticket, Customer]:
    ticket = session.scalar(mine().where(Ticket.number == number)) if number <= MOST_NUMBER else None
    if ticket is None:
        abort(404)
    return ticket, session.scalars(select(Customer).where(Customer.id == ticket.customer_id)).one()


def _page(number: int, errors: dict[str, str] | None = None) -> str:
    with reading() as session:
        ticket, customer = _find(session, number)
        view = care_customer.view(session, ticket, customer, min(page_number(), MOST_PAGES), me().time_zone)
    here = {
        "answer": url_for("my_tickets.answer", number=number),
        "solved": url_for("my_tickets.solved", number=number),
        "older": url_for("my_tickets.show", number=number, page=page_number() + 1),
        "newer": url_for("my_tickets.show", number=number, page=page_number() - 1) if page_number() > 1 else "",
    }
    return render_template(
        "care/my_ticket.html", view=view, here=here, errors=errors or {}, key=new_key(),
        file_url=lambda file: url_for("my_tickets.download", number=number, file_id=file.id),
        other_url=lambda other: url_for("my_tickets.show", number=other),
    )  # fmt: skip


def _new_page(errors: dict[str, str]) -> str:
    with reading() as session:
        desk, topics = care_customer.desk_of(session, current_workspace()), care_customer.topics(session)
    typed = request.form if errors else care_chat.prefilled()
    chat = care_chat.box(desk, url_for("my_tickets.new"), mine=True) if desk.slug else None
    key = request.form.get("key") or new_key()
    return render_template("care/my_new.html", desk=desk, topics=topics, errors=errors, typed=typed, key=key, chat=chat)
