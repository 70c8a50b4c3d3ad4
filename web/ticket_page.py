"""/ticket/…: a ticket without an account, by the signed link that was mailed to those who take part in it.

A GET changes nothing (programs that look for viruses follow links), the address is passed on to nobody, and whoever
holds the link can do what its customer can: read, answer, say that it is solved, say how it was.
"""

from dataclasses import dataclass
from typing import NoReturn

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.ticket import DONE, Customer, Rating, Ticket
from tasks.care import link_letter, links, ratings
from tasks.care.by import Refused
from tasks.care.tokens import FOLLOW, RATE, Link, Tokens
from web import care_customer, care_files, throttle
from web.current import everyone, public, runtime
from web.inputs import MOST_PAGES, page_number
from web.security import secret_page
from web.submission import new_key

bp = Blueprint("ticket_page", __name__, url_prefix="/ticket")
MOST_WORDS = 20  # answers by one link in a quarter of an hour
MOST_LINKS = 3
MAILED = "If this link was one of ours, a new one is on its way to the address that the old one was mailed to."


@dataclass(frozen=True, slots=True)
class Visit:
    """Who came by a link, and to which ticket."""

    token: str
    ticket: Ticket
    customer: Customer
    made: int

    @property
    def place(self) -> str:
        return self.ticket.workspace_id

    @property
    def is_theirs(self) -> bool:
        return self.customer.id == self.ticket.customer_id


@bp.get("/<token>")
@public
@secret_page
def show(token: str) -> ResponseReturnValue:
    return _page(_visit(token))


@bp.post("/<token>")
@public
@secret_page
def answer(token: str) -> ResponseReturnValue:
    visit = _visit(token)
    throttle.count("ticket-link", visit.ticket.id + visit.customer.id, MOST_WORDS)
    errors = care_customer.answer(runtime().database, visit.ticket, care_customer.voice(visit.customer))
    if errors:
        return _page(visit, errors), 422
    flash(care_customer.thanks(runtime().database, visit.ticket), "success")
    return redirect(url_for("ticket_page.show", token=token), 303)


@bp.post("/<token>/solved")
@public
@secret_page
def solved(token: str) -> ResponseReturnValue:
    visit = _visit(token)
    if not visit.is_theirs:
        abort(403)
    errors = care_customer.solve(runtime().database, visit.ticket, care_customer.voice(visit.customer))
    if errors:
        return _page(visit, errors), 422
    flash("Thank you for telling us. If it comes back, answer here.", "success")
    return redirect(url_for("ticket_page.show", token=token), 303)


@bp.get("/<token>/files/<file_id>")
@public
@secret_page
def download(token: str, file_id: str) -> Response:
    visit = _visit(token)
    with runtime().database.read(visit.place) as session:
        file = care_files.find(session, visit.ticket.id, file_id, notes=False)
    return care_files.send(file)


@bp.get("/<token>/rating")
@public
@secret_page
def rating(token: str) -> ResponseReturnValue:
    """The page with the score of the mail's link chosen, and one button."""
    return _rating_page(_visit(token, RATE))


@bp.post("/<token>/rating")
@public
@secret_page
def rate(token: str) -> ResponseReturnValue:
    visit = _visit(token, RATE)
    throttle.count("ticket-rating", visit.ticket.id, MOST_WORDS)
    try:
        with runtime().database.write(visit.place) as session:
            ticket = session.scalars(select(Ticket).where(Ticket.id == visit.ticket.id)).one()
            words = request.form.get("words", "").replace("\0", "").replace("\r\n", "\n")
            ratings.rate(session, ticket, request.form.get("score", 0, type=int), words, clock(session))
    except Refused as error:
        return _rating_page(visit, str(error)), 422
    return _rating_page(visit, done=True)


@bp.post("/<token>/again")
@public
@secret_page
def again(token: str) -> ResponseReturnValue:
    """Mail another link to the one whose link this was. The same answer, whatever it was."""
    throttle.count("ticket-again", request.remote_addr or "", throttle.BY_ACCOUNT)
    found = _read(token, FOLLOW, however_old=True) or _read(token, RATE, however_old=True)
    if found is not None:
        throttle.count("ticket-again-one", found.ticket_id + found.customer_id, MOST_LINKS)
        _mail_another(found)
    return render_template("care/link_over.html", bare=True, said=MAILED, token=token)


