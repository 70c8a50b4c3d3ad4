"""Rows of a desk for the assistant's tests: articles, and tickets that were solved, put in as an import would."""

import html
import re
from typing import Any

from sqlalchemy import select, update

from models.base import clock, db_now
from models.desk import Article, Desk, Topic
from models.ticket import ANSWER as SAID
from models.ticket import CLOSED, NEW, NOTE, QUESTION, Customer, Ticket, TicketMessage
from tasks.assistant.job import AssistantParams, AssistantResult, run
from tasks.context import Context
from tests.conftest import Person
from tests.web_fixtures import Browser
from workers.runtime import Runtime

SECRET = "zanzibar"  # stands in tickets alone
RETURNS = "Put it into its box, stick the label on it and bring it to the post office within thirty days."
ANSWER = f"Press the reset button with a paper clip for ten seconds, as {SECRET} told us, then plug it in again."


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
            session.execute(update(Desk).values(next_number=self.number + 1))
            ticket = Ticket(
                number=self.number, workspace_id=self.place, subject=subject, customer_id=self.customer,
                topic_id=topic, priority=priority, status=status, source="web", answered_at=now if answer else None,
                solved_at=now,
            )  # fmt: skip
            session.add(ticket)
            session.flush()
            said = [(QUESTION, text), (NOTE, f"A note about {SECRET}notes."), (SAID, answer)]
            for kind, words in said:
                if words:
                    session.add(TicketMessage(ticket_id=ticket.id, kind=kind, text=words, source="web", at=db_now()))
                    session.flush()
            return ticket.id, ticket.number


def a_shop(runtime: Runtime, ada: Person) -> DeskRows:
    """A shop with two articles, one of them a draft, and two tickets of one customer."""
    rows = DeskRows(runtime, ada)
    topic = rows.topic("Repairs")
    rows.article("How to return something", RETURNS)
    rows.article("Salaries of the team", "Nobody outside may know what we earn: salaries are secret.", published=False)
    rows.ticket("The router is dead", f"My router does not start, says {SECRET}.", ANSWER, topic, 2)
    rows.ticket("Router without light", "The router does not start any more.", "", topic, 2, status=NEW)
    return rows


def learn(runtime: Runtime, place: str, params: AssistantParams | None = None) -> AssistantResult:
    with Context(runtime.database, runtime.storage, place) as ctx:
        found = run(params or AssistantParams(), ctx)
        ctx.commit()
    return AssistantResult.model_validate(found)


def the_desk(runtime: Runtime, place: str) -> Desk:
    with runtime.database.read(place) as session:
        return session.scalars(select(Desk)).one()


def words_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def ask(browser: Browser, question: str, **more: Any) -> Any:
    browser.client.get("/desk/shop/ask")
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/desk/shop/ask").text)
    assert token
    return browser.client.post("/desk/shop/ask", data={"csrf_token": token[1], "question": question, **more})
