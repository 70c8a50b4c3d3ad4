"""A budget's periods: weeks, months, years, or from pay day to pay day. They tile the calendar without a gap."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

WEEK, MONTH, YEAR, PAYDAY = "week", "month", "year", "payday"


@dataclass(frozen=True, slots=True)
class Window:
    """One period: from `start` on, up to but without `end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        return self.end - timedelta(1)

    def gone(self, today: date) -> int:
        """The days that are over, with today: from 0 before it to all of them after it."""
        return min(max((today - self.start).days + 1, 0), self.days)

    def left(self, today: date) -> int:
        return self.days - self.gone(today)


@lru_cache(maxsize=4096)
def window(period: str, starts: int, day: date) -> Window:
    """The period that a day lies in.

    Args:
        period: week, month, year or payday.
        starts: of a week the weekday (1 is Monday), of a month and a pay day the day of the month, where a shorter
            month takes its last day, and of a year its first month.
    """
    number = index(period, starts, day)
    return Window(_start(period, starts, number), _start(period, starts, number + 1))


def index(period: str, starts: int, day: date) -> int:
    """The period's number, from any beginning: the next one's is one more, so that periods are counted at once."""
    if period == WEEK:
        return (day.toordinal() - starts) // 7
    if period == YEAR:
        return day.year - (day.month < starts)
    months = day.year * 12 + day.month - 1
    return months - (day < _in_month(months, starts))


def number(period: str, starts: int, wanted: int) -> Window:
    """The period of that number."""
    return Window(_start(period, starts, wanted), _start(period, starts, wanted + 1))


def _start(period: str, starts: int, wanted: int) -> date:
    if period == WEEK:
        return date.fromordinal(wanted * 7 + starts)
    if period == YEAR:
        return date(wanted, starts, 1)
    return _in_month(wanted, starts)


def _in_month(months: int, day: int) -> date:
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


def name(period: str, found: Window) -> str:
    """What people call it: “November 2026”, “2026”, “2 to 8 November 2026”."""
    first, last = found.start, found.last
    if period == MONTH and first.day == 1:
        return f"{first:%B %Y}"
    if period == YEAR and first.month == 1:
        return str(first.year)
    opening = f"{first.day}" if (first.year, first.month) == (last.year, last.month) else f"{first.day} {first:%B}"
    opening += f" {first.year}" if first.year != last.year else ""
    return f"{opening} to {last.day} {last:%B %Y}"
