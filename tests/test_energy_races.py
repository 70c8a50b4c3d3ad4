"""Two who look at one meter at the same moment: both write down what they saw, and neither breaks."""

from threading import Barrier

import pytest

from models.engine import again
from models.meter import Anomaly, Meter, Outlook
from models.session import Database
from tasks.metering import anomaly_log, looking
from tests.conftest import Person, at_once
from tests.energy_rows import START, meter_of
from tests.news import rows
from tests.servers import DATABASES
from tests.test_anomaly_alerts import DAY, found
from workers.runtime import Runtime

pytestmark = pytest.mark.parametrize("settings", ["sqlite", *DATABASES], indirect=True)
WRITERS, METERS = 4, 5


def test_an_outlook_and_its_anomalies_are_made_once_by_many_at_once(runtime: Runtime, ada: Person) -> None:
    meters = [meter_of(runtime, ada, name=f"Meter {number}") for number in range(METERS)]
    trouble: list[BaseException] = []
    barrier = Barrier(WRITERS, timeout=30)

    @again
    def look(own: Database, meter_id: str) -> None:
        with own.write(ada.workspace_id) as session:
            meter = session.get_one(Meter, meter_id)
            looking.keep_failure(session, meter, "2014-01-01", "Too few.", 1, refused=True)
            session.flush()
            anomaly_log.record(session, meter, [found(START, START + DAY)], START + 2 * DAY)

    def writer() -> None:
        own = Database(runtime.database.url)
        try:
            for meter_id in meters:
                barrier.wait()
                look(own, meter_id)
        except BaseException as error:  # noqa: BLE001  # told below
            trouble.append(error)
            barrier.abort()
        finally:
            own.close()

    at_once(*[writer] * WRITERS)
    assert not trouble
    assert sorted(row.meter_id for row in rows(runtime, Outlook)) == sorted(meters)
    assert sorted(row.meter_id for row in rows(runtime, Anomaly)) == sorted(meters)
