"""Files of a meter: readings, use made regular, forecast. CSV comes at once; what has typed columns is a run's work."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice

from flask import Response, abort, request, stream_with_context
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from models.meter import Meter, Outlook
from tasks.energy.result import EnergyResult
from tasks.energy.seen import seen
from tasks.meter_file.job import BACKWARDS, NO_FORECAST
from tasks.metering import exporting
from tasks.metering.exporting import CONTENTS, FORECAST, READINGS, USAGE, Table
from tasks.metering.packing import Corrupt
from web.current import reading, require_role
from web.energy_meter import back, bp, find, offered, started

MOST_USAGE = 500_000  # readings that a front makes regular at once, in 60 MB; a run takes more
NO_DAY = "Write days like 2026-01-31."


@bp.get("/<meter_id>/export/<what>.csv", endpoint="export")
def export(meter_id: str, what: str) -> ResponseReturnValue:
    """As CSV. Too many readings for a file, or none: back to the page with a sentence."""
    try:
        meter, start, end = _asked(meter_id, what, request.args, MOST_USAGE if what == USAGE else 0)
        return _csv(meter, what, start, end)
    except (ValueError, Corrupt) as error:
        return back(meter_id, str(error))


@bp.post("/<meter_id>/export/<what>", endpoint="write")
@require_role("member")
def write(meter_id: str, what: str) -> ResponseReturnValue:
    """A run that writes a file with typed columns. What it could not do is said before it is queued."""
    format = request.form.get("format", "")
    if format not in offered():
        abort(404)
    try:
        meter, _, _ = _asked(meter_id, what, request.form)
    except ValueError as error:
        return back(meter_id, str(error))
    first, last = _days(request.form)
    days = {"first": first.isoformat() if first else "", "last": last.isoformat() if last else ""}
    horizon = request.form.get("horizon", "") if what == FORECAST else ""
    return started("meter_file", {"meter": meter.id, "what": what, "format": format, "horizon": horizon, **days})


def _asked(meter_id: str, what: str, asked: Mapping[str, str], most: int = 0) -> tuple[Meter, int, int]:
    """The meter and the time that is asked for, epoch seconds.

    Raises:
        ValueError: there is nothing of it, or more than a file holds; a sentence for people.
    """
    if what not in CONTENTS:
        abort(404)
    with reading() as session:
        meter = find(session, meter_id)
        if what == FORECAST:
            _foretold(session, meter, asked.get("horizon", ""))
            return meter, 0, 0
        start, end = exporting.bounds(meter, *_days(asked))
        exporting.check(session, meter, start, end, most)
    return meter, start, end


def _days(asked: Mapping[str, str]) -> tuple[date | None, date | None]:
    try:
        first, last = (date.fromisoformat(day) if (day := asked.get(name, "")) else None for name in ("from", "to"))
    except ValueError:
        raise ValueError(NO_DAY) from None
    if first and last and last < first:
        raise ValueError(BACKWARDS)
    return first, last


def _foretold(session: Session, meter: Meter, horizon: str) -> EnergyResult:
    result = seen(session.get(Outlook, meter.id), horizon).result
    if result is None or not result.forecast:
        raise ValueError(NO_FORECAST)
    return result


def _csv(meter: Meter, what: str, start: int, end: int) -> Response:
    """Begun before it is sent, so that damage at its start is told; further on it breaks the download off."""
    lines = _lines(meter, what, start, end, request.args.get("horizon", ""))
    begun = list(islice(lines, 2))

    def all_lines() -> Iterator[bytes]:
        yield from begun
        yield from lines

    response = Response(stream_with_context(all_lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{what}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _lines(meter: Meter, what: str, start: int, end: int, horizon: str) -> Iterator[bytes]:
    """While it streams, its session stays open; it holds some days at a time."""
    with reading() as session:
        yield from exporting.lines(_table(session, meter, what, start, end, horizon))


def _table(session: Session, meter: Meter, what: str, start: int, end: int, horizon: str) -> Table:
    if what == FORECAST:
        return exporting.forecast_table(meter, _foretold(session, meter, horizon))
    make = exporting.readings_table if what == READINGS else exporting.usage_table
    return make(exporting.stored(session, meter), meter, start, end)
