"""When what comes by itself comes again: every so many weeks, months or years from its first day."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count

LAST_YEAR = 2200


def days(first: date, every: str, steps: int, last: date | None = None) -> Iterator[date]:
    """All its days. A month that lacks the first one's day clamps to its last; the others keep the day.

    Reckoned from the first day each time, so that 31 January is followed by 28 February and by 31 March.
    """
    for number in count():
        day = nth(first, every, steps, number)
        if day.year > LAST_YEAR or (last and day > last):
            return
        yield day


def nth(first: date, every: str, steps: int, number: int) -> date:
    """The day after so many steps; the first is number 0."""
    if every == "week":
        return first + timedelta(weeks=steps * number)
    months = first.year * 12 + first.month - 1 + number * steps * (12 if every == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))


def following(first: date, every: str, steps: int, since: date, last: date | None = None) -> Iterator[date]:
    """Its days from `since` on, without walking through all before."""
    months = (since.year - first.year) * 12 + since.month - first.month
    passed = {"week": (since - first).days // 7, "month": months, "year": months // 12}[every] // steps
    for number in count(max(0, passed - 1)):
        day = nth(first, every, steps, number)
        if day.year > LAST_YEAR or (last and day > last):
            return
        if day >= since:
            yield day


def words(every: str, steps: int) -> str:
    """ "every month", "every 2 weeks"."""
    return f"every {every}" if steps == 1 else f"every {steps} {every}s"
