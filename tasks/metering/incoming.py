"""Readings as programs send them: times and values of all the kinds that come, each read, or refused in a sentence."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from tasks.metering.merging import AHEAD, EARLIEST, LARGEST
from tasks.metering.usage import Readings

UNITS = {"Wh": 1000, "kWh": 10**6, "MWh": 10**9}  # mWh of one
MILLISECONDS = 10**11  # as seconds, the year 5138
LONGEST = 40  # characters of a time or a value
NO_VALUE = "Give a value: a number such as 12.345."
NO_NUMBER = "“{}” is no number; write it with a point, like 12.345."
NOT_FINITE = "A value has to be a number, and this one is none (“unavailable”, NaN or infinite)."
TOO_LARGE = "This is more than 1 TWh, which no meter shows. Look at its unit."
NO_TIME = "Give its time, such as 2026-01-31T12:15:00Z or seconds since 1970."
NOT_A_TIME = "“{}” is no time; write it like 2026-01-31T12:15:00Z, or as seconds since 1970."
NO_ZONE = "“{}” says no time zone. End it with Z or +01:00, or send zone “meter” for the meter's own clock."
SKIPPED = "“{}” does not exist by the clock of {}: it was put forward."
TOO_EARLY = "This is before 1990, and earlier readings are not kept."
TOO_LATE = "This is more than two days ahead. Look at the clock of what sends it."
TWICE = "Another value for this time is in the same batch."
NO_PAIR = "A reading is an object with “time” and “value”."
NO_FIELD = "There is no field “{}”; a reading has “time” and “value”."
FIELDS = {"time", "value"}


class NoJson(ValueError):
    """The text is no JSON, or none that can be read: too deep, with numbers of thousands of digits, with NaN."""


@dataclass(slots=True)
class Batch:
    """What became of a batch: `readings` in order, or why not, by the number of the entry from 0 on.

    Attributes:
        repeated: entries that said the same as another one.
    """

    readings: Readings
    wrong: dict[int, str] = field(default_factory=dict)
    repeated: int = 0


def parse(text: str | bytes) -> Any:
    """JSON whose decimals stay exact.

    Raises:
        NoJson: see there.
    """

    def refuse(_name: str) -> Any:
        raise NoJson

    try:
        return json.loads(text, parse_float=Decimal, parse_constant=refuse)
    except (ValueError, RecursionError, InvalidOperation):
        raise NoJson from None


def energy(given: Any, unit: str) -> int:
    """A value in mWh, to the nearest.

    Raises:
        ValueError: a sentence for whoever sent it.
    """
    number = _number(given)
    if not number.is_finite():
        raise ValueError(NOT_FINITE)
    if number.adjusted() > 18:
        raise ValueError(TOO_LARGE)
    whole = int((number * UNITS[unit]).to_integral_value(ROUND_HALF_EVEN)) if number.adjusted() > -18 else 0
    if abs(whole) > LARGEST:
        raise ValueError(TOO_LARGE)
    return whole


def _number(given: Any) -> Decimal:
    if given is None or given == "":
        raise ValueError(NO_VALUE)
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal | str):
        raise ValueError(NO_NUMBER.format(shown(given)))
    if isinstance(given, Decimal):
        return given
    text = repr(given) if isinstance(given, float) else given.strip() if isinstance(given, str) else None
    if text is None:
        return Decimal(given)
    if len(text) > LONGEST or not text.isascii() or "_" in text:
        raise ValueError(NO_NUMBER.format(shown(text)))
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(NO_NUMBER.format(shown(text))) from None


def moment(given: Any, *, now: int, zone: str | None = None, after: int | None = None) -> int:
    """A time in epoch seconds; parts of a second are cut off.

    Args:
        given: seconds or milliseconds since 1970, or ISO 8601 with its time zone.
        now: what it may be two days ahead of.
        zone: by whose clock a time without a time zone is read; None: it is refused.
        after: the time of the reading before, which tells which of two hours in the autumn is meant.

    Raises:
        ValueError: a sentence for whoever sent it.
    """
    if given is None or given == "":
        raise ValueError(NO_TIME)
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal | str):
        raise ValueError(NOT_A_TIME.format(shown(given)))
    seconds = _dated(given.strip(), zone, after) if isinstance(given, str) else _counted(given)
    if seconds < EARLIEST:
        raise ValueError(TOO_EARLY)
    if seconds > now + AHEAD:
        raise ValueError(TOO_LATE)
    return seconds


def _counted(given: int | float | Decimal) -> int:
    """Seconds or milliseconds; what is beyond both stays beyond."""
    number = Decimal(given)
    if not number.is_finite():
        raise ValueError(NOT_A_TIME.format(shown(given)))
    if number.adjusted() > 18:
        raise ValueError(TOO_LATE if number > 0 else TOO_EARLY)
    return int(number) // 1000 if number >= MILLISECONDS else int(number // 1)


def _dated(text: str, zone: str | None, after: int | None) -> int:
    if text.isascii() and text.replace(".", "", 1).isdigit() and 8 < len(text) <= LONGEST:  # of 8 digits it is a day
        return _counted(Decimal(text))
    try:
        read = datetime.fromisoformat(text) if len(text) <= LONGEST else None
    except ValueError:
        read = None
    if read is None:
        raise ValueError(NOT_A_TIME.format(shown(text)))
    if read.tzinfo is not None:
        return (read - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    if zone is None:
        raise ValueError(NO_ZONE.format(shown(text)))
    return _local(read, ZoneInfo(zone), text, after)


def _local(read: datetime, zone: ZoneInfo, text: str, after: int | None) -> int:
    if not 1970 <= read.year < 3000:
        raise ValueError(NOT_A_TIME.format(shown(text)))
    start = datetime(1970, 1, 1, tzinfo=UTC)
    first, second = ((read.replace(tzinfo=zone, fold=fold) - start) // timedelta(seconds=1) for fold in (0, 1))
    if datetime.fromtimestamp(first, zone).replace(tzinfo=None) != read.replace(microsecond=0):
        raise ValueError(SKIPPED.format(shown(text), zone.key))
    return second if after is not None and first <= after < second else first


def batch(
    entries: Iterable[Any], *, unit: str, now: int, zone: str | None = None, may_lack_time: bool = False
) -> Batch:
    """Entries, each an object with `time` and `value`, or a pair of them.

    Args:
        unit: of the values, one of `UNITS`.
        now: epoch seconds; where `may_lack_time`, of entries without a time too.
        zone: see `moment`.
    """
    known: dict[int, int] = {}
    wrong: dict[int, str] = {}
    repeated, before = 0, None
    for number, entry in enumerate(entries):
        try:
            at, value = _pair(entry, now if may_lack_time else None)
            before = moment(at, now=now, zone=zone, after=before)
            whole = energy(value, unit)
        except ValueError as error:
            wrong[number] = str(error)
            continue
        if before in known and known[before] != whole:
            wrong[number] = TWICE
        repeated += before in known
        known.setdefault(before, whole)
    return Batch(readings_of(known), wrong, repeated)


def _pair(entry: Any, otherwise: int | None) -> tuple[Any, Any]:
    if isinstance(entry, list) and len(entry) == 2:
        return entry[0], entry[1]
    if not isinstance(entry, dict):
        raise ValueError(NO_PAIR)
    if unknown := set(entry) - FIELDS:
        raise ValueError(NO_FIELD.format(shown(min(unknown))))
    return entry.get("time", otherwise), entry.get("value")


def readings_of(known: dict[int, int]) -> Readings:
    """Values (mWh) by time, put in order."""
    import numpy as np

    times = sorted(known)
    return Readings(np.array(times, np.int64), np.array([known[at] for at in times], np.int64))


def shown(given: Any) -> str:
    """So much of what somebody sent that they know it again."""
    text = given if isinstance(given, str) else f"{given}" if isinstance(given, bool | float | Decimal) else "this"
    return "".join(sign if sign.isprintable() else " " for sign in text[:30])


def told(value: int, unit: str) -> str:
    """mWh as a decimal of a unit, no digit more than it needs: 12.345."""
    return f"{(Decimal(value) / UNITS[unit]).normalize():f}" if value else "0"


def isoformat(at: int) -> str:
    """2026-01-31T12:15:00Z"""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
