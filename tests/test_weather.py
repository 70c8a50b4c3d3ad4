"""Weather as it was known when: what comes later changes nothing about what was known before."""

import numpy as np
import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from models.base import new_id
from models.meter import Place, WeatherDay
from tasks.metering import weather
from tasks.metering.temperatures import Temperatures, hundredths
from tests.conftest import Person, at_once
from workers.runtime import Runtime

HOUR, DAY = 3600, 86_400
NOON = 20_000 * DAY + 12 * HOUR  # of a day in 2024
MIDNIGHT = NOON - 12 * HOUR


def hours(start: int, count: int) -> np.ndarray:
    return start + HOUR * np.arange(count, dtype=np.int64)


@pytest.fixture
def place(runtime: Runtime, ada: Person) -> Place:
    with runtime.database.write(ada.workspace_id) as session:
        row = Place(id=new_id(), name="Home", latitude=51.5, longitude=-0.13)
        session.add(row)
    return row


def known(session: Session, place: Place, as_of: int, start: int = MIDNIGHT, days: int = 2) -> Temperatures:
    return weather.known(session, place.id, start, start + days * DAY, as_of)


def test_nothing_is_known_of_a_place_without_weather(runtime: Runtime, ada: Person, place: Place) -> None:
    with runtime.database.read(ada.workspace_id) as session:
        found = known(session, place, NOON)
    assert [len(part) for part in (found.times, found.degrees, found.issued)] == [0, 0, 0]


def test_what_was_measured_is_known_from_its_own_time_on(runtime: Runtime, ada: Person, place: Place) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        assert weather.write_observed(session, place, hours(MIDNIGHT, 48), np.arange(48) * 100) == 48
    with runtime.database.read(ada.workspace_id) as session:
        found = known(session, place, NOON)
        assert found.times[-1] == NOON
        assert found.degrees.tolist() == list(range(13))
        assert known(session, place, NOON + DAY, days=1).degrees.tolist() == list(range(24))
        assert set(found.issued.tolist()) == {0}


def test_what_is_written_later_changes_nothing_about_what_was_known_before(
    runtime: Runtime, ada: Person, place: Place
) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        weather.write_observed(session, place, hours(MIDNIGHT, 13), np.full(13, 500))
        weather.write_forecast(session, place, NOON, hours(NOON, 40), np.full(40, 700))
    with runtime.database.read(ada.workspace_id) as session:
        before = known(session, place, NOON + 1)
    with runtime.database.write(ada.workspace_id) as session:
        weather.write_forecast(session, place, NOON + HOUR, hours(NOON + HOUR, 40), np.full(40, 900))
        weather.write_observed(session, place, hours(NOON + HOUR, 30), np.full(30, 1100))
        weather.thin(session, place.id, NOON + DAY)
    with runtime.database.read(ada.workspace_id) as session:
        after, later = known(session, place, NOON + 1), known(session, place, NOON + HOUR)
    for name in ("times", "degrees", "issued"):
        assert getattr(before, name).tolist() == getattr(after, name).tolist()
    assert before.degrees.tolist() == [5.0] * 13 + [7.0] * 35  # the measured noon goes before the foretold one
    assert later.degrees.tolist() == [5.0] * 13 + [11.0] + [9.0] * 34


def test_of_two_forecasts_the_newer_goes_first_and_the_older_fills_what_it_leaves_open(
    runtime: Runtime, ada: Person, place: Place
) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        weather.write_forecast(session, place, NOON, hours(NOON, 36), np.full(36, 700))
        weather.write_forecast(session, place, NOON + HOUR, hours(NOON + HOUR, 3), np.full(3, 900))
    with runtime.database.read(ada.workspace_id) as session:
        found = known(session, place, NOON + DAY)
    assert found.degrees.tolist() == [7.0] + [9.0] * 3 + [7.0] * 32
    assert found.issued.tolist() == [NOON] + [NOON + HOUR] * 3 + [NOON] * 32


def test_a_forecast_of_what_was_is_none(runtime: Runtime, ada: Person, place: Place) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        assert weather.write_forecast(session, place, NOON, hours(MIDNIGHT, 24), np.full(24, 700)) == 12
        with pytest.raises(ValueError, match="issued"):
            weather.write_forecast(session, place, 0, [NOON], [700])


def test_a_day_is_joined_with_what_is_there_and_counted(runtime: Runtime, ada: Person, place: Place) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        assert weather.write_observed(session, place, hours(MIDNIGHT, 12), np.full(12, 500)) == 12
    with runtime.database.write(ada.workspace_id) as session:
        assert weather.write_observed(session, place, hours(MIDNIGHT + 6 * HOUR, 12), [500] * 5 + [600] * 7) == 7
        assert weather.write_observed(session, place, hours(MIDNIGHT + 6 * HOUR, 12), [500] * 5 + [600] * 7) == 0
        # Out of order, and one time twice: the last word counts.
        assert weather.write_observed(session, place, [NOON + 9 * HOUR, NOON + 8 * HOUR] * 2, [1, 2, 3, 2]) == 2
    with runtime.database.read(ada.workspace_id) as session:
        found = known(session, place, NOON + DAY)
    assert found.degrees.tolist() == [5.0] * 11 + [6.0] * 7 + [0.02, 0.03]


