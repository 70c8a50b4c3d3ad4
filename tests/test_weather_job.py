"""The job that asks a weather service: for each place once an hour, and one in trouble does not stop the rest."""

import time
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from models.base import new_id
from models.meter import Meter, Place, WeatherDay
from models.run import Run
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks import discover
from tasks.handover import HandedOver
from tasks.metering import weather
from tests.conftest import Person
from tests.front import WORKER
from tests.weather_server import DAY, HOUR, LONDON, Service, settings_of, usual, weather_server
from workers.enqueue import submit
from workers.execute import execute
from workers.open_meteo import OpenMeteo
from workers.runtime import Runtime


@pytest.fixture
def service() -> Iterator[Service]:
    with weather_server() as made:
        yield made


def place_of(runtime: Runtime, person: Person, name: str = "Home", **more: Any) -> str:
    values = {"name": name, "source": "open-meteo", "latitude": LONDON[0], "longitude": LONDON[1]} | more
    with runtime.database.write(person.workspace_id) as session:
        row = Place(id=new_id(), **values)
        session.add(row)
    return row.id


def fetch(runtime: Runtime, workspace: str = SYSTEM, **params: str) -> dict[str, Any]:
    """Run the job there; its result."""
    job = discover()["weather"]
    with runtime.database.write(workspace) as session:
        run = submit(runtime, session, job, HandedOver(job.params(**params)), workspace)
    assert execute(runtime, run.id, WORKER) == "succeeded"
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Run.result).where(Run.id == run.id)).one() or {}


def place(runtime: Runtime, place_id: str) -> Place:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Place).where(Place.id == place_id)).one()


def kept(runtime: Runtime) -> int:
    with runtime.database.read(EVERYONE) as session:
        return len(session.scalars(select(WeatherDay.day)).all())


def served_by(service: Service, runtime: Runtime, **more: Any) -> Runtime:
    settings = settings_of(service, var=runtime.settings.var, broker_url="redis://127.0.0.1:1/0", **more)
    return Runtime(settings, runtime.database, runtime.storage)


def an_hour_later(runtime: Runtime) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Place).values(fetched_at=Place.fetched_at - 3_600_000))


def test_without_a_service_the_run_says_so(runtime: Runtime, ada: Person) -> None:
    place_of(runtime, ada)
    assert "No weather service is set up" in fetch(runtime)["message"]


def test_places_of_all_workspaces_are_asked_for_once_an_hour_and_neighbours_together(
    service: Service, runtime: Runtime, ada: Person, grace: Person
) -> None:
    served = served_by(service, runtime)
    first, second = place_of(runtime, ada), place_of(runtime, grace)
    place_of(runtime, grace, "Elsewhere", source="file")
    place_of(runtime, grace, "Nowhere", latitude=None)
    found = fetch(served)
    assert (found["places"], found["troubled"], len(service.asked)) == (2, 0, 1)
    assert fetch(served)["message"].startswith("No place was due")
    assert len(service.asked) == 1
    now = int(time.time())
    for person, each in ((ada, first), (grace, second)):
        with runtime.database.read(person.workspace_id) as session:
            seen = weather.known(session, each, now - 7 * DAY, now + 7 * DAY, now + 60)
        assert len(seen.times) == 14 * 24
        assert {bool(issued) for issued in seen.issued[seen.times > now]} == {True}
        assert {bool(issued) for issued in seen.issued[seen.times <= now]} == {False}
        assert place(runtime, each).trouble == ""


def test_a_person_s_run_asks_for_their_own_places_alone(
    service: Service, runtime: Runtime, ada: Person, grace: Person
) -> None:
    served = served_by(service, runtime)
    mine, other, hers = place_of(runtime, ada), place_of(runtime, ada, "Cottage"), place_of(runtime, grace)
    assert fetch(served, ada.workspace_id, place=mine)["places"] == 1
    assert fetch(served, ada.workspace_id, place=hers)["places"] == 0
    assert [bool(place(runtime, each).fetched_at) for each in (mine, other, hers)] == [True, False, False]


