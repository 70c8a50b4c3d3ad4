"""Lists of tickets, one page at a time, and single ones: quick however many there are.

The database takes a page of each leg (web/care_legs.py) and puts one page together of them: nothing is sorted but a
few pages. What is asked beside that (a customer, a tag, a topic) is looked at first by itself: where it leaves a few
tickets, those are sorted; where it leaves many, going through the legs meets them soon.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from typing import Any, cast

from flask import abort
from sqlalchemy import ColumnElement, CompoundSelect, Select, Table, bindparam, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from models import ticket_search
from models.desk import TeamMember
from models.ticket import Customer, Ticket, TicketTag
from web import care_legs
from web.care_filter import Filter
from web.care_legs import COLUMNS, DOWN, Mark, t

Row = tuple[Ticket, Customer]
PAGE = 50
FEW = 2_000  # so many are sorted at once
MOST_NUMBER = 2**31 - 1


def find(session: Session, number: int) -> Ticket:
    """A ticket of the workspace by its number; 404 for all others."""
    asked = select(Ticket).where(Ticket.number == number)
    return (session.scalar(asked) if 0 < number <= MOST_NUMBER else None) or abort(404)


def my_teams(session: Session, account_id: str) -> tuple[str, ...]:
    """The ids of the teams that somebody is in."""
    mine = select(TeamMember.team_id).where(TeamMember.account_id == account_id)
    return tuple(session.scalars(mine.order_by(TeamMember.team_id)))


def mark_of(text: str, order: str) -> Mark | None:
    """A page's mark out of an address; None for "" and for what is none."""
    *keys, last = text.split("-")
    fit = len(keys) == len(COLUMNS[order]) and all(len(key) < 17 and key.isascii() and key.isdigit() for key in keys)
    return Mark(tuple(map(int, keys)), last) if fit and last.isalnum() and last.isascii() and len(last) < 30 else None


def listed(session: Session, wanted: Filter, after: Mark | None, now: int, size: int = PAGE) -> tuple[list[Row], str]:
    """One page with the customers, and the mark after which the next begins ("" at the end)."""
    found = _keys(session, wanted, after, now, size + 1)
    page, more = found[:size], len(found) > size
    rows = _with_customers(session, [row[0] for row in page]) if page else {}
    mark = "-".join(map(str, (*page[-1][1:], page[-1][0]))) if more else ""
    return [rows[row[0]] for row in page if row[0] in rows], mark


def _with_customers(session: Session, ids: Collection[str]) -> dict[str, Row]:
    """Tickets that a narrowed question has named. Narrowed again, SQLite would go through all of the workspace."""
    ticket, customer = (cast(Table, table.__table__) for table in (Ticket, Customer))
    both = select(ticket, customer).where(ticket.c.id.in_(ids), customer.c.id == ticket.c.customer_id)
    return {row[0].id: (row[0], row[1]) for row in session.execute(select(Ticket, Customer).from_statement(both))}


def counted(
    session: Session, views: Collection[str], me: str, teams: Sequence[str], now: int, most: int
) -> dict[str, int]:
    """How many tickets each of these views has, counted up to `most`, in one question."""
    values = {"place": session.info["workspace"], "me": me, "now": now}
    values |= {f"team{at}": team for at, team in enumerate(teams)}
    found = dict.fromkeys(views, 0)
    asked = _counting(tuple(view for view in views if teams or view != "team"), len(teams), most)
    for name, count in session.connection().execute(asked, values):
        found[name] = min(most, found[name] + count)
    return found


@lru_cache(maxsize=64)
def _counting(views: tuple[str, ...], teams: int, most: int) -> CompoundSelect[Any]:
    """Made once: to put so many legs together takes longer than to count them."""
    me, place, now = (cast(Any, bindparam(name)) for name in ("me", "place", "now"))
    mine = tuple(cast(Any, bindparam(f"team{at}")) for at in range(teams))
    parts = []
    for name in views:
        for leg in care_legs.of(Filter(view=name, me=me, teams=mine), now, place):
            some = select(t.id).where(*leg.where).limit(most).subquery()
            parts.append(select(literal(name), func.count()).select_from(some))
    return union_all(*parts)


