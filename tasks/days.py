"""Days of the calendar: what day it is in a place."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def today(zone: str, now: int) -> date:
    """The day that a moment (epoch milliseconds) belongs to in a time zone."""
    return datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(zone)).date()
