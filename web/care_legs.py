"""The legs of a list of tickets: one for each status (and owner) that it shows, as an index of models/ticket.py is.

Each leg is sorted already where the database finds it, so that a page of a million tickets costs a page of each leg.
The legs ask the table itself and name their workspace: what narrows a session would let SQLite, which has no
statistics, go through all of the workspace where a better index is at hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, case, or_, select

from models.ticket import HIGH, LOW, NORMAL, STATUSES, URGENT, Ticket
from web.care_filter import NOBODY, Filter

Condition = ColumnElement[bool]
t = cast(Table, Ticket.__table__).c
FIRST_IS_NEXT = (
    t.answered_at.is_(None)
    & t.first_due_at.is_not(None)
    & or_(t.solve_due_at.is_(None), t.first_due_at <= t.solve_due_at)
)
SOLUTION_IS_NEXT = t.solve_due_at.is_not(None) & or_(
    t.answered_at.is_not(None), t.first_due_at.is_(None), t.first_due_at > t.solve_due_at
)
next_due: ColumnElement[int | None] = case((FIRST_IS_NEXT, t.first_due_at), else_=t.solve_due_at)
NOBODYS: Condition = t.assignee_id.is_(None)
# How each order sorts before the id, and whether from the largest to the smallest.
COLUMNS: dict[str, tuple[Any, ...]] = {
    "changed": (t.changed_at,), "oldest": (t.changed_at,), "made": (t.created_at,),
    "due": (next_due,), "priority": (t.priority, t.changed_at),
}  # fmt: skip
DOWN: dict[str, tuple[bool, ...]] = {
    "changed": (True,), "oldest": (False,), "made": (True,), "due": (False,), "priority": (False, True),
}  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """Where a page ended: what its last ticket is sorted by, and its id."""

    keys: tuple[int, ...]
    id: str


@dataclass(frozen=True)
class Leg:
    """Tickets that stand in order in one index.

    Attributes:
        where: what they have in common.
        columns: what they are sorted by; the order's, or the one of them that the index has.
        empty: columns that are NULL throughout; sorted by first, or PostgreSQL does not see that the index fits.
        first: the value of the first column, where all have the same.
    """

    where: tuple[Condition, ...]
    columns: tuple[Any, ...]
    empty: tuple[Any, ...] = ()
    first: int | None = None

    def page(self, more: Sequence[Condition], down: tuple[bool, ...], after: Mark | None, size: int) -> Select[Any]:
        """Ids and keys of those that fulfil `more`, behind a mark."""
        keys = [column.label(f"key{at}") for at, column in enumerate(self.columns)]
        asked = select(t.id, *keys).where(*self.where, *more)
        if after is not None and self.first is None:
            asked = asked.where(_behind(self.columns, down, after))
        elif after is not None and self.first == after.keys[0]:
            asked = asked.where(_behind(self.columns[1:], down[1:], Mark(after.keys[1:], after.id)))
        still = [way(column, down[-1]) for column in self.empty]
        return asked.order_by(*still, *ways(self.columns, down), way(t.id, down[-1])).limit(size)


def way(column: Any, falls: bool) -> ColumnElement[Any]:
    made: ColumnElement[Any] = column.desc() if falls else column.asc()
    return made


def ways(columns: Sequence[Any], down: Sequence[bool]) -> list[ColumnElement[Any]]:
    return [way(column, falls) for column, falls in zip(columns, down, strict=True)]


def _behind(columns: Sequence[Any], down: Sequence[bool], after: Mark) -> Condition:
    """Written so that the first column bounds the index."""
    found: Condition = t.id < after.id if down[-1] else t.id > after.id
    for column, falls, value in reversed(list(zip(columns, down, after.keys, strict=True))):
        past, level = (column < value, column <= value) if falls else (column > value, column >= value)
        found = level & (past | found)
    return found


def of(wanted: Filter, now: int, place: str) -> list[Leg]:
    """All legs of a workspace's list; none where it can only be empty."""
    return [replace(leg, where=(t.workspace_id == place, *leg.where)) for leg in _legs(wanted, now)]


