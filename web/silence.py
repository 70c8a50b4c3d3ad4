"""The banner on every page while a part of the machinery is silent, and the runbook that says what to do then."""

import time

from flask import Blueprint, Flask, abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from models import vitals
from models.session import EVERYONE
from web.current import require_admin, runtime
from workers.queues import QUEUES

bp = Blueprint("runbook", __name__, url_prefix="/runbook")
FRESH_S = 5.0  # one look in so many seconds for all pages of a process


class Watch:
    """What is silent now, asked for at most once in a few seconds."""

    def __init__(self) -> None:
        self._seen: list[vitals.Alarm] = []
        self._until = 0.0

    def __call__(self) -> list[vitals.Alarm]:
        now = time.monotonic()
        if now >= self._until:
            self._until = now + FRESH_S  # first, so that of many threads one asks
            self._seen = self._ask()
        return self._seen

    def forget(self) -> None:
        """Ask again at the next page."""
        self._until = 0.0

    def _ask(self) -> list[vitals.Alarm]:
        try:
            with runtime().database.read(EVERYONE) as session:
                return vitals.silences(session)
        except SQLAlchemyError:
            return []  # the page itself says that the database is away


def install(app: Flask) -> None:
    """Let every page know."""
    watch = Watch()
    app.extensions["watch"] = watch
    app.jinja_env.globals.update(silences=watch)


@bp.get("")
@require_admin
def index() -> ResponseReturnValue:
    """All alarms, those that stand now first."""
    with runtime().database.read(EVERYONE) as session:
        figures = vitals.queue_figures(session, QUEUES)
        standing = vitals.alarms(session, figures, runtime().storage.room())
    return render_template("runbook/index.html", standing=standing, titles=vitals.ALARMS)


@bp.get("/<name>")
@require_admin
def page(name: str) -> ResponseReturnValue:
    """What an alarm means, what to look at, what to do."""
    if name not in vitals.ALARMS:
        abort(404)
    return render_template(f"runbook/pages/{name}.html", title=vitals.ALARMS[name], name=name)
