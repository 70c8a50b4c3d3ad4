"""Meters as people and programs fill them in: read, checked, made and changed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.meter import COUNTER, INTERVAL, Meter, Place, Tariff
from tasks.handover import Refused
from tasks.metering import looking
from tasks.metering.incoming import UNITS, energy, told
from tasks.metering.taking import by_source
from web.given import Given
from web.inputs import time_zones

MOST = 20_000  # meters of a workspace
LONGEST = {"name": 120, "source": 160, "note": 500}
FIELDS = (
    "name", "kind", "unit", "time_zone", "holidays", "step", "rolls_at", "source", "tariff_id", "place_id", "note",
    "archived",
)  # fmt: skip
KINDS = (INTERVAL, COUNTER)
STEPS = (60, 2_678_400)  # seconds: a minute to a month
SAME_NAME = "There is a meter of this name already; take another one."
SAME_SOURCE = "The meter “{}” takes what comes from there already."
NO_ROW = "There is no such {}; choose one from the list, or none."
NO_ZONE = "Choose a time zone such as Europe/Berlin."
NO_HOLIDAYS = "Write a country such as DE, or a country and its region such as DE-BY; or nothing."
NO_STEP = "Write the seconds of a step, from 60 to 2678400; or 0, and it is found by the readings."
NO_ROLL = "Write the first value that the counter cannot show any more, such as 100000."
YES_OR_NO = "Say true or false."
TOO_MANY = f"There are {MOST:,} meters already. Delete some that are not needed any more."


def find(session: Session, meter_id: str) -> Meter | None:
    return session.scalars(select(Meter).where(Meter.id == meter_id)).first()


def known(meter: Meter) -> dict[str, Any]:
    """Its fields as `read` takes them."""
    return {name: getattr(meter, name) for name in FIELDS} | {"rolls_at": _rolls(meter)}


def _rolls(meter: Meter) -> str:
    return told(meter.rolls_at, meter.unit) if meter.rolls_at else ""


def read(session: Session, values: Mapping[str, Any], meter: Meter | None = None) -> dict[str, Any]:
    """The columns of a meter.

    Args:
        values: `FIELDS` by name, as a form or a program gives them; `rolls_at` in the meter's unit.
        meter: the one that is changed.

    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    name = given.text("name", LONGEST["name"], required=True)
    source, note = (given.text(field, LONGEST[field]) for field in ("source", "note"))
    kind, unit = given.choice("kind", KINDS, INTERVAL), given.choice("unit", tuple(UNITS), "kWh")
    zone = str(values.get("time_zone") or "UTC")
    if zone not in time_zones():
        given.wrong["time_zone"] = NO_ZONE
    rows = {field: _row(session, given, field) for field in ("tariff_id", "place_id")}
    rest = {"holidays": _holidays(given), "step": _step(given), "rolls_at": _rolls_at(given, kind, unit)}
    if source and not given.wrong and (other := _taken(session, source, meter)):
        given.wrong["source"] = SAME_SOURCE.format(other)
    given.done()
    archived = values.get("archived") in (True, "yes", "on", "true")
    told = {"name": name, "kind": kind, "unit": unit, "time_zone": zone, "source": source, "note": note}
    return told | rows | rest | {"archived": archived}


def create(session: Session, values: Mapping[str, Any]) -> Meter:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    columns = read(session, values)
    if (session.scalar(select(func.count()).select_from(Meter)) or 0) >= MOST:
        raise Refused({"": TOO_MANY})
    meter = Meter(**columns)
    session.add(meter)
    _keep(session)
    return meter


def change(session: Session, meter: Meter, values: Mapping[str, Any]) -> None:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    for name, value in read(session, values, meter).items():
        setattr(meter, name, value)
    _keep(session)
    looking.stale(session, [meter.id])  # what was seen of it rests on what it was


def _keep(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise Refused({"name": SAME_NAME}) from None


def _taken(session: Session, source: str, meter: Meter | None) -> str:
    other = by_source(session, [source]).get(source)
    return other.name if other is not None and (meter is None or other.id != meter.id) else ""


def _row(session: Session, given: Given, name: str) -> str | None:
    table = Tariff if name == "tariff_id" else Place
    wanted = given.row(name)
    if wanted and session.scalars(select(table.id).where(table.id == wanted)).first() is None:
        given.wrong[name] = NO_ROW.format("tariff" if table is Tariff else "place")
    return wanted or None


def _holidays(given: Given) -> str:
    from tasks.energy.forecasting.calendar import countries, regions

    code = given.text("holidays", 12).upper()
    country, _, region = code.partition("-")
    if code and (country not in countries() or (region and region not in regions(country))):
        given.wrong["holidays"] = NO_HOLIDAYS
    return code


def _step(given: Given) -> int:
    text = str(given.values.get("step") or 0).strip()
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
    if found and not STEPS[0] <= found <= STEPS[1]:
        given.wrong["step"] = NO_STEP
    return found


def _rolls_at(given: Given, kind: str, unit: str) -> int | None:
    value = given.values.get("rolls_at")
    if value in (None, "") or kind != COUNTER or unit not in UNITS:
        return None
    try:
        found = energy(value, unit)
    except ValueError:
        found = 0
    if found <= 0:
        given.wrong["rolls_at"] = NO_ROLL
    return found
