"""Anomalies between nights: one stays one, dismissed stays dismissed, history does not flood, silence is noticed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal

import pytest
from sqlalchemy import delete, event, select, update
from sqlalchemy.orm import Session

from models.alert import ENDED, FIRING, OPENED, RESOLVED, Alert, Move
from models.base import clock
from models.meter import Anomaly, Meter
from models.session import EVERYONE
from tasks.alerting.alerts import Count
from tasks.energy.anomalies.found import Found, Kind
from tasks.metering import anomaly_log, readings, silence, taking
from tasks.metering.anomaly_log import Kept
from tasks.metering.usage import Readings
from tests.conftest import Person
from tests.news import moves, rows, untold
from workers.runtime import Runtime

HOUR, DAY = 3600, 86_400
BEGAN = 1_394_582_400  # 12 March 2014, midnight


def now(runtime: Runtime) -> int:
    """Epoch seconds by the database's clock."""
    with runtime.database.read(EVERYONE) as session:
        return clock(session) // 1000


def workshop(runtime: Runtime, person: Person, **values: object) -> str:
    with runtime.database.write(person.workspace_id) as session:
        meter = Meter(workspace_id=person.workspace_id, **{"name": "Workshop", "step": HOUR, **values})
        session.add(meter)
        session.flush()
        return meter.id


def found(start: int, end: int | None, kind: Kind = "spike", kwh: float = 43.0, text: str = "It is odd.") -> Found:
    return Found(kind, start, end, kwh, 12.9, text)


def record(runtime: Runtime, meter_id: str, *seen: Found, as_of: int, since: int = 0) -> Kept:
    with runtime.database.write(EVERYONE) as session:
        meter = session.get_one(Meter, meter_id)
        return anomaly_log.record(session, meter, seen, as_of, since=since, currency="EUR")


def anomalies(runtime: Runtime) -> list[Anomaly]:
    return sorted(rows(runtime, Anomaly), key=lambda row: (row.start, row.kind))


def change(runtime: Runtime, **values: object) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Anomaly).values(values))


def scan(runtime: Runtime) -> Count:
    def opens(how: Callable[[str], AbstractContextManager[Session]]) -> Callable[[], AbstractContextManager[Session]]:
        return lambda: how(EVERYONE)

    return silence.scan(opens(runtime.database.read), opens(runtime.database.write), now(runtime) * 1000)


def test_an_anomaly_is_told_once_however_often_it_is_seen(runtime: Runtime, ada: Person) -> None:
    meter, spike = workshop(runtime, ada), found(BEGAN, BEGAN + DAY)
    assert record(runtime, meter, spike, as_of=BEGAN + 2 * DAY) == Kept(new=1, opened=1)
    for night in range(3, 6):
        assert record(runtime, meter, spike, as_of=BEGAN + night * DAY) == Kept()
    [alert] = rows(runtime, Alert)
    assert alert.title == "Workshop: 43.0 kWh more than expected on 12 March 2014"
    assert (alert.area, alert.rule, alert.link) == ("energy", "anomaly", f"/energy/meters/{meter}")
    assert moves(runtime) == [(OPENED, 1)]
    assert untold(runtime, ada) == 1


def test_a_start_that_moves_and_an_end_that_comes_later_change_the_row_and_make_no_twin(
    runtime: Runtime, ada: Person
) -> None:
    meter = workshop(runtime, ada)
    record(runtime, meter, found(BEGAN, None, "shift"), as_of=BEGAN + 8 * DAY)
    [before] = anomalies(runtime)
    assert record(runtime, meter, found(BEGAN - DAY, None, "shift", 50), as_of=BEGAN + 9 * DAY) == Kept(changed=1)
    assert record(runtime, meter, found(BEGAN - DAY, BEGAN + 9 * DAY, "shift", 50), as_of=BEGAN + 10 * DAY).new == 0
    [after] = anomalies(runtime)
    assert (after.id, after.start, after.end, after.kwh) == (before.id, BEGAN - DAY, BEGAN + 9 * DAY, Decimal(50))
    assert [what for what, _ in moves(runtime)] == [OPENED, ENDED]
    assert rows(runtime, Alert)[0].title.startswith("Workshop: back to the usual")


