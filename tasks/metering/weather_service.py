"""The port to a weather service: what one tells, and how it fails. Adapters stand in `workers/`."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

NAMES = {"open-meteo": "Open-Meteo", "openweathermap": "OpenWeatherMap"}
FROM_FILE = "file"  # `Place.source` of a place whose weather people bring themselves


@dataclass(frozen=True, slots=True)
class Told:
    """What a service told of a place.

    Attributes:
        times: epoch seconds, rising, none twice.
        degrees: °C at each of them; None where it left the hour out.
    """

    times: tuple[int, ...]
    degrees: tuple[float | None, ...]

    @property
    def missing(self) -> int:
        """How many hours it left out."""
        return sum(each is None for each in self.degrees)

    @property
    def pairs(self) -> list[tuple[int, float]]:
        """What is left without them."""
        return [(at, each) for at, each in zip(self.times, self.degrees, strict=True) if each is not None]


class Trouble(Exception):
    """A service told nothing that can be used.

    Args:
        message: one sentence for people, without the address that was asked: a key may stand in it.
        for_all: it is no matter of this place: asking for the next one would only wait again.
    """

    def __init__(self, message: str, *, for_all: bool = False) -> None:
        super().__init__(message)
        self.for_all = for_all


class WeatherService(Protocol):
    """One weather service. It may keep a connection until it is closed."""

    name: str  # a key of NAMES
    has_history: bool

    def ahead(self, latitude: float, longitude: float) -> Told:
        """The last hours or days, as far as it tells them, and the next days.

        Raises:
            Trouble: it did not answer, or what it told cannot be read.
        """

    def history(self, latitude: float, longitude: float, first: date, last: date) -> Told:
        """What was measured from `first` to `last`, UTC days. At most a year; of services with `has_history` alone.

        Raises:
            Trouble: as of `ahead`.
        """

    def close(self) -> None:
        """Hang up."""
