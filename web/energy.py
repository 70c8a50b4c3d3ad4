"""The list of meters: what each used, what tomorrow will bring, which are silent and where something is wrong.

It reads the few figures that the nightly look left with each meter, and unpacks no readings: 10,000 meters are a page
of fifty.
"""

import time
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from models.meter import REFUSED, Anomaly, Meter, Outlook, Place
from web.current import me, reading, require_role, runtime, writing
from web.inputs import page_number

bp = Blueprint("energy", __name__, url_prefix="/energy")
PER_PAGE = 50
DAY = 86_400
QUIET_DAYS, STALE_MS = 2, 2 * DAY * 1000
SAMPLE = "sample"  # `Meter.source` of the made-up one (tasks.metering.sample_meter.SOURCE)
SHOWN = {"kept": "All in use", "silent": "Silent", "wrong": "With something wrong", "archived": "Archived"}
SORTS: dict[str, Any] = {
    "name": Meter.name, "last": Meter.last_at, "week": Outlook.week_kwh, "month": Outlook.month_kwh,
    "tomorrow": Outlook.tomorrow_kwh,
}  # fmt: skip
COLUMNS = (
    Outlook.state, Outlook.reason, Outlook.made_at, Outlook.week_kwh, Outlook.week_before_kwh, Outlook.month_kwh,
    Outlook.month_before_kwh, Outlook.tomorrow_kwh,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A meter as its line in the list shows it; `figures` is the row of COLUMNS."""

    meter: Meter
    figures: Any
    wrong: int
    state: str  # fresh, silent, none


@bp.app_context_processor
def _mqtt() -> dict[str, Any]:
    """`mqtt_topic(meter)` where meters are listened to by MQTT; nothing where none are."""
    settings = runtime().settings
    if not settings.mqtt_url.get_secret_value():
        return {}
    return {"mqtt_topic": lambda meter: f"{settings.mqtt_topic}/{meter.address}"}


@bp.get("")
def index() -> ResponseReturnValue:
    asked, page, now = _asked(), page_number(), int(time.time())
    with reading() as session:
        if session.scalar(select(Meter.id).limit(1)) is None:
            return render_template("energy/first.html")
        chosen = _chosen(asked, now)
        found = session.scalar(chosen.with_only_columns(func.count(Meter.id)).order_by(None)) or 0
        lines = _lines(session, _sorted(chosen, asked).limit(PER_PAGE).offset((page - 1) * PER_PAGE), now)
        silent = session.scalar(select(func.count(Meter.id)).where(Meter.archived.is_(False), _silent(now))) or 0
        wrong = session.scalar(select(func.count(Anomaly.id)).where(_open())) or 0
    return render_template(
        "energy/index.html", lines=lines, found=found, silent=silent, wrong=wrong, asked=asked, page=page,
        pages=max(1, -(-found // PER_PAGE)), shown=SHOWN, sample=SAMPLE, stale=1000 * now - STALE_MS, kwh=kwh,
        change=change, refused=REFUSED,
    )  # fmt: skip


@bp.post("/sample")
@require_role("member")
def sample() -> ResponseReturnValue:
    """One made-up household to look around in; a second click leads to the first."""
    from tasks.metering import sample_rows  # numpy, which no other page of the list needs

    now = int(time.time())
    with writing() as session:
        meter = sample_rows.there(session)
        made = meter is None
        meter = meter or sample_rows.fill(session, me().time_zone, now)
    if made:
        flash("A made-up household with a year of readings, weather and a tariff, to look around.", "success")
    return to_meter(meter.id)


def to_meter(meter_id: str) -> ResponseReturnValue:
    return redirect(url_for("energy_meter.show", meter_id=meter_id), 303)


def kwh(value: float | None) -> str:
    """For people: three digits that say something; a dash for what is not known."""
    if value is None:
        return "–"
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 999.95 else 0
    return f"{value:,.{digits}f}".replace("-", "−") + " kWh"  # a minus as it is set


def change(now: float | None, before: float | None) -> str:
    """ "12 % more", beside as many days before; "" where that cannot be said."""
    if now is None or before is None or before <= 0 or now < 0:
        return ""
    percent = round(100 * (now - before) / before)
    if percent == 0:
        return "as before"
    return f"{abs(percent):,} % {'more' if percent > 0 else 'less'}" if percent < 1000 else "far more"


def _asked() -> dict[str, str]:
    shown, sort = request.args.get("show", ""), request.args.get("sort", "")
    return {
        "q": request.args.get("q", "").replace("\0", "").strip()[:160],
        "show": shown if shown in SHOWN else "kept",
        "sort": sort if sort.removeprefix("-") in SORTS else "name",
    }


def _silent(now: int) -> ColumnElement[bool]:
    """Nothing came for two days, and for two of its steps."""
    return Meter.last_at + 2 * Meter.step < now - QUIET_DAYS * DAY


def _open() -> ColumnElement[bool]:
    """What goes on, and nobody has said that it is nothing."""
    return Anomaly.dismissed_at.is_(None) & Anomaly.end.is_(None)


def _chosen(asked: dict[str, str], now: int) -> Select[Any]:
    chosen: Any = select(Meter, *COLUMNS).outerjoin(Outlook, Outlook.meter_id == Meter.id)
    chosen = chosen.where(Meter.archived.is_(asked["show"] == "archived"))
    if asked["q"]:
        at = select(Place.id).where(Place.name.icontains(asked["q"], autoescape=True))
        fields = (Meter.name, Meter.source, Meter.note)
        in_text = (field.icontains(asked["q"], autoescape=True) for field in fields)
        chosen = chosen.where(or_(*in_text, Meter.place_id.in_(at)))
    if asked["show"] == "silent":
        chosen = chosen.where(_silent(now))
    if asked["show"] == "wrong":
        chosen = chosen.where(Meter.id.in_(select(Anomaly.meter_id).where(_open())))
    return cast(Select[Any], chosen)


def _sorted(chosen: Select[Any], asked: dict[str, str]) -> Select[Any]:
    """What is not known stands at the end, either way: databases disagree on where it belongs."""
    column = SORTS[asked["sort"].removeprefix("-")]
    order = column.desc() if asked["sort"].startswith("-") else column
    return chosen.order_by(column.is_(None), order, Meter.id) if column is not Meter.name else chosen.order_by(order)


def _lines(session: Session, chosen: Select[Any], now: int) -> list[Line]:
    rows = session.execute(chosen).all()
    ids = [row[0].id for row in rows]
    count = select(Anomaly.meter_id, func.count()).where(Anomaly.meter_id.in_(ids), _open())
    wrong: dict[str, int] = {row[0]: row[1] for row in session.execute(count.group_by(Anomaly.meter_id))}
    return [Line(row[0], row, wrong.get(row[0].id, 0), _state(row[0], now)) for row in rows]


def _state(meter: Meter, now: int) -> str:
    if meter.last_at is None:
        return "none"
    return "silent" if meter.last_at + 2 * meter.step < now - QUIET_DAYS * DAY else "fresh"
