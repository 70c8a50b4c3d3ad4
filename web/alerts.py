"""Pages of alerts: what is wrong now in all workspaces of the person who looks, and what to do next."""

from functools import partial

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models.alert import ENDED, LEVELLED, NOTED, OPENED
from web import alert_book
from web.current import me, own, person
from web.inputs import page_number
from web.signin import local_path

bp = Blueprint("alerts", __name__, url_prefix="/alerts")
STEPS = {NOTED: "noticed", OPENED: "opened", LEVELLED: "got worse", ENDED: "resolved"}
RULES = {"budget": "Open the budget", "stock": "Open the product", "expiry": "Open the product"}
RULES |= dict.fromkeys(("first answer", "solution", "given", "heard"), "Open the ticket")
RULES |= {"mailbox": "Open the mailboxes", "unread mail": "Open received mail"}


@bp.app_template_global("alert_count")
def count() -> str:
    """What stands beside “Alerts” in the navigation bar; nothing when nothing waits."""
    found = alert_book.count() if person() else 0
    return "" if not found else str(found) if found <= alert_book.MANY else f"{alert_book.MANY}+"


@bp.get("")
@own
def index() -> ResponseReturnValue:
    chosen, page = request.args.get("workspace", ""), page_number()
    places = alert_book.places()
    if chosen not in ("", *(place.id for place in places)):
        abort(404)
    book = alert_book.book(chosen, page)
    pages = -(-book.count // alert_book.PAGE) if chosen else 1
    shown = {"book": book, "places": places, "chosen": chosen, "page": page, "pages": pages}
    return render_template("alerts/index.html", steps=STEPS, rules=RULES, **shown)


@bp.get("/<alert_id>")
@own
def show(alert_id: str) -> ResponseReturnValue:
    line = alert_book.one(alert_id)
    return render_template(
        "alerts/show.html", line=line, steps=STEPS, rules=RULES, here=line.place == me().workspace_id
    )


@bp.post("/<alert_id>/acknowledge")
@own
def acknowledge(alert_id: str) -> ResponseReturnValue:
    return _done(alert_book.act(alert_id, alert_book.acknowledge))


@bp.post("/<alert_id>/hand-back")
@own
def hand_back(alert_id: str) -> ResponseReturnValue:
    return _done(alert_book.act(alert_id, alert_book.hand_back))


@bp.post("/<alert_id>/mute")
@own
def mute(alert_id: str) -> ResponseReturnValue:
    chosen = request.form.get("for", "")
    if chosen not in alert_book.MUTES:
        flash("Choose how long: a day, a week, or for good.", "danger")
        return redirect(url_for("alerts.show", alert_id=alert_book.one(alert_id).alert.id), 303)
    return _done(alert_book.act(alert_id, partial(alert_book.mute, length=alert_book.MUTES[chosen])))


@bp.post("/<alert_id>/unmute")
@own
def unmute(alert_id: str) -> ResponseReturnValue:
    return _done(alert_book.act(alert_id, alert_book.unmute))


def _done(said: str) -> ResponseReturnValue:
    """Back to where the button was."""
    flash(said, "success")
    wanted = request.form.get("next", "")
    ours = wanted.startswith(("/alerts", "/expenses/", "/stock/"))
    return redirect(local_path(wanted) if ours else url_for("alerts.index"), 303)
