"""How times, amounts and lengths are said in findings and anomalies: plain English, the meter's own clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

_LENGTHS = {
    60: "minute", 300: "five minutes", 600: "ten minutes", 900: "quarter of an hour", 1800: "half hour",
    3600: "hour", 86_400: "day", 604_800: "week", 2_629_800: "month",
}  # fmt: skip


def day(at: int, zone: str) -> str:
    """ "12 March 2014"."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%-d %B %Y")


def moment(at: int, zone: str) -> str:
    """ "12 March 2014, 14:00", at midnight the day alone."""
    there = datetime.fromtimestamp(at, ZoneInfo(zone))
    return there.strftime("%-d %B %Y" if (there.hour, there.minute) == (0, 0) else "%-d %B %Y, %H:%M")


def span(start: int, end: int, zone: str) -> str:
    """ "on 12 March 2014", "from 12 March 2014, 14:00 to 17:00", "from 12 to 14 March 2014": `end` is not counted."""
    tz = ZoneInfo(zone)
    first, last = datetime.fromtimestamp(start, tz), datetime.fromtimestamp(end, tz)
    final = datetime.fromtimestamp(end - 1, tz)
    if all((one.hour, one.minute) == (0, 0) for one in (first, last)):
        return f"on {day(start, zone)}" if first.date() == final.date() else _days(first, final)
    if first.date() == final.date():
        return f"on {day(start, zone)} from {first:%H:%M} to {last:%H:%M}"
    return f"from {moment(start, zone)} to {moment(end, zone)}"


def _days(first: datetime, final: datetime) -> str:
    if first.year != final.year:
        return f"from {first:%-d %B %Y} to {final:%-d %B %Y}"
    if first.month != final.month:
        return f"from {first:%-d %B} to {final:%-d %B %Y}"
    return f"from {first.day} to {final:%-d %B %Y}"


def energy(kwh: float) -> str:
    """ "1,234 kWh", "12.3 kWh", "0.412 kWh"."""
    size = abs(kwh)
    if size >= 99.5:
        return f"{kwh:,.0f} kWh"
    return f"{kwh:.1f} kWh" if size >= 9.95 else f"{kwh:.2f} kWh" if size >= 0.995 else f"{kwh:.3f} kWh"


def length(seconds: float) -> str:
    """ "40 minutes", "5 hours", "12 days"."""
    for unit, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds == unit or seconds >= (2 * unit if unit > 60 else unit):
            return count(round(seconds / unit), name)
    return count(round(seconds), "second")


def every(seconds: int) -> str:
    """How often: "hour", "quarter of an hour", "7 minutes"."""
    return _LENGTHS.get(seconds) or length(seconds)


def count(number: int, thing: str) -> str:
    """ "1 reading", "1,200 readings"."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
