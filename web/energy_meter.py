"""A meter's page: what it used, what comes, what is wrong with it, what would save money; and where readings go."""

from collections.abc import Mapping

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.meter import Meter, Outlook
from models.run import END_STATES, Run
from tasks.energy.seen import WORDS, Shown, seen
from tasks.handover import Refused
from tasks.meter_file.typed import FORMATS, HYPER
from tasks.metering.exporting import CONTENTS
from web import submission
from web.current import reading, require_role, runtime
from workers.enqueue import KeyConflict

bp = Blueprint("energy_meter", __name__, url_prefix="/energy/meters")
LOOKED_AT = 50  # runs that have not ended


@bp.errorhandler(Refused)
def _refused(error: Refused) -> ResponseReturnValue:
    """A run that cannot be taken now, as when too many wait: said on the page that asked for it."""
    return back((request.view_args or {})["meter_id"], " ".join(error.errors.values()))


@bp.get("/<meter_id>")
def show(meter_id: str) -> ResponseReturnValue:
    with reading() as session:
        meter = find(session, meter_id)
        outlook = session.get(Outlook, meter.id)
        shown = seen(outlook, request.args.get("horizon", "")) if meter.last_at is not None else Shown()
        going_on = _going_on(session, meter.id)
        origin = runtime().settings.origin
        return render_template(
            "energy/meter.html", meter=meter, outlook=outlook, shown=shown, result=shown.result, going_on=going_on,
            words=WORDS, key=submission.new_key(), origin=origin, contents=CONTENTS, formats=offered(),
            days={name: text[:10] for name in ("from", "to") if (text := request.args.get(name, ""))},
        )  # fmt: skip


@bp.post("/<meter_id>/look")
@require_role("member")
def look(meter_id: str) -> ResponseReturnValue:
    """A run that looks at it now; its page shows how far it is, and leads back here."""
    with reading() as session:
        found = find(session, meter_id).id
    horizon = request.form.get("horizon", "hour")
    return started("energy", {"meter": found, "horizon": horizon if horizon in WORDS else "hour"})


def offered() -> dict[str, str]:
    """The formats with typed columns; Tableau's only where it was said that the workers have its library."""
    return {name: label for name, label in FORMATS.items() if name != HYPER or runtime().settings.tableau}


def started(kind: str, values: Mapping[str, str]) -> ResponseReturnValue:
    """A run of the posted form, once for its key; its page is what comes next."""
    try:
        run = submission.take(submission.find_job(kind), values, {}, submission.form_key())
    except KeyConflict:
        abort(409)
    return redirect(url_for("runs.show", run_id=run.id), 303)


def back(meter_id: str, sentence: str) -> ResponseReturnValue:
    """To the meter's page, with a sentence at its top."""
    flash(sentence, "warning")
    return redirect(url_for("energy_meter.show", meter_id=meter_id), 303)


def find(session: Session, meter_id: str) -> Meter:
    """A meter of the workspace; 404 for every other id."""
    if not meter_id.isalnum() or len(meter_id) > 28:
        abort(404)
    query = select(Meter).where(Meter.id == meter_id).options(joinedload(Meter.tariff), joinedload(Meter.place))
    return session.scalar(query) or abort(404)


def _going_on(session: Session, meter_id: str) -> str:
    """The run that is looking at it, or waits to; "" without one."""
    query = select(Run.id, Run.params).where(Run.kind == "energy", Run.state.not_in(END_STATES))
    for run_id, params in session.execute(query.order_by(Run.id.desc()).limit(LOOKED_AT)):
        if (params or {}).get("meter") == meter_id:
            return str(run_id)
    return ""
