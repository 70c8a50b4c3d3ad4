"""Mail of ours that came back. Only one that quotes our own Message-ID, whose token nobody can guess, is believed:
else anybody could have any address marked as one that mail does not reach.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.delivery import Delivery
from models.ticket import NOTE, Received, Ticket
from tasks.care import belonging, reaching, tickets
from tasks.care.by import ITSELF
from tasks.care.mail.kinds import Bounce
from tasks.care.mail.reading import Mail
from tasks.care.tokens import Tokens

NONE_OF_OURS = "A mail came back that nobody can tell to be one of ours."
ANOTHER = "It names another address than the one that our mail went to."
LATER = "Our mail waits on its way; the other server goes on trying."
NOTED = "Mail to {} came back{}."
GONE = (
    " This desk sends nothing more there until an answer comes from it, or somebody presses “Mail works again” beside "
    "the address on this page. If it is wrong, let the right one take part instead."
)
HEARD = " But they have written since that mail was sent, so it goes on being sent there."


def take(session: Session, mail: Mail, tokens: Tokens, now: int) -> tuple[str, str, str | None]:
    """Outcome, reason, and the ticket that it is noted in."""
    bounce = mail.bounce or Bounce("", False, "", "", ())
    found = belonging.ours(session, tokens, bounce.about, mail.tokens_in)
    if found is None:
        return "left out", NONE_OF_OURS, None
    ticket, delivery = found
    if bounce.address and bounce.address != delivery.to.lower():
        return "left out", ANOTHER, ticket.id
    delivery.fate, delivery.fate_at = ("bounced" if bounce.permanent else "deferred"), now
    if bounce.address and not bounce.permanent:
        return "left out", LATER, ticket.id
    because = ": ".join(each for each in (bounce.status, bounce.reason) if each)
    text = NOTED.format(delivery.to, f" ({because})" if because else "")
    delivery.reason = text[:300]
    if _no_such_address(bounce):
        silenced = not _heard_since(session, ticket, delivery)
        if silenced:
            reaching.came_back(session, ticket.workspace_id, delivery.to, text, now)
        text += GONE if silenced else HEARD
    said = tickets.say(session, ticket, NOTE, text, ITSELF, now, source="mail", automatic=True)
    return "added", text, said.ticket_id


def _no_such_address(bounce: Bounce) -> bool:
    """For good, and for the address itself (RFC 3463, 3.2): a full mailbox, or a mail taken for spam, is another's."""
    return bounce.permanent and bool(bounce.address) and bounce.status.startswith(("5.1.", "5.0.0"))


def _heard_since(session: Session, ticket: Ticket, delivery: Delivery) -> bool:
    """Whether that address answered in the ticket after the mail left: then its id may be known to all it answered."""
    left = delivery.sent_at or delivery.created_at + 1000
    mine = (Received.ticket_id == ticket.id, Received.sender == delivery.to.lower(), Received.outcome == "added")
    return (session.scalar(select(func.max(Received.at)).where(*mine)) or 0) > left
