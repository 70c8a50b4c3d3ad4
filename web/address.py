"""A new e-mail address: asked for with the password, taken only when its link is used by whoever is signed in."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.account import Account, Link
from models.delivery import Bounced
from models.statements import changed
from web import account, identity, people, recovery, throttle
from web.current import everyone, me, own, runtime
from web.inputs import Email, Form, read_form
from web.security import password_fits, secret_page

bp = Blueprint("address", __name__)
CONFIRM = (
    "Somebody, probably you, wants to use this address at Nightshift from now on. If so, open this page within 30 "
    "minutes, in a browser where you are signed in:\n\n{link}\n\nIf it was not you, leave it: nothing happens."
)
ASKED = (
    "Somebody, probably you, asked for another e-mail address for your account at Nightshift. It changes when the "
    "link that went to the other address is used.\n\nIf it was not you, somebody knows your password: choose a new "
    "one at {origin}/forgot, and that link is void."
)
CHANGED = (
    "Your account at Nightshift has another e-mail address now; mails go there, and this is the last one to the old "
    "address.\n\nIf it was not you, tell who runs this Nightshift."
)
TAKEN = "This address cannot be used: another account has it. Yours stays as it was."


class NewAddress(Form):
    new_email: Email


@bp.post("/account/address")
@own
def ask() -> ResponseReturnValue:
    """The answer is the same whether somebody has that address or not; who can open its mail learns it there."""
    throttle.count("password", me().id, throttle.BY_ACCOUNT)
    form, errors = read_form(NewAddress)
    with everyone() as session:
        stored = session.get_one(Account, me().id).password_hash
    if not password_fits(stored, request.form.get("old_password", "")):
        errors["old_password"] = "This is not your password."  # noqa: S105
    if form and form.new_email == me().email:
        errors["new_email"] = "This is your address already."
    if form is None or errors:
        return account.page(errors), 422
    throttle.count("address", form.new_email, throttle.BY_ACCOUNT)
    _ask(form.new_email)
    flash("A mail is on its way to your new address. Its link works once, for 30 minutes; till then nothing changes.")
    return redirect(url_for("account.show"))


@bp.route("/address/<secret>", methods=["GET", "POST"])
@own
@secret_page
def confirm(secret: str) -> ResponseReturnValue:
    """Wants the account's own sign-in: an address that was mistyped is somebody else's, and so is this link then."""
    with everyone() as session:
        email = _mine(recovery.open_link(session, "address", secret)).email
    if request.method == "GET":
        return render_template("account/address.html", email=email)
    if _change(secret):
        flash("Your new address holds. All other browsers were signed out.", "success")
    else:
        flash(TAKEN, "danger")
    return redirect(url_for("account.show"))


@bp.post("/account/address/works")
@own
def works() -> ResponseReturnValue:
    """Mail is sent there again, for whoever says that what made it come back is put right."""
    throttle.count("address works", me().id, throttle.BY_ACCOUNT)
    with everyone(write=True) as session:
        if changed(session, delete(Bounced).where(Bounced.address == me().email)):
            people.audit(session, "address works again", me().id)
    flash("Mail goes to your address again. If it comes back once more, it stops again.", "success")
    return redirect(url_for("account.show"))


def _ask(email: str) -> None:
    with everyone(write=True) as session:
        asking = session.get_one(Account, me().id)
        people.mail(session, asking, "Confirm your new address", CONFIRM, link="address", to=email)
        people.mail(session, asking, "Another address was asked for", ASKED.format(origin=runtime().origin))
        people.audit(session, "address change asked for", asking.id)


def _change(secret: str) -> bool:
    """Spend the link and take the address over, unless another account has it."""
    with everyone(write=True) as session:
        link = _mine(recovery.use_link(session, "address", secret))
        mine, old = link.account, link.account.email
        if not _takes(session, mine, link.email or ""):
            return False
        people.mail(session, mine, "Your address was changed", CHANGED, to=old)
        identity.stop_all(session, mine.id, but=me().sign_in_id)
        identity.void_links(session, mine.id)
        people.audit(session, "address changed", mine.id)
        return True


def _takes(session: Session, mine: Account, email: str) -> bool:
    if people.find(session, email):
        return False
    try:
        with session.begin_nested():
            mine.email = email
    except IntegrityError:  # somebody was faster
        return False
    return True


def _mine(link: Link) -> Link:
    return link if link.account_id == me().id else abort(410)
