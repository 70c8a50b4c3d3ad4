"""A person's own page: name, time zone, mail, password, signed-in browsers, tokens for the API."""

from typing import Annotated, Any, Literal

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.account import Account, SignIn, Token
from models.base import clock, db_now
from models.delivery import Bounced
from models.statements import changed
from models.workspace import CUSTOMER, Workspace
from tasks.alerting import wishes as digest_wishes
from web import identity, people, throttle
from web.current import everyone, may, may_answer, me, own, runtime
from web.identity import DAY_MS, TOKEN_PREFIX
from web.inputs import Form, Name, Password, Profile, read_form, time_zones
from web.security import digest, hash_password, new_secret, password_fits

bp = Blueprint("account", __name__, url_prefix="/account")
LONGEST_DAYS = 366


class PasswordChange(Form):
    old: str
    password: Password


class NewToken(Form):
    name: Name
    scope: Literal["read", "write"]
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)]


@bp.get("")
@own
def show() -> ResponseReturnValue:
    return page()


@bp.post("/profile")
@own
def change_profile() -> ResponseReturnValue:
    form, errors = read_form(Profile)
    if form is None:
        return page(errors), 422
    with everyone(write=True) as session:
        account = _mine(session)
        account.name, account.time_zone, account.mail_results = form.name, form.time_zone, form.mail_results
        digest_wishes.moved(session, account.id, form.time_zone)
    flash("Saved.", "success")
    return redirect(url_for("account.show"))


@bp.post("/password")
@own
def change_password() -> ResponseReturnValue:
    throttle.count("password", me().id, throttle.BY_ACCOUNT)
    form, errors = read_form(PasswordChange)
    with everyone() as session:
        stored = _mine(session).password_hash
    if not password_fits(stored, request.form.get("old", "")):
        errors["old"] = "This is not your password."
    if form is None or errors:
        return page(errors), 422
    hashed = hash_password(form.password)
    with everyone(write=True) as session:
        _mine(session).password_hash = hashed
        identity.stop_all(session, me().id, but=me().sign_in_id)
        identity.void_links(session, me().id)
        people.audit(session, "password changed", me().id)
    flash("Your new password holds. All other browsers were signed out.", "success")
    return redirect(url_for("account.show"))


@bp.post("/sign-ins/end")
@own
def end_others() -> ResponseReturnValue:
    with everyone(write=True) as session:
        identity.stop_all(session, me().id, but=me().sign_in_id)
        people.audit(session, "signed out everywhere else", me().id)
    flash("All other browsers were signed out.", "success")
    return redirect(url_for("account.show"))


@bp.post("/sign-ins/<sign_in_id>/end")
@own
def end_one(sign_in_id: str) -> ResponseReturnValue:
    with everyone(write=True) as session:
        gone = changed(session, delete(SignIn).where(SignIn.id == sign_in_id, SignIn.account_id == me().id))
    if not gone:
        abort(404)
    flash("That browser was signed out.", "success")
    return redirect(url_for("account.show"))


@bp.post("/tokens")
@own
def make_token() -> ResponseReturnValue:
    form, errors = read_form(NewToken)
    if "name" in errors:
        errors["token_name"] = errors.pop("name")
    if "days" in errors:
        errors["days"] = f"A token lasts from 1 to {LONGEST_DAYS} days."
    if me().role == CUSTOMER:
        abort(403)  # nothing of the API is a customer's
    if form and form.scope == "write" and not (may("member") or may_answer()):
        errors["scope"] = "You may only look at this workspace, so the token may too."
    if form is None or errors:
        return page(errors), 422
    return page(new_token=_make_token(form))


@bp.post("/tokens/<token_id>/revoke")
@own
def revoke_token(token_id: str) -> ResponseReturnValue:
    with everyone(write=True) as session:
        if not changed(session, delete(Token).where(Token.id == token_id, Token.account_id == me().id)):
            abort(404)
        people.audit(session, "token revoked", me().id, token=token_id)
    flash("The token is worthless now.", "success")
    return redirect(url_for("account.show"))


def _make_token(form: NewToken) -> str:
    """A token for the current workspace; only its hash stays."""
    secret = TOKEN_PREFIX + new_secret()
    with everyone(write=True) as session:
        expires = session.scalar(select(db_now() + form.days * DAY_MS))
        token = Token(name=form.name[:80], secret_hash=digest(secret), scope=form.scope, expires_at=expires)
        token.account_id, token.workspace_id = me().id, me().workspace_id
        session.add(token)
        session.flush()
        people.audit(session, "token made", me().id, me().workspace_id, token=token.id, scope=form.scope)
    return secret


def _mine(session: Session) -> Account:
    return session.get_one(Account, me().id)


def page(errors: dict[str, str] | None = None, **more: Any) -> str:
    """The whole page, with a sentence beside each field that is wrong."""
    with everyone() as session:
        account = _mine(session)
        sign_ins = select(SignIn).where(SignIn.account_id == account.id, *identity.alive())
        tokens = select(Token, Workspace.name).join(Workspace, Workspace.id == Token.workspace_id)
        return render_template(
            "account/show.html",
            account=account,
            bounced=session.get(Bounced, account.email),
            kept=runtime().settings.keep_days,
            most_kept=runtime().settings.keep_runs,
            embedded=runtime().settings.mail == "mailbox",
            sign_ins=session.scalars(sign_ins.order_by(SignIn.seen_at.desc())).all(),
            tokens=session.execute(tokens.where(Token.account_id == account.id).order_by(Token.id)).all(),
            now=clock(session),
            zones=time_zones(),
            errors=errors or {},
            **more,
        )