@pytest.mark.parametrize("wrong", [-9001, 6001, 29_676])
def test_a_temperature_that_cannot_be_is_refused_and_nothing_kept(
    runtime: Runtime, ada: Person, place: Place, wrong: int
) -> None:
    with pytest.raises(ValueError, match="-90 to 60"), runtime.database.write(ada.workspace_id) as session:
        weather.write_observed(session, place, [NOON, NOON + HOUR], [500, wrong])
    with runtime.database.read(ada.workspace_id) as session:
        assert len(known(session, place, NOON + DAY).times) == 0


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -90.1, 296.76])
def test_degrees_that_are_none_are_told_from_others(wrong: float) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        hundredths([1.0, wrong])
    assert hundredths([-89.2, 21.456]).tolist() == [-8920, 2146]


def test_a_month_is_read_in_one_indexed_query(runtime: Runtime, ada: Person, place: Place) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        weather.write_observed(session, place, hours(MIDNIGHT - 60 * DAY, 60 * 24), np.zeros(60 * 24))
    asked: list[str] = []
    event.listen(
        runtime.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_more: asked.append(statement)
    )
    with runtime.database.read(ada.workspace_id) as session:
        found = known(session, place, NOON, MIDNIGHT - 30 * DAY, 30)
        asked = [statement for statement in asked if statement.startswith("SELECT")]
        assert len(asked) == 1
        assert len(found.times) == 30 * 24
        query = f"EXPLAIN QUERY PLAN {asked[0]}"
        plan = session.connection().exec_driver_sql(query, (place.id, 19_970, 19_999, NOON, ada.workspace_id)).all()
    assert [row[3] for row in plan if "SEARCH" in row[3] and "PRIMARY KEY" in row[3]], plan


def test_another_workspace_knows_nothing_of_it(runtime: Runtime, ada: Person, grace: Person, place: Place) -> None:
    with runtime.database.write(ada.workspace_id) as session:
        weather.write_observed(session, place, [NOON], [500])
    with runtime.database.read(grace.workspace_id) as session:
        assert len(known(session, place, NOON + DAY).times) == 0


def test_old_forecasts_are_thinned_to_one_a_day_and_then_go(runtime: Runtime, ada: Person, place: Place) -> None:
    every_third = range(MIDNIGHT - 110 * DAY, MIDNIGHT, 3 * HOUR)
    with runtime.database.write(ada.workspace_id) as session:
        for issued in every_third:
            weather.write_forecast(session, place, issued, [issued + HOUR], [issued % 1000])
        weather.write_observed(session, place, hours(MIDNIGHT - 110 * DAY, 24), np.zeros(24))
    with runtime.database.write(ada.workspace_id) as session:
        gone = weather.thin(session, place.id, MIDNIGHT)
        left = session.scalars(select(WeatherDay.issued_at).where(WeatherDay.issued_at > 0)).all()
        assert session.scalar(select(func.count()).where(WeatherDay.issued_at == 0)) == 1, "what was measured stays"
    assert gone + len(left) == len(every_third)
    assert sorted(left)[-16:] == list(every_third)[-16:]
    assert sorted(left)[:-16] == [MIDNIGHT - ago * DAY + 21 * HOUR for ago in range(100, 2, -1)]


def test_two_who_write_the_same_day_at_once_lose_nothing(runtime: Runtime, ada: Person, place: Place) -> None:
    def write(first: int) -> None:
        for number in range(first, 24, 2):
            with runtime.database.write(ada.workspace_id) as session:
                weather.write_observed(session, place, [MIDNIGHT + number * HOUR], [number])

    at_once(lambda: write(0), lambda: write(1))
    with runtime.database.read(ada.workspace_id) as session:
        assert known(session, place, NOON + DAY, days=1).degrees.tolist() == [n / 100 for n in range(24)]


def test_a_temperature_between_two_lies_on_a_line_and_beyond_them_is_none() -> None:
    told = Temperatures(
        np.array([0, 3 * HOUR, 20 * HOUR]), np.array([4.0, 10.0, 0.0]), np.array([0, 0, 0])
    )  # fmt: skip
    found = told.at(np.array([-1, 0, HOUR, 3 * HOUR, 4 * HOUR, 20 * HOUR, 21 * HOUR]))
    assert np.array_equal(found, [np.nan, 4.0, 6.0, 10.0, np.nan, 0.0, np.nan], equal_nan=True)
    assert np.isnan(weather.NOTHING.at(np.array([0, HOUR]))).all()
