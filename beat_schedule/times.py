"""Due times of a schedule in its time zone, in epoch milliseconds: pure, and the same wherever one starts to ask.

What people expect of daylight saving: a time of day that a gap swallows comes when the gap ends, one that comes twice
counts once (cronsim does as Debian's cron); "every n minutes" and lines whose hour is a star go by elapsed time.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from tasks.days import at_local as at_local  # part of this module's own vocabulary

MINUTE, HOUR = 60_000, 3_600_000
REPEATS = ("once", "minutes", "daily", "weekly", "monthly", "cron")
MOST_MINUTES = 40_320  # four weeks
COUNTED = 2_000  # of more missed slots than these, nobody wants to know how many
FIVE_FIELDS = "Write five fields: minute, hour, day of month, month, day of week, such as “0 7 * * 1”."
NO_ZONE = "There is no such time zone; write one like Europe/Berlin."
NEVER = "This never comes: there is no such day."
# Months that lack the day clamp to their last one.
SHORT_MONTHS = {"29": ("29", "2"), "30": ("30", "2"), "31": ("L", None)}


@dataclass(frozen=True)
class Rule:
    """When something comes again.

    Attributes:
        repeat: one of REPEATS; "daily", "weekly" and "monthly" are crontab lines that a form wrote.
        cron: a crontab line of five fields.
        every_minutes: counted from a midnight of the zone, so that it is stable whenever one begins.
        once_at: the only time.
    """

    repeat: str = "cron"
    zone: str = "UTC"
    cron: str = ""
    every_minutes: int | None = None
    once_at: int | None = None


@dataclass(frozen=True)
class Missed:
    """What has come due: the latest slot, and those before it (`count` of them, COUNTED + 1 for more than that)."""

    latest: int
    count: int
    some: list[int]


@cache
def zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check(cron: str, zone: str = "UTC") -> str | None:
    """What is wrong with a line, in a sentence; None when it is right."""
    if zone not in zones():
        return NO_ZONE
    if len(cron.split()) != 5:  # six would count seconds
        return FIVE_FIELDS
    try:
        CronSim(cron, datetime.now(UTC))
    except CronSimError:
        return FIVE_FIELDS if after(Rule(cron=_any_day(cron)), 0) is None else NEVER
    return None if after(Rule(cron=cron, zone=zone), now()) is not None else NEVER


def _any_day(cron: str) -> str:
    """The line without its day and month: what is wrong in it then is no matter of the calendar."""
    minute, hour, _day, _month, weekday = cron.split()
    return f"{minute} {hour} * * {weekday}"


def now() -> int:
    """This process's clock, for what is shown; whether something is due, the database's decides."""
    return int(datetime.now(UTC).timestamp() * 1000)


def walk(rule: Rule, moment: int) -> Iterator[int]:
    """The due times later than `moment`, each later than the one before."""
    if rule.repeat == "once":
        yield from [rule.once_at] if rule.once_at is not None and rule.once_at > moment else []
    elif rule.repeat == "minutes":
        yield from _elapsed(rule, moment)
    else:
        found = moment
        for at in heapq.merge(*(_line(line, rule.zone, moment) for line in _lines(rule))):
            if at > found:  # two lines may mean the same day
                found = at
                yield at


def after(rule: Rule, moment: int) -> int | None:
    """The first due time later than `moment`; None when there is none any more."""
    try:
        return next(walk(rule, moment), None)
    except CronSimError:
        return None


def following(rule: Rule, moment: int, count: int = 5) -> list[int]:
    """The next few due times."""
    return list(islice(walk(rule, moment), count))


def missed(rule: Rule, first: int, now: int, few: int = 100) -> Missed:
    """What has come due from `first` (a due time itself) to `now`; `some` holds those missed when they are few."""
    latest = _latest(rule, first, now)
    before = [at for at in (first, *_until(rule, first, latest - 1, COUNTED)) if at < latest]
    return Missed(latest, len(before), before if len(before) <= few else [])


def _latest(rule: Rule, first: int, now: int) -> int:
    """Looked for in ever longer stretches before `now`, so that a year of missed minutes costs no more than an hour."""
    stretch = HOUR
    while True:
        start = max(first, now - stretch)
        last = None
        for last in _until(rule, start, now):  # noqa: B007  # the last one is what is wanted
            pass
        if last is not None or start == first:
            return first if last is None else last
        stretch *= 8


def _until(rule: Rule, moment: int, end: int, most: int | None = None) -> Iterator[int]:
    return islice(takewhile(lambda at: at <= end, walk(rule, moment)), most)


def _elapsed(rule: Rule, moment: int) -> Iterator[int]:
    step = max(rule.every_minutes or 0, 1) * MINUTE
    anchor = int(datetime(2024, 1, 1, tzinfo=ZoneInfo(rule.zone)).timestamp() * 1000)
    at = anchor + ((moment - anchor) // step + 1) * step
    while True:
        yield at
        at += step


def _lines(rule: Rule) -> list[str]:
    """The crontab lines whose times together are the rule's: a monthly day past the 28th clamps to the last one."""
    parts = rule.cron.split()
    if rule.repeat != "monthly" or len(parts) != 5 or parts[2] not in SHORT_MONTHS:
        return [rule.cron]
    day, short = SHORT_MONTHS[parts[2]]
    lines = [f"{parts[0]} {parts[1]} {day} * *"]
    return [*lines, f"{parts[0]} {parts[1]} L {short} *"] if short else lines


def _line(cron: str, zone: str, moment: int) -> Iterator[int]:
    local = datetime.fromtimestamp(moment / 1000, UTC).astimezone(ZoneInfo(zone))
    found = moment
    try:
        for at in CronSim(cron, local):
            due = int(at.timestamp() * 1000)
            if due > found:  # in the second hour of a fold, cronsim begins with what was in the first
                found = due
                yield due
    except OverflowError:  # the calendar's end
        return


def on_clock(moment: int, zone: str) -> datetime:
    """A moment as the clock of a zone shows it."""
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(ZoneInfo(zone))
