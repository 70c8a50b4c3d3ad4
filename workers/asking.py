"""How a weather service is asked: bounded in time and size, and again where that helps.

Its address is the operator's, not people's, so it may lie in a private network. A key travels in the query string:
no address that was asked, and no error of the library that names it, reaches a log or a message.
"""

import json
import logging
import random
import re
import time
from collections.abc import Mapping
from typing import Any

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tasks.metering.weather_service import NAMES, Trouble

TRIES, FIRST_WAIT = 3, 1.0
LONGEST_WAIT = 10.0  # that a service may ask for with Retry-After; the job comes again in some hours anyway
MOST_BYTES = 8 * 1024 * 1024
GAP = 0.15  # seconds between two requests: 400 a minute, of the 600 that Open-Meteo allows
SECRETS = re.compile(r"\b(appid|apikey)=[^&\s\"']+", re.IGNORECASE)


class _WithoutKeys(logging.Filter):
    """urllib3 logs the addresses that it asks: at the level debug each, and broken headers at any."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = SECRETS.sub(r"\1=…", record.getMessage()), ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutKeys())


class Asking:
    """Asks one service, one request after the other.

    Args:
        name: of the service, for sentences.
        seconds: to connect, between two pieces of an answer, and twice as long for the whole of it.
        first_wait: before the second try; the third waits three times as long.
    """

    def __init__(self, name: str, seconds: float, first_wait: float = FIRST_WAIT) -> None:
        self.name, self._seconds, self._wait = NAMES[name], seconds, first_wait
        self._session: requests.Session | None = None
        self._last = 0.0

    def json(self, url: str, query: Mapping[str, object]) -> dict[str, Any]:
        """The object that it answers with.

        Raises:
            Trouble: it is away, slow, busy or refuses, or the answer is no JSON object.
        """
        for tried in range(1, TRIES + 1):
            status, body, wait = self._ask(url, query)
            busy = status in (0, 429) or status >= 500
            if not busy or tried == TRIES or wait > LONGEST_WAIT:
                break
            time.sleep(max(wait, self._wait * (3 ** (tried - 1)) * random.uniform(0.8, 1.2)))  # noqa: S311
        if status != 200:
            raise self._refused(status, body)
        return self._object(body)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _ask(self, url: str, query: Mapping[str, object]) -> tuple[int, bytes, float]:
        """Status, body, and how long to wait; status 0 and words for people where there was no answer."""
        time.sleep(max(0.0, GAP - (time.monotonic() - self._last)))
        self._last = time.monotonic()
        self._session = self._session or requests.Session()
        options: dict[str, Any] = {"timeout": self._seconds, "stream": True, "allow_redirects": False}
        try:
            with self._session.get(
                url, params={name: str(value) for name, value in query.items()}, **options
            ) as answer:
                return answer.status_code, self._body(answer), _seconds(answer.headers.get("Retry-After", ""))
        except requests.Timeout:
            return 0, b"did not answer in time", 0.0
        except requests.RequestException:
            return 0, b"could not be reached", 0.0

    def _body(self, answer: requests.Response) -> bytes:
        """Read to its end within the time.

        Raises:
            requests.RequestException: too slow, too large or broken off.
        """
        content, until = b"", time.monotonic() + 2 * self._seconds
        try:
            while piece := answer.raw.read1(65_536, decode_content=True):
                content += piece
                if len(content) > MOST_BYTES:
                    raise requests.RequestException("too large")
                if time.monotonic() > until:
                    raise requests.Timeout
        except ReadTimeoutError as error:  # reading raw, `requests` does not translate them
            raise requests.Timeout from error
        except HTTPError as error:
            raise requests.RequestException("broken off") from error
        return content

    def _refused(self, status: int, body: bytes) -> Trouble:
        if status == 0:
            return Trouble(f"{self.name} {body.decode()}.", for_all=True)
        if status in (401, 403):
            return Trouble(
                f"{self.name} does not take the key. Whoever runs this Nightshift sets NIGHTSHIFT_WEATHER_KEY.",
                for_all=True,
            )
        if status == 429:
            return Trouble(f"{self.name} wants fewer questions (429); it is asked again later.", for_all=True)
        if status >= 500:
            return Trouble(f"{self.name} is in trouble itself ({status}); it is asked again later.", for_all=True)
        return Trouble(f"{self.name} refused the question ({status}{self._reason(body)}).")

    def _reason(self, body: bytes) -> str:
        """What it says itself, without keys: Open-Meteo calls it `reason`, OpenWeatherMap `message`."""
        try:
            told = self._object(body)
        except Trouble:
            return ""
        words = " ".join(str(told.get("reason") or told.get("message") or "").split())
        return f": {SECRETS.sub('', words)[:160]}" if words.isprintable() and words else ""

    def _object(self, body: bytes) -> dict[str, Any]:
        try:
            found = json.loads(body, parse_constant=lambda _word: None)  # NaN and Infinity are no temperatures
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Trouble(f"{self.name} answered with something that is no weather.")
        return found


def _seconds(header: str) -> float:
    """Of Retry-After; 0 without, and where it is a date."""
    return float(header) if header.isascii() and header.isdigit() and len(header) < 8 else 0.0


def number(given: object) -> float | None:
    """A temperature as JSON holds it; None for all that is no number."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return float(max(min(given, 1e6), -1e6))  # JSON's whole numbers may be larger than any float
