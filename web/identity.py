"""Sign-ins: the row is the truth, the cookie holds a secret whose hash finds it. Personal tokens for the API alike."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import flask
from flask import Request, g, request
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from models.account import Account, Link, SignIn, Token
from models.base import clock, db_now
from models.workspace import SYSTEM, Membership, Workspace
from web import replay
from web.current import Person, everyone, me
from web.security import digest, new_secret

DAY_MS = 86_400_000
LIFETIME_MS = 30 * DAY_MS
IDLE_MS = 7 * DAY_MS
SEEN_EVERY_MS = 5 * 60_000
LONGEST_SENT = 4_000_000  # bytes that emoncms's senders may post: where the key is looked for, too
PROGRAMS = ("api", "emoncms")  # blueprints that know tokens and no cookies
TOKEN_PREFIX = "nightshift_"  # noqa: S105  # so that scanners of source code find a token that slipped in


class Place(NamedTuple):
    """A workspace of a person."""

    id: str
    name: str
    role: str


_PLACE = (Workspace.id, Workspace.name, Membership.role)
_IN_ORDER = (Membership.created_at, Workspace.id)


def load(secret: str) -> Person | None:
    """flask-login's user_loader: who holds this secret, while the sign-in lasts. The API knows no cookies."""
    if request.blueprint in PROGRAMS:
        return None
    stale = (db_now() - SignIn.seen_at).label("silence")
    with everyone() as session:
        query = select(SignIn, Account, stale, *_PLACE).join(SignIn.account).where(SignIn.secret_hash == digest(secret))
        query = query.outerjoin(Membership, Membership.account_id == Account.id).outerjoin(Membership.workspace)
        rows = session.execute(query.where(*alive()).order_by(*_IN_ORDER)).all()
    if not rows:
        return None
    sign_in, account, silence = rows[0][:3]
    g.places = account.id, _sorted(Place(*row[3:]) for row in rows if row[3])
    if silence > SEEN_EVERY_MS:
        _seen(sign_in.id)
    return _person(account, _place(g.places[1], sign_in.workspace_id), secret=secret, sign_in_id=sign_in.id)


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
        place = _place(places(session, account.id), token.workspace_id)
        now = clock(session)
    if place is None or place.id != token.workspace_id:
        return None
    if now - (token.used_at or 0) > SEEN_EVERY_MS:
        _used(token.id)
    return _person(account, place, secret=secret, scope=token.scope)


def places(session: Session, account_id: str) -> list[Place]:
    """The workspaces of a person: their own first, the machinery's last."""
    query = select(*_PLACE).join(Membership.workspace).where(Membership.account_id == account_id).order_by(*_IN_ORDER)
    return _sorted(Place(*row) for row in session.execute(query))


def _sorted(found: Iterable[Place]) -> list[Place]:
    return sorted(found, key=lambda place: place.id == SYSTEM)


def my_workspaces() -> list[Place]:
    """The workspaces of the person who asks, for the choice in the navigation bar."""
    known = g.get("places") if request.method == "GET" else None  # which changes none of them
    if known and known[0] == me().id:
        return list(known[1])
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


def _place(found: Sequence[Place], wanted: str | None) -> Place | None:
    return next((place for place in found if place.id == wanted), found[0] if found else None)


def _person(account: Account, place: Place | None, **more: str) -> Person:
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
    with replay.twice_is_fine(), everyone(write=True) as session:
        session.execute(update(Token).where(Token.id == token_id).values(used_at=db_now()))


def _seen(sign_in_id: str) -> None:
    with replay.twice_is_fine(), everyone(write=True) as session:
        session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=db_now()))
