"""Electricity to look at: the sample household after a look, a silent meter, a refused one, a place in trouble."""

import time
from decimal import Decimal

from sqlalchemy.orm import Session

from models.base import new_id
from models.meter import COUNTER, REFUSED, Anomaly, Meter, Outlook, Place
from tasks import discover
from tasks.handover import HandedOver
from tasks.metering import sample_rows
from tests.conftest import Person
from tests.front import WORKER
from workers.enqueue import submit
from workers.execute import execute
from workers.runtime import Runtime

DAY = 86_400
LONG = "Cellar and workshop of the house behind, counter with a name so long that it does not fit on a phone’s line"
BUDGET = 1.0  # CPU seconds of the look at it


def electricity(runtime: Runtime, person: Person) -> None:
    """Rows of every kind, and one look at the household as the nightly run takes it."""
    now = int(time.time())
    with runtime.database.write(person.workspace_id) as session:
        household = sample_rows.fill(session, "UTC", now).id
        _others(session, household, now)
    job = discover()["energy"]
    with runtime.database.write(person.workspace_id) as session:
        params = job.params.model_validate({"meter": household, "budget": BUDGET})
        run = submit(runtime, session, job, HandedOver(params), person.workspace_id, account_id=person.account_id)
    execute(runtime, run.id, WORKER)


def _others(session: Session, household: str, now: int) -> None:
    place = Place(
        id=new_id(), name="Allotment & <b>garden</b>", latitude=-33.92, longitude=18.42, source="open-meteo",
        fetched_at=1000 * (now - 7200),
        trouble="Open-Meteo told 58.3 °C for hours in which 18.3 °C was measured here before. Nothing of it was kept.",
    )  # fmt: skip
    session.add(place)
    session.flush()
    cellar, shed = Meter(id=new_id(), name=LONG, kind=COUNTER, step=3600), Meter(id=new_id(), name="Shed <script>")
    cellar.last_at, cellar.first_at, cellar.place_id = now - 9 * DAY, now - 90 * DAY, place.id
    session.add_all([cellar, shed, Meter(id=new_id(), name="New flat"), Meter(name="Old flat", archived=True)])
    session.flush()
    reason = "Three readings are no basis for a forecast: bring at least two days of them."
    session.add(Outlook(meter_id=shed.id, night="2026-01-01", state=REFUSED, reason=reason))
    cost = {"kwh": Decimal("12.5"), "cost": Decimal("4.25"), "currency": "EUR"}
    session.add_all(
        Anomaly(id=new_id(), meter_id=meter, kind=kind, start=now - ago * DAY, end=end, text=text, **cost)
        for meter, kind, ago, end, text in (
            (household, "spike", 33, now - 33 * DAY + 3600, "11.4 kWh in an hour, and 0.8 kWh are usual then."),
            (cellar.id, "missing", 9, None, "Nothing has come since then."),
            (cellar.id, "base load", 40, None, "At night it takes 0.21 kW; before it was 0.09 kW."),
        )
    )  # fmt: skip
