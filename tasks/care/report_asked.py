"""What a report is asked for: a span of days in a time zone, in days, weeks or months, and a choice of tickets."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from tasks.days import at_local

DAY, WEEK, MONTH = "day", "week", "month"
STEPS = (DAY, WEEK, MONTH)
MOST = {DAY: 190, WEEK: 270}  # parts of a span that can still be told apart in a chart
LONGEST = 366 * 30  # days
NONE = "-"  # of a filter: tickets without one


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included, in parts of `step`; its moments are epoch milliseconds."""

    first: date
    last: date
    zone: str
    step: str

    @cached_property
    def starts(self) -> list[date]:
        """The first day of each part; weeks begin on Mondays, and the first part where the span does."""
        found, day = [], self.first
        while day <= self.last:
            found.append(day)
            day = _next(day, self.step)
        return found

    @cached_property
    def edges(self) -> list[int]:
        """Where the parts begin, and where the last one ends: one more than there are parts."""
        return [midnight(day, self.zone) for day in [*self.starts, self.last + timedelta(1)]]

    @property
    def start(self) -> int:
        return self.edges[0]

    @property
    def end(self) -> int:
        """The first moment after it."""
        return self.edges[-1]


@dataclass(frozen=True)
class Asked:
    """A span and a choice of tickets; an empty filter means all of them, `NONE` those that have none."""

    span: Span
    team: str = ""
    agent: str = ""
    topic: str = ""
    priority: int = 0
    source: str = ""


def span(first: date, last: date, zone: str, step: str = "") -> Span:
    """Days in parts of `step`; of the next larger one where there would be too many to see.

    Raises:
        ValueError: a sentence about days that make no span.
    """
    if last < first:
        raise ValueError("The last day is before the first one.")
    days = (last - first).days + 1
    if days > LONGEST:
        raise ValueError("Choose at most thirty years.")
    wanted = step if step in STEPS else DAY if days <= 62 else WEEK if days <= 400 else MONTH
    if wanted == DAY and days > MOST[DAY]:
        wanted = WEEK
    if wanted == WEEK and days > 7 * MOST[WEEK]:
        wanted = MONTH
    return Span(first, last, zone, wanted)


def midnight(day: date, zone: str) -> int:
    """When a day begins in a zone, in epoch milliseconds."""
    return at_local(datetime.combine(day, time()), zone)


def _next(day: date, step: str) -> date:
    if step == DAY:
        return day + timedelta(1)
    if step == WEEK:
        return day + timedelta(7 - day.weekday())
    return (day.replace(day=1) + timedelta(32)).replace(day=1)


def offsets(zone: str, start: int, end: int) -> tuple[list[int], list[int]]:
    """What is to be added to UTC between two moments: since when (the first is `start`), and how many milliseconds.

    A change is looked for in each week and then halved down to the second; zones have at most one in a week.
    """
    at, moments, found = start, [start], [_offset(zone, start)]
    while at < end:
        following = min(at + 7 * 86_400_000, end)
        if (then := _offset(zone, following)) != found[-1]:
            moments.append(_change(zone, at, following))
            found.append(then)
        at = following
    return moments, found


def _change(zone: str, low: int, high: int) -> int:
    """The first moment with the later offset."""
    seconds = range(low // 1000, high // 1000 + 1)
    before = _offset(zone, low)
    return seconds[bisect_right(seconds, 0, key=lambda second: int(_offset(zone, second * 1000) != before))] * 1000


def _offset(zone: str, at: int) -> int:
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone))
    return round((local.utcoffset() or timedelta()).total_seconds() * 1000)
