"""Many tickets' clocks at once: for the scan of marks, and after hours or policies changed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Table, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from models.desk import Policy, Team
from models.session import touch
from models.ticket import AT_WORK, STOPPED, Ticket
from tasks.care import hours, policies

if TYPE_CHECKING:
    from tasks.care.reckoning import Clocks

PORTION = 5_000
MINUTE = 60_000
COLUMNS = (
    Ticket.id, Ticket.workspace_id, Ticket.team_id, Ticket.topic_id, Ticket.priority, Ticket.policy_id,
    Ticket.first_minutes, Ticket.solve_minutes, Ticket.spent, Ticket.clock_at, Ticket.first_due_at,
    Ticket.solve_due_at, Ticket.first_mark, Ticket.solve_mark, Ticket.next_mark_at, Ticket.answered_at,
    Ticket.solve_taken, Ticket.version,
)  # fmt: skip
WRITTEN = (
    "policy_id", "first_minutes", "solve_minutes", "first_due_at", "solve_due_at", "first_mark", "solve_mark",
    "next_mark_at",
)  # fmt: skip
NO_POLICY: tuple[str | None, int | None, int | None] = (None, None, None)
_AS_IT_IS = itemgetter(*([column.key for column in COLUMNS].index(name) for name in WRITTEN))
_NEW = tuple(f"new_{name}" for name in WRITTEN)


class Standing(NamedTuple):
    """How a ticket stands now: the marks reached (0, 50, 75, 100), and when the next one comes once these are told."""

    ticket_id: str
    first: int
    solve: int
    next_mark_at: int | None


class Portion(NamedTuple):
    """What was looked at, what moved, and after which id to go on (None: that was all)."""

    seen: int
    moved: int
    after: str | None


class Rules:
    """What holds in a workspace now: read once, asked for every ticket. Hours that are the same are one object."""

    def __init__(self, session: Session, workspace_id: str) -> None:
        self.offered = policies.ordered(session, workspace_id)
        self.around = {policy.id for policy in self.offered if policy.around_the_clock}
        mine = select(Team).where(Team.workspace_id == workspace_id)
        teams = session.scalars(mine.order_by(Team.created_at, Team.id)).all()
        same: dict[hours.Hours, hours.Hours] = {}
        self.hours = {team.id: same.setdefault(held, held) for team in teams for held in [hours.of(team)]}
        self.first_team = teams[0].id if teams else ""
        self._found: dict[tuple[int, str | None], Policy | None] = {}

    def hours_of(self, policy_id: str | None, team_id: str | None) -> hours.Hours:
        if policy_id in self.around:
            return hours.ALWAYS
        return self.hours.get(team_id or "") or self.hours.get(self.first_team, hours.ALWAYS)

    def policy(self, priority: int, topic_id: str | None) -> Policy | None:
        key = (priority, topic_id)
        if key not in self._found:
            self._found[key] = policies.first(self.offered, *key)
        return self._found[key]


class Known:
    """The rules of workspaces, each read when it is first asked for: for the length of a scan, whose next one, a minute
    later, reads them anew."""

    def __init__(self) -> None:
        self._rules: dict[str, Rules] = {}

    def of(self, session: Session, workspace_id: str) -> Rules:
        if workspace_id not in self._rules:
            self._rules[workspace_id] = Rules(session, workspace_id)
        return self._rules[workspace_id]


def gathered(rows: Sequence[Any]) -> "Clocks":
    """Tickets, or rows with `COLUMNS`, as arrays. A deadline that was met allows nothing any more."""
    return _clocks(_columns(rows))


def _columns(rows: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    """Their values by name; of rows all at once, which is several times quicker than asking each for each."""
    if rows and isinstance(rows[0], Row):
        return dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
    return {column.key: [getattr(row, column.key) for row in rows] for column in COLUMNS}


def _clocks(columns: Mapping[str, Sequence[Any]]) -> "Clocks":
    import numpy as np

    from tasks.care.reckoning import NONE, Clocks

    def of(values: list[int]) -> Any:
        return np.array(values, dtype=np.int64)

    def allowed(minutes: str, met: str) -> Any:
        return of([_allowed(*each) for each in zip(columns[minutes], columns[met], strict=True)])

    return Clocks(
        spent=of([each or 0 for each in columns["spent"]]),
        at=of([NONE if each is None else each for each in columns["clock_at"]]),
        first=allowed("first_minutes", "answered_at"),
        solve=allowed("solve_minutes", "solve_taken"),
        first_mark=of([each or 0 for each in columns["first_mark"]]),
        solve_mark=of([each or 0 for each in columns["solve_mark"]]),
    )


def _allowed(minutes: int | None, met: int | None) -> int:
    return -1 if minutes is None or met is not None else minutes * MINUTE


def standings(session: Session, rows: Sequence[Any], now: int, known: Known | None = None) -> list[Standing]:
    """How tickets stand, in their order: a few queries for all of them, then arithmetic.

    Args:
        rows: Tickets, or rows with `COLUMNS`; of any workspaces.
        known: the rules that were read before.
    """
    import numpy as np

    columns = _columns(rows)
    clocks = _clocks(columns)
    found = np.zeros((3, len(rows)), dtype=np.int64)
    for held, places in alike(_held(session, columns, known or Known())):
        found[:, places] = _stand(clocks.of(places), held, now)
    first, solve, moments = found.tolist()
    return list(map(Standing, columns["id"], first, solve, map(_moment, moments)))


def _held(session: Session, columns: Mapping[str, Sequence[Any]], known: Known) -> list[hours.Hours]:
    """The hours that count for each."""
    rules = list(zip(columns["workspace_id"], columns["policy_id"], columns["team_id"], strict=True))
    found = {each: known.of(session, each[0]).hours_of(each[1], each[2]) for each in set(rules)}
    return [found[each] for each in rules]


def alike(held: Sequence[hours.Hours]) -> Iterator[tuple[hours.Hours, list[int]]]:
    """The places where the hours are the same object: to compare what they are would cost more than all the rest."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, name in enumerate(map(id, held)):
        places[name].append(place)
    for mine in places.values():
        yield held[mine[0]], mine


