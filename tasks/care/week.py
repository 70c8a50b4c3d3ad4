"""A day's hours as people type them and read them: "9-12:30, 13:30-17". Pure."""

import re

from tasks.care.hours import DAY, WEEKDAYS, Hours, Span, Week, overlaps

LONGEST, MOST_SPANS = 120, 6
CLOSED, ALL_DAY = "closed", "all day"
_TIME = r"(\d{1,2})(?:[:.h](\d{2})|h)?\s*(am|pm)?"
_SPAN = re.compile(rf"\s*{_TIME}\s*-\s*{_TIME}\s*", re.ASCII | re.IGNORECASE)
NOT_READ = "“{}” could not be read; write hours like 9-12:30, 13:30-17, or nothing on a day without work."
NO_TIME = "There is no time of day “{}”; write it from 0:00 to 24:00."
NO_LENGTH = "“{}” ends when it begins; write 0-24 for all of the day."
TWICE = "Some of these hours are there twice; leave one of them out."
TOO_MANY = f"Write at most {MOST_SPANS} stretches of hours a day."


def read_day(text: str) -> tuple[Span, ...]:
    """A day's spans in minutes, in order; an end that is not after its begin lies on the next day.

    Raises:
        ValueError: a sentence for whoever typed it.
    """
    plain = re.sub(r"\s*(?:[–—−]|\bto\b|\buntil\b)\s*", "-", text.strip().lower())
    if plain in ("", "-", CLOSED):
        return ()
    if plain == ALL_DAY:
        return ((0, DAY),)
    parts = [part for part in re.split(r"[,;+/&]|\band\b", plain) if part.strip()]
    if len(parts) > MOST_SPANS:
        raise ValueError(TOO_MANY)
    spans = tuple(sorted(_span(part) for part in parts))
    if overlaps(spans):
        raise ValueError(TWICE)
    return spans


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    shown = " ".join(text.split())[:30]
    if found is None:
        raise ValueError(NOT_READ.format(shown))
    since, until = _minute(*found.groups()[:3]), _minute(*found.groups()[3:])
    if since in (until, DAY):
        raise ValueError(NO_LENGTH.format(shown))
    return since, until if until > since else until + DAY


def _minute(hour: str, minute: str | None, half: str | None) -> int:
    """Minutes since midnight; 12am is midnight, 12pm noon."""
    told = int(hour) % 12 + (12 if half == "pm" else 0) if half else int(hour)
    found = told * 60 + int(minute or 0)
    if int(minute or 0) > 59 or found > DAY or (half and not 1 <= int(hour) <= 12):
        raise ValueError(NO_TIME.format(f"{hour}:{minute}{half or ''}" if minute else f"{hour}{half or ''}"))
    return found


def day_words(spans: tuple[Span, ...]) -> str:
    """As `read_day` takes it: "09:00–12:30, 13:30–17:00"; an end after midnight is the next day's time."""
    if not spans:
        return CLOSED
    return ", ".join(f"{_clock(since)}–{_clock(until if until <= DAY else until - DAY)}" for since, until in spans)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def week_words(hours: Hours) -> list[str]:
    """A week in lines, days that are alike together: "Monday to Friday 09:00–17:00"."""
    if hours.week is None:
        return ["Around the clock"]
    lines, first = [], 0
    for day in range(1, len(WEEKDAYS) + 1):
        if day == len(WEEKDAYS) or hours.week[day] != hours.week[first]:
            if hours.week[first]:
                lines.append(f"{_days(first, day - 1)} {day_words(hours.week[first])}")
            first = day
    return lines or ["No hours"]


def _days(first: int, last: int) -> str:
    return WEEKDAYS[first] if first == last else f"{WEEKDAYS[first]} to {WEEKDAYS[last]}"


def bars(week: Week | None) -> list[list[Span]]:
    """What each day shows from midnight to midnight: what went past the midnight before stands on the day itself."""
    if week is None:
        return [[(0, DAY)]] * len(WEEKDAYS)
    drawn: list[list[Span]] = [[] for _ in WEEKDAYS]
    for day, spans in enumerate(week):
        for since, until in spans:
            drawn[day].append((since, min(until, DAY)))
            if until > DAY:
                drawn[(day + 1) % len(WEEKDAYS)].append((0, until - DAY))
    return [sorted(each) for each in drawn]
