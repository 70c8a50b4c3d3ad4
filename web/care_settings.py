"""/care/settings: what a desk is called, what of it everybody may see, and what it does by itself."""

import re
import unicodedata
from typing import Annotated

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import AfterValidator, Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models.base import clock
from models.desk import Desk
from models.session import touch
from models.ticket import Ticket
from tasks.care import desks, forgetting, links, sample
from tasks.care.by import By
from tasks.storage import drop as drop_files
from web import care_customer, people
from web.current import current_workspace, may_lead, me, reading, require_desk, runtime, writing
from web.inputs import Email, Form, Name, read_form

bp = Blueprint("care_settings", __name__, url_prefix="/care")
MADE_UP = "Everybody reads the sample’s made-up articles now. Delete the sample before you tell anybody this address."
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])")
TAKEN = "Another desk has this address already; choose another one."
UNKNOWN = "No customer of this desk has this address."
NOT_SURE = "Tick the box below if you mean it."
NO_SLUG = "Use 3 to 40 of a-z, 0-9 and -, such as “my-shop”."
FIELDS = ("name", "slug", "public", "close_days", "forgotten_days", "signature", "asks", "answers")
WRONG = {
    "close_days": "Give a number of days from 0 (never) to 365.",
    "forgotten_days": "Give a number of days from 0 (never) to 365.",
    "signature": "Write at most 1,000 characters.",
}


def _slug(given: str) -> str:
    slug = given.strip().lower()
    if not SLUG.fullmatch(slug):
        raise ValueError(NO_SLUG)
    return slug


def _signature(given: str) -> str:
    lines = given.replace("\r\n", "\n")
    return "".join(sign for sign in lines if sign == "\n" or sign.isprintable()).strip()


class Settings(Form):
    """The form; a box that is not ticked is not sent."""

    name: Name
    slug: Annotated[str, AfterValidator(_slug)]
    public: bool = False
    close_days: Annotated[int, Field(ge=0, le=365)]
    forgotten_days: Annotated[int, Field(ge=0, le=365)]
    signature: Annotated[str, Field(max_length=1200), AfterValidator(_signature)] = ""
    asks: bool = False
    answers: bool = False


class Forgotten(Form):
    """Whom to erase, and whether that is meant."""

    forget_email: Email
    sure: bool = False


@bp.get("/settings")
@require_desk("look")
def show() -> ResponseReturnValue:
    return _page()


@bp.post("/settings")
@require_desk("lead")
def save() -> ResponseReturnValue:
    form, errors = read_form(Settings)
    errors = {name: WRONG.get(name, text) for name, text in errors.items()}
    if form and len(form.signature) > 1000:
        errors["signature"] = WRONG["signature"]
    if form is None or errors:
        return _page(errors), 422
    try:
        with writing() as session:
            desk = desks.of(session, current_workspace())
            made_up = form.public and not desk.public and sample.present(session)
            for name in FIELDS:
                setattr(desk, name, getattr(form, name))
            session.flush()
            people.audit(session, "desk settings changed", me().id, current_workspace(), public=form.public)
    except IntegrityError:
        return _page({"slug": TAKEN}), 422
    flash("Saved.", "success")
    if made_up:
        flash(MADE_UP, "warning")
    return redirect(url_for("care_settings.show"), 303)


@bp.post("/settings/end-links")
@require_desk("lead")
def end_links() -> ResponseReturnValue:
    """End every link to every ticket, as after a mailbox was broken into."""
    with writing() as session:
        desks.of(session, current_workspace())
        links.end_of_desk(session, current_workspace())
        people.audit(session, "links of all tickets ended", me().id, current_workspace())
    flash("Every link that was mailed so far is over. Mails from now on have new ones.", "success")
    return redirect(url_for("care_settings.show"), 303)


@bp.post("/settings/forget")
@require_desk("lead")
def forget() -> ResponseReturnValue:
    """Erase a customer who asks for it, with all their tickets."""
    form, errors = read_form(Forgotten)
    if form is None or not form.sure:
        return _page({"forget_email": errors.get("forget_email", NOT_SURE)}), 422
    with writing() as session:
        people.one_at_a_time(session, current_workspace())
        found = forgetting.forget(session, form.forget_email)
        if found is None:
            return _page({"forget_email": UNKNOWN}), 422
        touch(session, Ticket, current_workspace())
        people.audit(session, "customer erased", me().id, current_workspace(), tickets=found.tickets)
    drop_files(runtime().storage, found.keys)
    flash(f"They are erased, with {found.tickets} ticket{'' if found.tickets == 1 else 's'}.", "success")
    return redirect(url_for("care_settings.show"), 303)


@bp.post("/<int:number>/end-links")
@require_desk("agent")
def end_ticket_links(number: int) -> ResponseReturnValue:
    """End every link to one ticket, as after a mail was passed on to the wrong people."""
    with writing() as session:
        ticket = session.scalar(select(Ticket).where(Ticket.number == min(number, 2**31 - 1))) or abort(404)
        links.end_of_ticket(session, ticket, By("agent", me().id), clock(session))
        people.audit(session, "links of a ticket ended", me().id, current_workspace(), ticket=ticket.id)
    flash("Every link to this ticket that was mailed so far is over. Mails from now on have new ones.", "success")
    return redirect(f"/care/{number}", 303)


def _page(errors: dict[str, str] | None = None) -> str:
    with reading() as session:
        desk = care_customer.desk_of(session, current_workspace())
    kept = {name: getattr(desk, name) for name in FIELDS} | {"slug": desk.slug or _proposed(desk.name)}
    shown = request.form if errors and "forget_email" not in errors else kept
    address = f"{runtime().origin}/desk/"
    return render_template(
        "care/settings.html", desk=desk, shown=shown, errors=errors or {}, address=address, may_change=may_lead(),
        is_open=_is_open(desk),
    )  # fmt: skip


def _proposed(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")


def _is_open(desk: Desk) -> bool:
    return bool(desk.public and desk.slug)
