"""What a customer is told of their ticket: where it stands, what happens next, and by when. Pure."""

from dataclasses import dataclass

from models.ticket import CLOSED, HOLD, NEW, OPEN, REOPENED, SOLVED, WAITING, Ticket
from tasks.care.moves import DAY_MS, WINDOW_DAYS, too_late


@dataclass(frozen=True, slots=True)
class Standing:
    """Attributes:
    short: the status in a word or two. now: where it stands. then: what happens next.
    by: epoch milliseconds until which that is meant to happen; None where nobody promised anything.
    late: that moment has passed.
    tone: a colour of the page: primary, warning, success, secondary.
    again: a word of the customer opens it again.
    """

    short: str
    now: str
    then: str
    by: int | None
    late: bool
    tone: str
    again: bool = False


SHORT = {
    NEW: "Received", OPEN: "In work", REOPENED: "Open again", WAITING: "Waiting for you", HOLD: "On hold",
    SOLVED: "Solved", CLOSED: "Closed",
}  # fmt: skip
TONES = {WAITING: "warning", SOLVED: "success", CLOSED: "secondary", HOLD: "secondary"}
_NOW = {
    NEW: "We have your message.",
    OPEN: "Somebody works on it.",
    REOPENED: "It is open again, and somebody looks at it.",
    WAITING: "We asked you something and wait for your answer.",
    HOLD: "We wait for something that is not in our hands.",
    SOLVED: "We believe that this is solved.",
    CLOSED: "This is closed.",
}
FIRST, SOLVE = "You hear from us", "We mean to have it solved"
OVER = "It is too long ago to be opened again. Write to us here, and a new ticket begins that is linked to this one."
LATE = "We are late with this, and sorry. Those who lead the desk have been told."


def standing(ticket: Ticket, close_days: int, now: int) -> Standing:
    """How a ticket stands for its customer.

    Args:
        close_days: after how many days a solved ticket is closed; 0: never.
    """
    by = _by(ticket, close_days)
    late = by is not None and by < now and ticket.status in (NEW, OPEN, REOPENED)
    over = is_over(ticket, close_days, now)
    then = LATE if late else OVER if over else _then(ticket, close_days, by)
    again = ticket.status in (SOLVED, CLOSED) and not over
    tone = TONES.get(ticket.status, "primary")
    return Standing(SHORT[ticket.status], _NOW[ticket.status], then, None if over else by, late, tone, again)


def is_over(ticket: Ticket, close_days: int, now: int) -> bool:
    """Whether it was closed so long ago that a word of the customer begins another ticket."""
    closed = ticket.status == CLOSED and ticket.merged_into_id is None
    return closed and too_late(ticket.closed_at, close_days, now)


def may_solve(ticket: Ticket) -> bool:
    """Whether the customer can say that it is solved."""
    return ticket.status in (NEW, OPEN, REOPENED, WAITING, HOLD) and ticket.merged_into_id is None


def _by(ticket: Ticket, close_days: int) -> int | None:
    if ticket.status in (NEW, OPEN, REOPENED):
        return ticket.first_due_at if ticket.answered_at is None else ticket.solve_due_at
    if ticket.status == SOLVED and ticket.solved_at and close_days:
        return ticket.solved_at + close_days * DAY_MS
    if ticket.status == CLOSED and ticket.closed_at:
        return ticket.closed_at + (close_days or WINDOW_DAYS) * DAY_MS
    return None


def _then(ticket: Ticket, close_days: int, by: int | None) -> str:
    if ticket.status in (NEW, OPEN, REOPENED):
        if ticket.answered_at is None:
            return f"{FIRST} by" if by else f"{FIRST} as soon as somebody has read it."
        return f"{SOLVE} by" if by else "We write to you as soon as there is news."
    return {
        WAITING: "Once you answer, we go on. Until then our clock stands still.",
        HOLD: "We write to you as soon as it goes on.",
        SOLVED: "If it is not, answer here and it is open again. Otherwise we close it"
        + (" on" if by else " one day."),
        CLOSED: "It is not finished after all? Your answer opens it again until" if by else "Answer to open it again.",
    }[ticket.status]
