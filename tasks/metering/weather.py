"""A place's weather in the database, as it was known when: what was measured, and what was foretold and when.

A forecast of electricity that is tried on the past must not see how the weather turned out. So what was measured is
known from its own time on, and a forecast of the weather from the moment on that it was issued at; neither is ever
written over by the other.
"""

from collections.abc import Iterable
from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.meter import OBSERVED, Place, WeatherDay
from tasks.metering.packing import pack, unpack
from tasks.metering.temperatures import LEAST, MOST, Temperatures

DAY, HOURS = 86_400, 24
WHOLE_DAYS, KEPT_DAYS = 2, 100  # all forecasts of the last days; of the rest each day's last one; then none
AT_ONCE = 500  # values in one statement
Numbers = NDArray[np.int64]
NOTHING = Temperatures(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int64))


def write_observed(session: Session, place: Place, times: ArrayLike, hundredths: ArrayLike) -> int:
    """Keep what was measured; a later word for a time replaces an earlier one. Returns how many are new or differ.

    Args:
        times: [n] epoch seconds, in any order.
        hundredths: [n] hundredths of a degree Celsius.

    Raises:
        ValueError: a temperature that cannot be.
    """
    return _write(session, place, OBSERVED, *_sorted(times, hundredths))


def write_forecast(session: Session, place: Place, issued_at: int, times: ArrayLike, hundredths: ArrayLike) -> int:
    """Keep what was foretold at `issued_at`. What lies before that moment is no forecast, and is left out.

    Args: as of `write_observed`.

    Raises:
        ValueError: a temperature that cannot be, or a forecast from no time.
    """
    if issued_at <= OBSERVED:
        raise ValueError("a forecast is issued at a time")
    at, values = _sorted(times, hundredths)
    ahead = at >= issued_at
    return _write(session, place, issued_at, at[ahead], values[ahead])