def _keys(session: Session, wanted: Filter, after: Mark | None, now: int, size: int) -> list[tuple[Any, ...]]:
    """Ids and keys of a page, in order."""
    if wanted.customer:
        named = or_(Customer.email == wanted.customer, Customer.id == wanted.customer)
        known = session.scalar(select(Customer.id).where(named).limit(1))
        if known is None:
            return []
        wanted = replace(wanted, customer=known)
    down, place = DOWN[wanted.order], session.info["workspace"]
    few: Any = _few(session, wanted)  # or, of a search, a question for them
    found = ticket_search.hits(session, wanted.text, newest=_newest(wanted)) if few is None and wanted.text else None
    rest = _rest(session, wanted if found is None else replace(wanted, text=""))
    few = few if found is None else found
    if isinstance(few, list) and not few:
        return []
    if few is not None:
        legs = [care_legs.of_few(wanted, now, place if found is None else None, few)]
    else:
        every = care_legs.of(wanted, now, place)
        legs = [leg for leg in every if after is None or leg.first is None or leg.first >= after.keys[0]]
    rows: list[tuple[Any, ...]] = []
    for _first, alike in groupby(sorted(legs, key=_first_of), _first_of):  # the urgent ones alone often fill a page
        pages = [leg.page(rest, down, after, size - len(rows)) for leg in alike]
        rows += _together(session, pages, wanted, size - len(rows))
        if len(rows) == size:
            break
    return rows


def _first_of(leg: care_legs.Leg) -> int:
    return leg.first or 0


def _together(session: Session, legs: Sequence[Select[Any]], wanted: Filter, size: int) -> list[tuple[Any, ...]]:
    if len(legs) < 2:
        return [tuple(row) for leg in legs for row in session.execute(leg)]
    found = union_all(*(select(*leg.subquery().c) for leg in legs)).subquery()
    down = DOWN[wanted.order]
    keys = [found.c[f"key{at}"] for at in range(len(down))]
    asked = select(found.c.id, *keys).order_by(*care_legs.ways(keys, down), care_legs.way(found.c.id, down[-1]))
    return [tuple(row) for row in session.execute(asked.limit(size))]


def _rest(session: Session, wanted: Filter) -> list[ColumnElement[bool]]:
    """What each ticket of a list has to fulfil, besides its leg."""
    asked: list[tuple[Any, ColumnElement[bool]]] = [
        (wanted.priority, t.priority == wanted.priority),
        (wanted.topic, t.topic_id == wanted.topic),
        (wanted.source, t.source == wanted.source),
        (wanted.team, t.team_id == wanted.team),
        (wanted.assignee, care_legs.assigned(wanted)),
        (wanted.customer, t.customer_id == wanted.customer),
        (wanted.since is not None, t.created_at >= (wanted.since or 0)),
        (wanted.until is not None, t.created_at < (wanted.until or 0)),
        (wanted.due == "none", t.first_due_at.is_(None) & t.solve_due_at.is_(None)),
    ]
    found = [condition for given, condition in asked if given]
    if wanted.tag:
        found.append(select(TicketTag.name).where(TicketTag.ticket_id == t.id, _tagged(wanted)).exists())
    if wanted.text:
        found.append(ticket_search.each(session, wanted.text))
    return found


def _newest(wanted: Filter) -> bool:
    plain = replace(wanted, text="")
    return not plain.narrowed and plain.view == "all" and plain.order == "changed"


def _tagged(wanted: Filter) -> ColumnElement[bool]:
    return TicketTag.name == wanted.tag


def _few(session: Session, wanted: Filter) -> list[str] | None:
    """The ids that one of the filters leaves, if those are few; None where each leaves many."""
    for asked in _narrowing(wanted, session.info["workspace"]):
        some = asked.with_only_columns(literal(1).label("one")).limit(FEW + 1).subquery()
        if (session.scalar(select(func.count()).select_from(some)) or 0) <= FEW:  # told by an index alone
            return list(session.scalars(asked))
    return None


def _narrowing(wanted: Filter, place: str) -> list[Select[Any]]:
    # Of the table, without its workspace: `of_few` sees to that, and these have an index of their own.
    one = select(t.id)
    asked: list[Select[Any]] = []
    if wanted.customer:
        asked.append(one.where(t.customer_id == wanted.customer))
    if wanted.tag:
        asked.append(select(TicketTag.ticket_id).where(_tagged(wanted)))
    if wanted.topic:
        asked.append(one.where(t.topic_id == wanted.topic))
    owners = care_legs.owners(wanted)
    if owners and wanted.order in ("made", "due", "priority"):
        asked.append(one.where(t.workspace_id == place, or_(*owners), *care_legs.with_status(wanted)))
    return asked
