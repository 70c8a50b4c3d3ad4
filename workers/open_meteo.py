"""Open-Meteo: hourly temperatures of its forecast and of its archive. A server of one's own answers in the same way.

The shapes are those of https://open-meteo.com/en/docs and /en/docs/historical-weather-api: a free service for
non-commercial use (at most 600 requests a minute, 5,000 an hour and 10,000 a day), with a key for customers.
"""

from datetime import date
from itertools import pairwise
from typing import Any

from deploy.settings import Settings
from tasks.metering.weather_service import Told, Trouble
from workers.asking import FIRST_WAIT, Asking, number

PAST_DAYS, DAYS_AHEAD = 7, 8
HOSTS = {
    False: ("https://api.open-meteo.com", "https://archive-api.open-meteo.com"),
    True: ("https://customer-api.open-meteo.com", "https://customer-archive-api.open-meteo.com"),
}
CELSIUS = "°C"


class OpenMeteo:
    """Asks Open-Meteo."""

    name, has_history = "open-meteo", True

    def __init__(self, settings: Settings, first_wait: float = FIRST_WAIT) -> None:
        self._key = settings.weather_key.get_secret_value()
        own = settings.weather_url.rstrip("/")
        self._forecast, self._archive = (own, own) if own else HOSTS[bool(self._key)]
        self._asking = Asking(self.name, settings.weather_seconds, first_wait)

    def ahead(self, latitude: float, longitude: float) -> Told:
        """A week back and eight days on."""
        days = {"past_days": PAST_DAYS, "forecast_days": DAYS_AHEAD}
        return self._hourly(f"{self._forecast}/v1/forecast", latitude, longitude, days)

    def history(self, latitude: float, longitude: float, first: date, last: date) -> Told:
        """From its archive, which lags some days behind: hours that it does not have yet are left out."""
        days = {"start_date": first.isoformat(), "end_date": last.isoformat()}
        return self._hourly(f"{self._archive}/v1/archive", latitude, longitude, days)

    def close(self) -> None:
        self._asking.close()

    def _hourly(self, url: str, latitude: float, longitude: float, days: dict[str, Any]) -> Told:
        query = {"latitude": latitude, "longitude": longitude, "hourly": "temperature_2m", "timeformat": "unixtime"}
        key = {"apikey": self._key} if self._key else {}
        return self._read(self._asking.json(url, query | {"timezone": "GMT"} | days | key))

    def _read(self, answer: dict[str, Any]) -> Told:
        """Two lists of the same length, times and temperatures, in a unit that is said.

        Raises:
            Trouble: they are not.
        """
        hourly, units = answer.get("hourly"), answer.get("hourly_units")
        times = hourly.get("time") if isinstance(hourly, dict) else None
        degrees = hourly.get("temperature_2m") if isinstance(hourly, dict) else None
        if not isinstance(times, list) or not isinstance(degrees, list) or len(times) != len(degrees):
            raise Trouble("Open-Meteo answered without hours and their temperatures.")
        unit = units.get("temperature_2m") if isinstance(units, dict) else None
        if unit != CELSIUS:
            raise Trouble(f"Open-Meteo told temperatures in {str(unit)[:20]} instead of {CELSIUS}.")
        if not all(isinstance(at, int) for at in times) or any(a >= b for a, b in pairwise(times)):
            raise Trouble("Open-Meteo told hours that do not follow one another.")
        return Told(tuple(times), tuple(number(each) for each in degrees))