def of_few(wanted: Filter, now: int, place: str | None, ids: Any) -> Leg:
    """The list's tickets among these: their ids, or a question for them (of the workspace alone: no place)."""
    due = (next_due.is_not(None), *latest(wanted, now)) if wanted.order == "due" else ()
    here = () if place is None else (t.workspace_id.concat("") == place,)  # no index is looked for: the ids have one
    status = [t.status.concat("").in_(wanted.statuses)] if with_status(wanted) else []  # nor here
    return Leg((t.id.in_(ids), *here, *_owned(wanted), *status, *due), COLUMNS[wanted.order])


def _legs(wanted: Filter, now: int) -> list[Leg]:
    if not wanted.statuses or (wanted.view == "team" and not owners(wanted)):
        return []
    if wanted.order == "due":
        return _by_due(wanted, now)
    columns = COLUMNS[wanted.order]
    if wanted.order == "made" or wanted.text:
        return [_whole(wanted)]
    if wanted.order == "priority":
        return _by_priority(wanted)
    who: list[tuple[Condition, ...]] = [(each,) for each in owners(wanted)]
    if wanted.priority and not who:
        who = [(t.priority == wanted.priority,)]
    if not who and wanted.statuses == STATUSES:
        return [Leg((), columns)]
    return [
        Leg((t.status == status, *whose), columns, _empty(whose))
        for status, whose in product(wanted.statuses, who or [()])
    ]


def _by_priority(wanted: Filter) -> list[Leg]:
    offered = (wanted.priority,) if wanted.priority else (URGENT, HIGH, NORMAL, LOW)
    who: list[tuple[Condition, ...]] = [(each,) for each in owners(wanted)] or [()]
    return [
        Leg((t.status == status, t.priority == priority, *whose), COLUMNS["priority"], _empty(whose), priority)
        for status, priority, whose in product(wanted.statuses, offered, who)
    ]


def _whole(wanted: Filter) -> Leg:
    """The same tickets as one leg, for few of them or for an index that has neither status nor owner."""
    return Leg((*_owned(wanted), *with_status(wanted)), COLUMNS[wanted.order])


def owners(wanted: Filter) -> list[Condition]:
    """Whose tickets are shown: one condition for each owner; none where that is no matter."""
    if wanted.view == "mine":
        return [t.assignee_id == wanted.me]
    if wanted.view == "nobody":
        return [NOBODYS]
    if wanted.view == "team":
        return [t.team_id == team for team in wanted.teams if wanted.team in ("", team)]
    if wanted.assignee:
        return [assigned(wanted)]
    return [t.team_id == wanted.team] if wanted.team else []


def assigned(wanted: Filter) -> Condition:
    return NOBODYS if wanted.assignee == NOBODY else t.assignee_id == wanted.assignee


def with_status(wanted: Filter) -> list[Condition]:
    return [t.status.in_(wanted.statuses)] if wanted.statuses != STATUSES else []


def _owned(wanted: Filter) -> list[Condition]:
    found = owners(wanted)
    return [or_(*found)] if found else []


def _empty(whose: tuple[Condition, ...]) -> tuple[Any, ...]:
    return (t.assignee_id,) if any(each is NOBODYS for each in whose) else ()


def latest(wanted: Filter, now: int, column: Any = next_due) -> tuple[Condition, ...]:
    """Up to when something has to be due to be shown."""
    return () if wanted.ahead is None else (column <= now + wanted.ahead,)


def _by_due(wanted: Filter, now: int) -> list[Leg]:
    """Once by first answers, once by solutions: each ticket stands in one of the two."""
    first = (FIRST_IS_NEXT, *latest(wanted, now, t.first_due_at))
    solution = (SOLUTION_IS_NEXT, *latest(wanted, now, t.solve_due_at))
    found = []
    for status in wanted.statuses:
        alike = (t.status == status, *_owned(wanted))
        found.append(Leg((*alike, *first), (t.first_due_at,), (t.answered_at,)))
        found.append(Leg((*alike, *solution), (t.solve_due_at,)))
    return found
