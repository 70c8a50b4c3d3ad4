"""The API's readings: sent one by one or in batches, by meter or by source; read page by page, as JSON or CSV."""

import time
from collections import defaultdict
from decimal import Decimal
from typing import Any

from flask import Response, abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.engine import again
from models.meter import Meter, ReadingDay
from tasks.handover import Refused
from tasks.metering import packing, readings, taking
from tasks.metering.incoming import isoformat, moment, told
from tasks.metering.merging import DAY, EARLIEST, Written
from tasks.metering.readings import Moved
from tasks.tables import csv_lines
from web import meter_book
from web.api import bp
from web.current import reading, require_role, writing
from web.problems import problem
from web.readings_book import (
    ARCHIVED,
    NO_METER,
    NO_SOURCE,
    body,
    entries_of,
    put,
    read,
    shown,
    told_wrong,
)

PER_PAGE, MOST_PER_PAGE = 10_000, 50_000
DAYS_PER_PAGE = 1500  # of a meter with few readings a day
Row = tuple[int, int]


@bp.errorhandler(Moved)
def _moved(_error: Moved) -> ResponseReturnValue:
    return problem(503, "Others wrote the same readings at this moment. Send it again.", headers={"Retry-After": "1"})


@bp.post("/meters/<meter_id>/readings")
@require_role("member")
def send_readings(meter_id: str) -> ResponseReturnValue:
    """All of them or, with a message for each that is wrong, none. What is known already counts as “same”."""
    entries, options = entries_of(body())
    return jsonify(_sent(meter_id, entries, options))


@again
def _sent(meter_id: str, entries: list[Any], options: dict[str, Any]) -> dict[str, Any]:
    with writing() as session:
        meter = _open(session, meter_id)
        found = read(meter, entries, options)
        if found.wrong:
            raise told_wrong(found.wrong)
        (written,) = put(session, [(meter, found.readings)], options)
        return {"meter": meter.id, **shown(written, found.repeated)}


def _open(session: Session, meter_id: str) -> Meter:
    meter = meter_book.find(session, meter_id) or abort(404)
    if meter.archived:
        raise Refused({"": ARCHIVED}, 409)
    return meter


@bp.post("/readings")
@require_role("member")
def send_by_source() -> ResponseReturnValue:
    """Readings of one or of many meters, each named by its source, as home automation knows it."""
    sent = body()
    entries, options = entries_of(sent, more=("source",))
    every = sent.get("source") if isinstance(sent, dict) else None
    by_source: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    wrong: dict[int, str] = {}
    for number, entry in enumerate(entries):
        named = dict(entry) if isinstance(entry, dict) else {}
        source = named.pop("source", every)
        if isinstance(source, str) and source and source.isprintable():
            by_source[source].append((number, named if isinstance(entry, dict) else entry))
        else:
            wrong[number] = NO_SOURCE
    if wrong:
        raise told_wrong(wrong)
    return jsonify(_sent_by_source(by_source, options))


@again
def _sent_by_source(by_source: dict[str, list[tuple[int, Any]]], options: dict[str, Any]) -> dict[str, Any]:
    wrong: dict[int, str] = {}
    parts, repeated = [], []
    with writing() as session:
        meters = taking.by_source(session, by_source)
        for source, numbered in by_source.items():
            if source not in meters:
                wrong |= {number: NO_METER.format(source[:80]) for number, _ in numbered}
                continue
            found = read(meters[source], [entry for _, entry in numbered], options)
            wrong |= {numbered[at][0]: text for at, text in found.wrong.items()}
            parts.append((meters[source], found.readings))
            repeated.append(found.repeated)
        if wrong:
            raise told_wrong(wrong)
        written = put(session, parts, options)
    each = [
        {"meter": meter.id, "source": meter.source, **shown(one, twice)}
        for (meter, _), one, twice in zip(parts, written, repeated, strict=True)
    ]
    return {**shown(sum(written, Written()), sum(repeated)), "meters": each}


@bp.get("/meters/<meter_id>/readings")
def readings_of_meter(meter_id: str) -> ResponseReturnValue:
    """From `from` to before `to`, oldest first; `next`, or the header Link, leads to the following page."""
    start, end = _asked("from", EARLIEST), _asked("to", int(time.time()) + 3 * DAY)
    most = min(request.args.get("limit", PER_PAGE, type=int), MOST_PER_PAGE)
    if most < 1:
        raise Refused({"limit": f"Write a whole number from 1 to {MOST_PER_PAGE}."})
    with reading() as session:
        meter = meter_book.find(session, meter_id) or abort(404)
        rows, onwards = _page(session, meter_id, start, end, most)
    asked = {name: value for name in ("to", "limit", "format") if (value := request.args.get(name))}
    following = None
    if onwards is not None:
        asked["from"] = isoformat(onwards)
        following = url_for("api.readings_of_meter", meter_id=meter_id, _external=False, **asked)
    if request.args.get("format") == "csv" or request.accept_mimetypes.best == "text/csv":
        return _csv(meter, rows, following)
    listed = [{"time": isoformat(at), "value": told(value, meter.unit)} for at, value in rows]
    return jsonify(meter=meter.id, unit=meter.unit, kind=meter.kind, readings=listed, next=following)


@bp.delete("/meters/<meter_id>/readings")
@require_role("member")
def remove_readings(meter_id: str) -> ResponseReturnValue:
    """Those from `from` to before `to`; both have to be said."""
    missing = [name for name in ("from", "to") if not request.args.get(name)]
    if missing:
        raise Refused(dict.fromkeys(missing, "Say from when to when, such as 2026-01-31T00:00:00Z."))
    start, end = _asked("from", 0), _asked("to", 0)
    with writing() as session:
        meter = meter_book.find(session, meter_id) or abort(404)
        return jsonify(meter=meter.id, removed=readings.remove(session, meter, start, end))


def _asked(name: str, otherwise: int) -> int:
    given = request.args.get(name, "")
    try:
        return moment(given, now=2**40) if given else otherwise
    except ValueError as error:
        raise Refused({name: str(error)}) from None


def _page(session: Session, meter_id: str, start: int, end: int, most: int) -> tuple[list[Row], int | None]:
    """Up to `most` readings, and the time from which to go on."""
    asked = select(ReadingDay.day, ReadingDay.packed).where(
        ReadingDay.meter_id == meter_id, ReadingDay.day >= start // DAY, ReadingDay.day <= (end - 1) // DAY
    )
    days = session.execute(asked.order_by(ReadingDay.day).limit(DAYS_PER_PAGE)).all()
    rows: list[Row] = []
    for _, packed in days:
        times, values = packing.unpack(packed)
        rows += [(at, value) for at, value in zip(times.tolist(), values.tolist(), strict=True) if start <= at < end]
        if len(rows) > most:
            return rows[:most], rows[most][0]
    return rows, (days[-1].day + 1) * DAY if len(days) == DAYS_PER_PAGE else None


def _csv(meter: Meter, rows: list[Row], following: str | None) -> Response:
    head = {"Content-Disposition": 'attachment; filename="readings.csv"'}
    if following:
        head["Link"] = f'<{following}>; rel="next"'
    cells = ((isoformat(at), Decimal(told(value, meter.unit))) for at, value in rows)
    lines = list(csv_lines(("time", meter.unit), cells))
    return Response(lines, content_type="text/csv; charset=utf-8", headers=head)
