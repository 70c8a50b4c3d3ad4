"""A weather service on this machine that answers in the shapes that the services' documentation shows.

Open-Meteo: https://open-meteo.com/en/docs (`hourly`, `timeformat=unixtime`) and its errors `{"error", "reason"}`;
OpenWeatherMap: https://openweathermap.org/forecast5 and /current, and its errors `{"cod", "message"}`.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from deploy.settings import Settings
from tests.listening import Silent, listening, of_handler

HOUR, DAY = 3600, 86_400
KEY = "a-key-that-no-log-may-hold"
LONDON = (51.51, -0.13)


def usual(at: int) -> float:
    """The temperature of this made place: a year and a day around 10 °C."""
    turn = 2 * math.pi
    return round(10 - 9 * math.cos(turn * (at / DAY - 20) / 365.25) - 4 * math.cos(turn * at / DAY), 1)


@dataclass
class Service:
    """What it answers with, and what it was asked.

    Attributes:
        degrees: the temperature at a time, or None where it leaves the hour out.
        statuses: of the next answers; after them all is well.
        body: instead of the right answer, as it stands.
        slow: seconds before each piece of an answer.
        warmer: by how much it is wrong at a latitude.
    """

    degrees: Callable[[int], float | None] = usual
    statuses: list[int] = field(default_factory=list)
    reason: str = "Minutely API request limit exceeded. Please try again in one minute."
    body: bytes | None = None
    slow: float = 0.0
    warmer: dict[str, float] = field(default_factory=dict)
    unit: str = "°C"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, query: dict[str, str]) -> bytes:
        if self.body is not None:
            return self.body
        now = int(time.time())
        if path == "/v1/forecast":
            midnight = now // DAY * DAY
            start = midnight - int(query["past_days"]) * DAY
            more = self.warmer.get(query.get("latitude", ""), 0.0)
            return self._open_meteo(start, midnight + int(query["forecast_days"]) * DAY, more)
        if path == "/v1/archive":
            first, last = (_midnight(query[name]) for name in ("start_date", "end_date"))
            return self._open_meteo(first, last + DAY)
        if path == "/data/2.5/forecast":
            first = (now // (3 * HOUR) + 1) * 3 * HOUR
            listed = [_one(first + number * 3 * HOUR, self.degrees) for number in range(40)]
            return json.dumps({"cod": "200", "message": 0, "cnt": 40, "list": listed, "city": {"id": 1}}).encode()
        return json.dumps({"coord": {"lon": 0, "lat": 0}, "cod": 200} | _one(now, self.degrees)).encode()

    def _open_meteo(self, start: int, end: int, more: float = 0.0) -> bytes:
        times = list(range(start, end, HOUR))
        degrees = [None if (found := self.degrees(at)) is None else found + more for at in times]
        told: dict[str, Any] = {
            "latitude": 51.5, "longitude": -0.12, "generationtime_ms": 0.05, "utc_offset_seconds": 0,
            "timezone": "GMT", "timezone_abbreviation": "GMT", "elevation": 23.0,
            "hourly_units": {"time": "unixtime", "temperature_2m": self.unit},
            "hourly": {"time": times, "temperature_2m": degrees},
        }  # fmt: skip
        return json.dumps(told).encode()


def _one(at: int, degrees: Callable[[int], float | None]) -> dict[str, Any]:
    return {"dt": at, "main": {"temp": degrees(at), "pressure": 1015, "humidity": 69}, "visibility": 10_000}


def _midnight(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


class _Handler(Silent):
    service: Service

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.service.asked.append((parts.path, query))
        status = self.service.statuses.pop(0) if self.service.statuses else 200
        wrong = {"error": True, "cod": status, "reason": self.service.reason}
        body = self.service.answer(parts.path, query) if status == 200 else json.dumps(wrong).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **self.service.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in (body[: len(body) // 2], body[len(body) // 2 :]):
            time.sleep(self.service.slow)
            try:
                self.wfile.write(piece)
            except OSError:  # whoever asked has hung up
                return


def settings_of(service: Service, name: str = "open-meteo", **more: Any) -> Settings:
    """In which this one is the configured one."""
    chosen = {"weather": name, "weather_url": service.url, "weather_key": KEY, "weather_seconds": 20, **more}
    return Settings.model_validate(chosen)


@contextmanager
def weather_server() -> Iterator[Service]:
    """One that listens until the block ends."""
    service = Service()
    with listening(of_handler(type("Handler", (_Handler,), {"service": service}))) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        yield service
