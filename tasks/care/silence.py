"""When the machinery says nothing: two programs that answer each other, and senders whom somebody else made up.

What a person of ours does is always told, but not at once: who takes a ticket and answers it a moment later sends one
mail, not two.
"""

from sqlalchemy import case, delete, or_, update
from sqlalchemy.orm import Session

from models.delivery import QUEUED, Delivery
from models.desk import Desk
from models.statements import changed
from models.ticket import AT_WORK, OPEN, REOPENED, Customer, Ticket
from tasks.care.by import AGENT, CUSTOMER, By

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
CAP, MOST_STRANGERS = 6, 100  # automatic mails in an hour: to one customer, and of one desk to all it never heard of
TAKEN_MS = 5 * MINUTE_MS  # after “we work on it” an answer mostly follows
MACHINES = ("mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply", "bounce", "bounces")
CAPPED = "They got 6 automatic mails within an hour; more would feed a loop"
STRANGERS = (
    "This desk confirmed 100 mails of people it never heard of within an hour; more could go to addresses that "
    "somebody made up. Your answer reaches them"
)
A_MACHINE = "Nobody reads this address"


def broken(session: Session, ticket: Ticket, customer: Customer, by: By, now: int) -> str:
    """Why one more automatic mail must not go there now; "": it may, and counts."""
    if customer.email.partition("@")[0] in MACHINES:
        return A_MACHINE
    if by.kind != CUSTOMER:
        return ""
    if not _room_of(session, customer, now):
        return CAPPED
    if customer.reached_at or customer.account_id or ticket.source != "mail":
        return ""
    return "" if _room_of_desk(session, ticket.workspace_id, now) else STRANGERS


def _room_of(session: Session, customer: Customer, now: int) -> bool:
    """A loop that is slow ends as well: only an hour without any mail begins to count anew."""
    over = Customer.mailed_at <= now - HOUR_MS
    mine = update(Customer).where(Customer.id == customer.id, or_(over, Customer.mailed_count < CAP))
    counted = case((over, 1), else_=Customer.mailed_count + 1)
    # The count first: MariaDB sets one column after the other, and the count asks for the time of the last one.
    grown = mine.ordered_values((Customer.mailed_count, counted), (Customer.mailed_at, now))
    return bool(changed(session, grown.execution_options(synchronize_session=False)))


def _room_of_desk(session: Session, workspace_id: str, now: int) -> bool:
    """Hour by hour, so that a desk with many new customers goes on."""
    over = Desk.strangers_at <= now - HOUR_MS
    mine = update(Desk).where(Desk.workspace_id == workspace_id, or_(over, Desk.strangers < MOST_STRANGERS))
    counted, began = case((over, 1), else_=Desk.strangers + 1), case((over, now), else_=Desk.strangers_at)
    grown = mine.ordered_values((Desk.strangers, counted), (Desk.strangers_at, began))
    return bool(changed(session, grown.execution_options(synchronize_session=False)))


def due(ticket: Ticket, by: By, now: int) -> int | None:
    """When the mail about a status leaves: of an agent's deed a little later, in case that an answer follows."""
    if by.kind != AGENT:
        return None
    return now + (TAKEN_MS if ticket.status == OPEN else MINUTE_MS)


def drop_held(session: Session, ticket: Ticket) -> str:
    """Take back the mail about a status that waits still; the status that its customer knows, if there was one."""
    session.flush()
    held = (Delivery.ticket_id == ticket.id, Delivery.state == QUEUED, Delivery.due_at.is_not(None))
    gone = changed(session, delete(Delivery).where(*held).execution_options(synchronize_session=False))
    known, ticket.known = ticket.known if gone else "", ""
    return known


def is_known(ticket: Ticket, told: str) -> bool:
    """Whether the customer was told the status that it has again; that it was over meanwhile they never heard."""
    return ticket.status == told or (ticket.status == REOPENED and told in AT_WORK)
