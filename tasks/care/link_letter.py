"""A mail with another link to a ticket, for somebody whose link is over."""

from sqlalchemy.orm import Session

from models.base import new_id
from models.delivery import Delivery
from models.ticket import Customer, Ticket
from tasks.care import customers, desks, letter_words, reaching
from tasks.mailing.letters import Button, letter

LEAD = "Here is a new link to your ticket; you, or somebody with your old one, asked for it."
WHY = "If it was not you, there is nothing to do: the link came to you alone."


def send(session: Session, ticket: Ticket, customer: Customer) -> bool:
    """Queue it, to the address that is known of this customer and to no other; whether there is one."""
    if not customers.has_address(customer) or reaching.problem(session, ticket.workspace_id, customer.email):
        return False
    desk = desks.of(session, ticket.workspace_id)
    title = f"Your ticket #{ticket.number}"
    text, html = letter(
        title,
        name=letter_words.greeted(customer.name),
        lead=LEAD,
        brand=desk.name,
        why=WHY,
        button=Button("See your ticket", "{ticket}"),
    )
    session.add(
        Delivery(
            id=new_id(), workspace_id=ticket.workspace_id, account_id=customer.account_id, ticket_id=ticket.id,
            automatic=True, to=customer.email, subject=f"[#{ticket.number}] {title}"[:200], text=text, html=html,
        )
    )  # fmt: skip
    return True
