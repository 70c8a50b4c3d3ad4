"""Weather services: what they tell is read in their own shape, and whatever they do wrong is said."""

import logging
import socket
import time
from collections.abc import Iterator
from datetime import date

import pytest
from pydantic import ValidationError

from deploy.settings import Settings
from tasks.metering.plausible import Past, objection
from tasks.metering.weather_service import Told, Trouble
from tests.weather_server import DAY, HOUR, KEY, LONDON, Service, settings_of, usual, weather_server
from workers.asking import Asking
from workers.open_meteo import OpenMeteo
from workers.openweathermap import OpenWeatherMap


@pytest.fixture
def service() -> Iterator[Service]:
    with weather_server() as made:
        yield made


def ask(service: Service, name: str = "open-meteo") -> Told:
    settings = settings_of(service, name)
    adapter = OpenMeteo(settings, 0.01) if name == "open-meteo" else OpenWeatherMap(settings, 0.01)
    try:
        return adapter.ahead(*LONDON)
    finally:
        adapter.close()


@pytest.mark.parametrize("name", ["open-meteo", "openweathermap"])
def test_what_a_service_tells_is_read_in_its_own_shape(service: Service, name: str) -> None:
    told, now = ask(service, name), time.time()
    assert all(each == usual(at) for at, each in zip(told.times, told.degrees, strict=True))
    assert told.times[-1] > now + 4 * DAY
    assert min(told.times) <= now
    assert list(told.times) == sorted(set(told.times))


def test_open_meteo_s_archive_is_asked_for_days(service: Service) -> None:
    adapter = OpenMeteo(settings_of(service, weather_key=""), 0.01)
    told = adapter.history(*LONDON, date(2025, 3, 1), date(2025, 3, 2))
    adapter.close()
    assert len(told.times) == 48
    path, query = service.asked[0]
    assert path == "/v1/archive"
    assert query == {
        "latitude": "51.51", "longitude": "-0.13", "hourly": "temperature_2m", "timeformat": "unixtime",
        "timezone": "GMT", "start_date": "2025-03-01", "end_date": "2025-03-02",
    }  # fmt: skip


def test_a_busy_service_is_asked_again_and_then_left_alone(service: Service) -> None:
    service.statuses = [429, 503]
    assert ask(service).times
    assert len(service.asked) == 3
    service.statuses = [503] * 9
    with pytest.raises(Trouble, match="in trouble itself") as caught:
        ask(service)
    assert caught.value.for_all
    assert len(service.asked) == 6


def test_a_service_that_wants_an_hour_s_rest_is_not_asked_again(service: Service) -> None:
    service.statuses, service.headers = [429] * 3, {"Retry-After": "3600"}
    with pytest.raises(Trouble, match="fewer questions"):
        ask(service)
    assert len(service.asked) == 1


WRONG = {
    "no JSON": (b"<html>Gateway</html>", "no weather"),
    "a list": (b"[1, 2]", "no weather"),
    "too deep": (b"[" * 100_000, "no weather"),
    "nothing": (b"", "no weather"),
    "no hours": (b'{"hourly": null}', "without hours"),
    "uneven": (b'{"hourly": {"time": [1, 2], "temperature_2m": [1.0]}, "hourly_units": {}}', "without hours"),
    "another unit": (
        '{"hourly_units": {"temperature_2m": "°F"}, "hourly": {"time": [1], "temperature_2m": [59]}}'.encode(), "°F",
    ),
    "backwards": (
        '{"hourly_units": {"temperature_2m": "°C"}, "hourly": {"time": [2, 1], "temperature_2m": [5, 5]}}'.encode(),
        "follow one another",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_garbage_is_a_sentence(service: Service, wrong: str) -> None:
    service.body, said = WRONG[wrong]
    with pytest.raises(Trouble, match=said):
        ask(service)
    if not said.startswith(("°", "follow")):
        with pytest.raises(Trouble, match="OpenWeatherMap answered"):
            ask(service, "openweathermap")


def test_an_answer_that_never_ends_is_left(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.asking.MOST_BYTES", 1000)
    with pytest.raises(Trouble, match="could not be reached"):
        ask(service)


def test_a_slow_service_costs_seconds_and_no_more(service: Service) -> None:
    service.slow, began = 20.0, time.monotonic()
    asking = Asking("open-meteo", 0.05, 0.01)
    with pytest.raises(Trouble, match="did not answer in time") as caught:
        asking.json(f"{service.url}/v1/forecast", {"past_days": 1, "forecast_days": 1})
    asking.close()
    assert caught.value.for_all
    assert time.monotonic() - began < 15


def test_a_service_that_is_down_is_said_without_its_address() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        nowhere = Service(url=f"http://127.0.0.1:{held.getsockname()[1]}")
        with pytest.raises(Trouble, match=r"^OpenWeatherMap could not be reached\.$"):
            ask(nowhere, "openweathermap")


@pytest.mark.parametrize("name", ["open-meteo", "openweathermap"])
@pytest.mark.parametrize("status", [401, 400, 429, 500, 302])
def test_no_log_and_no_message_holds_the_key(
    service: Service, name: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for asker in (logging.getLogger("urllib3"), logging.getLogger("urllib3.connectionpool")):
        asker.setLevel(logging.DEBUG)
        asker.disabled, asker.propagate = False, True  # whatever another test of this process made of them
    service.statuses, service.reason = [status] * 3, f"no such appid={KEY}"
    service.headers = {"Location": "http://127.0.0.1:1/elsewhere"}
    with pytest.raises(Trouble) as caught:
        ask(service, name)
    assert service.asked[0][1][{"open-meteo": "apikey", "openweathermap": "appid"}[name]] == KEY
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value.__context__)
    assert "Retry" not in caplog.text
    assert f"/{service.asked[0][0].lstrip('/')}" in caplog.text, "the library logs what it asks, so the test can fail"
    assert KEY not in caplog.text


def test_settings_without_a_key_or_with_no_address_are_refused() -> None:
    with pytest.raises(ValidationError, match="NIGHTSHIFT_WEATHER_KEY"):
        Settings.model_validate({"weather": "openweathermap"})
    with pytest.raises(ValidationError, match="begin it with http"):
        Settings.model_validate({"weather": "open-meteo", "weather_url": "ftp://here"})


HOURS = [(at * HOUR, 18.0 + at % 3) for at in range(72)]
WARMER = [(at, each + 40) for at, each in HOURS]


def test_what_cannot_be_is_refused_with_both_figures() -> None:
    nothing = Past([], [])
    assert objection("It", HOURS, 51.5, nothing) == ""
    assert objection("It", HOURS, 51.5, Past(HOURS, [])) == ""
    assert "292.1 °C, and between -90 and 60 °C" in objection("It", [(0, 292.15)], 51.5, nothing)
    assert "59.0 °C for a day, and so far from the equator it is -65 to 36 °C" in objection("It", WARMER, 51.5, nothing)
    assert "59.0 °C for hours in which 19.0 °C was measured" in objection("It", WARMER, 51.5, Past(HOURS, []))
    later = [(at + 72 * HOUR, each) for at, each in WARMER]
    before = Past(HOURS, [])
    assert "59.0 °C for a day, and 19.0 °C was measured here just before" in objection("It", later, 9.0, before)
    assert "59.0 °C, and 19.0 °C is usual here" in objection("It", WARMER, 9.0, Past([], HOURS))
    jumps = [*HOURS[:3], (3 * HOUR, -21.0)]
    assert "20.0 °C and an hour later -21.0 °C" in objection("It", jumps, 51.5, nothing)