def known(session: Session, place_id: str, start: int, end: int, as_of: int) -> Temperatures:
    """What was known at `as_of` of the temperatures from `start` until before `end`, all in epoch seconds.

    Of what was measured only times up to `as_of`; of forecasts only those issued by then, and of those the newest that
    has a word for a time. What was measured goes before what was foretold.
    """
    rows = session.execute(
        select(WeatherDay.day, WeatherDay.issued_at, WeatherDay.packed)
        .where(
            WeatherDay.place_id == place_id,
            WeatherDay.day.between(start // DAY, (end - 1) // DAY),
            WeatherDay.issued_at <= as_of,
        )
        .order_by(WeatherDay.day, WeatherDay.issued_at)
    ).all()
    days = [_of_day([(row[1], row[2]) for row in some], as_of) for _day, some in groupby(rows, lambda row: row[0])]
    if not days:
        return NOTHING
    times, values, issued = (np.concatenate(part) for part in zip(*days, strict=True))
    inside = (times >= start) & (times < end)
    return Temperatures(times[inside], values[inside] / 100.0, issued[inside])


def thin(session: Session, place_id: str, now: int) -> int:
    """Let old forecasts go: of those issued longer than two days ago each day's last stays, for a hundred days.

    Args:
        now: epoch seconds.

    Returns: how many forecasts went. What is known at an earlier time is then an earlier forecast, never a later one.
    """
    issued = sorted(
        session.scalars(
            select(WeatherDay.issued_at)
            .where(
                WeatherDay.place_id == place_id,
                WeatherDay.issued_at > OBSERVED,
                WeatherDay.issued_at < now - WHOLE_DAYS * DAY,
            )
            .distinct()
        )
    )
    last = {at // DAY: at for at in issued if at >= now - KEPT_DAYS * DAY}
    gone = [at for at in issued if last.get(at // DAY) != at]
    for some in _some_of(gone):
        session.execute(delete(WeatherDay).where(WeatherDay.place_id == place_id, WeatherDay.issued_at.in_(some)))
    return len(gone)


def lock(session: Session, place_id: str) -> None:
    """Whoever writes a place's weather waits here for another who does: days are read, joined and written back."""
    session.execute(update(Place).where(Place.id == place_id).values(name=Place.name))


def _sorted(times: ArrayLike, hundredths: ArrayLike) -> tuple[Numbers, Numbers]:
    """By time, the last word for each.

    Raises:
        ValueError: as of `write_observed`.
    """
    at, values = np.asarray(times, dtype=np.int64), np.asarray(hundredths, dtype=np.int64)
    if at.shape != values.shape or at.ndim != 1:
        raise ValueError("as many temperatures as times")
    if ((values < LEAST * 100) | (values > MOST * 100)).any():
        raise ValueError(f"a temperature lies outside {LEAST:.0f} to {MOST:.0f} °C")
    return _last_words(at, values)


def _last_words(times: Numbers, values: Numbers) -> tuple[Numbers, Numbers]:
    order = np.argsort(times, kind="stable")
    at, found = times[order], values[order]
    last = np.append(at[1:] != at[:-1], True) if len(at) else np.empty(0, np.bool_)
    return at[last], found[last]


def _write(session: Session, place: Place, issued_at: int, times: Numbers, values: Numbers) -> int:
    if len(times) == 0:
        return 0
    lock(session, place.id)
    days, changed = times // DAY, 0
    kept = _kept(session, place.id, issued_at, np.unique(days).tolist())
    for day in np.unique(days).tolist():
        mine = days == day
        changed += _join(session, place, day, issued_at, kept.get(day), times[mine], values[mine])
    return changed


def _kept(session: Session, place_id: str, issued_at: int, days: list[int]) -> dict[int, WeatherDay]:
    mine = (WeatherDay.place_id == place_id, WeatherDay.issued_at == issued_at)
    found: dict[int, WeatherDay] = {}
    for some in _some_of(days):
        fresh = select(WeatherDay).execution_options(populate_existing=True)  # as they are since the lock
        rows = session.scalars(fresh.where(*mine, WeatherDay.day.in_(some)))
        found |= {row.day: row for row in rows}
    return found


def _join(
    session: Session, place: Place, day: int, issued_at: int, row: WeatherDay | None, times: Numbers, values: Numbers
) -> int:
    """One day; how many of its temperatures are new or differ."""
    if row is None:
        packed = pack(times, values)
        session.add(
            WeatherDay(
                place_id=place.id, workspace_id=place.workspace_id, day=day, issued_at=issued_at, packed=packed
            )
        )  # fmt: skip
        return len(times)
    before, had = unpack(row.packed)
    at, joined = _last_words(np.concatenate([before, times]), np.concatenate([had, values]))
    if (packed := pack(at, joined)) == row.packed:
        return 0
    row.packed = packed
    same = np.isin(before, times) & (joined[np.searchsorted(at, before)] == had)
    return int(len(times) - same.sum())


def _of_day(rows: list[tuple[int, bytes]], as_of: int) -> tuple[Numbers, Numbers, Numbers]:
    """A day's times, hundredths and when each was issued. A day that was measured whole needs no forecast."""
    times, values, issued = (np.empty(0, np.int64) for _ in range(3))
    for at, packed in sorted(rows, key=lambda row: row[0] or as_of + 1, reverse=True):  # measured, newest, … oldest
        if len(times) >= HOURS:
            break
        new, read = unpack(packed)
        fresh = ~np.isin(new, times)
        if at == OBSERVED:
            fresh &= new <= as_of
        times, values = np.concatenate([times, new[fresh]]), np.concatenate([values, read[fresh]])
        issued = np.concatenate([issued, np.full(int(fresh.sum()), at, np.int64)])
    order = np.argsort(times, kind="stable")
    return times[order], values[order], issued[order]


def _some_of(values: list[int]) -> Iterable[list[int]]:
    return (values[first : first + AT_ONCE] for first in range(0, len(values), AT_ONCE))
