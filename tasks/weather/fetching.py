"""One place's weather: which places are due, what is known of them, and what is kept of what a service tells."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from models.meter import OBSERVED, Meter, Place, WeatherDay
from tasks.metering import weather
from tasks.metering.plausible import Past, objection, objection_to_history
from tasks.metering.temperatures import hundredths
from tasks.metering.weather_service import NAMES, Told, Trouble, WeatherService

HOUR, DAY, YEAR = 3600, 86_400, 365 * 86_400
HOUR_MS, AGAIN_MS = 3_600_000, 600_000  # a place is asked for once an hour; after trouble ten minutes later
RECENT_DAYS, SEASON_DAYS, SEASONS = 14, 15, 3
SPOKEN_OF = (-10 * DAY, 20 * DAY)  # around now: hours elsewhere are none that were asked for
PIECE_DAYS, PIECES, FARTHEST_DAYS = 365, 2, 3650  # of history: in one question, in one run, at all
LONGEST = 500  # of a place's trouble


@dataclass(frozen=True, slots=True)
class Due:
    """A place to ask for."""

    id: str
    workspace_id: str
    latitude: float
    longitude: float
    history_from: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one place: how many temperatures are new, and what it is in trouble with."""

    measured: int = 0
    foretold: int = 0
    trouble: str = ""


def due(session: Session, service: str, now: int, place_id: str, most: int) -> list[Due]:
    """Those with a position that were not asked for within the hour, the longest ago first.

    Args:
        now: epoch seconds.
        place_id: this one alone; "" for all.
    """
    asked_ms, troubled = 1000 * now, Place.trouble != ""
    waited = or_(
        Place.fetched_at.is_(None),
        Place.fetched_at <= asked_ms - HOUR_MS,
        troubled & (Place.fetched_at <= asked_ms - AGAIN_MS),
    )
    chosen = select(Place).where(
        Place.source == service, Place.latitude.is_not(None), Place.longitude.is_not(None), waited
    )
    if place_id:
        chosen = chosen.where(Place.id == place_id)
    rows = session.scalars(chosen.order_by(func.coalesce(Place.fetched_at, 0), Place.id).limit(most))
    return [Due(row.id, row.workspace_id, *position(row), row.history_from) for row in rows]


def position(row: Place) -> tuple[float, float]:
    """Latitude and longitude; to a hundredth, since MariaDB keeps such columns in single precision."""
    return round(row.latitude or 0.0, 2), round(row.longitude or 0.0, 2)


def by_position(places: list[Due]) -> list[list[Due]]:
    """Those of one position together: one question serves all of them."""
    found: dict[tuple[float, float], list[Due]] = {}
    for place in places:
        found.setdefault((place.latitude, place.longitude), []).append(place)
    return list(found.values())


def checked(session: Session, service: WeatherService, place: Due, told: Told, now: int) -> Told:
    """What may be kept of what a service told for now.

    Raises:
        Trouble: none of it.
    """
    least, most = (now + each for each in SPOKEN_OF)
    hours = [(at, each) for at, each in zip(told.times, told.degrees, strict=True) if least <= at <= most]
    kept = Told(tuple(at for at, _each in hours), tuple(each for _at, each in hours))
    name = NAMES[service.name]
    if not any(at >= now for at, _each in kept.pairs):
        raise Trouble(f"{name} told no temperature from now on.")
    if wrong := objection(name, kept.pairs, place.latitude, _past(session, place.id, now)):
        raise Trouble(wrong)
    return kept


def keep(session: Session, place: Due, told: Told, now: int) -> tuple[int, int]:
    """Write what was measured since, and the forecast. What is known as measured stays as it was known."""
    row = _as_it_was(session, place)
    if row is None:
        return 0, 0
    measured = missing(session, place.id, [pair for pair in told.pairs if pair[0] <= now])
    coming = [pair for pair in told.pairs if pair[0] > now]
    new = weather.write_observed(session, row, *_columns(measured))
    foretold = weather.write_forecast(session, row, now, *_columns(coming))
    weather.thin(session, place.id, now)
    return new, foretold


