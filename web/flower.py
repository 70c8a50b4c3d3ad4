"""Flower at /flower/, for administrators: its pages, streamed through our own sign-in.

Flower listens on loopback with a password of its own. The browser never sees that, Flower never sees our cookies.
"""

from urllib.parse import quote, urlsplit

import requests
from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from web.current import me, of_administrators, runtime

TIMEOUT = (2.0, 30.0)  # seconds: to connect, between two bytes
CHUNK = 64 * 1024
# Lists of what passes, so that nothing passes by accident: no cookies either way, no Authorization, Host, Origin or
# X-Forwarded-*, nothing hop by hop.
TO_FLOWER = ("Accept", "Accept-Language", "Content-Type", "If-None-Match", "If-Modified-Since", "X-Requested-With")
FROM_FLOWER = ("Content-Type", "Cache-Control", "ETag", "Last-Modified")
# The hash is of the one script that Flower 2.2 writes into a page (workers.html); its tables set style attributes.
INLINE_SCRIPT = "'sha256-A0YIP5A+DKoseGAUTHRoMPDkKPK5cKzfYH3mjcCKtj8='"
CSP = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' {INLINE_SCRIPT}",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
TITLE, TEXT = (
    "Flower does not answer",
    "The view of workers and queues is not running just now; runs go on all the same. It is started again by itself: "
    "try again in a minute, and if this stays, look into logs/flower.log in the data folder.",
)
bp = Blueprint("flower", __name__, url_prefix="/flower")


@bp.before_request
def administrators_only() -> None:
    """Others learn nothing: 404. Flower's pages lack our CSRF tokens: what changes anything must come from us."""
    if not me().is_admin:
        abort(404)
    if request.method not in ("GET", "HEAD") and not _is_ours(runtime().settings.origin):
        abort(403)


@bp.route("/", defaults={"path": ""}, methods=["GET", "POST"])
@bp.route("/<path:path>", methods=["GET", "POST"])
@of_administrators
def page(path: str) -> ResponseReturnValue:
    """Whatever Flower has there."""
    settings = runtime().settings
    try:
        answer = _ask(settings.flower_url, settings.secret("flower_password"), path)
    except requests.RequestException:
        return render_template("errors/error.html", title=TITLE, text=TEXT, code=502, bare=False), 502
    return _stream(answer)


def _is_ours(origin: str) -> bool:
    site, sender = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site not in (None, "same-origin") or not (site or sender):
        return False
    return sender is None or sender in (origin, request.host_url.rstrip("/"))


def _ask(address: str, password: str, path: str) -> requests.Response:
    """Flower's answer, its body unread. A redirect is handed on and not followed."""
    query = request.query_string.decode(errors="replace")
    with requests.Session() as session:
        session.trust_env = False  # a proxy that the environment names has no business with loopback
        return session.request(
            request.method,
            f"{address}/{quote(path, safe='/@:')}" + (f"?{query}" if query else ""),
            headers={name: request.headers[name] for name in TO_FLOWER if name in request.headers},
            data=request.get_data(),
            auth=("nightshift", password),
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
        )


def _stream(answer: requests.Response) -> Response:
    # Flower refusing our password is our fault, not the person's: the browser must not ask them for one.
    response = Response(answer.iter_content(CHUNK), 502 if answer.status_code == 401 else answer.status_code)
    response.call_on_close(answer.close)
    response.headers.update({name: answer.headers[name] for name in FROM_FLOWER if name in answer.headers})
    if "Location" in answer.headers:
        response.headers["Location"] = _local(answer.headers["Location"])
    response.headers["Content-Security-Policy"] = CSP
    return response


def _local(location: str) -> str:
    """The path of a redirect: Flower names its own loopback address, which the browser cannot reach."""
    parts = urlsplit(location)
    return parts.path + (f"?{parts.query}" if parts.query else "")