def _link(visit: Visit, ticket: Ticket, version: int, purpose: str = FOLLOW) -> str:
    """The token of a link for whoever is here; it ends when theirs does."""
    return _tokens().link(ticket.id, visit.customer.id, version, purpose, visit.made)


def _tokens() -> Tokens:
    return Tokens(runtime().settings.secret("secret_key"))


def _read(token: str, purpose: str, *, however_old: bool = False) -> Link | None:
    return _tokens().read_link(token, purpose, however_old=however_old) if len(token) < 500 else None


def _visit(token: str, purpose: str = FOLLOW) -> Visit:
    """Who comes by this link; 410 with what to do when it opens nothing any more."""
    found = _read(token, purpose)
    place = _place(found.ticket_id) if found else None
    if found is None or place is None:
        _over(token)
    with runtime().database.read(place) as session:
        ticket = links.opened(session, found.ticket_id, found.version)
        customer = care_customer.reader(session, ticket, found.customer_id) if ticket else None
    if ticket is None or customer is None or (purpose == RATE and customer.id != ticket.customer_id):
        _over(token)
    return Visit(token, ticket, customer, found.made)


def _place(ticket_id: str) -> str | None:
    """The workspace of a ticket whose id was signed by us; this question alone is asked of all."""
    with everyone() as session:
        return session.scalar(select(Ticket.workspace_id).where(Ticket.id == ticket_id))


def _over(token: str) -> NoReturn:
    abort(make_response(render_template("care/link_over.html", bare=True, said="", token=token), 410))


def _mail_another(found: Link) -> None:
    if (place := _place(found.ticket_id)) is None:
        return
    with runtime().database.write(place) as session:
        ticket = session.scalars(select(Ticket).where(Ticket.id == found.ticket_id)).one_or_none()
        customer = care_customer.reader(session, ticket, found.customer_id) if ticket else None
        if ticket is not None and customer is not None:
            link_letter.send(session, ticket, customer)


def _page(visit: Visit, errors: dict[str, str] | None = None) -> str:
    token, page = visit.token, min(page_number(), MOST_PAGES)
    with runtime().database.read(visit.place) as session:
        view = care_customer.view(session, visit.ticket, visit.customer, page)
        version = links.version(session, visit.ticket)
        other = _elsewhere(session, visit)
    here = {
        "answer": url_for("ticket_page.answer", token=token),
        "solved": url_for("ticket_page.solved", token=token),
        "rate": url_for("ticket_page.rating", token=_link(visit, visit.ticket, version, RATE)),
        "older": url_for("ticket_page.show", token=token, page=page + 1),
        "newer": url_for("ticket_page.show", token=token, page=page - 1) if page > 1 else "",
    }
    return render_template(
        "care/ticket.html", bare=True, view=view, here=here, errors=errors or {}, key=new_key(),
        file_url=lambda file: url_for("ticket_page.download", token=token, file_id=file.id),
        other_url=(lambda _number: other) if other else None,
    )  # fmt: skip


def _elsewhere(session: Session, visit: Visit) -> str:
    """The address of the ticket that this one was merged into, if they take part in that one as well."""
    into = session.scalar(select(Ticket).where(Ticket.id == visit.ticket.merged_into_id))
    if into is None or care_customer.reader(session, into, visit.customer.id) is None:
        return ""
    return url_for("ticket_page.show", token=_link(visit, into, links.version(session, into)))


def _rating_page(visit: Visit, error: str = "", done: bool = False) -> str:
    with runtime().database.read(visit.place) as session:
        desk = care_customer.desk_of(session, visit.place)
        kept = session.scalar(select(Rating).where(Rating.ticket_id == visit.ticket.id))
        back = _link(visit, visit.ticket, links.version(session, visit.ticket))
    asked = (request.form if error else request.args).get("score", kept.score if kept else 0, type=int)
    return render_template(
        "care/rating.html", bare=True, desk=desk, ticket=visit.ticket, error=error, done=done, kept=kept,
        scores=ratings.SCORES, chosen=asked, over=visit.ticket.status in DONE, words=kept.words if kept else "",
        here=url_for("ticket_page.rate", token=visit.token), back=url_for("ticket_page.show", token=back),
    )  # fmt: skip
