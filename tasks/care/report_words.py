"""How the reports' numbers read, on pages, in files and in mails."""

from tasks.care.report_asked import MONTH, WEEK, Span

STATUSES = {
    "new": "New", "open": "Open", "reopened": "Reopened", "waiting": "Waiting for the customer", "hold": "On hold",
    "solved": "Solved", "closed": "Closed",
}  # fmt: skip
AGES = ("Under a day", "1–3 days", "3–7 days", "7–30 days", "30–90 days", "Over 90 days")
SCORES = ("Bad", "So-so", "Good")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS = tuple(f"{hour:02}:00" for hour in range(24))
NOBODY = {
    "team": "No team", "agent": "Nobody", "topic": "No topic", "priority": "No priority", "source": "Unknown",
}  # fmt: skip
HOUR = 3_600_000


def took(milliseconds: int | None) -> str:
    """Working time: 45 min, 3 h 20 min, 52 h. Not in days, of which nobody could say how long they are."""
    if milliseconds is None:
        return "–"
    minutes = round(milliseconds / 60_000)
    if minutes < 1:
        return "under 1 min"
    hours, rest = divmod(minutes, 60)
    if hours >= 24 or (hours and not rest):
        return f"{round(minutes / 60):,} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def hours(milliseconds: int | None) -> float | None:
    """The same as a number for files and charts, to the hundredth of an hour."""
    return None if milliseconds is None else round(milliseconds / HOUR, 2)


def percent(share: float | None) -> str:
    """Never 100 % while one is missing, and never 0 % where there is one."""
    if share is None:
        return "–"
    rounded = round(share * 100)
    if rounded == 100 and share < 1:
        rounded = 99
    if rounded == 0 and share > 0:
        rounded = 1
    return f"{rounded} %"


def parts(span: Span) -> list[str]:
    """What the parts of a span are called."""
    pattern = "%B %Y" if span.step == MONTH else "%-d %b %Y"
    return [day.strftime(pattern) for day in span.starts]


def part_of(span: Span) -> str:
    """The head of their column."""
    return {MONTH: "Month", WEEK: "Week from"}.get(span.step, "Day")


def count(number: int, one: str, many: str = "") -> str:
    """1 ticket, 2 tickets."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
