"""To which ticket a mail belongs: by a signed token and who takes part; by what it answers only as a hint.

From is what the sender likes it to be, so it gives nobody a role: an agent's address makes a note, a stranger's token
a ticket of their own, and a forged In-Reply-To nothing at all.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.account import Account
from models.delivery import Delivery
from models.ticket import Customer, Received, Ticket
from models.workspace import Membership
from tasks.care import customers, limits, links
from tasks.care.by import ANSWERS
from tasks.care.mail.reading import Mail
from tasks.care.tokens import Tokens

TOKEN, HINT = "token", "hint"
CUSTOMER, AGENT, STRANGER = "customer", "agent", "stranger"
_LINE = re.compile(r"\[([A-Za-z2-7]{40,48})\]")
OUR_ID = re.compile(r"(?<![A-Za-z0-9])([a-z2-7]{40,48})\.([0-9a-f]{28})\.([a-z2-7]{16})@")
MOST_LINES = 20
BY_TOKEN, BY_HINT = limits.BY_TOKEN, "By the mail that it answers, which is only a hint."


@dataclass(frozen=True, slots=True)
class Belongs:
    """What was found out. `who` is the sender's part in `ticket`; `customer` theirs, if they are one who takes part."""

    ticket: Ticket | None = None
    how: str = ""
    who: str = STRANGER
    customer: Customer | None = None


def of(session: Session, mail: Mail, tokens: Tokens) -> Belongs:
    """In the session's workspace, which a token of another one does not leave."""
    ticket = _by_token(session, mail, tokens)
    if ticket is not None:
        who, customer = _part(session, ticket, mail.sender)
        return Belongs(ticket, TOKEN, who, customer)
    for ticket in _hinted(session, mail, tokens):
        who, customer = _part(session, ticket, mail.sender)
        if who == CUSTOMER:
            return Belongs(ticket, HINT, who, customer)
    return Belongs()


def hashed(message_id: str) -> str:
    """A Message-ID as it is kept for finding."""
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest() if message_id else ""


def _by_token(session: Session, mail: Mail, tokens: Tokens) -> Ticket | None:
    for ticket_id, version in _tokens(mail, tokens):
        ticket = links.opened(session, ticket_id, version)
        if ticket is not None:
            return _merged(session, ticket)
    return None


def _tokens(mail: Mail, tokens: Tokens) -> Iterator[tuple[str, int]]:
    """Those of ours: in an address it was sent to, in an id that it answers (the last first), in a line of it."""
    places = [*mail.to, *reversed(mail.references), *_LINE.findall(mail.tokens_in)[:MOST_LINES]]
    for place in places:
        if (found := tokens.read_reply(place)) is not None:
            yield found


def _merged(session: Session, ticket: Ticket) -> Ticket:
    """Where it goes on."""
    for _ in range(10):
        if not ticket.merged_into_id:
            break
        following = session.scalar(select(Ticket).where(Ticket.id == ticket.merged_into_id))
        if following is None:
            break
        ticket = following
    return ticket


def _hinted(session: Session, mail: Mail, tokens: Tokens) -> Iterator[Ticket]:
    """Tickets of the mails that it answers, the last first; and of a token that was ended, for who takes part."""
    ids = [found[0] for found in _tokens(mail, tokens)]
    wanted = [hashed(each) for each in reversed(mail.references)]
    if wanted:
        asked = select(Received.message_id, Received.ticket_id).where(Received.message_id.in_(wanted))
        known: dict[str, str] = {
            row[0]: str(row[1]) for row in session.execute(asked.where(Received.ticket_id.is_not(None)))
        }
        ids += [known[each] for each in wanted if each in known]
    for ticket_id in dict.fromkeys(ids):
        ticket = session.scalar(select(Ticket).where(Ticket.id == ticket_id))
        if ticket is not None:
            yield _merged(session, ticket)


def _part(session: Session, ticket: Ticket, sender: str) -> tuple[str, Customer | None]:
    mine = select(Customer).where(Customer.workspace_id == ticket.workspace_id, Customer.email == sender)
    customer = session.scalar(mine)
    if customer is not None and customers.takes_part(session, ticket, customer.id):
        return CUSTOMER, customer
    return (AGENT if answers_here(session, ticket.workspace_id, sender) else STRANGER), None


def answers_here(session: Session, workspace_id: str, sender: str) -> bool:
    """Whether this is the confirmed address of somebody who answers tickets in the workspace."""
    asked = select(Account.id).join(Membership, Membership.account_id == Account.id)
    mine = (Membership.workspace_id == workspace_id, Membership.role.in_(ANSWERS), Account.confirmed_at.is_not(None))
    return session.scalar(asked.where(*mine, func.lower(Account.email) == sender).limit(1)) is not None


def ours(session: Session, tokens: Tokens, ids: Sequence[str], text: str) -> tuple[Ticket, Delivery] | None:
    """Our mail that one of these ids names, or that a text quotes: token, row and whom it went to must fit."""
    for token, delivery_id, signs in [found for each in (*ids, text[-50_000:]) for found in OUR_ID.findall(each)][:50]:
        read = tokens.read_reply(token)
        delivery = session.scalar(select(Delivery).where(Delivery.id == delivery_id)) if read else None
        if not read or delivery is None or delivery.channel_id is not None:
            continue
        if delivery.ticket_id == read[0] and tokens.is_sent(delivery.id, delivery.to, signs):
            ticket = session.scalar(select(Ticket).where(Ticket.id == read[0]))
            if ticket is not None:
                return ticket, delivery
    return None
