"""Readings in the database: written once however often they come, by several at once, and read in one query."""

import time
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, event, func, select, text

from models.meter import COUNTER, INTERVAL, Meter, ReadingDay
from models.session import Database
from tasks.metering import merging, readings
from tasks.metering.readings import Moved, Unkept, Written, latest, read, remove, write
from tasks.metering.usage import Readings
from tests.conftest import Person, at_once
from tests.servers import DATABASES
from workers.runtime import Runtime

pytestmark = pytest.mark.parametrize("settings", ["sqlite", *DATABASES], indirect=True)
START = 19_700 * 86_400  # midnight in December 2023, UTC
KWH = 1_000_000


def some(count: int, step: int = 900, start: int = START, least: int = 0) -> Readings:
    times = start + np.arange(count, dtype=np.int64) * step
    return Readings(times, np.arange(least, least + count, dtype=np.int64) * KWH)


def a_meter(runtime: Runtime, person: Person, kind: str = INTERVAL, name: str = "House") -> Meter:
    with runtime.database.write(person.workspace_id) as session:
        meter = Meter(name=name, kind=kind)
        session.add(meter)
    return meter


def put(runtime: Runtime, meter: Meter, given: Readings, **more: Any) -> Written:
    with runtime.database.write(meter.workspace_id) as session:
        return write(session, session.get_one(Meter, meter.id), given, **more)


def got(runtime: Runtime, meter: Meter, start: int = 0, end: int = 2**33) -> Readings:
    with runtime.database.read(meter.workspace_id) as session:
        return read(session, meter.id, start, end)


def ends(runtime: Runtime, meter: Meter) -> tuple[int | None, int | None, int]:
    with runtime.database.read(meter.workspace_id) as session:
        found = session.get_one(Meter, meter.id)
        return found.first_at, found.last_at, found.step


def test_readings_come_back_as_they_went_in_and_twice_is_once(runtime: Runtime, ada: Person) -> None:
    meter, given = a_meter(runtime, ada), some(96 * 40)
    assert put(runtime, meter, given) == Written(new=96 * 40)
    assert put(runtime, meter, given) == Written(same=96 * 40)
    found = got(runtime, meter)
    assert np.array_equal(found.times, given.times)
    assert np.array_equal(found.values, given.values)
    assert ends(runtime, meter) == (START, int(given.times[-1]), 900)
    with runtime.database.read(ada.workspace_id) as session:
        assert latest(session, meter.id) == (int(given.times[-1]), int(given.values[-1]))
        rows = session.scalars(select(ReadingDay)).all()
    assert {(row.count, row.revision) for row in rows} == {(96, 1)}


def test_another_value_takes_the_place_of_the_old_or_is_kept_away(runtime: Runtime, ada: Person) -> None:
    meter = a_meter(runtime, ada)
    put(runtime, meter, some(100))
    told = put(runtime, meter, some(104, least=5), keep_old=True)
    assert told == Written(new=4, changed=100)
    assert got(runtime, meter).values.tolist() == [each * KWH for each in [*range(100), *range(105, 109)]]
    assert put(runtime, meter, some(104, least=5)) == Written(changed=100, same=4)
    assert got(runtime, meter).values.tolist() == [each * KWH for each in range(5, 109)]


def test_older_and_newer_readings_come_between_and_around_the_known(runtime: Runtime, ada: Person) -> None:
    meter = a_meter(runtime, ada)
    whole = some(96 * 3)
    order = np.random.default_rng(3).permutation(len(whole.times))
    for part in np.array_split(order, 7):
        part.sort()
        put(runtime, meter, Readings(whole.times[part], whole.values[part]))
    assert np.array_equal(got(runtime, meter).values, whole.values)
    assert got(runtime, meter, START + 900, START + 2700).times.tolist() == [START + 900, START + 1800]
    assert not len(got(runtime, meter, START - 900, START).times)
    assert ends(runtime, meter)[:2] == (START, int(whole.times[-1]))