def test_another_kind_at_the_same_time_is_another_anomaly(runtime: Runtime, ada: Person) -> None:
    meter = workshop(runtime, ada)
    both = found(BEGAN, BEGAN + DAY), found(BEGAN, BEGAN + DAY, "flat")
    assert record(runtime, meter, *both, as_of=BEGAN + DAY) == Kept(new=2, opened=2)
    assert record(runtime, meter, *both, as_of=BEGAN + DAY) == Kept()


def test_what_somebody_dismissed_stays_dismissed(runtime: Runtime, ada: Person) -> None:
    meter = workshop(runtime, ada)
    record(runtime, meter, found(BEGAN, BEGAN + HOUR), as_of=BEGAN + DAY)
    change(runtime, dismissed_at=now(runtime) * 1000)
    record(runtime, meter, found(BEGAN, BEGAN + 2 * HOUR), as_of=BEGAN + DAY)
    record(runtime, meter, as_of=BEGAN + DAY)
    record(runtime, meter, found(BEGAN, BEGAN + 2 * HOUR), as_of=BEGAN + DAY)
    [row] = anomalies(runtime)
    assert row.dismissed_at is not None
    assert row.end == BEGAN + 2 * HOUR
    assert [what for what, _ in moves(runtime)] == [OPENED, ENDED]


def test_readings_that_are_corrected_take_the_anomaly_and_its_alert_away(runtime: Runtime, ada: Person) -> None:
    meter = workshop(runtime, ada)
    record(runtime, meter, found(BEGAN, BEGAN + HOUR), as_of=BEGAN + DAY)
    assert record(runtime, meter, as_of=BEGAN + DAY) == Kept(gone=1)
    assert anomalies(runtime) == []
    assert rows(runtime, Alert)[0].state == RESOLVED
    assert moves(runtime) == [(OPENED, 1)]  # and nobody is bothered with it


def test_two_years_that_are_imported_tell_of_their_last_week_alone(runtime: Runtime, ada: Person) -> None:
    meter, last = workshop(runtime, ada), BEGAN + 728 * DAY
    history = [found(BEGAN + day * DAY, BEGAN + day * DAY + HOUR) for day in range(0, 728, 7)]
    kept = record(runtime, meter, *history, as_of=last)
    assert (kept.new, kept.opened) == (104, 1)
    assert len(anomalies(runtime)) == 104
    assert untold(runtime, ada) == 1


def test_what_lies_before_the_stretch_that_was_looked_at_stays(runtime: Runtime, ada: Person) -> None:
    meter = workshop(runtime, ada)
    record(runtime, meter, found(BEGAN, BEGAN + HOUR), as_of=BEGAN + DAY)
    record(runtime, meter, as_of=BEGAN + 900 * DAY, since=BEGAN + 100 * DAY)
    assert len(anomalies(runtime)) == 1


def test_news_that_are_a_week_old_are_over(runtime: Runtime, ada: Person) -> None:
    meter, today = workshop(runtime, ada), now(runtime)
    record(runtime, meter, found(today - DAY, today - DAY + HOUR), as_of=today)
    assert scan(runtime) == Count()
    change(runtime, created_at=(today - 8 * DAY) * 1000)
    assert scan(runtime) == Count(resolved=1)
    assert scan(runtime) == Count()
    record(runtime, meter, found(today - DAY, today - DAY + HOUR), as_of=today)
    assert [what for what, _ in moves(runtime)] == [OPENED, ENDED]


def test_a_meter_that_is_gone_takes_its_alerts_with_it(runtime: Runtime, ada: Person) -> None:
    record(runtime, workshop(runtime, ada), found(BEGAN, None), as_of=BEGAN + DAY)
    with runtime.database.write(EVERYONE) as session:
        session.execute(delete(Anomaly))
        session.execute(delete(Meter))
    scan(runtime)
    assert rows(runtime, Alert)[0].state == RESOLVED


def send(runtime: Runtime, meter_id: str, *times: int) -> None:
    import numpy as np

    with runtime.database.write(EVERYONE) as session:
        meter = session.get_one(Meter, meter_id)
        taking.take(session, [(meter, Readings(np.array(times), np.arange(1, len(times) + 1) * 100_000))])


