"""The sample desk: made with one click where there are no tickets, and deleted as a whole with another."""

import time
from typing import cast

from flask import Blueprint, Flask, current_app, flash, redirect
from flask.typing import ResponseReturnValue

from models.base import clock
from tasks.care import sample
from tasks.care.by import Refused
from web.current import current_workspace, may_look, me, reading, require_desk, writing

bp = Blueprint("care_sample", __name__, url_prefix="/care/sample")
FRESH_S = 10.0  # for so long a process that did not make the sample may not know of it


@bp.post("")
@require_desk("lead")
def make() -> ResponseReturnValue:
    try:
        with writing() as session:
            many = sample.fill(session, current_workspace(), me().id, clock(session))
    except Refused as error:
        flash(str(error), "warning")
    else:
        _known().clear()
        flash(f"A sample desk with {many} tickets, to look around in. Nobody was written to.", "success")
    return redirect("/care", 303)


@bp.post("/delete")
@require_desk("lead")
def remove() -> ResponseReturnValue:
    with writing() as session:
        many = sample.remove(session, current_workspace(), clock(session))
    _known().clear()
    flash(f"The sample is gone, with its {many} tickets.", "success")
    return redirect("/care", 303)


def shown() -> bool:
    """Whether there is a sample in this workspace, for pages that say so."""
    if not may_look():
        return False
    place, known, now = current_workspace(), _known(), time.monotonic()
    if now >= known.get(place, (0.0, False))[0]:
        with reading() as session:
            known[place] = now + FRESH_S, sample.present(session)
    return known[place][1]


def _known() -> dict[str, tuple[float, bool]]:
    """Of each workspace that was looked at: until when it need not be asked again, and what was found."""
    return cast(dict[str, tuple[float, bool]], current_app.extensions["care_sample"])


def install(app: Flask) -> None:
    app.extensions["care_sample"] = {}
    app.jinja_env.globals.update(sample_desk=shown)