def _stand(clocks: "Clocks", held: hours.Hours, now: int) -> tuple[Any, Any, Any]:
    """[n] the marks of either deadline that were reached, and [n] when the next one comes."""
    import numpy as np

    from tasks.care import reckoning

    running = clocks.at[clocks.at != reckoning.NONE]
    time = hours.working_time(held, now, int(running.min()) if len(running) else now)
    first, solve = reckoning.reached(clocks, time, now)
    told = replace(
        clocks, first_mark=np.maximum(clocks.first_mark, first), solve_mark=np.maximum(clocks.solve_mark, solve)
    )
    return first, solve, reckoning.next_marks(told, time)


def _time(rows: Sequence[Any], held: hours.Hours, now: int) -> Any:
    since = min((row.clock_at for row in rows if row.clock_at is not None), default=now)
    return hours.working_time(held, now, since)


def _moment(at: int) -> int | None:
    return None if at < 0 else at


def portion(
    session: Session, workspace_id: str, now: int, team_id: str | None = None, after: str = "", size: int = PORTION
) -> Portion:
    """Open tickets in the order of their ids: policy, deadlines and marks by what holds now. What moved is written.

    A ticket that somebody changed meanwhile is left as they left it.
    """
    rows = session.execute(_open(workspace_id, team_id, after, size)).all()
    rules = Rules(session, workspace_id)
    fitted = [rules.policy(row.priority, row.topic_id) for row in rows]
    held = [
        rules.hours_of(policy.id if policy else None, row.team_id) for row, policy in zip(rows, fitted, strict=True)
    ]
    moved = []
    for same, places in alike(held):
        moved += _moved([rows[i] for i in places], [fitted[i] for i in places], same, now)
    if moved:
        session.execute(writing(workspace_id), moved)
        touch(session, Ticket, workspace_id)
    return Portion(len(rows), len(moved), rows[-1].id if len(rows) == size else None)