def test_a_device_that_falls_silent_is_noticed_once_and_so_is_its_return(runtime: Runtime, ada: Person) -> None:
    meter, today = workshop(runtime, ada), now(runtime)
    hours = [today - back * HOUR for back in range(40, 9, -1)]
    send(runtime, meter, *hours)
    assert scan(runtime) == Count(opened=1)
    assert scan(runtime) == Count()
    [row] = anomalies(runtime)
    assert (row.kind, row.start, row.end) == ("missing", hours[-1] + HOUR, None)
    assert rows(runtime, Alert)[0].title.startswith("Workshop: no readings since")
    send(runtime, meter, today - HOUR)
    assert scan(runtime) == Count(resolved=1)
    assert anomalies(runtime)[0].end == today - HOUR
    assert rows(runtime, Alert)[0].title.startswith("Workshop: readings come again since")
    assert scan(runtime) == Count()


def test_the_nightly_look_makes_no_twin_of_a_silence_and_does_not_end_it(runtime: Runtime, ada: Person) -> None:
    meter, today = workshop(runtime, ada), now(runtime)
    last = today - 10 * HOUR
    send(runtime, meter, last - HOUR, last)
    scan(runtime)
    record(runtime, meter, found(last + HOUR, None, "missing"), as_of=today)
    record(runtime, meter, as_of=last + HOUR)  # a fortnight later its past ends with its last reading
    [row] = anomalies(runtime)
    assert (row.start, row.end) == (last + HOUR, None)
    assert rows(runtime, Alert)[0].state == FIRING


def test_readings_that_come_late_leave_no_hole(runtime: Runtime, ada: Person) -> None:
    meter, today = workshop(runtime, ada), now(runtime)
    last = today - 10 * HOUR
    send(runtime, meter, last - HOUR, last)
    scan(runtime)
    send(runtime, meter, *range(last + HOUR, today, HOUR))
    scan(runtime)
    assert anomalies(runtime) == []
    assert rows(runtime, Alert)[0].state == RESOLVED


def test_a_file_that_somebody_imported_falls_silent_without_a_word(runtime: Runtime, ada: Person) -> None:
    import numpy as np

    meter_id, last = workshop(runtime, ada), now(runtime) - 2 * DAY
    with runtime.database.write(EVERYONE) as session:
        meter = session.get_one(Meter, meter_id)
        readings.write(session, meter, Readings(np.array([last - HOUR, last]), np.array([1000, 2000])))
    assert scan(runtime) == Count()


def test_ten_thousand_meters_are_looked_at_with_a_handful_of_statements(runtime: Runtime, ada: Person) -> None:
    today = now(runtime)
    with runtime.database.write(EVERYONE) as session:
        session.execute(
            Meter.__table__.insert(),  # type: ignore[attr-defined]
            [
                {"id": f"m{number:027}", "workspace_id": ada.workspace_id, "name": f"Meter {number}", "step": HOUR,
                 "heard_at": today * 1000, "last_at": today - (20 * HOUR if number < 30 else 0)}
                for number in range(10_000)
            ],
        )  # fmt: skip
    asked: list[str] = []
    event.listen(runtime.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert scan(runtime) == Count(opened=30)
    assert len(asked) < 60
    asked.clear()
    assert scan(runtime) == Count()
    assert len(asked) < 12


@pytest.mark.parametrize("amounts", [True, False])
def test_a_digest_has_a_line_for_each_that_was_told(runtime: Runtime, ada: Person, amounts: bool) -> None:
    record(runtime, workshop(runtime, ada), found(BEGAN, BEGAN + DAY), found(1, 2), as_of=BEGAN + 2 * DAY)
    with runtime.database.read(ada.workspace_id) as session:
        lines = anomaly_log.news(session, ada.workspace_id, 0, amounts=amounts)
    said = "Workshop: 43.0 kWh more than expected on 12 March 2014"
    assert lines == [f"{said} (€12.90 more)." if amounts else f"{said}."]


def test_what_was_told_is_a_move_with_its_words(runtime: Runtime, ada: Person) -> None:
    record(runtime, workshop(runtime, ada), found(BEGAN, None, "base load"), as_of=BEGAN + 2 * DAY)
    with runtime.database.read(EVERYONE) as session:
        titles = session.scalars(select(Move.title)).all()
    assert titles == ["Workshop: uses more at night since about 12 March 2014"]
