"""Mail of ours that came back. Only one that quotes our own Message-ID, whose token nobody can guess, is believed:
else anybody could have any address marked as one that mail does not reach.
"""

from sqlalchemy.orm import Session

from models.ticket import NOTE
from tasks.care import belonging, tickets
from tasks.care.by import ITSELF
from tasks.care.mail.kinds import Bounce
from tasks.care.mail.reading import Mail
from tasks.care.tokens import Tokens
from tasks.mailing.outbox import came_back

NONE_OF_OURS = "A mail came back that nobody can tell to be one of ours."
ANOTHER = "It names another address than the one that our mail went to."
LATER = "Our mail waits on its way; the other server goes on trying."
NOTED = "Mail to {} came back{}."
GONE = " Nothing more is sent there until the address is known to work again."


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
        came_back(session, delivery.to, text)
        text += GONE
    said = tickets.say(session, ticket, NOTE, text, ITSELF, now, source="mail", automatic=True)
    return "added", text, said.ticket_id


def _no_such_address(bounce: Bounce) -> bool:
    """For good, and for the address itself (RFC 3463, 3.2): a full mailbox, or a mail taken for spam, is another's."""
    return bounce.permanent and bool(bounce.address) and bounce.status.startswith(("5.1.", "5.0.0"))
