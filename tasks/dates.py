"""Days of the calendar as people type them."""

import re
from datetime import date

FIRST, LAST = 1900, 2200
NO_DAY = "“{}” is no day; write it like 2026-03-31."
NO_YEAR = "Write the day with its year, in four digits, like 2026-03-31."
NOT_THERE = "There is no such day in the calendar: {}."
TWO_WAYS = "“{}” can mean {} or {}; write it like {}."
TOO_FAR = f"Choose a year from {FIRST} to {LAST}."


def parse(text: str) -> date:
    """A day: 2026-03-31, 31.3.2026, or 31/03/2026 where day and month cannot be mistaken for each other.

    Raises:
        ValueError: a sentence for whoever wrote it.
    """
    shown = " ".join(text.split())[:20]
    parts = re.fullmatch(r"\s*([0-9]{1,4})([-./])([0-9]{1,2})(?:\2([0-9]{1,4}))?\.?\s*", text)
    if not parts:
        raise ValueError(NO_DAY.format(shown))
    first, sign, second, third = parts[1], parts[2], parts[3], parts[4] or ""
    if len(first) == 4 and third:
        return _day(int(first), int(second), int(third), shown)
    if len(third) != 4:
        raise ValueError(NO_YEAR)
    if sign == "/" and int(first) <= 12 and int(second) <= 12 and first != second:
        ways = [_day(int(third), *pair, shown) for pair in ((int(second), int(first)), (int(first), int(second)))]
        raise ValueError(TWO_WAYS.format(shown, *(way.strftime("%-d %B %Y") for way in ways), ways[0]))
    american = sign == "/" and int(second) > 12
    month, day = (first, second) if american else (second, first)
    return _day(int(third), int(month), int(day), shown)


def _day(year: int, month: int, day: int, shown: str) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise ValueError(NOT_THERE.format(shown)) from None
    if not FIRST <= year <= LAST:
        raise ValueError(TOO_FAR)
    return found
