"""A meter's page: what it used, what comes, what is wrong with it, what would save money; and where readings go."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.meter import Meter, Outlook
from models.run import END_STATES, Run
from tasks.energy.result import EnergyResult
from tasks.metering import exporting
from web import submission
from web.current import reading, require_role, runtime
from workers.enqueue import KeyConflict

bp = Blueprint("energy_meter", __name__, url_prefix="/energy/meters")
WORDS = {"hour": "By the hour", "day": "By the day", "month": "By the month"}
LOOKED_AT = 50  # runs that have not ended


@dataclass(frozen=True, slots=True)
class Shown:
    """What the last look at a meter came to.

    Attributes:
        result: None where there is none, or one of an older form.
        horizon: which forecast of it; horizons: the others that there are.
    """

    result: EnergyResult | None = None
    horizon: str = "hour"
    horizons: tuple[str, ...] = ()


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
            words=WORDS, key=submission.new_key(), origin=origin, exports=exporting.FORMATS,
            hyper=exporting.hyper_missing(), contents=exporting.CONTENTS,
        )  # fmt: skip


@bp.post("/<meter_id>/look")
@require_role("member")
def look(meter_id: str) -> ResponseReturnValue:
    """A run that looks at it now; its page shows how far it is, and leads back here."""
    with reading() as session:
        found = find(session, meter_id).id
    horizon = request.form.get("horizon", "hour")
    values = {"meter": found, "horizon": horizon if horizon in WORDS else "hour"}
    try:
        run = submission.take(submission.find_job("energy"), values, {}, submission.form_key())
    except KeyConflict:
        abort(409)
    return redirect(url_for("runs.show", run_id=run.id), 303)


def find(session: Session, meter_id: str) -> Meter:
    """A meter of the workspace; 404 for every other id."""
    if not meter_id.isalnum() or len(meter_id) > 28:
        abort(404)
    query = select(Meter).where(Meter.id == meter_id).options(joinedload(Meter.tariff), joinedload(Meter.place))
    return session.scalar(query) or abort(404)


def seen(outlook: Outlook | None, horizon: str = "") -> Shown:
    """The result that an outlook holds, with the forecast of a horizon or the first that there is."""
    data: dict[str, Any] = (outlook.data if outlook is not None else None) or {}
    aheads: dict[str, Any] = data.get("aheads") or {}
    there = tuple(word for word in WORDS if word in aheads)
    if not there:
        return Shown()
    chosen = horizon if horizon in there else there[0]
    try:
        return Shown(EnergyResult.model_validate(data["whole"] | aheads[chosen]), chosen, there)
    except (ValidationError, KeyError, TypeError):
        return Shown()  # written by an older form of the job: the next look replaces it


def _going_on(session: Session, meter_id: str) -> str:
    """The run that is looking at it, or waits to; "" without one."""
    query = select(Run.id, Run.params).where(Run.kind == "energy", Run.state.not_in(END_STATES))
    for run_id, params in session.execute(query.order_by(Run.id.desc()).limit(LOOKED_AT)):
        if (params or {}).get("meter") == meter_id:
            return str(run_id)
    return ""
