"""When somebody's digest is due, and when they want quiet: on the clock of their own zone.

A time of day that a gap in the clock swallows comes when the gap ends, one that comes twice counts once; a day that a
month lacks is its last one.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tasks.days import at_local, today

REPEATS = ("daily", "weekly", "monthly", "never")
DAY = 24 * 60


def next_due(repeat: str, hour: int, weekday: int, monthday: int, zone: str, moment: int) -> int | None:
    """The first slot later than a moment (epoch milliseconds); None for "never".

    Args:
        weekday: of "weekly"; 1 is Monday.
        monthday: of "monthly", 1 to 31.
    """
    if repeat == "never":
        return None
    day = _day_from(repeat, weekday, monthday, today(zone, moment))
    while (due := at_local(datetime.combine(day, time(hour)), zone)) <= moment:
        day = _day_from(repeat, weekday, monthday, day + timedelta(days=1))
    return due


def _day_from(repeat: str, weekday: int, monthday: int, day: date) -> date:
    """The first day of a slot, this one or a later one."""
    if repeat == "weekly":
        return day + timedelta(days=(weekday - day.isoweekday()) % 7)
    if repeat == "monthly":
        this = _clamped(day.year, day.month, monthday)
        return this if this >= day else _clamped(day.year + day.month // 12, day.month % 12 + 1, monthday)
    return day


def _clamped(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def quiet(begin: int | None, end: int | None, zone: str, moment: int) -> bool:
    """Whether a moment is in somebody's quiet hours: minutes of the day, which may wrap round midnight."""
    if begin is None or end is None or begin == end:
        return False
    local = datetime.fromtimestamp(moment / 1000, UTC).astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    return begin <= minute < end if begin < end else minute >= begin or minute < end
