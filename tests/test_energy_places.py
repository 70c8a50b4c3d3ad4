"""The pages of places: made, moved and deleted; temperatures brought as a file of any usual shape; what is shown."""

import io
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from models.meter import Meter, Place, WeatherDay
from models.run import Run
from tasks.metering import weather
from tests.conftest import Person
from tests.energy_front import NOW, meter_of, place_of, rows
from tests.stock_front import text_of
from tests.web_fixtures import Browser
from workers.runtime import Runtime

HOME = {"name": "Home", "source": "file", "latitude": "51.5074", "longitude": "-0,1278"}


def test_a_place_is_made_moved_and_deleted_and_its_meters_stay(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    assert "Make the first place" in ada_s.get("/energy/places").text
    assert ada_s.post("/energy/places/new", HOME).status_code == 303
    (place,) = rows(runtime, Place)
    assert (place.latitude, place.longitude) == (51.51, -0.13), "to a hundredth"
    path = f"/energy/places/{place.id}"
    assert 'value="51.51"' in ada_s.get(f"{path}/edit").text
    assert ada_s.post(f"{path}/edit", {**HOME, "latitude": "-33.9", "longitude": "0"}).status_code == 303
    assert rows(runtime, Place)[0].latitude == -33.9
    meter_of(runtime, ada, place_id=place.id, name="Cottage")
    assert "The meter Cottage stays" in text_of(ada_s.get(f"{path}/delete"))
    assert ada_s.post(f"{path}/delete").location == "/energy/places"
    assert rows(runtime, Place) == []
    assert rows(runtime, Meter)[0].place_id is None


WRONG = (
    ("name", ""), ("latitude", "91"), ("latitude", "north"), ("latitude", "nan"), ("longitude", "-180.1"),
    ("longitude", ""), ("source", "open-meteo"), ("latitude", "1e400"),
)  # fmt: skip


def test_what_is_wrong_with_a_place_stands_beside_its_field(ada_s: Browser, runtime: Runtime) -> None:
    for field, value in WRONG:
        answer = ada_s.post("/energy/places/new", {**HOME, field: value})
        assert answer.status_code == 422, (field, value)
        assert f'id="{field}-error"' in answer.text
    assert rows(runtime, Place) == []


def test_two_places_of_one_name_are_refused(ada_s: Browser) -> None:
    assert ada_s.post("/energy/places/new", HOME).status_code == 303
    assert "There is a place of this name already" in ada_s.post("/energy/places/new", HOME).text


def bring(browser: Browser, place: str, text: str | bytes, zone: str = "UTC") -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    fields = {"time_zone": zone, "file": (io.BytesIO(data), "temperatures.csv")}
    return browser.post(f"/energy/places/{place}/bring", fields, content_type="multipart/form-data")


def known(runtime: Runtime, person: Person, place: str) -> dict[str, float]:
    with runtime.database.read(person.workspace_id) as session:
        found = weather.known(session, place, 0, 2**32, NOW)
    pairs = zip(found.times.tolist(), found.degrees.tolist(), strict=True)
    return {datetime.fromtimestamp(at, UTC).strftime("%m-%d %H:%M"): degrees for at, degrees in pairs}


FILES = {
    "plain": ("time,temperature\n2026-01-31T12:00,3.5\n2026-01-31T13:00,-4.25\n", 3.5, -4.25),
    "german": ("Zeit;Temperatur (°C)\n31.01.2026 13:00;3,5\n31.01.2026 14:00;-4,25\n", 3.5, -4.25),
    "no heading": ("2026-01-31 12:00;3.5\n2026-01-31 13:00;-4.25\n", 3.5, -4.25),
    "epoch": ("dt,temp\n1769860800,3.5\n1769864400,-4.25\n", 3.5, -4.25),
    "home assistant": (
        "entity_id,state,last_changed\nsensor.t,3.5,2026-01-31T12:00:00.000Z\nsensor.t,unavailable,"
        "2026-01-31T12:30:00.000Z\nsensor.t,-4.25,2026-01-31T13:00:00.000Z\n", 3.5, -4.25,
    ),
}  # fmt: skip


def test_temperatures_come_from_a_file_of_any_usual_shape(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    for name, (text, first, second) in FILES.items():
        place = place_of(runtime, ada, name=name)
        assert bring(ada_s, place, text, "Europe/Berlin" if name == "german" else "UTC").status_code == 303, name
        assert known(runtime, ada, place) == {"01-31 12:00": first, "01-31 13:00": second}, name
        page = text_of(ada_s.get(f"/energy/places/{place}"))
        assert "2 temperatures read, 2 of them new." in page
        assert ("taken as those of" in page) == (name in ("plain", "german", "no heading"))


def test_lines_without_a_time_or_with_what_cannot_be_are_named_and_left_out(
    ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    place = place_of(runtime, ada)
    text = "time,temp\n2026-01-31T12:00Z,3\nnever,4\n2026-01-31T13:00Z,-999\n2026-01-31T14:00Z,\n2026-01-31T15:00Z,5\n"
    assert bring(ada_s, place, text).status_code == 303
    said = text_of(ada_s.get(f"/energy/places/{place}"))
    assert "Left out lines 3, 4, 5: no time, or no temperature." in said
    assert "Left out what cannot be: -999 °C in line 4; it was never below -90 or above 60 °C anywhere." in said
    assert list(known(runtime, ada, place).values()) == [3.0, 5.0]


NO_WEATHER = (
    ("", "empty"), (b"\0" * 99, "NUL"), ("a,b,c\n1,2,3\n", "No column of times"), ("time,temp\nx,y\n", "No line"),
    ("time,temp °F\n2026-01-31T12:00Z,50\n", "Fahrenheit"), ("hello", "No columns were found"),
)  # fmt: skip


def test_a_file_without_temperatures_is_refused_beside_its_field(ada_s: Browser, runtime: Runtime, ada: Person) -> None:
    place = place_of(runtime, ada)
    for text, said in NO_WEATHER:
        answer = bring(ada_s, place, text)
        assert answer.status_code == 422, said
        assert said in answer.text
        assert 'id="file-error"' in answer.text
    assert rows(runtime, WeatherDay) == []


def test_the_place_shows_what_was_measured_what_comes_and_what_is_in_trouble(
    ada_s: Browser, runtime: Runtime, ada: Person
) -> None:
    place = place_of(runtime, ada, trouble="The service is <b>away</b>.", source="open-meteo", latitude=1, longitude=2)
    hours = [NOW // 3600 * 3600 + 3600 * number for number in range(-48, 49)]
    with runtime.database.write(ada.workspace_id) as session:
        row = session.scalars(select(Place)).one()
        weather.write_observed(session, row, hours[:49], [100 * abs(n % 24 - 12) for n in range(49)])
        weather.write_forecast(session, row, NOW - 60, hours[49:], [500] * 48)
    page = ada_s.get(f"/energy/places/{place}")
    text = text_of(page)
    assert "The service is <b>away</b>." in text
    assert "Open-Meteo is not set up here any more" in text
    assert "between 0.0 and 12.0 °C in two weeks" in text
    assert "foretold 5.0 °C 5.0 °C 5.0 °C" in text
    assert "Weather data by Open-Meteo" in text
    assert "<b>away" not in page.text
    assert "measured until" in ada_s.get("/energy/places").text
    assert ada_s.post(f"/energy/places/{place}/fetch").location == f"/energy/places/{place}"
    assert rows(runtime, Run) == [], "no service is set up"
    assert ada_s.post(f"/energy/places/{place}/forget").status_code == 303
    assert rows(runtime, WeatherDay) == []
    assert rows(runtime, Place)[0].trouble == ""
