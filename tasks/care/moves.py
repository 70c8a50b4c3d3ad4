"""Which status may follow which, and by whom. Pure: it knows words alone."""

from collections.abc import Mapping

from models.ticket import CLOSED, HOLD, NEW, OPEN, REOPENED, SOLVED, STATUSES, WAITING
from tasks.care.by import AGENT, CUSTOMER, MACHINE

DAY_MS = 86_400_000
WINDOW_DAYS = 7  # after closing, where tickets are not closed by themselves

_AT_WORK = (WAITING, HOLD, SOLVED, CLOSED)
MOVES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    AGENT: {
        NEW: (OPEN, *_AT_WORK),
        OPEN: _AT_WORK,
        REOPENED: (OPEN, *_AT_WORK),
        WAITING: (OPEN, HOLD, SOLVED, CLOSED),
        HOLD: (OPEN, WAITING, SOLVED, CLOSED),
        SOLVED: (REOPENED, WAITING, CLOSED),
        CLOSED: (REOPENED,),
    },
    CUSTOMER: {  # beside what their words do, see `heard`
        NEW: (SOLVED,),
        OPEN: (SOLVED,),
        REOPENED: (SOLVED,),
        WAITING: (SOLVED,),
        HOLD: (SOLVED,),
        SOLVED: (REOPENED,),
        CLOSED: (),
    },
    MACHINE: {status: tuple(other for other in STATUSES if other not in (NEW, status)) for status in STATUSES},
}
_NAMES = {
    NEW: "new", OPEN: "open", REOPENED: "reopened", WAITING: "waiting for the customer", HOLD: "on hold",
    SOLVED: "solved", CLOSED: "closed",
}  # fmt: skip


def heard(status: str) -> str:
    """What a ticket becomes by a word of its customer. An automatic message changes nothing and is not asked about."""
    if status in (WAITING, HOLD):
        return OPEN
    return REOPENED if status in (SOLVED, CLOSED) else status


def too_late(closed_at: int | None, close_days: int, now: int) -> bool:
    """Whether a word of the customer opens a new ticket, because this one was closed so long ago."""
    return closed_at is not None and now - closed_at > (close_days or WINDOW_DAYS) * DAY_MS


def name(status: str) -> str:
    """As people read it."""
    return _NAMES[status]


def problem(kind: str, before: str, after: str) -> str:
    """Why somebody may not set this status now, as a sentence; "" if they may."""
    if after not in STATUSES:
        return f"There is no status “{after}”; choose one of the list."
    allowed = MOVES[kind].get(before, ())
    if after == before or after in allowed:
        return ""
    can = " or ".join(name(each) for each in allowed)
    return f"A ticket that is {name(before)} cannot become {name(after)}" + (f"; it can become {can}." if can else ".")