def test_a_counter_keeps_the_last_reading_of_each_minute(runtime: Runtime, ada: Person) -> None:
    meter = a_meter(runtime, ada, COUNTER)
    given = some(60, step=10)
    assert put(runtime, meter, given) == Written(new=10, thinned=50)
    assert got(runtime, meter).times.tolist() == list(range(START + 50, START + 600, 60))
    assert put(runtime, meter, given) == Written(same=10, thinned=50)
    later = Readings(np.array([START + 55]), np.array([7]))
    assert put(runtime, meter, later) == Written(new=1)
    assert got(runtime, meter).times.tolist()[:2] == [START + 55, START + 110]


def test_intervals_closer_than_a_minute_are_refused_and_nothing_is_left(runtime: Runtime, ada: Person) -> None:
    meter = a_meter(runtime, ada)
    put(runtime, meter, some(2))
    with runtime.database.write(ada.workspace_id) as session:
        found = session.get_one(Meter, meter.id)
        with pytest.raises(Unkept, match="less than a minute apart, at 2023-12-09 00:15 UTC"):
            write(session, found, Readings(np.array([START + 930, START + 86_400]), np.array([1, 2])))
    assert len(got(runtime, meter).times) == 2
    assert ends(runtime, meter)[1] == START + 900


@pytest.mark.parametrize(
    ("times", "values", "words"),
    [
        ([START, START], [1, 2], "no time may come twice"),
        ([START, START - 1], [1, 2], "in order of time"),
        ([0], [1], "1970-01-01 00:00 UTC. The earliest"),
        ([int(time.time()) + 3 * 86_400], [1], "more than two days ahead"),
        ([2**62], [1], "second 4611686018427387904"),
        ([START], [10**15 + 1], "larger than 1 TWh"),
        ([START], [-(2**63)], "larger than 1 TWh"),
        ([START, START + 900], [1], "as many values"),
    ],
)
def test_what_no_meter_shows_is_refused_in_a_sentence(
    runtime: Runtime, times: list[int], values: list[int], words: str
) -> None:
    with pytest.raises(Unkept, match=words):
        merging.check(Readings(np.array(times, np.int64), np.array(values, np.int64)))


def test_a_part_is_taken_away_and_the_ends_follow(runtime: Runtime, ada: Person) -> None:
    meter = a_meter(runtime, ada)
    put(runtime, meter, some(96 * 4))

    def without(start: int, end: int) -> int:
        with runtime.database.write(ada.workspace_id) as session:
            return remove(session, session.get_one(Meter, meter.id), start, end)

    assert without(START + 900, START + 86_400 + 1800) == 97
    assert got(runtime, meter).times.tolist()[:2] == [START, START + 86_400 + 1800]
    assert without(START - 10**6, START + 2 * 86_400) == 96 * 2 - 97
    assert ends(runtime, meter)[:2] == (START + 2 * 86_400, START + 4 * 86_400 - 900)
    assert without(START + 4 * 86_400 - 900, START + 4 * 86_400 - 899) == 1
    assert without(0, 2**33) == 96 * 2 - 1
    assert ends(runtime, meter) == (None, None, 900)
    assert without(5, 5) == without(9, 3) == 0


def test_of_two_who_write_the_same_days_at_once_nobody_loses_a_reading(runtime: Runtime, ada: Person) -> None:
    meter, whole = a_meter(runtime, ada), some(96 * 2)
    trouble: list[BaseException] = []

    def writer(number: int) -> None:
        own = Database(runtime.database.url)
        try:
            for at in range(number, len(whole.times), 4):
                with own.write(ada.workspace_id) as session:
                    write(session, session.get_one(Meter, meter.id), Readings(whole.times[[at]], whole.values[[at]]))
        except BaseException as error:  # noqa: BLE001  # told below
            trouble.append(error)
        finally:
            own.close()

    at_once(*(lambda number=number: writer(number) for number in range(4)))
    assert not trouble
    assert np.array_equal(got(runtime, meter).values, whole.values)
    assert ends(runtime, meter)[:2] == (START, int(whole.times[-1]))


