"""Ada's electricity, for others not to find: a meter with readings, its place and weather, its tariff, an anomaly."""

from decimal import Decimal

from models.base import new_id
from models.meter import MADE, Anomaly, Meter, Outlook, Place, ReadingDay, Tariff, WeatherDay
from tests.conftest import Person
from workers.runtime import Runtime

RATES = {"kind": "flat", "price": "0.30"}


def energy_of(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """Writes them; their ids by the names that routes have for them."""
    place, tariff, meter, anomaly = (new_id() for _ in range(4))
    first = [
        Place(id=place, name=secret, trouble=secret, latitude=51.51, longitude=-0.13),
        Tariff(id=tariff, name=secret, kind="flat", currency="EUR", rates=RATES),
    ]
    with runtime.database.write(person.workspace_id) as session:
        session.add_all(first)
        session.flush()
        session.add(
            Meter(
                id=meter, name=secret, source=secret, note=secret, place_id=place, tariff_id=tariff, step=900,
                first_at=86_400, last_at=90_000,
            )
        )  # fmt: skip
        session.flush()
        session.add_all(_found(meter, place, anomaly, secret))
    return {"place_id": place, "tariff_id": tariff, "meter_id": meter, "anomaly_id": anomaly}


def _found(meter: str, place: str, anomaly: str, secret: str) -> list[object]:
    from tasks.metering.packing import pack

    packed = pack([86_400, 90_000], [1_000_000, 2_000_000])  # type: ignore[arg-type]
    return [
        ReadingDay(meter_id=meter, day=1, count=2, packed=packed),
        WeatherDay(place_id=place, day=1, issued_at=0, packed=packed),
        Outlook(meter_id=meter, night="2026-03-02", state=MADE, model=secret, reason=secret, data={"note": secret}),
        Anomaly(id=anomaly, meter_id=meter, kind="spike", start=86_400, kwh=Decimal(3), text=secret),
    ]
