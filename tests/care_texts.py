"""Rows of a desk for the assistant's tests: articles, and tickets that were solved, put in as an import would."""

from models.base import clock, db_now
from models.desk import Article, Desk, Topic
from models.ticket import ANSWER, CLOSED, NOTE, QUESTION, Customer, Ticket, TicketMessage
from tests.conftest import Person
from workers.runtime import Runtime

SECRET = "zanzibar"  # stands in tickets alone


class DeskRows:
    """Writes them."""

    def __init__(self, runtime: Runtime, person: Person, slug: str = "shop") -> None:
        self.runtime, self.place, self.number = runtime, person.workspace_id, 0
        with runtime.database.write(self.place) as session:
            session.add(Desk(workspace_id=self.place, name="The shop", slug=slug, public=True))
            session.add(customer := Customer(email="eve@example.org", name="Eve"))
            session.flush()
            self.customer = customer.id

    def topic(self, name: str) -> str:
        with self.runtime.database.write(self.place) as session:
            session.add(topic := Topic(name=name))
            session.flush()
            return topic.id

    def article(self, title: str, body: str, published: bool = True) -> str:
        with self.runtime.database.write(self.place) as session:
            session.add(article := Article(title=title, body=body, published=published))
            session.flush()
            return article.id

    def ticket(
        self, subject: str, text: str, answer: str, topic: str | None = None, priority: int = 3, status: str = CLOSED
    ) -> tuple[str, int]:
        """A ticket with a question, a note of the team and an answer; its id and number."""
        self.number += 1
        with self.runtime.database.write(self.place) as session:
            now = clock(session)
            ticket = Ticket(
                number=self.number, workspace_id=self.place, subject=subject, customer_id=self.customer,
                topic_id=topic, priority=priority, status=status, source="web", answered_at=now if answer else None,
                solved_at=now,
            )  # fmt: skip
            session.add(ticket)
            session.flush()
            said = [(QUESTION, text), (NOTE, f"A note about {SECRET}notes."), (ANSWER, answer)]
            for kind, words in said:
                if words:
                    session.add(TicketMessage(ticket_id=ticket.id, kind=kind, text=words, source="web", at=db_now()))
                    session.flush()
            return ticket.id, ticket.number
