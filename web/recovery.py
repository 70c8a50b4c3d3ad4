"""Links that came by mail: a new password, a confirmed address. Looking changes nothing; the button acts, once."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select, update
from sqlalchemy.orm import Session

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
        account = _holder(session, "reset", secret)
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
        account = _holder(session, "confirm", secret)
    if request.method == "POST":
        with everyone(write=True) as session:
            account = _use(session, "confirm", secret)
            account.confirmed_at = account.confirmed_at or clock(session)
            people.audit(session, "address confirmed", account.id)
        flash("Your address is confirmed. Sign in.", "success")
        return redirect(url_for("signin.sign_in"))
    return render_template("account/confirm.html", account=account)


def make_reset_link(session: Session, account: Account) -> str:
    """The path of a new reset link, for whoever owns this machine."""
    secret = new_secret()
    expires = session.scalar(select(db_now() + LINK_MS))
    session.add(Link(secret_hash=digest(secret), purpose="reset", account_id=account.id, expires_at=expires))
    people.audit(session, "reset link printed", account.id)
    return f"/reset/{secret}"


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
        account = _use(session, "reset", secret)
        account.password_hash = hashed
        account.confirmed_at = account.confirmed_at or clock(session)  # the link came to the address
        others = update(Link).where(Link.account_id == account.id, Link.purpose == "reset", Link.used_at.is_(None))
        session.execute(others.values(used_at=db_now()))
        identity.stop_all(session, account.id)
        identity.void_tokens(session, account.id)
        people.audit(session, "password reset", account.id)


def _holder(session: Session, purpose: str, secret: str) -> Account:
    """Whose open link this is; 410 when it was used or is over, and when there never was one."""
    open_links = (Link.purpose == purpose, Link.used_at.is_(None), Link.expires_at > db_now())
    query = (
        select(Account).join(Link, Link.account_id == Account.id).where(Link.secret_hash == digest(secret), *open_links)
    )
    return session.scalar(query) or abort(410)


def _use(session: Session, purpose: str, secret: str) -> Account:
    account = _holder(session, purpose, secret)
    spent = update(Link).where(Link.secret_hash == digest(secret), Link.used_at.is_(None)).values(used_at=db_now())
    return account if changed(session, spent) else abort(410)
