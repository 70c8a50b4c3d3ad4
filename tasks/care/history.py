"""A ticket's history: an event for each change, and what came since somebody looked.

`what` says what changed, `before` and `after` are its values of that moment: statuses as they are stored; priorities,
topics, teams, subjects and tags in words; `assignee` the accounts' ids, because people may be erased; `linked`,
`unlinked` and `merged` name tickets as #42; `mark` says "first" or "solve" and the mark reached; `mail` what of a mail
to the customer was kept back, and why; `opened` where the ticket came from; `copy` an address that takes part, and
`reads` one that may read all of it from now on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.statements import changed
from models.ticket import Ticket, TicketEvent, TicketMessage
from tasks.care.by import By, Refused

OPENED, STATUS, PRIORITY, TOPIC, TEAM, ASSIGNEE, SUBJECT = (
    "opened", "status", "priority", "topic", "team", "assignee", "subject",
)  # fmt: skip
TAG, LINKED, UNLINKED, MERGED, COPY, MARK, MAIL = "tag", "linked", "unlinked", "merged", "copy", "mark", "mail"
READS = "reads"
GONE = "This ticket is not there any more."


@dataclass(frozen=True, slots=True)
class Since:
    """One thing that came to a ticket: a message ("question", "answer", "note") or an event's `what`."""

    what: str
    before: str
    after: str
    account_id: str | None
    at: int
    version: int


class Stale(Exception):
    """Somebody else was faster: nothing was written. The web shows it and lets the writer decide.

    Attributes:
        ticket: as it is now; in no session any more.
        since: what came meanwhile, oldest first.
    """

    def __init__(self, ticket: Ticket, since: Sequence[Since]) -> None:
        super().__init__("This ticket was changed meanwhile. Look at what came, then send yours again.")
        self.ticket = ticket
        self.since = list(since)


def hold(session: Session, ticket: Ticket, expected: int | None = None) -> None:
    """Begin a change: its row is ours until the commit, and as it is now; its version grows by one.

    Raises:
        Stale: it is not at the version that the writer saw any more. Nothing was changed.
        Refused: it was deleted.
    """
    session.flush()
    mine = update(Ticket).where(Ticket.id == ticket.id)
    if expected is not None:
        mine = mine.where(Ticket.version == expected)
    grown = mine.values(version=Ticket.version + 1).execution_options(synchronize_session=False)
    met = changed(session, grown)
    if session.scalar(select(Ticket.id).where(Ticket.id == ticket.id)) is None:
        raise Refused("ticket", GONE, 404)
    session.refresh(ticket)
    if not met:
        session.expunge(ticket)  # so that it can still be read when all this is rolled back
        raise Stale(ticket, since(session, ticket.id, expected or 0))


def since(session: Session, ticket_id: str, version: int) -> list[Since]:
    """What came to a ticket after a version, oldest first."""
    events = session.execute(
        select(
            TicketEvent.what,
            TicketEvent.before,
            TicketEvent.after,
            TicketEvent.account_id,
            TicketEvent.at,
            TicketEvent.version,
        ).where(TicketEvent.ticket_id == ticket_id, TicketEvent.version > version)
    )
    said = session.execute(
        select(TicketMessage.kind, TicketMessage.account_id, TicketMessage.at, TicketMessage.version).where(
            TicketMessage.ticket_id == ticket_id, TicketMessage.version > version
        )
    )
    found = [Since(*row) for row in events] + [
        Since(row.kind, "", "", row.account_id, row.at, row.version) for row in said
    ]
    return sorted(found, key=lambda each: (each.version, each.at))


def note(
    session: Session, ticket: Ticket, what: str, before: str, after: str, by: By, now: int, why: str = ""
) -> TicketEvent:
    """Write down one change."""
    event = TicketEvent(
        workspace_id=ticket.workspace_id, ticket_id=ticket.id, what=what, before=before[:120], after=after[:120],
        account_id=by.account_id, why=(why or by.why)[:200], version=ticket.version, at=now,
    )  # fmt: skip
    session.add(event)
    return event


def touched(ticket: Ticket, by: By, now: int) -> None:
    """A person did something: the ticket is not forgotten, and stands on top of the lists."""
    if by.kind != "machine":
        ticket.changed_at = max(ticket.changed_at, now)
