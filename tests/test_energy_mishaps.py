"""What goes wrong with one meter, or in one workspace, stops no other."""

import pytest
from sqlalchemy.exc import SQLAlchemyError

from models.alert import FIRING, Alert
from models.meter import Meter
from models.session import EVERYONE
from tasks.alerting.alerts import Count
from tasks.metering import readings, silence
from tests.conftest import Person
from tests.energy_rows import meter_of, usage
from tests.news import rows
from tests.test_anomaly_alerts import HOUR, anomalies, change, now, scan, send, workshop
from tests.test_energy_nightly import _quick, night, seen
from workers.runtime import Runtime

__all__ = ["_quick"]


def silent_again(runtime: Runtime, person: Person) -> tuple[str, int]:
    """A meter whose silence began and ended, until the readings after it were removed; and its last reading's time."""
    meter_id, today = workshop(runtime, person), now(runtime)
    last = today - 10 * HOUR
    send(runtime, meter_id, last - HOUR, last)
    scan(runtime)
    send(runtime, meter_id, today - HOUR)
    scan(runtime)
    with runtime.database.write(EVERYONE) as session:
        readings.remove(session, session.get_one(Meter, meter_id), last + 1, today)
    return meter_id, last


def test_a_silence_goes_on_when_the_readings_that_ended_it_are_removed(runtime: Runtime, ada: Person) -> None:
    _, last = silent_again(runtime, ada)
    [before] = anomalies(runtime)
    assert before.end is not None
    assert scan(runtime) == Count(opened=1)
    [row] = anomalies(runtime)
    assert (row.id, row.start, row.end) == (before.id, last + HOUR, None)
    assert [alert.state for alert in rows(runtime, Alert)].count(FIRING) == 1
    assert scan(runtime) == Count()


def test_a_silence_that_was_dismissed_goes_on_without_a_word(runtime: Runtime, ada: Person) -> None:
    silent_again(runtime, ada)
    change(runtime, dismissed_at=5)
    assert scan(runtime).opened == 0
    [row] = anomalies(runtime)
    assert (row.end, row.dismissed_at) == (None, 5)
    assert scan(runtime) == Count()


def test_the_night_goes_on_after_a_silence_that_began_again(runtime: Runtime, ada: Person, grace: Person) -> None:
    silent_again(runtime, ada)
    good = meter_of(runtime, grace, usage(20))
    run = night(runtime)
    assert run.state == "succeeded", run.error
    assert seen(runtime)[good][0] == "made"


@pytest.mark.parametrize("error", [SQLAlchemyError, ValueError])
def test_what_breaks_in_one_workspace_stops_the_silences_of_no_other(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    today, settled = now(runtime), silence._settled
    for person in (ada, grace):
        send(runtime, workshop(runtime, person), today - 11 * HOUR, today - 10 * HOUR)

    def broken(writes: silence.Opens, workspace: str, due: silence.Due, at: int) -> Count:
        if workspace == ada.workspace_id:
            raise error("It broke.")
        return settled(writes, workspace, due, at)

    monkeypatch.setattr(silence, "_settled", broken)
    assert scan(runtime) == Count(opened=1)
    assert [row.workspace_id for row in anomalies(runtime)] == [grace.workspace_id]
