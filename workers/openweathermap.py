"""OpenWeatherMap: the temperature of now, and of every third hour of the next five days.

The shapes are those of https://openweathermap.org/current and /forecast5, which every key may ask (60 requests a
minute with a free one). It has no history that a free key may ask, so a place's past begins when it is first asked.
"""

from datetime import date
from typing import Any

from deploy.settings import Settings
from tasks.metering.weather_service import Told, Trouble
from workers.asking import FIRST_WAIT, Asking, number

HOST = "https://api.openweathermap.org"


class OpenWeatherMap:
    """Asks OpenWeatherMap."""

    name, has_history = "openweathermap", False

    def __init__(self, settings: Settings, first_wait: float = FIRST_WAIT) -> None:
        self._key = settings.weather_key.get_secret_value()
        self._host = settings.weather_url.rstrip("/") or HOST
        self._asking = Asking(self.name, settings.weather_seconds, first_wait)

    def ahead(self, latitude: float, longitude: float) -> Told:
        """What is measured now, and five days on."""
        query = {"lat": latitude, "lon": longitude, "units": "metric", "appid": self._key}
        coming = self._asking.json(f"{self._host}/data/2.5/forecast", query).get("list")
        if not isinstance(coming, list):
            raise Trouble("OpenWeatherMap answered without hours and their temperatures.")
        now = self._asking.json(f"{self._host}/data/2.5/weather", query)
        told = dict(self._read(each) for each in [*coming, now])
        return Told(tuple(sorted(told)), tuple(told[at] for at in sorted(told)))

    def history(self, latitude: float, longitude: float, first: date, last: date) -> Told:
        """Nothing: it is not asked."""
        return Told((), ())

    def close(self) -> None:
        self._asking.close()

    def _read(self, one: Any) -> tuple[int, float | None]:
        """
        Raises:
            Trouble: it is no hour.
        """
        at = one.get("dt") if isinstance(one, dict) else None
        if not isinstance(at, int):
            raise Trouble("OpenWeatherMap answered without hours and their temperatures.")
        main = one.get("main")
        return at, number(main.get("temp")) if isinstance(main, dict) else None
