"""Searching tickets: words, "phrases", the beginning of the last word, numbers; narrowed to the session's workspace.

A ticket's words are kept folded: lower case without accents, a space around each. So every database sees the same
words, a question can hold nothing but words, and where there is no full text LIKE finds just the same.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    and_,
    case,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
)  # fmt: skip
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
SURELY = 6  # signs from which it goes on to few others
MANY = 5_000  # hits: beyond them it is quicker to look at the tickets one after the other
# Scripts that put no space between words: each sign is a word, and words beside each other are a phrase.
_NO_SPACES = re.compile(r"([\u2e80-\u2fdf\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")

_words = cast(Table, TicketWords.__table__).c  # not narrowed by the session: the questions below see to that
_ticket = cast(Table, Ticket.__table__).c
_place: ColumnElement[int] = literal_column("rowid")
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
            tickets hold, SQLite then looks at the newest `MANY` alone, so that it is quick wherever they are.
    """
    found = hits(session, given, newest=newest)
    return each(session, given) if found is None else Ticket.id.in_(found)


def hits(session: Session, given: str, *, newest: bool = False) -> Select[Any] | CompoundSelect[Any] | None:
    """The ids of all tickets that are found, out of the index of words; None where these are so many that looking at
    the tickets one after the other (`each`), in the order of a list, meets a page of them sooner."""
    number, only = _number(given)
    asked = [] if only else parsed(given)
    place = session.info.get("workspace")
    here = () if place == EVERYONE else (_ticket.workspace_id == place,)
    numbered = select(_ticket.id).where(_ticket.number == (number or -1), *here)
    if not asked:
        return numbered
    found = _way(session)(session, asked, newest)
    if found is None or number is None:
        return found
    inner = found.subquery()
    return numbered.union(select(inner.c.ticket_id))


def each(session: Session, given: str) -> ColumnElement[bool]:
    """The same as a condition that is looked up ticket by ticket, whatever the database thinks of its indexes."""
    number, only = _number(given)
    asked = [] if only else parsed(given)
    if not asked:
        return Ticket.number == (number or -1)
    looked = select(case((_holds(session, asked), 1), else_=0)).where(_words.ticket_id == Ticket.id)
    found = looked.correlate(Ticket).scalar_subquery() == 1
    return found if number is None else or_(Ticket.number == number, found)


def _number(given: str) -> tuple[int | None, bool]:
    """The number that was asked for, if that is all; and whether it can be nothing else."""
    found = re.fullmatch(r"\s*(#?)\s*(\d{1,9})\s*", given)
    return (int(found[2]), bool(found[1])) if found else (None, False)


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


def _holds(session: Session, asked: list[Asked]) -> ColumnElement[bool]:
    """Whether a row of words has what was asked for; LIKE can tell on any database."""
    if session.get_bind().dialect.name == "postgresql":
        return _tsquery(session, asked)
    return and_(*(_words.words.like(_pattern(one)) for one in asked))


def _pattern(asked: Asked) -> str:
    return f"% {' '.join(asked.words)}{'' if asked.begins else ' '}%"


def _way(session: Session) -> Callable[[Session, list[Asked], bool], Select[Any] | None]:
    ways = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mariadb, "mariadb": _mariadb}
    return ways.get(session.get_bind().dialect.name, lambda *_: None)


def _sqlite(session: Session, asked: list[Asked], newest: bool) -> Select[Any] | None:
    """FTS5 tells the newest hits at once, however many there are, but cannot guess how many these will be."""
    words = " AND ".join(f'"{" ".join(one.words)}"{" *" if one.begins else ""}' for one in asked)
    mine = session.info.get("workspace")
    value = f"words : ({words})" if mine == EVERYONE else f'workspace : "{mine}" AND words : ({words})'
    found = select(_place).select_from(_fts).where(literal_column(FTS).op("MATCH")(value)).order_by(_place.desc())
    if not newest and _more(session, found):
        return None
    return select(_places.c.ticket_id).where(_places.c.place.in_(found.limit(MANY)))


def _more(session: Session, found: Select[Any]) -> bool:
    """Whether these are more than `MANY`."""
    counted = select(func.count()).select_from(found.limit(MANY + 1).subquery())
    return (session.scalar(counted) or 0) > MANY


def _tsquery(session: Session, asked: list[Asked]) -> ColumnElement[bool]:
    mine = session.info.get("workspace")
    every = [" <-> ".join(f"'{word}'" for word in one.words) + (":*" if one.begins else "") for one in asked]
    every += [] if mine == EVERYONE else [f"'w{mine}'"]
    question = func.to_tsquery(literal_column("'simple'"), " & ".join(f"({one})" for one in every))
    return _searched.op("@@", is_comparison=True)(question)


def _postgresql(session: Session, asked: list[Asked], _newest: bool) -> Select[Any] | None:
    """Its planner knows how usual each word is, without looking; not so of beginnings, unless they are nearly words."""
    found = select(_words.ticket_id).where(_tsquery(session, asked))
    session.execute(select(func.set_config("max_parallel_workers_per_gather", "0", True)))  # each takes 10 ms to start
    compiled = found.compile(session.connection(), compile_kwargs={"render_postcompile": True})
    plan = session.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params).scalar_one()
    usual = plan[0]["Plan"]["Plan Rows"] > MANY
    unsure = asked[-1].begins and len(asked[-1].words[-1]) < SURELY
    return None if usual or (unsure and _more(session, found)) else found


def _mariadb(session: Session, asked: list[Asked], _newest: bool) -> Select[Any] | None:
    """It knows no phrase whose last word only begins so: that they stand beside each other is seen in the words."""
    every = [(word, one.begins and at == len(one.words) - 1) for one in asked for at, word in enumerate(one.words)]
    question = " ".join(f"+{MARK}{word}{'*' if begins else ''}" for word, begins in every)
    beside = [_words.words.like(_pattern(one)) for one in asked if len(one.words) > 1]
    found = select(_words.ticket_id).where(match(_searched, against=question, in_boolean_mode=True), *beside)
    mine = session.info.get("workspace")
    found = found if mine == EVERYONE else found.where(_words.workspace_id == mine)
    return None if _more(session, found) else found
