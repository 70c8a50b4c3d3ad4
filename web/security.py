"""Between a browser and us: secrets, password hashes, and the headers of every answer."""

import hashlib
import secrets
from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask import Flask, Response, abort, g, request

P = ParamSpec("P")
R = TypeVar("R")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FROM_ANYWHERE = ("unsubscribe", "mailhooks")  # a signature in the request says who may
# OWASP's advice for argon2id where memory is shared: eight threads may hash at once on a small machine.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def new_secret() -> str:
    """A secret for a cookie, a link or a token: 256 bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret. It has 256 bits of chance, so a plain hash cannot be searched."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hash_password(password: str) -> str:
    """argon2id, as the library encodes it with its parameters and salt."""
    return _hasher.hash(password)


@cache
def _nobody() -> str:
    return _hasher.hash(new_secret())


def password_fits(stored: str | None, password: str) -> bool:
    """Whether a password fits; takes as long when there is no account or no password to compare with."""
    try:
        return _hasher.verify(stored or _nobody(), password) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def nonce() -> str:
    """This answer's nonce, for `<script nonce="{{ nonce() }}">`."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def content_policy() -> str:
    """The Content-Security-Policy of our pages; `allow` widens it for one answer."""
    rules = {
        "default-src": "'none'",
        "script-src": f"'nonce-{nonce()}'",
        "style-src": f"'self' 'nonce-{nonce()}'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in (rules | g.get("policy", {})).items())


def allow(directive: str, value: str) -> None:
    """Set one directive of this answer's policy, such as `allow("frame-src", "'self'")`."""
    g.setdefault("policy", {})[directive] = value


def allow_camera() -> None:
    """This answer's page may ask for the camera, and show what it sees; no other page may."""
    g.camera = True
    allow("media-src", "'self' blob:")


def secret_page(view: Callable[P, R]) -> Callable[P, R]:
    """For pages whose address holds a secret: it is passed on to nobody and indexed by nobody."""

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        g.secret_page = True
        return view(*args, **kwargs)

    return wrapped


def install(app: Flask) -> None:
    """Headers on every answer, and no writing request that another site's page sends."""
    app.jinja_env.globals["nonce"] = nonce

    @app.before_request
    def refuse_other_sites() -> None:
        # Beside the CSRF token, which old browsers need: this holds where a token leaked.
        writes = request.method not in ("GET", "HEAD", "OPTIONS") and request.blueprint not in FROM_ANYWHERE
        if writes and request.headers.get("Sec-Fetch-Site") == "cross-site":
            abort(403)

    @app.before_request
    def refuse_what_no_text_holds() -> None:
        # Not every database can even compare with a NUL.
        if "\0" in request.path or "%00" in request.query_string.decode("latin-1"):
            abort(400)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            if name != "Cache-Control" or request.endpoint not in ("static", "bootstrap.static"):
                response.headers.setdefault(name, value)
        if g.get("camera"):
            response.headers["Permissions-Policy"] = HEADERS["Permissions-Policy"].replace("camera=()", "camera=(self)")
        response.headers.setdefault("Content-Security-Policy", content_policy())
        if g.get("secret_page"):
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response
