"""The reports' numbers out of the database: a few statements that read columns, summed by `report_sums`.

Tickets that were merged into others count nowhere. Each ticket counts with the team, agent, topic and priority that it
has now, and with its last solution. What a span needs was changed since it began, or is open: nothing else is read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.account import Account
from models.desk import Team, Topic
from models.ticket import AT_WORK, CLOSED, DONE, REOPENED, STATUSES, Rating, Ticket, TicketEvent
from tasks.care import report_sums as sums
from tasks.care.report_asked import NONE, Asked, Span
from tasks.care.report_sums import Columns, Part, Votes

TOGETHER = 20_000  # rows in one piece
FEW = 10
DIMENSIONS = ("team", "agent", "topic", "priority", "source")
PRIORITIES = ("Urgent", "High", "Normal", "Low")
SOURCES = {"web": "Web", "mail": "Mail", "api": "API", "chat": "Chat", "phone": "Phone", "import": "Import"}
BY: dict[str, InstrumentedAttribute[Any]] = {
    "team": Ticket.team_id, "agent": Ticket.assignee_id, "topic": Ticket.topic_id, "priority": Ticket.priority,
    "source": Ticket.source,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A group's key in filters, what people call it, and its numbers."""

    key: str
    name: str
    part: Part


@dataclass(frozen=True, slots=True)
class Words:
    """What a customer wrote with a rating."""

    number: int
    subject: str
    score: int
    words: str
    at: int


@dataclass(frozen=True, slots=True)
class Report:
    """All of a page: of the whole span, of its parts, by each of `DIMENSIONS`, and of now.

    Attributes:
        ages: open ones of each status by age; `busiest`: opened by weekday and hour.
        closed, answered: tickets that were solved in the span and are closed, and how many of these were rated.
        reopened: number, subject and how often, the worst first.
    """

    asked: Asked
    now: int
    whole: Part
    parts: list[Part]
    by: dict[str, list[Named]]
    ages: dict[str, list[int]]
    busiest: list[list[int]]
    closed: int
    answered: int
    words: list[Words]
    reopened: list[tuple[int, str, int]]


class _Codes(dict[Any, int]):
    """Names to numbers, in the order in which they are met."""

    def __missing__(self, key: Any) -> int:
        self[key] = len(self)
        return self[key]


def report(session: Session, asked: Asked, now: int) -> Report:
    """Everything at once, narrowed to the session's workspace."""
    span = asked.span
    codes = {name: _Codes() for name in DIMENSIONS}
    tickets = columns(session, asked, codes)
    votes = _votes(session, asked, codes)
    again, at = _reopened(session, asked, codes)
    names = {name: list(found) for name, found in codes.items()} | {"status": list(STATUSES)}
    tickets = sums.renamed(tickets, tickets.by, names)
    called = {name: _called(session, name, names[name]) for name in DIMENSIONS}
    closed, answered = _response(session, asked)
    ready = sums.done(tickets, span)
    return Report(
        asked, now, sums.total(tickets, ready, votes, len(at), span, now),
        sums.over_time(tickets, ready, votes, at, span, now),
        {name: _named(called[name], names[name], sums.groups(tickets, ready, votes, again[name], name, span, now))
         for name in DIMENSIONS},
        dict(zip(STATUSES, sums.by_age(tickets, now).tolist(), strict=True)), sums.busiest(tickets, span).tolist(),
        closed, answered, _words(session, asked), _often(session, asked),
    )  # fmt: skip


def chosen(asked: Asked) -> list[ColumnElement[bool]]:
    """What a ticket must be to count."""
    wanted: list[ColumnElement[bool]] = [Ticket.merged_into_id.is_(None)]
    for name, column in BY.items():
        value = getattr(asked, name)
        if value:
            wanted.append(column.is_(None) if value == NONE else column == value)
    return wanted


def concerned(span: Span) -> ColumnElement[bool]:
    """Whether a ticket can have anything to do with a span: it was changed since that began, or it is open."""
    return or_(Ticket.changed_at >= span.start, Ticket.status.not_in(DONE))


