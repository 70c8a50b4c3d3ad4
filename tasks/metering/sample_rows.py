"""The sample household in the database: its place with weather, its tariff, its meter and a year of readings."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import new_id
from models.meter import Meter, Place, Tariff
from tasks.metering import readings, sample_meter, weather
from tasks.metering.tariffs import Rates
from tasks.metering.temperatures import hundredths
from tasks.metering.usage import Readings

PLACE, TARIFF = "Sample place", "Sample tariff"


def there(session: Session) -> Meter | None:
    """The sample meter, where the workspace has one."""
    return session.scalars(select(Meter).where(Meter.source == sample_meter.SOURCE)).first()


def fill(session: Session, zone: str, now: int) -> Meter:
    """Write it, with what it used until now and the weather of the coming days as it is known now.

    Args:
        session: narrowed to the workspace.
        zone: IANA name of where it stands: where the person is.
        now: epoch seconds.
    """
    today = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).date()
    made = sample_meter.household(today, zone)
    over = made.readings.times + sample_meter.STEP <= now
    place, tariff = _place(session), _tariff(session)
    meter = Meter(
        id=new_id(), name=_free_name(session), time_zone=zone, step=sample_meter.STEP,
        source=sample_meter.SOURCE, note=sample_meter.NOTE, place_id=place.id, tariff_id=tariff.id,
    )  # fmt: skip
    session.add(meter)
    session.flush()
    readings.write(session, meter, Readings(made.readings.times[over], made.readings.values[over]))
    known = made.hours <= now
    degrees = hundredths(made.degrees)
    weather.write_observed(session, place, made.hours[known], degrees[known])
    weather.write_forecast(session, place, now, made.hours[~known], degrees[~known])
    return meter


def _free_name(session: Session) -> str:
    """A workspace's meters have different names; somebody may have called theirs so."""
    taken = set(session.scalars(select(Meter.name).where(Meter.name.startswith(sample_meter.NAME))))
    names = (sample_meter.NAME, *(f"{sample_meter.NAME} {number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def _place(session: Session) -> Place:
    found = session.scalars(select(Place).where(Place.name == PLACE)).first()
    if found is None:
        found = Place(id=new_id(), name=PLACE)
        session.add(found)
        session.flush()
    return found


def _tariff(session: Session) -> Tariff:
    found = session.scalars(select(Tariff).where(Tariff.name == TARIFF)).first()
    if found is None:
        rates = Rates.model_validate(sample_meter.TARIFF)
        found = Tariff(
            id=new_id(), name=TARIFF, kind=rates.kind, currency=sample_meter.CURRENCY,
            standing=Decimal(sample_meter.STANDING), rates=rates.model_dump(mode="json"),
        )  # fmt: skip
        session.add(found)
        session.flush()
    return found
