"""Meters as the database knows them, for whoever looks at them; and where what was seen is written down."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from models.meter import BROKEN, MADE, REFUSED, Meter, Outlook, Place, Tariff
from tasks.errors import JobError
from tasks.metering import anomaly_log, readings
from tasks.metering.tariffs import TariffFacts

if TYPE_CHECKING:
    from tasks.energy.look import Look
    from tasks.energy.material import Material
    from tasks.metering.temperatures import Temperatures

DAY = 86_400
LIVE = 14 * DAY  # a meter that sent something so lately goes on
PAST = 800 * DAY  # of readings: two years and a little
AHEAD = 400 * DAY  # of the weather
GONE = "This meter is not there any more."
LONGEST = 500


def moment(meter: Meter, now: int, until: int | None = None) -> int:
    """As of when a meter is looked at: one that still sends now, one that stopped at the end of its readings.

    Args:
        now: epoch seconds.
        until: as it was then, when somebody wants that.
    """
    last = (meter.last_at or 0) + max(meter.step, 1)
    if until is not None:
        return min(until, now)
    return now if last > now - LIVE else last


def find(session: Session, meter_id: str) -> Meter:
    """A meter of the session's workspace, with its tariff.

    Raises:
        JobError: there is no such one.
    """
    query = select(Meter).where(Meter.id == meter_id).options(joinedload(Meter.tariff))
    found = session.scalar(query)
    if found is None:
        raise JobError(GONE)
    return found


def material(session: Session, meter: Meter, as_of: int, past: int = PAST) -> "Material":
    """All that was known of a meter at a moment."""
    from tasks.energy.material import Material

    tariffs = _tariffs(session, meter)
    own = next((each for each in tariffs if each.id == meter.tariff_id), None)
    start = max(meter.first_at or 0, as_of - past)
    kind = cast(Any, meter.kind)
    place = session.get(Place, meter.place_id) if meter.place_id else None
    return Material(
        name=meter.name, unit=meter.unit, kind=kind, step=meter.step, zone=meter.time_zone,
        readings=readings.read(session, meter.id, start, as_of), as_of=as_of, rolls_at=meter.rolls_at,
        holidays=meter.holidays, temperature=_weather(session, meter, start, as_of), tariff=own, tariffs=tariffs,
        service=place is not None and place.source != "file", trouble=place.trouble if place else "", meter=meter.id,
    )  # fmt: skip


def _weather(session: Session, meter: Meter, start: int, as_of: int) -> "Temperatures | None":
    from tasks.metering.weather import known

    return known(session, meter.place_id, start, as_of + AHEAD, as_of) if meter.place_id else None


def _tariffs(session: Session, meter: Meter) -> tuple[TariffFacts, ...]:
    """Those of the meter's workspace that can be reckoned with."""
    rows = session.scalars(select(Tariff).where(Tariff.workspace_id == meter.workspace_id).order_by(Tariff.name)).all()
    return tuple(fact for row in rows if (fact := _facts(row)) is not None)


def _facts(row: Tariff) -> TariffFacts | None:
    try:
        return TariffFacts.of(row.id, row.name, row.currency, row.rates or {})
    except ValueError:
        return None  # its page says what is wrong with it


def keep(session: Session, meter: Meter, found: "Look", now: int) -> None:
    """Write down what a look saw: the outlook that the meter's page shows, its anomalies, and their alerts."""
    from tasks.energy.result import short_model

    readings.queue(session, meter)
    row = _row(session, meter)
    row.night, row.state, row.reason = found.night, MADE, ""
    words = list(found.aheads)
    row.model = short_model(found.aheads[words[0]].model)[:120]
    row.data = {
        "whole": found.whole.model_dump(mode="json"),
        "aheads": {word: ahead.model_dump(mode="json") for word, ahead in found.aheads.items()},
    }
    row.week_kwh, row.week_before_kwh = found.figures.week, found.figures.week_before
    row.month_kwh, row.month_before_kwh = found.figures.month, found.figures.month_before
    row.tomorrow_kwh = found.figures.tomorrow
    row.seconds, row.made_at = found.seconds, now
    anomaly_log.record(session, meter, found.found, found.as_of, since=found.since, currency=found.whole.currency)


def keep_failure(session: Session, meter: Meter, night: str, reason: str, now: int, *, refused: bool) -> None:
    """Write down why there is no forecast. What was seen before is of other readings, and goes."""
    readings.queue(session, meter)
    row = _row(session, meter)
    row.night, row.state, row.reason = night, REFUSED if refused else BROKEN, reason[:LONGEST]
    row.model, row.data, row.seconds, row.made_at = "", None, 0.0, now
    row.week_kwh = row.week_before_kwh = row.month_kwh = row.month_before_kwh = row.tomorrow_kwh = None


def _row(session: Session, meter: Meter) -> Outlook:
    """The meter's one; after `queue`, so that of two who make it at once the second finds it."""
    row = session.get(Outlook, meter.id)
    if row is None:
        row = Outlook(meter_id=meter.id, workspace_id=meter.workspace_id)
        session.add(row)
    return row


def stale(session: Session, meter_ids: Sequence[str] | None = None) -> None:
    """The next run looks at these meters again, whatever it has seen of them; without ids at all of the workspace."""
    which = update(Outlook).values(night="")
    if meter_ids is not None:
        which = which.where(Outlook.meter_id.in_(meter_ids))
    session.execute(which.execution_options(synchronize_session=False))