def columns(session: Session, asked: Asked, codes: dict[str, "_Codes"]) -> Columns:
    """The tickets' columns, read in pieces: two reads that each have an index, and no ticket in both.

    Past the ORM, which would double the time; so the workspace is asked for here.
    """
    mine = Ticket.workspace_id == session.info["workspace"]
    met = Ticket.changed_at >= asked.span.start
    older = and_(Ticket.changed_at < asked.span.start, Ticket.status.in_([s for s in STATUSES if s not in DONE]))
    pieces: list[tuple[npt.NDArray[Any], ...]] = []
    statuses = {status: code for code, status in enumerate(STATUSES)}
    for part in (met, older):
        asked_for = select(*_numbers(), Ticket.status, *BY.values()).where(mine, part, *chosen(asked))
        answer = session.connection().execute(asked_for.execution_options(yield_per=TOGETHER))
        for rows in answer.partitions():
            found = list(zip(*rows, strict=True))
            kinds = [statuses, *(codes[name] for name in BY)]
            coded = zip(kinds, found[-len(kinds) :], strict=True)
            pieces.append(
                (*(np.array(each, np.int64) for each in found[: -len(kinds)]),
                 *(np.fromiter(map(kind.__getitem__, each), np.int32, len(each)) for kind, each in coded))
            )  # fmt: skip
    return _columns([sums.joined(each) for each in zip(*pieces, strict=True)] if pieces else [])


def _numbers() -> list[ColumnElement[Any]]:
    """In the order of `Columns`; -1 where there is none."""
    over = case((Ticket.status.in_(DONE), func.coalesce(Ticket.solved_at, Ticket.closed_at, -1)), else_=-1)
    plain = (Ticket.first_due_at, Ticket.solve_due_at, Ticket.first_taken, Ticket.solve_taken)
    return [
        Ticket.created_at.expression, func.coalesce(Ticket.answered_at, -1), over,
        *(func.coalesce(column, -1) for column in plain),
        *(case((column.is_(True), 1), (column.is_(False), 0), else_=-1)
          for column in (Ticket.first_in_time, Ticket.solve_in_time)),
    ]  # fmt: skip


def _columns(found: Sequence[npt.NDArray[Any]]) -> Columns:
    found = found or [np.empty(0, np.int64)] * (10 + len(BY))
    status = found[9].astype(np.int32)
    running = np.isin(status, [STATUSES.index(each) for each in AT_WORK])
    over = np.isin(status, [STATUSES.index(each) for each in DONE])
    by = dict(zip(BY, (each.astype(np.int32) for each in found[10:]), strict=True))
    created, answered, solved, first_due, solve_due, first_taken, solve_taken = found[:7]
    first_in, solve_in = (each.astype(np.int32) for each in found[7:9])
    return Columns(
        created, answered, solved, first_due, solve_due, first_taken, solve_taken, first_in, solve_in,
        running, ~over, status, by, {},
    )  # fmt: skip


def _votes(session: Session, asked: Asked, codes: dict[str, "_Codes"]) -> Votes:
    wanted = (Rating.at >= asked.span.start, Rating.at < asked.span.end, *chosen(asked))
    rows = session.execute(select(Rating.score, Rating.at, *BY.values()).join(Ticket, _rated()).where(*wanted)).all()
    found = list(zip(*rows, strict=True)) or [()] * (2 + len(BY))
    by = {name: _coded(codes[name], each) for name, each in zip(BY, found[2:], strict=True)}
    return Votes(np.array(found[0], np.int32), np.array(found[1], np.int64), by)


def _rated() -> ColumnElement[bool]:
    return Rating.ticket_id == Ticket.id


def _coded(codes: "_Codes", values: Iterable[Any]) -> npt.NDArray[np.int32]:
    return np.fromiter(map(codes.__getitem__, values), np.int32)


