"""Readings that programs send over HTTP: read, matched with their meters and written, all of them or none."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from models.meter import COUNTER, Meter
from tasks.handover import Refused
from tasks.metering import incoming, taking
from tasks.metering.incoming import UNITS, Batch
from tasks.metering.merging import Written
from tasks.metering.taking import NotTaken
from tasks.metering.usage import Readings

MOST = 50_000  # readings in one batch
LONGEST = 4_000_000  # bytes of one: as JSON takes 25 to 80 a reading
MOST_ERRORS = 100  # of a batch that are told
NO_JSON = "The body is no JSON. Numbers stand as they are, without NaN; texts and times in quotes."
NO_ENTRIES = "Send “readings”: a list of objects with “time” and “value”; or “time” and “value” of one."
TOO_MANY = f"Send at most {MOST:,} readings at a time."
NO_UNIT = "Choose one of Wh, kWh and MWh; without it, the meter's own unit holds."
NO_ZONE = "Send “meter”, or leave it out and give each time its own zone."
NO_SOURCE = "Name the meter by “source”: the name that stands in its settings."
NO_METER = "No meter takes “{}”. Write this name as the source into a meter's settings, or make a meter with it."
ARCHIVED = "This meter is archived and takes no readings. Take it out of the archive first."
YES_OR_NO = "Say true or false."
OPTIONS = ("readings", "unit", "zone", "keep_old")


def body() -> Any:
    """The request's JSON, its decimals exact.

    Raises:
        Refused: it is none.
    """
    request.max_content_length = LONGEST
    if request.mimetype != "application/json":
        raise Refused({"": "Send it as application/json."}, 415)
    try:
        return incoming.parse(request.get_data())
    except incoming.NoJson:
        raise Refused({"": NO_JSON}, 400) from None


def entries_of(sent: Any, more: Iterable[str] = ()) -> tuple[list[Any], dict[str, Any]]:
    """The readings in a body, and what was said of all of them.

    Args:
        sent: one reading, a list of them, or an object with `OPTIONS`.
        more: names that a single reading may have beside time and value.

    Raises:
        Refused: it is nothing of that.
    """
    options: dict[str, Any] = {}
    if isinstance(sent, dict):
        options = {name: sent[name] for name in OPTIONS if name in sent}
        single = {name: value for name, value in sent.items() if name not in OPTIONS}
        if "readings" in sent and (single.keys() - set(more)):
            raise Refused(dict.fromkeys(single.keys() - set(more), "There is no such field; leave it out."))
        sent = options.pop("readings", None) if "readings" in sent else [single]
    if not isinstance(sent, list) or not sent:
        raise Refused({"readings": NO_ENTRIES})
    if len(sent) > MOST:
        raise Refused({"readings": TOO_MANY}, 413)
    _check(options)
    return sent, options


def _check(options: Mapping[str, Any]) -> None:
    wrong = {}
    unit = options.get("unit", "kWh")
    if not isinstance(unit, str) or unit not in UNITS:
        wrong["unit"] = NO_UNIT
    if options.get("zone", "meter") != "meter":
        wrong["zone"] = NO_ZONE
    if not isinstance(options.get("keep_old", False), bool):
        wrong["keep_old"] = YES_OR_NO
    if wrong:
        raise Refused(wrong)


def read(meter: Meter, entries: Iterable[Any], options: Mapping[str, Any]) -> Batch:
    """The entries as readings of this meter; a counter's are of now where they say no time."""
    return incoming.batch(
        entries,
        unit=options.get("unit", meter.unit),
        now=int(time.time()),
        zone=meter.time_zone if "zone" in options else None,
        may_lack_time=meter.kind == COUNTER,
    )


def put(session: Session, parts: list[tuple[Meter, Readings]], options: Mapping[str, Any]) -> list[Written]:
    """Write them, in the order in which they were given.

    Raises:
        Refused: some cannot be kept.
    """
    try:
        told = taking.take(session, parts, keep_old=options.get("keep_old", False))
    except NotTaken as error:
        raise Refused(dict.fromkeys(["readings"], str(error))) from None
    by_id = {meter.id: written for meter, written in told}
    return [by_id[meter.id] for meter, _ in parts]


def told_wrong(wrong: Mapping[int, str]) -> Refused:
    """A message for each entry that is wrong, by its number from 0 on."""
    first = sorted(wrong)[:MOST_ERRORS]
    errors = {f"readings[{number}]": wrong[number] for number in first}
    if len(wrong) > len(first):
        errors["readings"] = f"{len(wrong):,} readings cannot be taken; these are the first {len(first)}."
    return Refused(errors)


def shown(written: Written, repeated: int = 0) -> dict[str, int]:
    """As the API tells it."""
    return {
        "new": written.new,
        "changed": written.changed,
        "same": written.same + repeated,
        "thinned": written.thinned,
    }