def missing(session: Session, place_id: str, pairs: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Those of which nothing is known as measured."""
    if not pairs:
        return []
    start, end = pairs[0][0], pairs[-1][0] + 1
    known = set(_measured(session, place_id, start, end))
    return [(at, each) for at, each in pairs if at not in known]


def wanted_history(session: Session, place: Due, now: int) -> tuple[date, date] | None:
    """The next piece of the past to ask for, the latest first; None when enough of it was asked for.

    It reaches a day or more into what is known, so that the two can be compared.
    """
    first = session.scalar(select(func.min(Meter.first_at)).where(Meter.place_id == place.id))
    if first is None:
        return None
    first = max(first, now - FARTHEST_DAYS * DAY)
    until = place.history_from if place.history_from is not None else now - 2 * DAY
    if first >= until:
        return None
    start = max(first, until - PIECE_DAYS * DAY)
    return _day(start), min(_day(until) + timedelta(days=1), _day(now - DAY))


def keep_history(session: Session, service: WeatherService, place: Due, told: Told, first: date) -> int:
    """Write a piece of the past.

    Raises:
        Trouble: it cannot be.
    """
    least = start_of(first)
    pairs = [pair for pair in told.pairs if least <= pair[0] < least + (PIECE_DAYS + 3) * DAY]
    if pairs:
        known = list(_measured(session, place.id, pairs[0][0], pairs[-1][0] + 1).items())
        if wrong := objection_to_history(NAMES[service.name], pairs, place.latitude, known):
            raise Trouble(wrong)
    row = _as_it_was(session, place)
    if row is None:
        return 0
    new = weather.write_observed(session, row, *_columns(missing(session, place.id, pairs)))
    row.history_from = least
    return new


def start_of(day: date) -> int:
    """Its UTC midnight, epoch seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def begin_history_anew(session: Session, place_id: str, now: int) -> bool:
    """After a long silence of ours there is a hole, which only the archive fills: it is asked from now back again."""
    last = session.scalar(
        select(func.max(WeatherDay.day)).where(WeatherDay.place_id == place_id, WeatherDay.issued_at == OBSERVED)
    )
    if last is None or last * DAY >= now - 6 * DAY:
        return False
    session.execute(update(Place).where(Place.id == place_id).values(history_from=None))
    return True


def note(session: Session, place_id: str, now: int, trouble: str) -> None:
    """Write down that it was asked for, and what came of it."""
    asked = {"fetched_at": 1000 * now, "trouble": trouble[:LONGEST]}
    session.execute(update(Place).where(Place.id == place_id).values(asked))


def left_out(service: WeatherService, told: Told) -> str:
    """A sentence where hours are missing; "" where none is."""
    if not told.missing:
        return ""
    return f"{NAMES[service.name]} left out {told.missing} of {len(told.times)} hours; forecasts do without them."


def _past(session: Session, place_id: str, now: int) -> Past:
    recent = _measured(session, place_id, now - RECENT_DAYS * DAY, now + 1)
    season: dict[int, float] = {}
    for ago in range(1, SEASONS + 1):
        then = now - ago * YEAR
        season |= _measured(session, place_id, then - SEASON_DAYS * DAY, then + SEASON_DAYS * DAY)
    return Past(list(recent.items()), list(season.items()))


def _measured(session: Session, place_id: str, start: int, end: int) -> dict[int, float]:
    """What was measured, by time."""
    found = weather.known(session, place_id, start, end, end)
    mine = found.issued == OBSERVED
    return dict(zip(found.times[mine].tolist(), found.degrees[mine].tolist(), strict=True))


def _as_it_was(session: Session, place: Due) -> Place | None:
    """Its row; None when somebody has deleted or moved it since it was asked for."""
    row = session.scalars(select(Place).where(Place.id == place.id)).first()
    return row if row is not None and position(row) == (place.latitude, place.longitude) else None


def _columns(pairs: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    times = np.array([at for at, _each in pairs], dtype=np.int64)
    return times, hundredths([each for _at, each in pairs])


def _day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()
