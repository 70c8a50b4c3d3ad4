"""Pages of tariffs: what a kilowatt-hour costs and when, the week as a picture, and which meters use it."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.meter import Meter, Tariff
from tasks import money
from tasks.handover import Refused
from tasks.metering.tariff_faults import MONTHS, days_in_words
from tasks.metering.tariffs import DAYS, Rates, problems
from web import places, tariff_book, tariff_form, tariff_picture
from web.current import reading, require_role, writing
from web.inputs import page_number
from web.money import offered
from web.tariff_form import EVERY_DAY, WORKDAYS

bp = Blueprint("tariffs", __name__, url_prefix="/energy/tariffs")
PAGE = 50
SHOWN_METERS = 100
KINDS = {"flat": "One price", "time of use": "Prices by time of use", "tiered": "Prices by amount"}
HOLIDAYS = {
    "weekday": "those of their day of the week", "saturday": "those of Saturday", "sunday": "those of Sunday",
    "own": "prices of their own, given above",
}  # fmt: skip
PRESETS = (
    EVERY_DAY, WORKDAYS, "sat,sun", "mon,tue,wed,thu,fri,sat", "sun,holiday", "sat,sun,holiday", *DAYS,
)  # fmt: skip
LABELS = {
    "name": "Name", "currency": "Currency", "kind": "Kind", "price": "Price", "periods": "Prices and their hours",
    "blocks": "Blocks", "standing": "Standing charge", "tax": "Tax", "feed_in": "Price for feeding in",
    "rest_price": "All other hours",
}  # fmt: skip


@bp.get("")
def index() -> ResponseReturnValue:
    page = page_number()
    with reading() as session:
        found = session.scalar(select(func.count(Tariff.id))) or 0
        rows = session.scalars(select(Tariff).order_by(Tariff.name).limit(PAGE).offset((page - 1) * PAGE)).all()
        used = select(Meter.tariff_id, func.count()).where(Meter.tariff_id.in_([row.id for row in rows]))
        meters: dict[str, int] = {str(row[0]): row[1] for row in session.execute(used.group_by(Meter.tariff_id))}
    return render_template(
        "energy/tariffs.html", rows=rows, meters=meters, kinds=KINDS, examples=tariff_book.ABOUT, page=page,
        pages=max(1, -(-found // PAGE)), summary=summary,
    )  # fmt: skip


@bp.get("/new")
@require_role("member")
def new() -> ResponseReturnValue:
    with reading() as session:
        currency = places.here(session).currency
    return _form({"currency": currency, "kind": "flat", "period-0-start": "07:00", "period-0-end": "22:00"})


@bp.post("/new")
@require_role("member")
def create() -> ResponseReturnValue:
    if request.form.get("do") in ("picture", "rows"):
        return _form(_asked())
    try:
        with writing() as session:
            tariff = tariff_book.create(session, tariff_form.read(_given()))
    except Refused as error:
        return _form(_given(), None, error.errors), error.status
    flash("Saved. Choose it on the pages of the meters that pay it.", "success")
    return _to(tariff.id)


@bp.post("/examples")
@require_role("member")
def example() -> ResponseReturnValue:
    which = request.form.get("which", "")
    if which not in tariff_book.EXAMPLES:
        abort(404)
    try:
        with writing() as session:
            tariff = tariff_book.example(session, which, places.here(session).currency)
    except Refused as error:
        flash(" ".join(error.errors.values()), "warning")
        return redirect(url_for("tariffs.index"), 303)
    flash("An example with made-up prices: put those of your contract into it.", "success")
    return _to(tariff.id)


@bp.get("/<tariff_id>")
def show(tariff_id: str) -> ResponseReturnValue:
    with reading() as session:
        tariff = _find(session, tariff_id)
        mine = select(Meter.id, Meter.name).where(Meter.tariff_id == tariff_id).order_by(Meter.name)
        meters = session.execute(mine.limit(SHOWN_METERS)).all()
        many = session.scalar(select(func.count(Meter.id)).where(Meter.tariff_id == tariff_id)) or 0
    rates = tariff_book.rates_of(tariff)
    return render_template(
        "energy/tariff.html", tariff=tariff, rates=rates, meters=meters, many=many, kinds=KINDS, holidays=HOLIDAYS,
        **_picture(rates, tariff.currency),
    )  # fmt: skip


@bp.get("/<tariff_id>/edit")
@require_role("member")
def edit(tariff_id: str) -> ResponseReturnValue:
    with reading() as session:
        tariff = _find(session, tariff_id)
    return _form(tariff_form.values_of(tariff.name, tariff.currency, tariff_book.rates_of(tariff)), tariff)


@bp.post("/<tariff_id>/edit")
@require_role("member")
def save(tariff_id: str) -> ResponseReturnValue:
    with reading() as session:
        tariff = _find(session, tariff_id)
    if request.form.get("do") in ("picture", "rows"):
        return _form(_asked(), tariff)
    try:
        with writing() as session:
            tariff_book.change(session, _find(session, tariff_id), tariff_form.read(_given()))
    except Refused as error:
        return _form(_given(), tariff, error.errors), error.status
    flash("Saved. The next look at its meters reckons with it.", "success")
    return _to(tariff_id)


@bp.get("/<tariff_id>/delete")
@require_role("member")
def ask(tariff_id: str) -> ResponseReturnValue:
    with reading() as session:
        tariff = _find(session, tariff_id)
        many = session.scalar(select(func.count(Meter.id)).where(Meter.tariff_id == tariff_id)) or 0
    return render_template("energy/delete_tariff.html", tariff=tariff, many=many)


@bp.post("/<tariff_id>/delete")
@require_role("member")
def delete(tariff_id: str) -> ResponseReturnValue:
    with writing() as session:
        session.delete(_find(session, tariff_id))
    flash("The tariff is gone. The meters that used it have none now.", "success")
    return redirect(url_for("tariffs.index"), 303)


def summary(tariff: Tariff) -> str:
    """Its prices in a line: “€0.20 Night · €0.34 Day”."""
    told = tariff_picture.legend(tariff_book.rates_of(tariff), tariff.currency)
    return " · ".join(each.price if tariff.kind == "flat" else f"{each.price} {each.name}" for each in told)


def _find(session: Session, tariff_id: str) -> Tariff:
    return tariff_book.find(session, tariff_id) or abort(404)


def _given() -> dict[str, str]:
    return {name: text.replace("\0", "") for name, text in request.form.items()}


def _asked() -> dict[str, str]:
    """The form as it stands, with some rows more where those are wanted."""
    values = _given()
    if values.get("do") == "rows":
        for what in ("period", "block"):
            values[f"{what}_rows"] = str(tariff_form.shown_rows(values, what) + 3)
    return values


def _form(
    values: Mapping[str, Any], tariff: Tariff | None = None, errors: dict[str, str] | None = None
) -> str:  # fmt: skip
    rates = tariff_form.draft(values)
    rows = {what: tariff_form.shown_rows(values, what) for what in ("period", "block")}
    days = dict.fromkeys((*PRESETS, *(values.get(f"period-{row}-days") or EVERY_DAY for row in range(rows["period"]))))
    return render_template(
        "energy/tariff_form.html", values=values, tariff=tariff, errors=errors or {}, kinds=KINDS, months=MONTHS,
        currencies=offered(), labels=_labels(errors or {}), rows=rows, days=[(each, _days(each)) for each in days],
        holidays=HOLIDAYS, **_picture(rates, str(values.get("currency") or "")),
    )  # fmt: skip


def _labels(errors: dict[str, str]) -> dict[str, str]:
    """Names of fields for the list of what is wrong; rows by their number."""
    told = dict(LABELS)
    for name in errors:
        if match := tariff_form.ROW.match(name):
            told[name] = f"Row {int(match[2]) + 1}, {name.rpartition('-')[2].replace('_', ' ')}"
    return told


def _days(codes: str) -> str:
    found = tuple(DAYS.index(day) for day in DAYS if day in codes.split(","))
    return days_in_words(found, 8) if found else "No day"


def _picture(rates: Rates | None, currency: str) -> dict[str, Any]:
    currency = currency if money.known(currency) else "EUR"
    if rates is None:
        return {"weeks": [], "legend": [], "holes": []}
    weeks = tariff_picture.weeks(rates, currency) if rates.levels else []
    return {"weeks": weeks, "legend": tariff_picture.legend(rates, currency), "holes": problems(rates) if weeks else []}


def _to(tariff_id: str) -> ResponseReturnValue:
    return redirect(url_for("tariffs.show", tariff_id=tariff_id), 303)
