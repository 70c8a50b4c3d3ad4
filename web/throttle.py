"""Limits on guessing: how often something may be tried in a quarter of an hour, counted for all processes alike."""

import hashlib
import hmac

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from models.account import Throttle
from models.base import db_now
from models.statements import changed
from web import replay
from web.current import everyone

WINDOW_MS = 15 * 60_000
BY_ACCOUNT, BY_ADDRESS = 10, 50


def count(what: str, who: str, limit: int) -> None:
    """Count one try.

    Args:
        what: a word such as "sign-in".
        who: an account's or a machine's address; only a keyed hash of it is stored.
        limit: how many tries a window has.

    Raises:
        TooManyRequests: the limit is passed; `retry_after` is in seconds.
    """
    key = _key(what, who)
    with replay.twice_is_fine(), everyone(write=True) as session:
        session.execute(delete(Throttle).where(Throttle.key == key, Throttle.since <= db_now() - WINDOW_MS))
        _add_one(session, key)
        left = (Throttle.since + WINDOW_MS - db_now()).label("left")
        tries, milliseconds = session.execute(select(Throttle.count, left).where(Throttle.key == key)).one()
    if tries > limit:
        raise TooManyRequests(retry_after=max(1, milliseconds // 1000))


def forget(what: str, who: str) -> None:
    """Start over after a success, so that somebody who signs in often is not locked out."""
    with everyone(write=True) as session:
        session.execute(delete(Throttle).where(Throttle.key == _key(what, who)))


def _key(what: str, who: str) -> str:
    secret = str(current_app.secret_key).encode()
    return f"{what}:{hmac.new(secret, who.encode(), hashlib.sha256).hexdigest()}"


def _add_one(session: Session, key: str) -> None:
    more = update(Throttle).where(Throttle.key == key).values(count=Throttle.count + 1)
    if changed(session, more):
        return
    try:
        with session.begin_nested():
            session.execute(Throttle.__table__.insert().values(key=key, since=db_now(), count=1))  # type: ignore[attr-defined]
    except IntegrityError:  # another process was first
        session.execute(more)
