"""The job that asks the weather service: every three hours for all places, and for one by its page's button."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog
from pydantic import Field
from sqlalchemy.orm import Session

from models.workspace import SYSTEM
from tasks.context import Context
from tasks.job import Job, Params, Result, hidden_field
from tasks.metering.packing import Corrupt
from tasks.metering.weather_service import NAMES, Told, Trouble, WeatherService

if TYPE_CHECKING:
    from tasks.weather.fetching import Due

log = structlog.get_logger()
AT_ONCE = 5000  # places in one run
BUSY_SECONDS = 420  # then the next run goes on, with those that were asked for the longest ago
AWAY = 3  # positions in a row for which the service is away: then the rest is not asked for
NONE_SET_UP = (
    "No weather service is set up, so nothing was asked. Whoever runs this Nightshift chooses one with "
    "NIGHTSHIFT_WEATHER; until then bring temperatures as a file, or let forecasts do with the meter’s own past."
)


class Which(Params):
    """Nothing to fill in; a place's own page names it."""

    place: str = hidden_field("")


class Fetched(Result):
    """What the run came to."""

    service: str = Field("", title="Weather service")
    places: int = Field(0, title="Places asked for")
    measured: int = Field(0, title="New measured temperatures")
    foretold: int = Field(0, title="New foretold temperatures")
    troubled: int = Field(0, title="Places in trouble; their pages say with what")
    left: int = Field(0, title="Places left for the next run")
    message: str = Field("", title="What to know")


@dataclass
class Round:
    """One after the other, each in short transactions of its own."""

    ctx: Context
    service: WeatherService
    read: Callable[[], AbstractContextManager[Session]]
    write: Callable[[], AbstractContextManager[Session]]
    found: Fetched = field(default_factory=Fetched)

    def ask(self, places: "list[Due]") -> bool:
        """Ask for one position, and write it for all places there. Whether the service is to be reached at all."""
        self.found.places += len(places)
        try:
            told = self.service.ahead(places[0].latitude, places[0].longitude)
        except Trouble as error:
            for place in places:
                self._note(place, str(error), troubled=True)
            return not error.for_all
        for place in places:
            self._keep(place, told)
        return True

    def _keep(self, place: "Due", told: Told) -> None:
        from tasks.weather import fetching

        now = self.ctx.now() // 1000
        try:
            with self.read() as session:
                kept = fetching.checked(session, self.service, place, told, now)
            with self.write() as session:
                anew = fetching.begin_history_anew(session, place.id, now)
                measured, foretold = fetching.keep(session, place, kept, now)
            self.found.measured += measured
            self.found.foretold += foretold
            if self.service.has_history:
                self._history(place, anew)
        except (Trouble, Corrupt) as error:
            self._note(place, str(error), troubled=True)
        else:
            self._note(place, fetching.left_out(self.service, kept), troubled=False)

    def _history(self, place: "Due", anew: bool) -> None:
        """What the meters' past needs, a piece or two in each run.

        Raises:
            Trouble: the archive told nothing that can be used.
        """
        from tasks.weather import fetching

        place, now = replace(place, history_from=None) if anew else place, self.ctx.now() // 1000
        for _ in range(fetching.PIECES):
            with self.read() as session:
                piece = fetching.wanted_history(session, place, now)
            if piece is None:
                return
            told = self.service.history(place.latitude, place.longitude, *piece)
            with self.write() as session:
                self.found.measured += fetching.keep_history(session, self.service, place, told, piece[0])
            place = replace(place, history_from=fetching.start_of(piece[0]))

    def _note(self, place: "Due", trouble: str, *, troubled: bool) -> None:
        from tasks.weather import fetching

        if trouble:
            log.warning("weather.trouble", place=place.id, reason=trouble)
        self.found.troubled += troubled
        with self.write() as session:
            fetching.note(session, place.id, self.ctx.now() // 1000, trouble)


def run(params: Which, ctx: Context) -> Fetched:
    """The workspace's places that are due; in the system's own run those of all."""
    if ctx.weather is None:
        return Fetched(message=NONE_SET_UP)
    from tasks.weather import fetching

    everywhere = ctx.workspace == SYSTEM
    read = ctx.read_everything if everywhere else ctx.read
    write = ctx.write_everything if everywhere else _writing(ctx)
    until = time.monotonic() + BUSY_SECONDS
    with closing(ctx.weather) as service:
        with read() as session:
            places = fetching.due(session, service.name, ctx.now() // 1000, params.place, AT_ONCE)
        round_, away = Round(ctx, service, read, write, Fetched(service=NAMES[service.name])), 0
        groups = fetching.by_position(places)
        for number, group in enumerate(groups):
            if away >= AWAY or time.monotonic() > until:
                round_.found.left = sum(len(each) for each in groups[number:])
                break
            ctx.progress(number / len(groups), f"Place {number + 1} of {len(groups)}")
            away = 0 if round_.ask(group) else away + 1
    return _told(round_.found, bool(places))


def _writing(ctx: Context) -> Callable[[], AbstractContextManager[Session]]:
    return lambda: ctx.database.write(ctx.workspace)


def _told(found: Fetched, any_due: bool) -> Fetched:
    if not any_due:
        found.message = "No place was due: each is asked for at most once an hour."
    elif found.left:
        found.message = "The service did not answer, or time was over; the next run goes on with the rest."
    return found


def headline(result: Fetched) -> str:
    """What came of it."""
    if not result.service:
        return "no weather service is set up"
    if not result.places:
        return "no place was due"
    trouble = f", {result.troubled} in trouble" if result.troubled else ""
    return f"{result.places} place{'' if result.places == 1 else 's'} asked for{trouble}"


JOB = Job(
    kind="weather",
    title="Fetch the weather",
    summary="Asks the weather service for the temperatures of your places, so that forecasts of electricity know them.",
    params=Which,
    result=Fetched,
    run=run,
    queue="scans",
    schedule="40 */3 * * *",
    time_limit=600,
    headline=headline,
)
