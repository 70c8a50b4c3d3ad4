"""Amounts of working time and moments in plain words."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tasks.days import known


def minutes(amount: int | None) -> str:
    """ "4 hours", "1 hour 30 minutes"; "no deadline" for none."""
    if amount is None:
        return "no deadline"
    hours, rest = divmod(amount, 60)
    parts = [_count(hours, "hour")] if hours else []
    return " ".join([*parts, _count(rest, "minute")] if rest or not parts else parts)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def moment(at: int, zone: str, now: int) -> str:
    """ "today at 14:00", "tomorrow at 9:30", "on Monday 8 June at 10:00", with the year if it is another one."""
    zone = known(zone)
    there = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone))
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(zone)).date()
    return f"{_day(there.date(), today)} at {there:%H:%M}"


def _day(day: date, today: date) -> str:
    for near, word in ((today, "today"), (today + timedelta(days=1), "tomorrow")):
        if day == near:
            return word
    return f"on {day:%A %-d %B}" if day.year == today.year else f"on {day:%A %-d %B %Y}"
