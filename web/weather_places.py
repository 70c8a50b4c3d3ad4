"""Where meters stand and what the weather is there: from a service, or from a file that people bring."""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.meter import OBSERVED, Meter, Place, WeatherDay
from models.session import touch
from tasks import discover
from tasks.errors import JobError
from tasks.handover import HandedOver, Refused
from tasks.metering.weather_service import FROM_FILE, NAMES
from tasks.storage import TEMPORARY
from web import people, submission, weather_book, weather_figures
from web.current import current_workspace, me, reading, require_role, runtime, writing
from web.inputs import page_number, time_zones

bp = Blueprint("weather_places", __name__, url_prefix="/energy/places")
PER_PAGE = 50
DAY = 86_400
LABELS = {"name": "Name", "latitude": "Latitude", "longitude": "Longitude", "source": "Weather from"}
NO_FILE = "Choose a file."


@bp.get("")
def index() -> ResponseReturnValue:
    page = page_number()
    with reading() as session:
        found = session.scalar(select(func.count(Place.id))) or 0
        rows = session.scalars(select(Place).order_by(Place.name).limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
        ids = [row.id for row in rows]
        count = select(Meter.place_id, func.count()).where(Meter.place_id.in_(ids)).group_by(Meter.place_id)
        meters: dict[str, int] = {str(row[0]): row[1] for row in session.execute(count)}
        last = select(WeatherDay.place_id, func.max(WeatherDay.day))
        mine = last.where(WeatherDay.place_id.in_(ids), WeatherDay.issued_at == OBSERVED)
        days: dict[str, int] = {row[0]: row[1] for row in session.execute(mine.group_by(WeatherDay.place_id))}
    return render_template(
        "energy/places.html", rows=rows, meters=meters, days=days, day_ms=1000 * DAY, page=page,
        pages=max(1, -(-found // PER_PAGE)), names=NAMES, service=runtime().settings.weather,
    )  # fmt: skip


@bp.get("/new")
@require_role("member")
def new() -> ResponseReturnValue:
    return _form({"source": runtime().settings.weather or FROM_FILE})


@bp.post("/new")
@require_role("member")
def create() -> ResponseReturnValue:
    try:
        with writing() as session:
            place = weather_book.create(session, request.form)
    except Refused as error:
        return _form(request.form, None, error.errors), error.status
    flash("The place is there. Choose it on the pages of its meters.", "success")
    return _to(place.id)


@bp.get("/<place_id>")
def show(place_id: str) -> ResponseReturnValue:
    return _page(place_id, {})


@bp.get("/<place_id>/edit")
@require_role("member")
def edit(place_id: str) -> ResponseReturnValue:
    with reading() as session:
        place = find(session, place_id)
    values = {name: getattr(place, name) for name in LABELS}
    return _form({name: "" if value is None else value for name, value in values.items()}, place)


@bp.post("/<place_id>/edit")
@require_role("member")
def save(place_id: str) -> ResponseReturnValue:
    try:
        with writing() as session:
            moved = weather_book.change(session, find(session, place_id), request.form)
    except Refused as error:
        with reading() as session:
            return _form(request.form, find(session, place_id), error.errors), error.status
    flash("Saved. The weather of where it was before is forgotten." if moved else "Saved.", "success")
    return _to(place_id)


@bp.post("/<place_id>/fetch")
@require_role("member")
def fetch(place_id: str) -> ResponseReturnValue:
    """Ask the service now; the run says what came of it."""
    with reading() as session:
        place = find(session, place_id)
    if place.source != runtime().settings.weather:
        flash("No weather service is asked for this place: choose one on its form, if one is set up here.", "warning")
        return _to(place_id)
    job = discover()["weather"]
    try:
        run = submission.insert(job, HandedOver(job.params.model_validate({"place": place_id})), submission.form_key())
    except Refused as error:
        flash(" ".join(error.errors.values()), "warning")
        return _to(place_id)
    return redirect(url_for("runs.show", run_id=run.id), 303)


@bp.post("/<place_id>/bring")
@require_role("member")
def bring(place_id: str) -> ResponseReturnValue:
    """A file of temperatures, written at once: a year of hours takes a second."""
    file, zone = request.files.get("file"), request.form.get("time_zone", "")
    wrong = {} if file and file.filename else {"file": NO_FILE}
    if zone not in time_zones():
        wrong["time_zone"] = "Choose a time zone from the list."
    if wrong or file is None:
        return _page(place_id, wrong), 422
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        path = Path(folder) / "temperatures"
        file.save(path)
        try:
            with writing() as session:
                count, new, said = weather_book.bring(session, find(session, place_id), path, zone)
        except JobError as error:
            return _page(place_id, {"file": str(error)}), 422
    flash(f"{count:,} temperatures read, {new:,} of them new.", "success")
    for each in said:
        flash(each, "info")
    return _to(place_id)


@bp.post("/<place_id>/forget")
@require_role("member")
def forget(place_id: str) -> ResponseReturnValue:
    """For weather that was of another place, or wrong."""
    with writing() as session:
        weather_book.forget(session, find(session, place_id))
        people.audit(session, "weather forgotten", me().id, current_workspace(), place=place_id)
    flash("All that was known of its weather is forgotten.", "success")
    return _to(place_id)


@bp.get("/<place_id>/delete")
@require_role("member")
def ask(place_id: str) -> ResponseReturnValue:
    with reading() as session:
        place = find(session, place_id)
        mine = (WeatherDay.place_id == place_id, WeatherDay.issued_at == OBSERVED)
        days = session.scalar(select(func.count()).select_from(WeatherDay).where(*mine)) or 0
        names = session.scalars(select(Meter.name).where(Meter.place_id == place_id).order_by(Meter.name)).all()
    return render_template("energy/delete_place.html", place=place, days=days, names=names)


@bp.post("/<place_id>/delete")
@require_role("member")
def delete(place_id: str) -> ResponseReturnValue:
    """Its meters stay; their forecasts make do without its weather."""
    with writing() as session:
        session.execute(delete_rows(Place).where(Place.id == find(session, place_id).id))
        touch(session, Place, current_workspace())
        people.audit(session, "place deleted", me().id, current_workspace(), place=place_id)
    flash("The place and its weather are gone. Its meters stay.", "success")
    return redirect(url_for("weather_places.index"), 303)


def find(session: Session, place_id: str) -> Place:
    """A place of this workspace; 404 for all others."""
    return weather_book.find(session, place_id) or abort(404)


def _to(place_id: str) -> ResponseReturnValue:
    return redirect(url_for("weather_places.show", place_id=place_id), 303)


def _page(place_id: str, errors: Mapping[str, str]) -> str:
    now, zone = int(time.time()), me().time_zone
    with reading() as session:
        place = find(session, place_id)
        mine = (WeatherDay.place_id == place_id, WeatherDay.issued_at == OBSERVED)
        first, last = session.execute(select(func.min(WeatherDay.day), func.max(WeatherDay.day)).where(*mine)).one()
        picture = weather_figures.drawn(session, place_id, now, zone)
        meters = session.execute(
            select(Meter.id, Meter.name).where(Meter.place_id == place_id).order_by(Meter.name).limit(PER_PAGE)
        ).all()
    return render_template(
        "energy/place.html", place=place, drawn=picture, meters=meters, errors=errors, names=NAMES, from_file=FROM_FILE,
        service=runtime().settings.weather, key=submission.new_key(), zones=time_zones(),
        zone=request.form.get("time_zone", zone), span=[1000 * DAY * day for day in (first, last) if day is not None],
    )  # fmt: skip


def _form(values: Mapping[str, Any], place: Place | None = None, errors: dict[str, str] | None = None) -> str:
    offered = weather_book.sources()
    if place and place.source not in dict(offered):
        offered.append((place.source, f"{NAMES.get(place.source, place.source)}, which is not set up here any more"))
    return render_template(
        "energy/place_form.html", values=values, place=place, errors=errors or {}, labels=LABELS, sources=offered
    )  # fmt: skip
