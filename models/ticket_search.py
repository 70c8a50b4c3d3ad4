"""Searching tickets: words, "phrases", the beginning of the last word, numbers; narrowed to the session's workspace.

A ticket's words are kept folded: lower case without accents, a space around each. So every database sees the same
words, a question can hold nothing but words, and where there is no full text LIKE finds just the same.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, column, exists, false, func, literal_column, or_, select, table
from sqlalchemy.dialects.mysql import match
from sqlalchemy.orm import Session

from models.full_text import COLUMN, FTS, MARK, PLACES, TABLE
from models.session import EVERYONE
from models.ticket import Ticket, TicketWords

MOST_SIGNS = 100_000  # of a ticket that are searched: a mail's log files are not what it is about
MOST_WORD = 60  # signs of a word; databases leave out longer ones
MOST_ASKED = 12  # words of a question
LONGEST = 400  # signs of a question
BEGINS = 3  # signs from which the last word may go on
MANY = 5_000  # hits, on SQLite: beyond them it is quicker to look at the tickets one after the other
# Scripts that put no space between words: each sign is a word, and words beside each other are a phrase.
_NO_SPACES = re.compile(r"([\u2e80-\u2fdf\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")

_place = literal_column("rowid")
_fts = table(FTS)
_places = table(PLACES, column("place"), column("ticket_id"))
_searched: ColumnElement[str] = literal_column(f"{TABLE}.{COLUMN}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One of what a ticket must have: words beside each other, of which the last may only begin so."""

    words: tuple[str, ...]
    begins: bool = False


def folded(given: str) -> str:
    """Lower case letters and digits without their accents, words with one space before and after each; "" of none."""
    plain = unicodedata.normalize("NFKD", given[:MOST_SIGNS].casefold())
    bare = "".join(sign for sign in plain if not unicodedata.category(sign).startswith("M"))
    apart = _NO_SPACES.sub(r" \1 ", bare)
    words = "".join(sign if sign.isalnum() else " " for sign in apart).split()
    return f" {' '.join(word[:MOST_WORD] for word in words)[:MOST_SIGNS].rstrip()} " if words else ""


def index(session: Session, ticket_id: str, workspace_id: str, words: str) -> None:
    """Let a ticket be found by these words: its subject, what was said, tags, its customer's name and address."""
    known = session.get(TicketWords, ticket_id)
    if known is None:
        session.add(TicketWords(ticket_id=ticket_id, workspace_id=workspace_id, words=folded(words)))
    elif known.words != folded(words):
        known.words = folded(words)


def forget(session: Session, ticket_id: str) -> None:
    """Let it not be found any more. A ticket that is deleted is forgotten by itself."""
    if known := session.get(TicketWords, ticket_id):
        session.delete(known)


def matching(session: Session, given: str, *, newest: bool = False) -> ColumnElement[bool]:
    """A condition on Ticket: that it has all that was asked for. Nothing asked for, as "?!", is found nowhere.

    Args:
        given: what somebody typed, whatever that is. #42, and 42 among others, is the ticket of this number.
        newest: nothing else narrows the question, and it is sorted by the newest first: of words that very many
            tickets hold, only the newest `MANY` tickets count then, so that it is quick wherever they are.
    """
    number = re.fullmatch(r"\s*(#?)\s*(\d{1,9})\s*", given)
    if number and number[1]:
        return Ticket.number == int(number[2])
    asked = parsed(given)
    if not asked:
        return false()
    found = _way(session)(session, asked, newest)
    return or_(Ticket.number == int(number[2]), found) if number else found


def parsed(given: str) -> list[Asked]:
    """What was asked for; words that are written together, as in foo-bar, are to stand beside each other."""
    plain = re.sub("[“”„‟«»]", '"', given[:LONGEST])
    pieces = re.findall(r'"([^"]*)"|([^\s"]+)', plain)
    found: list[Asked] = []
    for at, (phrase, piece) in enumerate(pieces):
        words = tuple(folded(phrase or piece).split())
        last = bool(piece) and at == len(pieces) - 1
        if words:
            found.append(Asked(words, last and words[-1].isalpha() and len(words[-1]) >= BEGINS))
    return found[:MOST_ASKED]


def _way(session: Session) -> Callable[[Session, list[Asked], bool], ColumnElement[bool]]:
    ways = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mariadb, "mariadb": _mariadb}
    return ways.get(session.get_bind().dialect.name, _like)


def _like(_session: Session, asked: list[Asked], _newest: bool = False) -> ColumnElement[bool]:
    """Look into the tickets themselves: any database can, and for words that very many hold it is the quickest."""
    return _of(*(TicketWords.words.like(_pattern(each)) for each in asked))


def _pattern(asked: Asked) -> str:
    return f"% {' '.join(asked.words)}{'' if asked.begins else ' '}%"


def _of(*where: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(1).where(TicketWords.ticket_id == Ticket.id, *where).correlate(Ticket))


def _sqlite(session: Session, asked: list[Asked], newest: bool) -> ColumnElement[bool]:
    """FTS5 tells the newest hits at once, however many there are, but cannot guess how many these will be."""
    words = " AND ".join(f'"{" ".join(each.words)}"{" *" if each.begins else ""}' for each in asked)
    mine = session.info.get("workspace")
    value = f"words : ({words})" if mine == EVERYONE else f'workspace : "{mine}" AND words : ({words})'
    hits = select(_place).select_from(_fts).where(literal_column(FTS).op("MATCH")(value)).order_by(_place.desc())
    if not newest:
        most = select(func.count()).select_from(hits.limit(MANY + 1).subquery())
        if (session.scalar(most) or 0) > MANY:
            return _like(session, asked)
    return Ticket.id.in_(select(_places.c.ticket_id).where(_places.c.place.in_(hits.limit(MANY))))


def _postgresql(session: Session, asked: list[Asked], _newest: bool) -> ColumnElement[bool]:
    """Its planner knows how usual each word is, and chooses between the index and looking at one after the other."""
    mine = session.info.get("workspace")
    every = [" <-> ".join(f"'{word}'" for word in each.words) + (":*" if each.begins else "") for each in asked]
    every += [] if mine == EVERYONE else [f"'w{mine}'"]
    question = func.to_tsquery(literal_column("'simple'"), " & ".join(f"({one})" for one in every))
    return _of(_searched.op("@@", is_comparison=True)(question))


def _mariadb(_session: Session, asked: list[Asked], _newest: bool) -> ColumnElement[bool]:
    """It knows no phrase whose last word only begins so: that they stand beside each other is seen in the words."""
    every = [f"+{MARK}{word}" for each in asked for word in each.words]
    ends = ["*" if each.begins and word is each.words[-1] else "" for each in asked for word in each.words]
    question = " ".join(f"{word}{end}" for word, end in zip(every, ends, strict=True))
    beside = (TicketWords.words.like(_pattern(each)) for each in asked if len(each.words) > 1)
    return _of(match(_searched, against=question, in_boolean_mode=True), *beside)
