"""Meters with readings for the tests of electricity: made up here, quick to make, the same each time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import new_id
from models.meter import Anomaly, Meter, Outlook, Place, Tariff
from models.session import EVERYONE
from tasks.metering import readings, weather
from tasks.metering.usage import Readings
from tests.conftest import Person
from workers.runtime import Runtime

HOUR, DAY = 3600, 86_400
START = 1_388_534_400  # 2014-01-01T00:00Z
FLAT = {"kind": "flat", "price": "0.30"}


def usage(days: int, start: int = START, step: int = HOUR, seed: int = 1) -> Readings:
    """A household's hours: mornings and evenings, weekends, and some chance."""
    times = np.arange(start, start + days * DAY, step, dtype=np.int64)
    hour, free = times % DAY / HOUR, (times // DAY + 3) % 7 >= 5
    shape = 0.25 + 0.5 * np.exp(-0.5 * ((hour - 7.5) / 1.5) ** 2) * ~free + 0.8 * np.exp(-0.5 * ((hour - 19) / 2) ** 2)
    kwh = shape * np.random.default_rng(seed).lognormal(0, 0.1, len(times)) * step / HOUR
    return Readings(times, np.rint(kwh * 1e6).astype(np.int64))


def of(values: Any, start: int = START, step: int = HOUR) -> Readings:
    """Readings of these kWh, one after the other."""
    times = start + step * np.arange(len(values), dtype=np.int64)
    return Readings(times, np.rint(np.asarray(values) * 1e6).astype(np.int64))


def add_meter(session: Session, person: Person, kept: Readings | None = None, **more: Any) -> Meter:
    """A meter of somebody's workspace."""
    values = {"name": "House", "step": HOUR, **more}
    meter = Meter(id=new_id(), workspace_id=person.workspace_id, **values)
    session.add(meter)
    session.flush()
    if kept is not None:
        readings.write(session, meter, kept)
    return meter


def meter_of(runtime: Runtime, person: Person, kept: Readings | None = None, **more: Any) -> str:
    with runtime.database.write(EVERYONE) as session:
        return add_meter(session, person, kept, **more).id


def tariff_of(runtime: Runtime, person: Person, name: str = "Flat", currency: str = "EUR") -> str:
    with runtime.database.write(EVERYONE) as session:
        row = Tariff(
            id=new_id(), workspace_id=person.workspace_id, name=name, kind="flat", currency=currency, standing=0,
            rates=FLAT,
        )  # fmt: skip
        session.add(row)
        return row.id


def place_of(runtime: Runtime, person: Person, times: NDArray[Any], degrees: NDArray[Any], **more: Any) -> str:
    """A place whose temperatures were measured at these times."""
    with runtime.database.write(EVERYONE) as session:
        row = Place(id=new_id(), workspace_id=person.workspace_id, name="Here", **more)
        session.add(row)
        session.flush()
        weather.write_observed(session, row, times, np.rint(degrees * 100).astype(np.int64))
        return row.id


def outlook_of(runtime: Runtime, meter_id: str) -> Outlook | None:
    with runtime.database.read(EVERYONE) as session:
        return session.get(Outlook, meter_id)


def anomalies_of(runtime: Runtime, meter_id: str) -> list[Anomaly]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Anomaly).where(Anomaly.meter_id == meter_id).order_by(Anomaly.start)))
