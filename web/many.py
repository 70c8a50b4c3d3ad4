"""One thing done to many runs at once, from their list; and the page that asks before anything is deleted."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from web import deeds
from web.current import require_role
from web.submission import form_key

bp = Blueprint("many", __name__, url_prefix="/runs")
FILTERS = ("state", "kind", "q", "after")


@bp.post("/actions")
@require_role("member")
def act() -> ResponseReturnValue:
    """Retry, run again or cancel what was chosen; discarding is asked about first."""
    action, ids = request.form.get("action", ""), chosen()
    if action not in deeds.DONE:
        abort(400)
    if not ids:
        flash("Choose at least one run first: tick the box before it.", "info")
        return back()
    if action == "discard":
        return _ask(ids)
    return _done(deeds.perform(action, ids, form_key()))


@bp.post("/discard")
@require_role("member")
def discard() -> ResponseReturnValue:
    """Delete them for good."""
    return _done(deeds.perform("discard", chosen()))


def chosen() -> list[str]:
    """The runs that were ticked; a page has fewer than are let through."""
    return list(dict.fromkeys(request.form.getlist("ids")))[: deeds.MOST]


def back() -> ResponseReturnValue:
    """To the list, with the filters that it had."""
    return redirect(url_for("runs.index", **asked()), 303)


def asked() -> dict[str, Any]:
    return {name: text for name in FILTERS if (text := request.form.get(name, "").strip()[:200])}


def _ask(ids: list[str]) -> ResponseReturnValue:
    going, staying = deeds.discardable(ids)
    if not going:
        flash("Nothing can be deleted: only runs that have ended can. Cancel the others first.", "info")
        return back()
    return render_template("runs/discard.html", going=going, staying=staying, asked=asked())


def _done(outcome: deeds.Outcome) -> ResponseReturnValue:
    flash(outcome.words, "success" if outcome.done and not outcome.refused else "info")
    return back()
