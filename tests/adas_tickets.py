"""A desk of Ada's with a ticket that has a note, a file and a rating, and a draft of an article, each with a secret."""

from sqlalchemy import select

from models.base import clock
from models.desk import Article
from models.ticket import TicketMessage
from tasks.care import attachments, desks, ratings, tickets
from tasks.care.attachments import Checked
from tasks.care.tickets import By, New
from tests.conftest import Person
from workers.runtime import Runtime


def ticket_of(runtime: Runtime, person: Person, secret: str) -> dict[str, str]:
    """Writes them; their ids by the names that routes have for them. The desk's page is closed."""
    agent = By("agent", person.account_id)
    with runtime.database.write(person.workspace_id) as session:
        desk = desks.of(session, person.workspace_id)
        desk.name, desk.slug = "The lamp shop", f"{secret}-desk"[:40]  # customers read its name
        new = New(f"{secret} flickers", secret, "customer@example.org", secret)
        ticket = tickets.open_ticket(session, new, By("customer"), clock(session))
        tickets.say(session, ticket, "note", f"{secret} of ours", agent, clock(session))
        tickets.say(session, ticket, "answer", f"{secret} told", agent, clock(session), status="solved")
        ratings.rate(session, ticket, 3, secret, clock(session))
        message = session.scalars(select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)).first()
        assert message is not None
        attachments.keep(session, runtime.storage, message, [Checked(f"{secret}.txt", "text/plain", b"words")])
        article = Article(workspace_id=person.workspace_id, title=secret, body=secret)
        session.add(article)
        session.flush()
        return {"number": str(ticket.number), "ticket_id": ticket.id, "slug": desk.slug, "article_id": article.id}
