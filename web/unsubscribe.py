"""Links that end mails, without a sign-in: looking changes nothing, the button does, and so does a mail program's own
(RFC 8058). What was ended can be taken up again on the same page.

No CSRF token: whoever holds the link may do this and nothing else, and mail programs know no tokens of ours.
"""

from typing import Any, NoReturn

from flask import Blueprint, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from models.account import Account
from models.alert import Wish
from tasks.alerting import wishes
from tasks.mailing.stops import PATH, RESULTS, Stop, Stops
from web import people
from web.current import everyone, public, runtime
from web.security import secret_page

bp = Blueprint("unsubscribe", __name__)
UNDO_SECONDS = 3600
CHANGED_SINCE = "This was changed since, so all stays as it is now. Sign in to choose what is mailed to you."
NO_RESULTS = "You get no more mails after a run."
GONE = (
    "This link is over: it is older than a year, its owner has made all such links void, or it is not whole. Sign in "
    "and change on your account's page what is mailed to you."
)


@bp.get(f"{PATH}<token>")
@public
@secret_page
def ask(token: str) -> ResponseReturnValue:
    with everyone() as session:
        stop, _ = _open(session, token)
    return render_template("unsubscribe/page.html", stop=stop, what=words(stop.what), done="", undo="")


@bp.post(f"{PATH}<token>")
@public
@secret_page
def act(token: str) -> ResponseReturnValue:
    """End it, or take up again what this page has just ended."""
    with everyone(write=True) as session:
        stop, account = _open(session, token)
        if "undo" in request.form:
            done, undo = _restored(session, stop, account, request.form["undo"]), ""
        else:
            done, undo = _stopped(session, stop, account)
    kept = done == CHANGED_SINCE
    return render_template("unsubscribe/page.html", stop=stop, what=words(stop.what), done=done, undo=undo, kept=kept)


def ended(session: Session, account: Account, what: str) -> str | None:
    """End such mails for a person. A sentence that says what holds now; None: there is nothing of that name."""
    if what == RESULTS:
        account.mail_results = False
        return NO_RESULTS
    return wishes.stop(session, account.id, what)


def words(what: str) -> str:
    """What would end, for the page's question."""
    if what == RESULTS:
        return "mails after a run of yours"
    if what == wishes.DIGEST:
        return "your digest"
    return f"mails at once about {' and '.join(what.partition(':')[2].split(','))}"


def _open(session: Session, token: str) -> tuple[Stop, Account]:
    stop = Stops(runtime().settings.secret("secret_key")).read(token)
    account = session.get(Account, stop.account_id) if stop else None
    if stop is None or account is None:
        _over()
    wish = session.get(Wish, account.id)
    return (stop, account) if stop.version == (wish.links_version if wish else 1) else _over()


def _over() -> NoReturn:
    abort(make_response(render_template("unsubscribe/over.html", words=GONE), 410))


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(runtime().settings.secret("secret_key"), salt="nightshift unsubscribe undo 1")


def _stopped(session: Session, stop: Stop, account: Account) -> tuple[str, str]:
    """What holds now, and what takes it up again; that is "" where there was nothing left to end, as in a second POST
    of the same link, which is written down nowhere."""
    before = _as_it_is(session, stop, account)
    done = ended(session, account, stop.what) or _over()
    after = _as_it_is(session, stop, account)
    if after == before:
        return done, ""
    people.audit(session, "mails stopped by a link", account.id, stopped=stop.what)
    return done, _signer().dumps([account.id, stop.what, before, after])


def _as_it_is(session: Session, stop: Stop, account: Account) -> Any:
    """What such a link changes."""
    if stop.what == RESULTS:
        return account.mail_results
    wish = wishes.of(session, account.id)
    return wish.repeat if stop.what == wishes.DIGEST else dict(wish.areas or {})


def _restored(session: Session, stop: Stop, account: Account, undo: str) -> str:
    try:
        account_id, what, before, after = _signer().loads(undo, max_age=UNDO_SECONDS)
    except (BadData, ValueError):
        _over()
    if (account_id, what) != (account.id, stop.what):
        _over()
    if not _put_back(session, stop, account, before, after):
        return CHANGED_SINCE
    people.audit(session, "mails taken up again by a link", account.id, stopped=what)
    return "All is as it was before."


def _put_back(session: Session, stop: Stop, account: Account, before: Any, after: Any) -> bool:
    """Each thing as it was before the stop, if it still is as the stop left it; whether there was any."""
    now = _as_it_is(session, stop, account)
    if stop.what not in (RESULTS, wishes.DIGEST):
        ended_here = {area for area in after if after[area] != before.get(area) and now.get(area) == after[area]}
        kept = {area: choice for area, choice in now.items() if area not in ended_here}
        wishes.of(session, account.id).areas = kept | {area: before[area] for area in ended_here if area in before}
        return bool(ended_here)
    if now != after:
        return False
    if stop.what == RESULTS:
        account.mail_results = before
    else:
        wish = wishes.of(session, account.id)
        wish.repeat = before
        wishes.reckon(session, wish, account.time_zone)
    return True
