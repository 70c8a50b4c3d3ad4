"""Places as people fill them in, and the temperatures that they bring as a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base import new_id
from models.meter import Place, WeatherDay
from models.session import touch
from tasks.handover import Refused
from tasks.metering.weather_service import FROM_FILE, NAMES
from web.current import current_workspace, runtime
from web.given import Given

LONGEST_NAME = 120
SAME_NAME = "There is a place of this name already; take another one."
NO_DEGREES = "Write degrees from {} to {}, such as {}."
BOTH = "Write both, latitude and longitude, or neither."
WANTED = "The weather service wants to know where it is: write its latitude and longitude."
BOUNDS = {"latitude": (-90, 90, "51.51"), "longitude": (-180, 180, "-0.13")}


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that is right."""

    name: str
    latitude: float | None
    longitude: float | None
    source: str


def sources() -> list[tuple[str, str]]:
    """Where a place's weather may come from, here."""
    service = runtime().settings.weather
    brought = (FROM_FILE, "A file that you bring")
    return [brought, (service, f"{NAMES[service]}, every three hours")] if service else [brought]


def find(session: Session, place_id: str) -> Place | None:
    return session.scalars(select(Place).where(Place.id == place_id)).first()


def read(session: Session, values: Mapping[str, Any], known: Place | None) -> Filled:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    given = Given(values)
    name = given.text("name", LONGEST_NAME, required=True)
    offered = [source for source, _ in sources()] + ([known.source] if known else [])
    source = given.choice("source", offered, FROM_FILE)
    latitude, longitude = (_degrees(given, field) for field in BOUNDS)
    if not given.wrong and (latitude is None) != (longitude is None):
        given.wrong["longitude" if longitude is None else "latitude"] = BOTH
    if not given.wrong and latitude is None and source != FROM_FILE:
        given.wrong["latitude"] = WANTED
    same = select(Place.id).where(Place.name == name, Place.id != (known.id if known else ""))
    if name and session.scalar(same):
        given.wrong.setdefault("name", SAME_NAME)
    given.done()
    return Filled(name, latitude, longitude, source)


def create(session: Session, values: Mapping[str, Any]) -> Place:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    place = Place(id=new_id(), **_columns(read(session, values, None)))
    session.add(place)
    _keep(session)
    return place


def change(session: Session, place: Place, values: Mapping[str, Any]) -> bool:
    """Whether the weather of another position was there and went.

    Raises:
        Refused: with a message for each field at fault.
    """
    filled = read(session, values, place)
    before = [None if degrees is None else round(degrees, 2) for degrees in (place.latitude, place.longitude)]
    moved = before != [filled.latitude, filled.longitude]
    asked_anew = moved or place.source != filled.source
    for name, value in _columns(filled).items():
        setattr(place, name, value)
    if asked_anew:
        place.fetched_at, place.history_from, place.trouble = None, None, ""
    _keep(session)
    return moved and filled.source != FROM_FILE and forget(session, place) > 0


def forget(session: Session, place: Place) -> int:
    """Let go of all that is known of its weather; how many rows that were."""
    gone = session.execute(delete(WeatherDay).where(WeatherDay.place_id == place.id))
    place.fetched_at, place.history_from, place.trouble = None, None, ""
    touch(session, WeatherDay, current_workspace())
    return int(getattr(gone, "rowcount", 0))


def bring(session: Session, place: Place, path: Path, zone: str) -> tuple[int, int, tuple[str, ...]]:
    """Write a file's temperatures; how many it has, how many are new or differ, and what is to be said of it.

    Raises:
        JobError: it holds none; its message says what to do.
    """
    from tasks.metering import temperature_file, weather
    from tasks.metering.temperatures import hundredths

    found = temperature_file.read(path, zone)
    new = weather.write_observed(session, place, found.times, hundredths(found.degrees))
    return len(found.times), new, found.said


def _columns(filled: Filled) -> dict[str, Any]:
    return {
        "name": filled.name, "latitude": filled.latitude, "longitude": filled.longitude, "source": filled.source,
    }  # fmt: skip


def _keep(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise Refused({"name": SAME_NAME}) from None


def _degrees(given: Given, field: str) -> float | None:
    """To a hundredth, which is a kilometre: weather does not change within it, and no house is found by it."""
    text = str(given.values.get(field) or "").strip().removesuffix("°").replace(",", ".").replace("−", "-")
    if not text:
        return None
    least, most, such = BOUNDS[field]
    try:
        found = round(float(text), 2)
    except ValueError:
        found = float("nan")
    if not least <= found <= most or len(text) > 30:
        given.wrong[field] = NO_DEGREES.format(least, most, such)
        return None
    return found + 0.0