def test_a_place_whose_weather_is_wrong_by_40_degrees_keeps_nothing_and_the_next_goes_on(
    service: Service, runtime: Runtime, ada: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    served = served_by(service, runtime)
    one = place_of(runtime, ada)
    assert fetch(served)["troubled"] == 0
    before = kept(runtime)
    an_hour_later(runtime)
    service.warmer = {str(LONDON[0]): 40.0}
    other = place_of(runtime, ada, "Cottage", latitude=52.5)
    found = fetch(served)
    assert (found["places"], found["troubled"]) == (2, 1)
    assert place(runtime, other).trouble == ""
    assert "was measured here before. Nothing of it was kept." in place(runtime, one).trouble
    with runtime.database.read(EVERYONE) as session:
        mine = session.scalars(select(WeatherDay.day).where(WeatherDay.place_id == one)).all()
    assert len(mine) == before
    assert "weather.trouble" in capsys.readouterr().out
    an_hour_later(runtime)
    service.warmer = {}
    fetch(served)
    assert place(runtime, one).trouble == ""


def test_hours_that_are_missing_are_said_and_the_rest_is_kept(service: Service, runtime: Runtime, ada: Person) -> None:
    service.degrees = lambda at: None if at % DAY < 3 * HOUR else usual(at)
    one = place_of(runtime, ada)
    assert fetch(served_by(service, runtime))["troubled"] == 0
    assert place(runtime, one).trouble == "Open-Meteo left out 45 of 360 hours; forecasts do without them."


@pytest.mark.parametrize("told", [None, float("nan")])
def test_a_service_that_tells_no_temperature_at_all_is_in_trouble(
    service: Service, runtime: Runtime, ada: Person, told: float | None
) -> None:
    service.degrees = lambda _at: told
    one = place_of(runtime, ada)
    assert fetch(served_by(service, runtime))["troubled"] == 1
    assert place(runtime, one).trouble == "Open-Meteo told no temperature from now on."
    assert kept(runtime) == 0


def test_a_service_that_is_away_is_left_alone_after_a_few_places(
    service: Service, runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.open_meteo.FIRST_WAIT", 0.01)
    monkeypatch.setattr(OpenMeteo.__init__, "__defaults__", (0.01,))
    service.statuses = [500] * 99
    places = [place_of(runtime, ada, f"Place {number}", latitude=50 + number) for number in range(5)]
    found = fetch(served_by(service, runtime))
    assert (found["places"], found["troubled"], found["left"]) == (3, 3, 2)
    assert len(service.asked) == 9
    assert "in trouble itself (500)" in place(runtime, places[0]).trouble
    assert place(runtime, places[4]).fetched_at is None
    service.statuses = []
    assert fetch(served_by(service, runtime))["places"] == 2


def test_history_is_filled_back_as_far_as_the_meters_go_in_pieces(
    service: Service, runtime: Runtime, ada: Person
) -> None:
    served, one, now = served_by(service, runtime), place_of(runtime, ada), int(time.time())
    first = now - 900 * DAY
    with runtime.database.write(ada.workspace_id) as session:
        session.add(Meter(name="Main", place_id=one, first_at=first, last_at=now))
    asked = []
    for _ in range(3):
        fetch(served)
        an_hour_later(runtime)
        asked.append([query for path, query in service.asked if path == "/v1/archive"])
    assert [len(each) for each in asked] == [2, 3, 3], "two pieces a run, and nothing once it is done"
    spans = [(date.fromisoformat(q["start_date"]), date.fromisoformat(q["end_date"])) for q in asked[-1]]
    assert max((last - first).days for first, last in spans) <= 367
    assert all(earlier[1] >= later[0] for later, earlier in pairwise(spans)), "they overlap"
    with runtime.database.read(ada.workspace_id) as session:
        found = weather.known(session, one, first, now, now)
    assert len(found.times) >= 900 * 24 - 1


def test_what_was_measured_once_is_not_written_over(service: Service, runtime: Runtime, ada: Person) -> None:
    served, one, now = served_by(service, runtime), place_of(runtime, ada), int(time.time())
    fetch(served)
    with runtime.database.read(ada.workspace_id) as session:
        before = weather.known(session, one, now - 6 * DAY, now + DAY, now + 60)
    an_hour_later(runtime)
    service.degrees = lambda at: usual(at) + 1
    fetch(served)
    with runtime.database.read(ada.workspace_id) as session:
        after = weather.known(session, one, now - 6 * DAY, now + DAY, now + 60)
    measured = before.issued == 0
    assert after.degrees[measured].tolist() == before.degrees[measured].tolist()


def test_openweathermap_is_asked_by_the_job_in_the_same_way(service: Service, runtime: Runtime, ada: Person) -> None:
    one = place_of(runtime, ada, source="openweathermap")
    found = fetch(served_by(service, runtime, name="openweathermap"))
    assert (found["service"], found["places"], found["troubled"]) == ("OpenWeatherMap", 1, 0)
    now = int(time.time())
    with runtime.database.read(ada.workspace_id) as session:
        seen = weather.known(session, one, now - HOUR, now + 4 * DAY, now + 60)
    hours = now // HOUR * HOUR + HOUR * (1 + np.arange(72))
    assert not np.isnan(seen.at(hours)).any(), "three-hourly forecasts are known for each hour"
