"""Pages for what went wrong, in plain words."""

import errno
from datetime import UTC, datetime, timedelta

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import BadRequest, HTTPException, ServiceUnavailable, TooManyRequests

from tasks.errors import FilesAway
from tasks.metering.packing import Corrupt
from web.current import person, runtime
from web.filters import local
from web.problems import problem
from web.workspaces import elsewhere


class InsufficientStorage(HTTPException):
    """RFC 4918's 507, which Werkzeug lacks."""

    code = 507
    description = "There is no room."


WORDS: dict[int, tuple[str, str]] = {
    400: ("That did not arrive as it should", "Go back, load the page again and try once more."),
    403: ("This is not yours to do", "Your role in this workspace does not allow it. Ask one of its owners."),
    404: ("There is nothing here", "The address is wrong, or what stood here is gone or belongs to another workspace."),
    405: ("That cannot be done here", "Go back and use the buttons on the page."),
    410: ("This is over", "It was used already, or its time has run out."),
    413: ("That is too large", "All files of one form together may have {limit} MB. Send less at a time."),
    429: ("Too many tries", "Wait until {when}, then try again."),
    500: (
        "Something broke on our side",
        "It has been written down. Try again in a minute; if it stays, tell who runs this Nightshift.",
    ),
    507: ("There is no room", "The disk is full, so nothing was taken. Tell who runs this Nightshift to make room."),
    503: ("Not just now", "A part of the machinery is away. Try again in a minute."),
}
FILES_AWAY = {  # whether somebody only looked
    True: (
        "Files cannot be read just now",
        "The store that they stand in does not answer. Nothing is lost; try again in some minutes.",
    ),
    False: (
        "Files cannot be kept just now",
        "The store for them does not answer, so nothing was queued or changed; try again in some minutes. "
        "What needs no file goes on.",
    ),
}


def install(app: Flask) -> None:
    app.register_error_handler(HTTPException, show)
    app.register_error_handler(CSRFError, stale)
    app.register_error_handler(OSError, full)
    app.register_error_handler(OperationalError, away)
    app.register_error_handler(FilesAway, files_away)
    app.register_error_handler(DataError, unkept)
    app.register_error_handler(Corrupt, damaged)


def full(error: OSError) -> ResponseReturnValue:
    """A disk without room; whatever else the system refused is ours to mend."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    return show(InsufficientStorage())


def away(_error: OperationalError) -> ResponseReturnValue:
    """A database that is away, or locked for longer than anybody waits."""
    g._login_user = AnonymousUserMixin()  # or flask-login asks the database for the page of this error who looks at it
    return show(ServiceUnavailable(retry_after=60))


def files_away(_error: FilesAway) -> ResponseReturnValue:
    """A bucket that does not answer: pages and jobs without files go on."""
    title, text = FILES_AWAY[request.method in ("GET", "HEAD")]
    again = {"Retry-After": "60"}
    if request.path.startswith("/api/"):
        return problem(503, f"{title}. {text}", headers=again)
    return render_template("errors/error.html", title=title, text=text, code=503, bare=False), 503, again


def unkept(_error: DataError) -> ResponseReturnValue:
    """What a database cannot keep or compare, such as a NUL in an id that somebody typed."""
    return show(BadRequest())


def damaged(error: Corrupt) -> ResponseReturnValue:
    """A day of readings that the database gives back otherwise than it was written."""
    if request.path.startswith("/api/"):
        return problem(409, str(error))
    title = "These readings are damaged"
    return render_template("errors/error.html", title=title, text=str(error), code=409, bare=False), 409


def show(error: HTTPException) -> ResponseReturnValue:
    """The page for an error, or problem details under /api/."""
    code = error.code or 500
    if code < 400:
        return error.get_response()
    title, text = WORDS.get(code, WORDS[500] if code >= 500 else WORDS[400])
    late = isinstance(error, TooManyRequests)  # else nobody asks for whose clock it is: the database may be away
    text = text.format(limit=runtime().settings.max_upload_mb, when=_when(error) if late else "")
    wait = getattr(error, "retry_after", None)
    headers = {"Retry-After": str(wait)} if wait else {}
    if request.path.startswith("/api/"):
        return problem(code, f"{title}. {text}", headers=headers)
    run_id = (request.view_args or {}).get("run_id")
    place = elsewhere(run_id) if code == 404 and run_id and person() else None
    page = render_template("errors/error.html", title=title, text=text, code=code, bare=code >= 500, place=place)
    return page, code, headers


def stale(error: CSRFError) -> ResponseReturnValue:
    """A form whose token is missing, of another sign-in, or too old."""
    title, text = "This page was open too long", "Load it again and repeat the last step; nothing was changed."
    return render_template("errors/error.html", title=title, text=text, code=400, bare=False), 400


def _when(error: HTTPException) -> str:
    seconds = error.retry_after if isinstance(error, TooManyRequests) and isinstance(error.retry_after, int) else 60
    at = local(int((datetime.now(UTC) + timedelta(seconds=seconds)).timestamp() * 1000))
    minutes = max(1, round(seconds / 60))
    return f"{at:%H:%M %Z} (in {minutes} minute{'' if minutes == 1 else 's'})"