def test_who_does_not_queue_at_the_meter_loses_nothing_either(
    runtime: Runtime, ada: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer comes between the look at a day and its replacement: it is looked at again."""
    if runtime.database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    meter = a_meter(runtime, ada)
    put(runtime, meter, some(1))
    monkeypatch.setattr(readings, "_take", lambda *_args: None)
    looked = readings._known
    came: list[int] = []

    def look(*args: Any) -> Any:
        found = looked(*args)
        if not came:
            came.append(1)
            put(runtime, meter, some(2, start=START + 86_400 - 900))  # into this day, and the next one made
        return found

    monkeypatch.setattr(readings, "_known", look)
    assert put(runtime, meter, some(96, start=START + 43_200)) == Written(new=94, changed=2)
    assert len(got(runtime, meter).times) == 97


def test_days_that_are_never_the_same_twice_are_given_up_with_an_error(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = a_meter(runtime, ada)
    put(runtime, meter, some(1))
    looked = readings._known

    def look(*args: Any) -> Any:
        revisions, known = looked(*args)
        return {day: revision - 1 for day, revision in revisions.items()}, known

    monkeypatch.setattr(readings, "_known", look)
    with pytest.raises(Moved):
        put(runtime, meter, some(2))
    assert len(got(runtime, meter).times) == 1


def test_a_year_is_written_in_few_statements_and_a_month_read_in_one_along_the_key(
    runtime: Runtime, ada: Person
) -> None:
    meter = a_meter(runtime, ada)
    said: list[str] = []

    def hear(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    engine = runtime.database.engine
    event.listen(engine, "before_cursor_execute", hear)
    try:
        put(runtime, meter, some(96 * 365))
        written = [each for each in said if "reading_day" in each]
        said.clear()
        assert len(got(runtime, meter, START + 86_400 * 30, START + 86_400 * 60).times) == 96 * 30
    finally:
        event.remove(engine, "before_cursor_execute", hear)
    assert len(written) <= 3
    assert len([each for each in said if each != "BEGIN"]) == 1
    assert rows_of(runtime, ada) == 365


def rows_of(runtime: Runtime, person: Person) -> int:
    with runtime.database.read(person.workspace_id) as session:
        return session.scalar(select(func.count()).select_from(ReadingDay)) or 0


def test_watching_jobs_are_told_and_only_when_something_changed(runtime: Runtime, ada: Person) -> None:
    meter = a_meter(runtime, ada)
    with runtime.database.write(ada.workspace_id) as session:
        found = session.get_one(Meter, meter.id)
        write(session, found, some(2))
        assert (ReadingDay, ada.workspace_id) in session.info["changed"]
        assert found.last_at == START + 900
        session.info["changed"].clear()
        write(session, found, some(2))
        assert not session.info["changed"]


def test_the_step_is_learnt_once_enough_is_known(runtime: Runtime, ada: Person) -> None:
    one, two = a_meter(runtime, ada), a_meter(runtime, ada, COUNTER, "Heat pump")
    for at in range(24):
        assert ends(runtime, one)[2] == 0
        put(runtime, one, some(1, start=START + at * 1800))
    assert ends(runtime, one)[2] == 1800
    put(runtime, two, some(20, step=70))
    assert ends(runtime, two)[2] == 0
    put(runtime, two, some(10, step=290, start=START + 2000))
    assert ends(runtime, two)[2] == 300


def test_a_meter_that_goes_takes_its_days_with_it(runtime: Runtime, ada: Person) -> None:
    meter = a_meter(runtime, ada)
    put(runtime, meter, some(96 * 3))
    with runtime.database.write(ada.workspace_id) as session:
        session.delete(session.get_one(Meter, meter.id))
    assert rows_of(runtime, ada) == 0


def test_nobody_reads_another_workspaces_readings(runtime: Runtime, ada: Person, grace: Person) -> None:
    meter = a_meter(runtime, ada)
    put(runtime, meter, some(3))
    with runtime.database.read(grace.workspace_id) as session:
        assert not len(read(session, meter.id, 0, 2**33).times)
        assert latest(session, meter.id) is None


def test_a_damaged_day_is_told_and_not_taken_for_none(runtime: Runtime, ada: Person) -> None:
    meter = a_meter(runtime, ada)
    put(runtime, meter, some(3))
    with runtime.database.begin() as connection:
        connection.execute(text("UPDATE reading_day SET packed = :none"), {"none": b"nothing"})
    with pytest.raises(ValueError, match="damaged"):
        got(runtime, meter)
