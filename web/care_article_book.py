"""Help articles in the database: read from a form, written, published; or begun with what solved a ticket."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import clock
from models.desk import Article, Topic
from models.ticket import ANSWER, DONE, QUESTION, TicketMessage
from tasks.care import answering, desks
from tasks.care.suggestions.words import spoken
from tasks.handover import Refused
from web import care_book
from web.current import current_workspace, me
from web.given import CHOOSE, FILL_IN, TOO_LONG, Given

LONGEST_TITLE, LONGEST = 200, 20_000
MOVED_ON = "Somebody else changed this article meanwhile. Open it in another tab, then put your changes into theirs."


def create(session: Session, form: Mapping[str, str]) -> Article:
    """
    Raises:
        Refused: with a message for each field at fault.
    """
    found, now = _read(session, form), clock(session)
    desks.of(session, current_workspace())  # an article is asked for at a desk
    article = Article(
        written_by=me().id, created_at=now, changed_at=now, published=bool(form.get("published")), **found
    )
    session.add(article)
    session.flush()
    return article


def change(session: Session, article: Article, form: Mapping[str, str]) -> None:
    """
    Raises:
        Refused: as of `create`; with 409 where somebody else was faster.
    """
    found = _read(session, form)
    if form.get("seen") != str(article.changed_at):
        raise Refused({"": MOVED_ON}, 409)
    for name, value in found.items():
        setattr(article, name, value)
    article.changed_at = max(clock(session), article.changed_at + 1)


def publish(session: Session, article: Article, published: bool) -> None:
    article.published = published
    article.changed_at = max(clock(session), article.changed_at + 1)


def values(article: Article) -> dict[str, Any]:
    """As the form shows it."""
    return {"title": article.title, "body": article.body, "topic": article.topic_id or "", "seen": article.changed_at}


def topics(session: Session) -> list[tuple[str, str]]:
    asked = select(Topic.id, Topic.name).where(Topic.archived.is_(False)).order_by(Topic.name)
    return [("", "No topic"), *((row.id, row.name) for row in session.execute(asked))]


def of_ticket(session: Session, number: int) -> dict[str, str] | None:
    """What solved a ticket, as the beginning of an article: its public words alone; None for no solved ticket."""
    ticket = care_book.find(session, number)
    if ticket.status not in DONE:
        return None
    public = TicketMessage.kind.in_((QUESTION, ANSWER))
    said = select(TicketMessage.kind, TicketMessage.text).where(TicketMessage.ticket_id == ticket.id, public)
    rows = session.execute(said.order_by(TicketMessage.at, TicketMessage.id)).all()
    question = next((spoken(row.text) for row in rows if row.kind == QUESTION), "")
    answer = answering.the_answer([row.text for row in rows if row.kind == ANSWER])
    body = "\n\n".join(part for part in (question, answer) if part)
    return {"title": ticket.subject, "body": body[:LONGEST], "topic": ticket.topic_id or ""}


def _read(session: Session, form: Mapping[str, str]) -> dict[str, Any]:
    given = Given(form)
    title, topic = given.text("title", LONGEST_TITLE, required=True), given.row("topic")
    body = "".join(sign for sign in _lines(form.get("body", "")) if sign.isprintable() or sign in "\n\t").strip()
    if not body:
        given.wrong["body"] = FILL_IN
    elif len(body) > LONGEST:
        given.wrong["body"] = TOO_LONG.format("20,000")
    if topic and session.scalar(select(Topic.id).where(Topic.id == topic)) is None:
        given.wrong["topic"] = CHOOSE
    given.done()
    return {"title": title, "body": body, "topic_id": topic or None}


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
