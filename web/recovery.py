"""Links that came by mail: a new password, a confirmed address. Looking changes nothing; the button acts, once."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, contains_eager

from models.account import Account, Link
from models.base import clock, db_now
from models.statements import changed
from web import identity, people, throttle
from web.current import everyone, public
from web.inputs import Email, Form, NewPassword, read_form
from web.security import digest, hash_password, new_secret, secret_page

bp = Blueprint("recovery", __name__)
LINK_MS = 30 * 60_000
RESET = (
    "Somebody, probably you, asked for a new password at Nightshift. To choose one, open this page within 30 minutes:"
    "\n\n{link}\n\nIf it was not you, leave it: your password stays as it is."
)


class Address(Form):
    email: Email


@bp.route("/forgot", methods=["GET", "POST"])
@public
def forgot() -> ResponseReturnValue:
    errors: dict[str, str] = {}
    if request.method == "POST":
        form, errors = read_form(Address)
        if form:
            throttle.count("forgot-address", request.remote_addr or "", throttle.BY_ADDRESS)
            throttle.count("forgot-account", form.email, throttle.BY_ACCOUNT)
            _ask_for_reset(form.email)
            return render_template("account/sent.html", title="Look into your mail", purpose="reset")
    return render_template("account/forgot.html", errors=errors), 422 if errors else 200


@bp.route("/reset/<secret>", methods=["GET", "POST"])
@public
@secret_page
def reset(secret: str) -> ResponseReturnValue:
    with everyone() as session:
        account = open_link(session, "reset", secret).account
    errors: dict[str, str] = {}
    if request.method == "POST":
        form, errors = read_form(NewPassword)
        if form:
            _reset(secret, form.password)
            flash(
                "Your new password holds; sign in with it. Other sign-ins and all API tokens are void.",
                "success",
            )
            return redirect(url_for("signin.sign_in"))
    return render_template("account/reset.html", account=account, errors=errors), 422 if errors else 200


@bp.route("/confirm/<secret>", methods=["GET", "POST"])
@public
@secret_page
def confirm(secret: str) -> ResponseReturnValue:
    with everyone() as session:
        account = open_link(session, "confirm", secret).account
    if request.method == "POST":
        with everyone(write=True) as session:
            account = use_link(session, "confirm", secret).account
            account.confirmed_at = account.confirmed_at or clock(session)
            people.audit(session, "address confirmed", account.id)
        flash("Your address is confirmed. Sign in.", "success")
        return redirect(url_for("signin.sign_in"))
    return render_template("account/confirm.html", account=account)


def make_link(session: Session, account: Account, purpose: str, email: str | None = None) -> str:
    """The path of a new link, for whoever owns this machine."""
    secret = new_secret()
    expires = session.scalar(select(db_now() + LINK_MS))
    row = Link(secret_hash=digest(secret), purpose=purpose, account_id=account.id, expires_at=expires, email=email)
    session.add(row)
    people.audit(session, f"{purpose} link printed", account.id)
    return f"/{purpose}/{secret}"


def _ask_for_reset(email: str) -> None:
    """Both for a known and an unknown address one row is written, so that the time tells nothing."""
    with everyone(write=True) as session:
        account = people.find(session, email)
        people.audit(session, "reset asked for", account.id if account else None)
        if account:
            people.mail(session, account, "Choose a new password", RESET, link="reset")


def _reset(secret: str, password: str) -> None:
    hashed = hash_password(password)
    with everyone(write=True) as session:
        account = use_link(session, "reset", secret).account
        account.password_hash = hashed
        account.confirmed_at = account.confirmed_at or clock(session)  # the link came to the address
        identity.stop_all(session, account.id)
        identity.void_tokens(session, account.id)
        identity.void_links(session, account.id)
        people.audit(session, "password reset", account.id)


def open_link(session: Session, purpose: str, secret: str) -> Link:
    """The link, with its account; 410 when it was used or is over, when there never was one, and when it went to an
    address that is no longer the account's.
    """
    goes_on = or_(Link.email.is_(None), Link.email == Account.email, Link.purpose == "address")
    query = select(Link).join(Link.account).options(contains_eager(Link.account))
    query = query.where(Link.secret_hash == digest(secret), Link.purpose == purpose, goes_on)
    return session.scalar(query.where(Link.used_at.is_(None), Link.expires_at > db_now())) or abort(410)


def use_link(session: Session, purpose: str, secret: str) -> Link:
    """The same, and nobody else gets it: of two at once, one is told 410."""
    link = open_link(session, purpose, secret)
    spent = update(Link).where(Link.secret_hash == link.secret_hash, Link.used_at.is_(None)).values(used_at=db_now())
    return link if changed(session, spent) else abort(410)
