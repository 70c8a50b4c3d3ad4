"""What agents are told of their tickets beside deadlines: that one was given to them, and that its customer answered.

Never of their own deeds, and never of what is over by the time that it would be told: a ticket that went on to somebody
else or was solved, words that were answered, whatever came before somebody's own last deed. See ADR 40.
"""

from sqlalchemy.orm import Session

from models.ticket import AT_WORK, Ticket
from models.workspace import CARE
from tasks.alerting import happenings
from tasks.alerting.happenings import Happening
from tasks.care import audience, mark_words
from tasks.care.by import By
from tasks.care.letter_words import moment

GIVEN, HEARD = "given", "heard"  # the rules of these alerts
BOTH = (GIVEN, HEARD)
TO_DO = {GIVEN: "Answer its customer, or hand it on.", HEARD: "Read what they say, and answer them."}
NEWS = {GIVEN: " was given to you", HEARD: ": its customer answered"}


def given(session: Session, ticket: Ticket, by: By, now: int) -> None:
    """It is somebody else's now; whoever had it before needs not know that they got it."""
    happenings.known(session, ticket.workspace_id, (GIVEN,), ticket.id)
    _tell(session, ticket, GIVEN, {ticket.assignee_id}, by, now)


def heard(session: Session, ticket: Ticket, by: By, now: int) -> None:
    """Its customer, or another who takes part, said something: for its agent; if it is nobody's, or its agent is away,
    for its team."""
    people = audience.of(session, [ticket.workspace_id], now)[ticket.workspace_id]
    happenings.known(session, ticket.workspace_id, (HEARD,), ticket.id)  # of several words people are told once
    _tell(session, ticket, HEARD, set(people.to(ticket.team_id, ticket.assignee_id)), by, now)


def answered(session: Session, ticket: Ticket) -> None:
    """Its customer has our answer."""
    happenings.known(session, ticket.workspace_id, (HEARD,), ticket.id)


def over(session: Session, ticket: Ticket) -> None:
    """It is solved, closed or part of another one."""
    happenings.known(session, ticket.workspace_id, BOTH, ticket.id)


def seen(session: Session, ticket: Ticket, by: By) -> None:
    """Whoever does something to a ticket knows how it stands."""
    if by.account_id:
        happenings.known(session, ticket.workspace_id, BOTH, ticket.id, by.account_id)


def _tell(session: Session, ticket: Ticket, rule: str, to: set[str | None], by: By, now: int) -> None:
    others = frozenset(each for each in to if each and each != by.account_id)
    if others:
        title = f"#{ticket.number} {mark_words.short(ticket.subject)}{NEWS[rule]}"
        text = f"{_due(session, ticket, now)}{TO_DO[rule]}"
        happening = Happening(ticket.id, title, text, f"/care/{ticket.number}", others)
        happenings.tell(session, ticket.workspace_id, CARE, rule, happening)


def _due(session: Session, ticket: Ticket, now: int) -> str:
    """Until when; nothing of a clock that stands, or where nothing is promised."""
    first = ticket.first_due_at if ticket.answered_at is None else None
    dues = [each for each in (first, ticket.solve_due_at) if each is not None]
    if not dues or ticket.status not in AT_WORK:
        return ""
    what, due = ("An answer", first) if min(dues) == first else ("A solution", min(dues))
    zone = mark_words.Names(session, [ticket], now).zone(ticket)
    return f"{what} {'was' if due < now else 'is'} due by {moment(due, zone, now)}. "
