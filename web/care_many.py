"""One thing done to many tickets: each by itself, so that one that cannot be changed stops no other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from flask import abort
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from models.base import clock
from models.ticket import CLOSED, Ticket
from tasks.care import moves, tickets
from tasks.care.tickets import AGENT, By, Refused
from web import care_book
from web.care_filter import NOBODY
from web.current import me, writing

MOST = 100
GONE = "There is no such ticket."
SHOWN = 5  # reasons that a sentence has room for
Deed = Callable[[Session, Ticket, str, By, int], object]


@dataclass
class Outcome:
    """Which tickets it was done to, and why not to the others."""

    done: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        count = len(self.done)
        said = f"{count} ticket{' was' if count == 1 else 's were'} changed." if count else "Nothing was changed."
        why = [f"#{number}: {reason}" for number, reason in list(self.refused.items())[:SHOWN]]
        rest = len(self.refused) - SHOWN
        return " ".join([said, *why, f"And {rest} more could not be changed." if rest > 0 else ""]).strip()


def chosen(texts: Iterable[str]) -> list[int]:
    """Numbers of tickets, each once; what is none is left out."""
    numbers = (int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 10)
    return list(dict.fromkeys(numbers))[:MOST]


def perform(action: str, numbers: Iterable[int], value: str) -> Outcome:
    """Assign, set a status, tag or close; 400 for anything else."""
    deed, found = DEEDS.get(action) or abort(400), Outcome()
    for number in numbers:
        try:
            with writing() as session:
                ticket = care_book.find(session, number)
                deed(session, ticket, value, By(AGENT, account_id=me().id), clock(session))
        except Refused as error:
            found.refused[number] = str(error)
        except NotFound:
            found.refused[number] = GONE
        else:
            found.done.append(number)
    return found


def _assign(session: Session, ticket: Ticket, value: str, by: By, now: int) -> object:
    if not value:
        raise Refused("assignee_id", "Choose who gets it.")
    chosen = None if value == NOBODY else by.account_id if value == "me" else value
    return tickets.change(session, ticket, by, now, assignee_id=chosen)


def _status(session: Session, ticket: Ticket, value: str, by: By, now: int) -> object:
    if problem := moves.problem(AGENT, ticket.status, value):
        raise Refused("status", problem)
    return tickets.change(session, ticket, by, now, status=value)


def _tag(session: Session, ticket: Ticket, value: str, by: By, now: int) -> object:
    return tickets.tag(session, ticket, value, by, now)


def _close(session: Session, ticket: Ticket, _value: str, by: By, now: int) -> object:
    return tickets.change(session, ticket, by, now, status=CLOSED)


DEEDS: dict[str, Deed] = {"assign": _assign, "status": _status, "tag": _tag, "close": _close}
