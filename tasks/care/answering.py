"""The assistant's side of the database: what its index is made of, and the texts of what it found.

Texts come from the tables each time, narrowed to the workspace: a ticket that was deleted and an article that is not
published any more are not told, however old the index is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Row, Table, func, or_, select, update
from sqlalchemy.orm import Session

from models.desk import Article, Desk
from models.statements import changed
from models.ticket import ANSWER, DONE, QUESTION, Rating, Ticket, TicketMessage
from tasks.care import desks
from tasks.care.suggestions.said import ARTICLE, TICKET, Answer, Hit
from tasks.care.suggestions.texts import MOST_PASSAGES, MOST_TICKETS, Passage, Solved
from tasks.care.suggestions.words import passages, spoken

AT_ONCE = 400  # tickets whose messages are read together
SHORT = 80  # an answer shorter than this may be a goodbye: a longer one before it says more
BAD = 1
MANY = 50  # tickets solved since: the index is made anew before the night
DAY_MS = 20 * 3_600_000
LONGEST_ANSWER = 4000


@dataclass(frozen=True, slots=True)
class Due:
    """A desk whose index is to be made."""

    workspace_id: str
    why: str


def solved(session: Session, most: int = MOST_TICKETS) -> Iterator[Solved]:
    """Tickets that were solved by an answer, the newest first; not those whose customer found that bad."""
    fine = ~select(Rating.ticket_id).where(Rating.ticket_id == Ticket.id, Rating.score <= BAD).exists()
    mine = select(Ticket.id, Ticket.subject, Ticket.topic_id, Ticket.priority).where(
        Ticket.status.in_(DONE), Ticket.answered_at.is_not(None), Ticket.merged_into_id.is_(None), fine
    )
    rows = session.execute(mine.order_by(Ticket.changed_at.desc(), Ticket.id).limit(most)).all()
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        said = _said(session, [row.id for row in some])
        for row in some:
            question, answers = said.get(row.id, ("", []))
            if answer := the_answer(answers):
                asked = f"{row.subject}\n{question}"
                yield Solved(row.id, asked, answer, row.topic_id or "", row.priority)


def _said(session: Session, ids: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
    """By ticket: the first question, and the public answers in their order; what machines said does not count.

    Of the session's workspace, said in a way that no index serves: without statistics SQLite would read all messages
    of the workspace for each handful of tickets.
    """
    c = cast(Table, TicketMessage.__table__).c
    public = (c.kind.in_((QUESTION, ANSWER)), c.automatic.is_(False))
    mine = func.coalesce(c.workspace_id, "") == desks.place(session)
    wanted = select(c.ticket_id, c.kind, c.text).where(c.ticket_id.in_(ids), *public, mine).order_by(c.at, c.id)
    found: dict[str, tuple[str, list[str]]] = {}
    for ticket_id, kind, text in session.execute(wanted):
        question, answers = found.get(ticket_id, ("", []))
        if kind == ANSWER:
            answers.append(text)
        found[ticket_id] = (question or (text if kind == QUESTION else ""), answers)
    return found


def the_answer(answers: Sequence[str]) -> str:
    """Of a ticket's answers the one that solved it: the last, or the longest when the last hardly says anything."""
    said = [each for each in map(spoken, answers) if each]
    if not said:
        return ""
    return said[-1] if len(said[-1]) >= SHORT else max(said, key=len)


def published(session: Session) -> list[Passage]:
    """The passages of all articles that customers may read; the newest first."""
    shown = select(Article.id, Article.title, Article.body).where(Article.published.is_(True))
    made: list[Passage] = []
    for row in session.execute(shown.order_by(Article.changed_at.desc(), Article.id)):
        parts = passages(row.title, row.body)
        made += [Passage(row.id, number, row.title, text) for number, text in enumerate(parts)]
        if len(made) >= MOST_PASSAGES:
            break
    return made[:MOST_PASSAGES]


