"""The sample desk: made with one click where there are no tickets, and deleted as a whole with another."""

from flask import Blueprint, Flask, flash, redirect
from flask.typing import ResponseReturnValue

from models.base import clock
from tasks.care import sample
from tasks.care.by import Refused
from web.current import current_workspace, may_look, me, reading, require_desk, writing

bp = Blueprint("care_sample", __name__, url_prefix="/care/sample")


@bp.post("")
@require_desk("lead")
def make() -> ResponseReturnValue:
    try:
        with writing() as session:
            many = sample.fill(session, current_workspace(), me().id, clock(session))
    except Refused as error:
        flash(str(error), "warning")
    else:
        flash(f"A sample desk with {many} tickets, to look around in. Nobody was written to.", "success")
    return redirect("/care", 303)


@bp.post("/delete")
@require_desk("lead")
def remove() -> ResponseReturnValue:
    with writing() as session:
        many = sample.remove(session, current_workspace(), clock(session))
    flash(f"The sample is gone, with its {many} tickets.", "success")
    return redirect("/care", 303)


def shown() -> bool:
    """Whether there is a sample in this workspace, for pages that say so."""
    if not may_look():
        return False
    with reading() as session:
        return sample.present(session)


def install(app: Flask) -> None:
    app.jinja_env.globals.update(sample_desk=shown)