def _reopened(
    session: Session, asked: Asked, codes: dict[str, "_Codes"]
) -> tuple[dict[str, npt.NDArray[np.int32]], npt.NDArray[np.int64]]:
    """When tickets were reopened in the span, and of what kinds they are. Few are: asked for by the tickets."""
    span = asked.span
    event = and_(
        TicketEvent.ticket_id == Ticket.id, TicketEvent.what == "status", TicketEvent.after == REOPENED,
        TicketEvent.at >= span.start, TicketEvent.at < span.end,
    )  # fmt: skip
    wanted = (Ticket.reopened > 0, Ticket.changed_at >= span.start, *chosen(asked))
    rows = session.execute(select(TicketEvent.at, *BY.values()).join(Ticket, event).where(*wanted)).all()
    found = list(zip(*rows, strict=True)) or [()] * (1 + len(BY))
    by = {name: _coded(codes[name], each) for name, each in zip(BY, found[1:], strict=True)}
    return by, np.array(found[0], np.int64)


def _response(session: Session, asked: Asked) -> tuple[int, int]:
    """How many tickets were solved in the span and are closed, so that somebody was asked; and how many were rated."""
    span = asked.span
    over = func.coalesce(Ticket.solved_at, Ticket.closed_at)
    when = (Ticket.status == CLOSED, Ticket.changed_at >= span.start, over >= span.start, over < span.end)
    counted = select(func.count(Ticket.id), func.count(Rating.ticket_id)).outerjoin(Rating, _rated())
    closed, rated = session.execute(counted.select_from(Ticket).where(*when, *chosen(asked))).one()
    return int(closed), int(rated)


def _words(session: Session, asked: Asked) -> list[Words]:
    """What customers wrote, the latest first."""
    wanted = (Rating.at >= asked.span.start, Rating.at < asked.span.end, Rating.words != "", *chosen(asked))
    found = select(Ticket.number, Ticket.subject, Rating.score, Rating.words, Rating.at).join(Ticket, _rated())
    return [Words(*row) for row in session.execute(found.where(*wanted).order_by(Rating.at.desc()).limit(FEW * 2))]


def _often(session: Session, asked: Asked) -> list[tuple[int, str, int]]:
    wanted = (Ticket.reopened > 0, Ticket.changed_at >= asked.span.start, Ticket.created_at < asked.span.end)
    found = select(Ticket.number, Ticket.subject, Ticket.reopened).where(*wanted, *chosen(asked))
    rows = session.execute(found.order_by(Ticket.reopened.desc(), Ticket.number.desc()).limit(FEW))
    return [(number, subject, many) for number, subject, many in rows]


def _called(session: Session, name: str, keys: Iterable[Any]) -> dict[Any, str]:
    """What people call the values of a column."""
    if name == "priority":
        return dict(enumerate(PRIORITIES, 1))
    if name == "source":
        return dict(SOURCES)
    if name == "agent":
        return dict(_names_of(session, [key for key in keys if key]))
    table = Team if name == "team" else Topic
    return {key: each for key, each in session.execute(select(table.id, table.name))}  # noqa: C416


def _names_of(session: Session, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Accounts, some at a time: databases bound how many values a question has."""
    for at in range(0, len(ids), 500):
        wanted = select(Account.id, Account.name).where(Account.id.in_(ids[at : at + 500]))
        yield from ((key, name) for key, name in session.execute(wanted))


def _named(called: dict[Any, str], keys: Sequence[Any], parts: Sequence[Part]) -> list[Named]:
    """With their names, those that did anything, in the order of their names; without one comes last."""
    found = [
        Named(NONE if key is None else str(key), "" if key is None else called.get(key, str(key)), part)
        for key, part in zip(keys, parts, strict=True)
        if part.opened or part.solved or part.backlog or part.rated or part.first.judged or part.solve.judged
    ]
    return sorted(found, key=lambda one: (one.key == NONE, one.key if one.key.isdigit() else one.name.casefold()))
