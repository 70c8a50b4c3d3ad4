"""How customers found what was done for them: once for each ticket, and theirs to change."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ticket import DONE, Rating, Ticket
from tasks.care.by import Refused

SCORES = {3: "Good", 2: "So-so", 1: "Bad"}
LONGEST = 1000
NOT_YET = "This ticket is open. Once it is solved we ask you how it was."
CHOOSE = "Choose one of the three."


def rate(session: Session, ticket: Ticket, score: int, words: str, now: int) -> Rating:
    """Write down what the customer says; what they said before makes room.

    Raises:
        Refused: the ticket is open, or there is no such score.
    """
    if score not in SCORES:
        raise Refused("score", CHOOSE)
    if ticket.status not in DONE:
        raise Refused("score", NOT_YET)
    text = "".join(sign for sign in words if sign == "\n" or sign.isprintable()).strip()[:LONGEST]
    found = session.scalar(select(Rating).where(Rating.ticket_id == ticket.id))
    if found is None:
        found = Rating(workspace_id=ticket.workspace_id, ticket_id=ticket.id)
        session.add(found)
    found.score, found.words, found.at = score, text, now
    session.flush()
    return found
