"""Files of a meter: readings, use made regular, forecast; as CSV, as Parquet, and as a Tableau extract."""

import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from flask import Response, abort, flash, redirect, request, send_file, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from models.meter import Meter, Outlook
from tasks.energy.result import EnergyResult
from tasks.metering import exporting
from tasks.metering.exporting import FORECAST, READINGS, Table
from tasks.metering.packing import Corrupt
from web.current import reading
from web.energy_meter import bp, find, seen

WRITERS: dict[str, Callable[[Table, Path], None]] = {
    "parquet": exporting.write_parquet, "hyper": exporting.write_hyper,
}  # fmt: skip


@bp.get("/<meter_id>/export/<what>.<format>", endpoint="export")
def export(meter_id: str, what: str, format: str) -> ResponseReturnValue:  # as the address says it
    """One file. Too many readings for one, or none: back to the page with a sentence."""
    if what not in exporting.CONTENTS or format not in exporting.FORMATS:
        abort(404)
    if format == "hyper" and (missing := exporting.hyper_missing()):
        return _back(meter_id, f"No Tableau extract: {missing}")
    try:
        with reading() as session:
            meter = find(session, meter_id)
            start, end = exporting.bounds(meter, request.args.get("from", ""), request.args.get("to", ""))
            if what == FORECAST:
                _foretold(session, meter)
            else:
                exporting.check(session, meter, start, end)
    except ValueError as error:
        known = isinstance(error, exporting.TooMany | exporting.OtherTimes)
        return _back(meter_id, str(error) if known else "Write days like 2026-01-31.")
    try:
        return _csv(meter, what, start, end) if format == "csv" else _file(meter, what, format, start, end)
    except Corrupt as error:
        return _back(meter_id, str(error))


def _csv(meter: Meter, what: str, start: int, end: int) -> Response:
    """Begun before it is sent, so that damage at its start is told; further on it breaks the download off."""
    lines = _lines(meter, what, start, end)
    begun = list(islice(lines, 2))

    def all_lines() -> Iterator[bytes]:
        yield from begun
        yield from lines

    return _sent(Response(stream_with_context(all_lines()), mimetype="text/csv"), what, "csv")


def _back(meter_id: str, sentence: str) -> ResponseReturnValue:
    flash(sentence, "warning")
    return redirect(url_for("energy_meter.show", meter_id=meter_id, _anchor="export"), 303)


def _table(session: Session, meter: Meter, what: str, start: int, end: int) -> Table:
    if what == FORECAST:
        return exporting.forecast_table(meter, _foretold(session, meter))
    make = exporting.readings_table if what == READINGS else exporting.usage_table
    return make(session, meter, start, end)


def _foretold(session: Session, meter: Meter) -> EnergyResult:
    result = seen(session.get(Outlook, meter.id), request.args.get("horizon", "")).result
    return result if result is not None and result.forecast else abort(404)


def _lines(meter: Meter, what: str, start: int, end: int) -> Iterator[bytes]:
    """While it streams, its session stays open; it holds some days at a time."""
    with reading() as session:
        yield from exporting.lines(_table(session, meter, what, start, end))


def _file(meter: Meter, what: str, format: str, start: int, end: int) -> Response:
    """Written to a file that has no name any more once it is open, so that nothing of it is left behind."""
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        path = Path(folder) / f"{what}.{format}"
        with reading() as session:
            WRITERS[format](_table(session, meter, what, start, end), path)
        stream = path.open("rb")
    return _sent(send_file(stream, exporting.TYPES[format], max_age=0), what, format)


def _sent(response: Response, what: str, format: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{what}.{format}"'
    response.headers["Cache-Control"] = "no-store"
    return response
