"""Days of the calendar and times of day: which it is in a place, and when that is."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@lru_cache(maxsize=1024)
def known(zone: str) -> str:
    """A time zone, or UTC where this machine has none of that name: it was kept on one with other data."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
    return zone


def today(zone: str, now: int) -> date:
    """The day that a moment (epoch milliseconds) belongs to in a time zone."""
    return datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(zone)).date()


def at_local(local: datetime, zone: str) -> int:
    """The moment of a time on the clock of a zone: the first of two, and the end of a gap that swallows it."""
    at = local.replace(tzinfo=ZoneInfo(zone), fold=0)
    while at.replace(fold=0) != at.astimezone(UTC).astimezone(at.tzinfo).replace(fold=0):
        at = (local := local + timedelta(minutes=1)).replace(tzinfo=ZoneInfo(zone), fold=0)
    return int(at.timestamp() * 1000)
