"""When a ticket is due, in words that say the same without their colour."""

from dataclasses import dataclass

from models.ticket import DONE, HOLD, STOPPED, WAITING, Ticket

OVERDUE, SOON, RUNNING, STANDS, MET, MISSED, NONE = "overdue", "soon", "running", "stands", "met", "missed", "none"
HOUR_MS = 3_600_000
FIRST, SOLUTION = "First answer", "Solution"
STANDS_FOR = {WAITING: "Clock stands: waiting for the customer", HOLD: "Clock stands: on hold"}


@dataclass(frozen=True)
class Due:
    """What a list says of a ticket's time.

    Attributes:
        look: what it is shown as; one of the words above.
        text: the same in words.
        at: the moment that is meant, if it lies ahead or has passed (epoch milliseconds).
    """

    look: str
    text: str
    at: int | None = None


def due(ticket: Ticket, now: int) -> Due:
    """The deadline that comes next; of what is done, whether it was kept."""
    if ticket.status in DONE:
        return _ended(ticket)
    if ticket.status in STOPPED:
        return Due(STANDS, STANDS_FOR[ticket.status])
    ahead = [(at, what) for at, what in _deadlines(ticket) if at is not None]
    if not ahead:
        return Due(NONE, "No deadline")
    at, what = min(ahead)
    return one(what, at, now, ticket.first_mark if what == FIRST else ticket.solve_mark)


def one(what: str, at: int, now: int, mark: int = 0) -> Due:
    """A deadline that is still to be kept; `mark` is how many percent of its time were reported used."""
    if at <= now:
        return Due(OVERDUE, f"{what} overdue by {span(now - at)}", at)
    return Due(SOON if mark >= 75 or at - now < HOUR_MS else RUNNING, f"{what} due in {span(at - now)}", at)


def span(milliseconds: int) -> str:
    """A length of time in its two largest units: 40 min, 2 h 5 min, 3 days 4 h."""
    minutes = max(0, milliseconds) // 60_000
    if minutes < 1:
        return "less than a minute"
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours and days < 10 else "")
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


def _deadlines(ticket: Ticket) -> list[tuple[int | None, str]]:
    first = ticket.first_due_at if ticket.answered_at is None else None
    return [(first, FIRST), (ticket.solve_due_at, SOLUTION)]


def _ended(ticket: Ticket) -> Due:
    if ticket.solve_in_time is None:
        return Due(NONE, "Done")
    return Due(MET, "Solved in time") if ticket.solve_in_time else Due(MISSED, "Solved late")
