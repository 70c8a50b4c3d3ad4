"""Sign-ins: the row is the truth, the cookie holds a secret whose hash finds it. Personal tokens for the API alike."""

import flask
from flask import Request, request
from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.orm import Session

from models.account import Account, Link, SignIn, Token
from models.base import clock, db_now
from models.workspace import SYSTEM, Membership, Workspace
from web.current import Person, everyone, me
from web.security import digest, new_secret

DAY_MS = 86_400_000
LIFETIME_MS = 30 * DAY_MS
IDLE_MS = 7 * DAY_MS
SEEN_EVERY_MS = 5 * 60_000
LONGEST_SENT = 4_000_000  # bytes that emoncms's senders may post: where the key is looked for, too
PROGRAMS = ("api", "emoncms")  # blueprints that know tokens and no cookies
TOKEN_PREFIX = "nightshift_"  # noqa: S105  # so that scanners of source code find a token that slipped in


def load(secret: str) -> Person | None:
    """flask-login's user_loader: who holds this secret, while the sign-in lasts. The API knows no cookies."""
    if request.blueprint in PROGRAMS:
        return None
    stale = (db_now() - SignIn.seen_at).label("silence")
    with everyone() as session:
        query = (
            select(SignIn, Account, stale).join(SignIn.account).where(SignIn.secret_hash == digest(secret), *alive())
        )
        if (row := session.execute(query).first()) is None:
            return None
        sign_in, account, silence = row
        place = _place(session, account.id, sign_in.workspace_id)
    if silence > SEEN_EVERY_MS:
        _seen(sign_in.id)
    return _person(account, place, secret=secret, sign_in_id=sign_in.id)


def alive() -> tuple[ColumnElement[bool], ...]:
    """Conditions of a sign-in that holds: neither too old nor idle for too long."""
    return (SignIn.expires_at > db_now(), SignIn.seen_at > db_now() - IDLE_MS)


def bearer(asked: Request) -> str:
    """The secret that a program shows, or nothing. emoncms's senders may write it into the address or the form."""
    scheme, _, secret = asked.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" or asked.blueprint != "emoncms":
        return secret.strip() if scheme.lower() == "bearer" else ""
    asked.max_content_length = asked.max_form_memory_size = LONGEST_SENT
    return asked.args.get("apikey") or asked.form.get("apikey", "")


def load_token(asked: Request) -> Person | None:
    """flask-login's request_loader: who holds this bearer token; for programs alone."""
    if asked.blueprint not in PROGRAMS or not (secret := bearer(asked)):
        return None
    with everyone() as session:
        query = select(Token, Account).join(Token.account)
        query = query.where(Token.secret_hash == digest(secret), Token.expires_at > db_now())
        if (row := session.execute(query).first()) is None:
            return None
        token, account = row
        place = _place(session, account.id, token.workspace_id)
        now = clock(session)
    if place is None or place.id != token.workspace_id:
        return None
    if now - (token.used_at or 0) > SEEN_EVERY_MS:
        _used(token.id)
    return _person(account, place, secret=secret, scope=token.scope)


def places(session: Session, account_id: str) -> list[Row[tuple[str, str, str]]]:
    """The workspaces of a person as rows (id, name, role): their own first, the machinery's last."""
    query = select(Workspace.id, Workspace.name, Membership.role).join(Membership.workspace)
    query = query.where(Membership.account_id == account_id).order_by(Membership.created_at, Workspace.id)
    return sorted(session.execute(query), key=lambda row: row.id == SYSTEM)


def my_workspaces() -> list[Row[tuple[str, str, str]]]:
    """The workspaces of the person who asks, for the choice in the navigation bar."""
    with everyone() as session:
        return places(session, me().id)


def start(session: Session, account_id: str, workspace_id: str | None = None) -> None:
    """Sign this browser in: a new secret each time, so that one planted before is worth nothing."""
    secret = new_secret()
    session.add(
        SignIn(
            secret_hash=digest(secret),
            account_id=account_id,
            workspace_id=workspace_id,
            expires_at=session.scalar(select(db_now() + LIFETIME_MS)),
        )
    )
    flask.session.clear()
    flask.session.permanent = True
    flask.session["_user_id"] = secret  # where flask-login looks; its login_user() would add a print of the browser


def stop(secret: str) -> None:
    """Sign this browser out."""
    flask.session.clear()
    with everyone(write=True) as session:
        session.execute(delete(SignIn).where(SignIn.secret_hash == digest(secret)))


def stop_all(session: Session, account_id: str, but: str = "") -> None:
    """Sign a person out everywhere, but for one sign-in."""
    session.execute(delete(SignIn).where(SignIn.account_id == account_id, SignIn.id != but))


def void_tokens(session: Session, account_id: str) -> None:
    """Void every API token of a person: whoever had the password may have made one."""
    session.execute(delete(Token).where(Token.account_id == account_id))


def void_links(session: Session, account_id: str) -> None:
    """Void every link that was mailed to a person and not used yet."""
    theirs = update(Link).where(Link.account_id == account_id, Link.used_at.is_(None))
    session.execute(theirs.values(used_at=db_now()))


def _place(session: Session, account_id: str, wanted: str | None) -> Row[tuple[str, str, str]] | None:
    found = places(session, account_id)
    return next((row for row in found if row.id == wanted), found[0] if found else None)


def _person(account: Account, place: Row[tuple[str, str, str]] | None, **more: str) -> Person:
    return Person(
        id=account.id,
        name=account.name,
        email=account.email,
        is_admin=account.is_admin,
        time_zone=account.time_zone,
        workspace_id=place.id if place else "none",
        workspace_name=place.name if place else "",
        role=place.role if place else "",
        **more,
    )


def _used(token_id: str) -> None:
    with everyone(write=True) as session:
        session.execute(update(Token).where(Token.id == token_id).values(used_at=db_now()))


def _seen(sign_in_id: str) -> None:
    with everyone(write=True) as session:
        session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=db_now()))