def due(session: Session, now: int) -> list[Due]:
    """Of all workspaces, or the session's own: the desks whose index is missing, a night old, or behind by much."""
    kept = {
        row.workspace_id: row for row in session.execute(select(Desk.workspace_id, Desk.index_key, Desk.indexed_at))
    }
    since = select(Ticket.workspace_id, func.count()).join(Desk, Desk.workspace_id == Ticket.workspace_id)
    behind = or_(Desk.indexed_at.is_(None), Ticket.changed_at >= Desk.indexed_at)
    counted = since.where(Ticket.status.in_(DONE), behind).group_by(Ticket.workspace_id)
    tickets = {row[0]: int(row[1]) for row in session.execute(counted)}
    edited = select(Article.workspace_id).join(Desk, Desk.workspace_id == Article.workspace_id)
    newer = or_(Desk.indexed_at.is_(None), Article.changed_at >= Desk.indexed_at)
    articles = set(session.scalars(edited.where(newer).distinct()))
    found = [
        Due(workspace, why)
        for workspace, row in kept.items()
        if (why := _why(row, tickets.get(workspace, 0), workspace in articles, now))
    ]
    return sorted(found, key=lambda each: each.workspace_id)


def _why(row: Row[str, str, int | None], solved_since: int, edited: bool, now: int) -> str:
    if edited:
        return "articles changed"
    if not solved_since:
        return ""
    if not row.index_key or solved_since >= MANY:
        return f"{solved_since} tickets were solved"
    return "a night has passed" if now - (row.indexed_at or 0) > DAY_MS else ""


def swap(session: Session, workspace_id: str, before: str, key: str, now: int | None) -> bool:
    """Name the new index, unless somebody was faster."""
    mine = update(Desk).where(Desk.workspace_id == workspace_id, Desk.index_key == before)
    return changed(session, mine.values(index_key=key, indexed_at=now)) == 1


def forget(session: Session, workspace_id: str, key: str) -> None:
    """One that cannot be read (of an older form, or broken) counts as never made: the next hour makes one."""
    swap(session, workspace_id, key, "", None)


def for_agents(session: Session, hits: Iterable[Hit]) -> list[Answer]:
    """What was found, with its texts: of solved tickets and of published articles."""
    kept = list(hits)
    told = {answer.id: answer for answer in for_customers(session, [each for each in kept if each.kind == ARTICLE])}
    one = select(Ticket.id, Ticket.number, Ticket.subject, Ticket.status)  # one by one: each is found by its key
    rows = [session.execute(one.where(Ticket.id == each.id)).first() for each in kept if each.kind == TICKET]
    named = {row.id: row for row in rows if row is not None and row.status in DONE}
    said = _said(session, list(named))
    for hit in kept:
        if hit.kind == TICKET and hit.id in named and (text := the_answer(said.get(hit.id, ("", []))[1])):
            row = named[hit.id]
            source = f"#{row.number} {row.subject}"
            told[hit.id] = Answer(text[:LONGEST_ANSWER], source, hit.score, TICKET, hit.id, hit.sure, hit.others)
    return [told[hit.id] for hit in kept if hit.id in told]


def for_customers(session: Session, hits: Iterable[Hit]) -> list[Answer]:
    """The passages that were found, of articles that are published now. It reads no table of tickets."""
    kept = [each for each in hits if each.kind == ARTICLE]
    shown = select(Article).where(Article.id.in_([each.id for each in kept]), Article.published.is_(True))
    rows = {row.id: row for row in session.scalars(shown)}
    return [_passage(rows[hit.id], hit) for hit in kept if hit.id in rows]


def _passage(article: Article, hit: Hit) -> Answer:
    parts = passages(article.title, article.body) or [article.title]
    text = parts[min(hit.passage, len(parts) - 1)]
    return Answer(text[:LONGEST_ANSWER], article.title, hit.score, ARTICLE, article.id, hit.sure)
