"""Whom a workspace's pages are closed to: the desk's people and customers, unless a view says that it is theirs too.

Closed by default: a view of tomorrow that says nothing (`current.require_desk`, `desk_too`, `own`) refuses them.
"""

from typing import Any

from flask import Flask, abort, current_app, request
from flask.typing import ResponseReturnValue

from models.workspace import CUSTOMER, HOUSE
from web.current import person

OPEN = ("static", "bootstrap.static")
CLOSED = "Your role in this workspace is for customer care alone, so this page is not open to you."


def install(app: Flask) -> None:
    @app.before_request
    def keep_to_theirs() -> ResponseReturnValue | None:
        if request.endpoint is None or request.endpoint in OPEN:
            return None
        asking = person()
        if asking is None or asking.role in ("", *HOUSE) or lets_in(app.view_functions[request.endpoint], asking.role):
            return None
        if asking.is_admin and getattr(app.view_functions[request.endpoint], "for_administrators", False):
            return None
        abort(403, CLOSED)


def first_page() -> str:
    """The endpoint that the person who asks begins with."""
    asking = person()
    if asking is None or asking.role in ("", *HOUSE):
        return "runs.jobs"
    wanted = "my_tickets.index" if asking.role == CUSTOMER else "care.index"
    return wanted if wanted in current_app.view_functions else "account.show"


def lets_in(view: Any, role: str) -> bool:
    """Whether a view is open to a role that sees nothing of the house."""
    return getattr(view, "public", False) or role in getattr(view, "open_to", ())
