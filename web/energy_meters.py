"""A meter made, changed, put away and deleted. Its own page, with what it used, is `web.energy_meter`'s."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.meter import Anomaly, Meter, Place, ReadingDay, Tariff, new_address
from models.session import touch
from tasks.handover import Refused
from tasks.metering.incoming import UNITS
from web import meter_book, people
from web.current import current_workspace, me, reading, require_role, writing
from web.energy import bp, to_meter
from web.inputs import time_zones

KINDS = [
    ("interval", "What was used: each reading is the energy of some time"),
    ("counter", "What the counter shows: each reading is more than the last"),
]
STEPS = [
    ("0", "As its readings say"), ("60", "A minute"), ("300", "5 minutes"), ("600", "10 minutes"),
    ("900", "A quarter of an hour"), ("1800", "Half an hour"), ("3600", "An hour"), ("86400", "A day"),
]  # fmt: skip
LABELS = {
    "name": "Name", "kind": "Kind of readings", "unit": "Unit", "time_zone": "Time zone",
    "holidays": "Public holidays", "step": "Readings come every", "rolls_at": "The counter rolls over at",
    "source": "Name elsewhere", "tariff_id": "Tariff", "place_id": "Place", "note": "Note",
}  # fmt: skip


@bp.get("/meters/new")
@require_role("member")
def new_meter() -> ResponseReturnValue:
    with reading() as session:
        return _form(session, {"time_zone": me().time_zone, "kind": "interval", "unit": "kWh"})


@bp.post("/meters/new")
@require_role("member")
def make_meter() -> ResponseReturnValue:
    try:
        with writing() as session:
            meter = meter_book.create(session, request.form)
    except Refused as error:
        return _again(error)
    flash("The meter is there. Now bring its readings: as a file, by the API or by MQTT.", "success")
    return to_meter(meter.id)


@bp.get("/meters/<meter_id>/edit")
@require_role("member")
def edit_meter(meter_id: str) -> ResponseReturnValue:
    with reading() as session:
        meter = find(session, meter_id)
        return _form(session, meter_book.known(meter), meter)


@bp.post("/meters/<meter_id>/edit")
@require_role("member")
def save_meter(meter_id: str) -> ResponseReturnValue:
    try:
        with writing() as session:
            meter = find(session, meter_id)
            meter_book.change(session, meter, {**request.form, "archived": meter.archived})
    except Refused as error:
        return _again(error, meter_id)
    flash("Saved.", "success")
    return to_meter(meter_id)


@bp.post("/meters/<meter_id>/archive")
@require_role("member")
def archive_meter(meter_id: str) -> ResponseReturnValue:
    """Nobody looks at it any more, and it takes no readings by its name; all that it has stays. Or it is used again."""
    with writing() as session:
        meter = find(session, meter_id)
        meter.archived = not meter.archived
        gone = meter.archived
    flash("Archived: it is looked at no more, and its readings stay." if gone else "It is in use again.", "success")
    return redirect(url_for("energy.index"), 303) if gone else to_meter(meter_id)


@bp.post("/meters/<meter_id>/address")
@require_role("member")
def renew_address(meter_id: str) -> ResponseReturnValue:
    """Whoever knew the old address can write no more readings."""
    with writing() as session:
        find(session, meter_id).address = new_address()
        people.audit(session, "meter address renewed", me().id, current_workspace(), meter=meter_id)
    flash("It has another address; whatever sends to the old one is not heard any more.", "success")
    return redirect(url_for("energy.edit_meter", meter_id=meter_id), 303)


@bp.get("/meters/<meter_id>/delete")
@require_role("member")
def ask_delete_meter(meter_id: str) -> ResponseReturnValue:
    with reading() as session:
        meter = find(session, meter_id)
        mine = ReadingDay.meter_id == meter_id
        count, days = session.execute(select(func.sum(ReadingDay.count), func.count()).where(mine)).one()
        wrong = session.scalar(select(func.count(Anomaly.id)).where(Anomaly.meter_id == meter_id)) or 0
    return render_template(
        "energy/delete_meter.html", meter=meter, count=int(count or 0), days=days, wrong=wrong
    )  # fmt: skip


@bp.post("/meters/<meter_id>/delete")
@require_role("member")
def delete_meter(meter_id: str) -> ResponseReturnValue:
    """With all that hangs on it, which the database takes with it."""
    with writing() as session:
        name = find(session, meter_id).name
        session.execute(delete_rows(Meter).where(Meter.id == meter_id))
        for table in (Meter, ReadingDay, Anomaly):
            touch(session, table, current_workspace())
        people.audit(session, "meter deleted", me().id, current_workspace(), meter=meter_id)
    flash(f"The meter “{name}” and its readings are gone.", "success")
    return redirect(url_for("energy.index"), 303)


def find(session: Session, meter_id: str) -> Meter:
    """A meter of this workspace; 404 for all others."""
    return meter_book.find(session, meter_id) or abort(404)


@cache
def countries() -> list[tuple[str, str]]:
    """Countries whose public holidays are known, by name."""
    from babel import Locale
    from holidays import list_supported_countries

    names = Locale("en").territories
    found = ((names.get(code, code), code) for code in list_supported_countries(include_aliases=False))
    return [(code, name) for name, code in sorted(found) if len(code) == 2]


def regions(code: str) -> list[str]:
    """The codes of a country's regions, as "DE-BY"."""
    from holidays import list_supported_countries

    country = code.partition("-")[0]
    known = list_supported_countries(include_aliases=False).get(country, [])
    return [f"{country}-{region}" for region in known if region == region.upper() and len(region) <= 9]


def _again(error: Refused, meter_id: str = "") -> ResponseReturnValue:
    with reading() as session:
        meter = find(session, meter_id) if meter_id else None
        return _form(session, request.form, meter, error.errors), error.status


def _form(
    session: Session, values: Mapping[str, Any], meter: Meter | None = None, errors: dict[str, str] | None = None
) -> str:
    tariffs = session.execute(select(Tariff.id, Tariff.name).order_by(Tariff.name)).all()
    places = session.execute(select(Place.id, Place.name).order_by(Place.name)).all()
    return render_template(
        "energy/meter_form.html", values=values, meter=meter, errors=errors or {}, labels=LABELS, kinds=KINDS,
        units=[(unit, unit) for unit in UNITS], steps=STEPS, zones=time_zones(), countries=countries(),
        regions=regions(str(values.get("holidays") or "")[:12].upper()),
        tariffs=[("", "None"), *((row.id, row.name) for row in tariffs)],
        places=[("", "None"), *((row.id, row.name) for row in places)],
    )  # fmt: skip