def _open(workspace_id: str, team_id: str | None, after: str, size: int) -> Any:
    """A team's tickets, and those without one: they go by the first team's hours."""
    wanted = and_(Ticket.workspace_id == workspace_id, Ticket.status.in_((*AT_WORK, *STOPPED)), Ticket.id > after)
    if team_id is not None:
        wanted = and_(wanted, or_(Ticket.team_id == team_id, Ticket.team_id.is_(None)))
    return select(*COLUMNS).where(wanted).order_by(Ticket.id).limit(size)


def _moved(
    rows: Sequence[Row[Any]], fitted: Sequence[Policy | None], held: hours.Hours, now: int
) -> list[Mapping[str, Any]]:
    """Those that are not as they should be, as parameters of `writing`."""
    import numpy as np

    from tasks.care import reckoning

    minutes = [(policy.id, policy.first_minutes, policy.solve_minutes) if policy else NO_POLICY for policy in fitted]
    clocks, time = _allowing(rows, minutes), _time(rows, held, now)
    first, solve = reckoning.reached(clocks, time, now)
    first_mark = np.where(clocks.first == reckoning.NONE, clocks.first_mark, np.minimum(clocks.first_mark, first))
    solve_mark = np.where(clocks.solve == reckoning.NONE, clocks.solve_mark, np.minimum(clocks.solve_mark, solve))
    armed = replace(clocks, first_mark=first_mark, solve_mark=solve_mark)
    columns = (*reckoning.dues(armed, time), first_mark, solve_mark, reckoning.next_marks(armed, time))
    found: list[Mapping[str, Any]] = []
    for row, policy, due, solve_due, *rest in zip(rows, minutes, *(each.tolist() for each in columns), strict=True):
        wanted = (*policy, _kept(due, row.first_due_at, row.answered_at, policy[1] == row.first_minutes, now),
                  _kept(solve_due, row.solve_due_at, row.solve_taken, policy[2] == row.solve_minutes, now),
                  *rest[:2], _moment(rest[2]))  # fmt: skip
        if wanted != _AS_IT_IS(row):
            found.append(seen(row) | dict(zip(_NEW, wanted, strict=True)))
    return found


def _allowing(rows: Sequence[Row[Any]], minutes: Sequence[tuple[str | None, int | None, int | None]]) -> "Clocks":
    """The rows' clocks, with what the policies that fit now allow."""
    import numpy as np

    first = [_allowed(each[1], row.answered_at) for row, each in zip(rows, minutes, strict=True)]
    solve = [_allowed(each[2], row.solve_taken) for row, each in zip(rows, minutes, strict=True)]
    return replace(gathered(rows), first=np.array(first, dtype=np.int64), solve=np.array(solve, dtype=np.int64))


def _kept(due: int, before: int | None, met: int | None, same: bool, now: int) -> int | None:
    """A due time; of a deadline that was met, or that is over by the `same` minutes, as it was."""
    over = same and before is not None and before <= now and 0 <= due <= now
    return before if met is not None or over else _moment(due)


def seen(row: Row[Any]) -> dict[str, Any]:
    return {
        "of": row.id, "seen_version": row.version, "seen_spent": row.spent,
        "seen_clock": -1 if row.clock_at is None else row.clock_at,
        "seen_first": row.first_mark, "seen_solve": row.solve_mark,
    }  # fmt: skip


def writing(workspace_id: str) -> Any:
    """On the table itself, which is not narrowed by the session: so it says its workspace."""
    table = Ticket.__table__
    assert isinstance(table, Table)  # for the types
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in WRITTEN}
    return update(table).where(unchanged(table, workspace_id)).values(values)


def unchanged(table: Table, workspace_id: str) -> ColumnElement[bool]:
    """Whether a row is as it was `seen`."""
    columns = table.c
    return and_(
        columns.workspace_id == workspace_id,
        columns.id == bindparam("of"),
        columns.version == bindparam("seen_version"),
        columns.spent == bindparam("seen_spent"),
        func.coalesce(columns.clock_at, -1) == bindparam("seen_clock"),
        columns.first_mark == bindparam("seen_first"),
        columns.solve_mark == bindparam("seen_solve"),
    )
