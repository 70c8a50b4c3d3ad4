"""The marks of tickets' deadlines: at 50, 75 and 100 % of either time, each told once.

A ticket knows when its next mark comes (`next_mark_at`), so a look asks one index for those that are due; these alone
are reckoned, some hundreds at once. What is told is an alert for each deadline of a ticket, with levels 1 to 3. It ends
when the deadline was met; one of another deadline (its policy, priority or topic changed) ends without a word, and the
next mark opens the next episode. While the clock stands still nothing moves.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from models.alert import FIRING, PENDING, Alert
from models.base import new_id
from models.engine import again
from models.session import EVERYONE
from models.ticket import AT_WORK, Ticket, TicketEvent
from models.workspace import CARE
from tasks.alerting import alerts
from tasks.alerting.alerts import Count, Sight
from tasks.alerting.open_alerts import Key, some_of
from tasks.care import audience, clocks, history, mark_words
from tasks.care.apart import Apart
from tasks.care.clocks import Standing

FIRST, SOLVE = "first", "solve"
RULES = {FIRST: "first answer", SOLVE: "solution"}  # of the alerts
LEVELS = {50: 1, 75: 2, 100: 3}
MOST = 100_000  # of one look; the next one goes on
AT_ONCE = 500  # tickets of one transaction
Opens = Callable[[], AbstractContextManager[Session]]
table = cast(Table, Ticket.__table__)
WRITE = (
    update(table)
    .where(table.c.id == bindparam("of"))
    .values(first_mark=bindparam("one"), solve_mark=bindparam("other"), next_mark_at=bindparam("then"))
)

KNOWN = ("number", "subject", "assignee_id", "status")  # of a ticket, beside its clock
ROWS = select(*(table.c[each.key] for each in clocks.COLUMNS), *(table.c[name] for name in KNOWN)).where(
    table.c.id.in_(bindparam("some", expanding=True, literal_execute=True))  # 500 parameters take twice as long
)


@dataclass(frozen=True, slots=True)
class Ended:
    """An open alert that is to end: its deadline was met ("met"), or it is another one now, or gone ("gone")."""

    rule: str
    workspace: str
    ticket: str
    how: str


def look(session: Session, now: int, workspace: str = "") -> list[str]:
    """The ids of tickets with a mark behind them that was not told; of one workspace, or of all that the session sees.

    Which mark it is, and whether it still is, is reckoned once their rows are held (`tell`), and only then.
    """
    due = select(Ticket.id).where(Ticket.next_mark_at <= now, Ticket.status.in_(AT_WORK))
    if workspace:
        due = due.where(Ticket.workspace_id == workspace)
    return list(session.scalars(due.order_by(Ticket.next_mark_at).limit(MOST)))


def ended(session: Session, workspace: str = "") -> list[Ended]:
    """The open alerts whose deadline is over, or is not what it was."""
    wanted = (
        Alert.rule, Alert.workspace_id, Alert.subject, Alert.cause, Ticket.id, Ticket.first_minutes,
        Ticket.solve_minutes, Ticket.answered_at, Ticket.solve_taken, Ticket.first_mark, Ticket.solve_mark,
        Ticket.merged_into_id,
    )  # fmt: skip
    asked = select(*wanted).outerjoin(Ticket, Ticket.id == Alert.subject)
    asked = asked.where(Alert.rule.in_(RULES.values()), Alert.state.in_((PENDING, FIRING)))
    rows = session.execute(asked.where(Alert.workspace_id == workspace) if workspace else asked)
    return [Ended(row.rule, row.workspace_id, row.subject, how) for row in rows if (how := _over(row))]


def _over(row: Any) -> str:
    if row.id is None or row.merged_into_id is not None:
        return "gone"
    first = row.rule == RULES[FIRST]
    minutes, met, mark = (
        (row.first_minutes, row.answered_at or row.solve_taken, row.first_mark)
        if first
        else (row.solve_minutes, row.solve_taken, row.solve_mark)
    )
    if met is not None:
        return "met"
    return "gone" if minutes is None or row.cause != str(minutes) or not mark else ""


def scan(read: Opens, write: Opens, now: int, apart: Apart, workspace: str = "") -> tuple[int, Count]:
    """Tell the marks that are due, and end the alerts that are over; how many tickets, and what came of it."""
    with read() as session:
        due, over = look(session, now, workspace), ended(session, workspace)
    counts, known = list[Count](), clocks.Known()
    for some in some_of(due):
        counts += apart.each(some, _whose(read, some), partial(_told, write, now, known), Count())
    for part in _parts(over):
        counts += apart.each(part, lambda one: one.workspace, partial(_settled, write, now), Count())
    return len(due), sum(counts, Count())


def _whose(read: Opens, ids: Collection[str]) -> Callable[[str], str]:
    """The workspaces of these tickets, which are asked for once, and only in trouble."""

    @cache
    def places() -> dict[str, str]:
        with read() as session:
            asked = select(Ticket.id, Ticket.workspace_id).where(Ticket.id.in_(ids))
            return {row.id: row.workspace_id for row in session.execute(asked)}

    return lambda ticket: places().get(ticket, "")


def _parts(over: list[Ended]) -> Iterator[list[Ended]]:
    for start in range(0, len(over), AT_ONCE):
        yield over[start : start + AT_ONCE]


@again
def _told(write: Opens, now: int, known: clocks.Known, ids: Sequence[str]) -> Count:
    with write() as session:
        return tell(session, ids, now, known)


@again
def _settled(write: Opens, now: int, over: Sequence[Ended]) -> Count:
    with write() as session:
        return settle(session, over, now)


def tell(session: Session, ids: Collection[str], now: int, known: clocks.Known | None = None) -> Count:
    """Look again at these tickets, now that nobody else writes them, and tell what they reached.

    Args:
        known: the hours and policies that were read in this scan.
    """
    mine = _held(session, ids)
    standings = {each.ticket_id: each for each in clocks.standings(session, mine, now, known)} if mine else {}
    due = [row for row in mine if row.next_mark_at is not None and row.next_mark_at <= now]
    alerts.lock(session, {row.workspace_id for row in due})
    people = audience.of(session, {row.workspace_id for row in due}, now)
    words = mark_words.Names(session, due, now)
    reached = [(row, standings[row.id]) for row in due]
    _write(session, reached, now)
    total = Count()
    for kind, rule in RULES.items():
        sights = [
            _sight(kind, row, percent, people[row.workspace_id], words)
            for row, standing in reached
            if (percent := getattr(standing, kind)) > getattr(row, f"{kind}_mark")
        ]
        if sights:
            total += alerts.settle(session, CARE, rule, sights)
    return total


def _held(session: Session, ids: Collection[str]) -> list[Any]:
    """Their rows, which are ours until the commit; only those whose clock still runs."""
    mine = Ticket.id.in_(ids)
    lock = update(Ticket).where(mine).values(version=Ticket.version).execution_options(synchronize_session=False)
    session.execute(lock)
    return rows(session, ids)


def rows(session: Session, ids: Collection[str]) -> list[Any]:
    """What is to be known of tickets, of those whose clock runs.

    By their ids alone: asked for the status as well, SQLite would look through all tickets of these statuses. Of the
    table itself, which takes half the time of mapped columns, and is not narrowed by the session: so it says its place.
    """
    place = session.info["workspace"]
    asked = ROWS if place == EVERYONE else ROWS.where(table.c.workspace_id == place)
    return [row for row in session.execute(asked, {"some": list(ids)}).all() if row[-1] in AT_WORK]


def _write(session: Session, reached: list[tuple[Any, Standing]], now: int) -> None:
    """The marks, and when the next one comes; a line of history for each that was passed."""
    values, events = [], []
    for row, standing in reached:
        one, other = max(row.first_mark, standing.first), max(row.solve_mark, standing.solve)
        values.append({"of": row.id, "one": one, "other": other, "then": standing.next_mark_at})
        for kind, before, after in ((FIRST, row.first_mark, one), (SOLVE, row.solve_mark, other)):
            if after > before:
                events.append(_event(row, kind, after, now))
    if values:
        session.execute(WRITE, values)
    if events:
        session.execute(insert(TicketEvent), events)


def _event(row: Any, kind: str, mark: int, now: int) -> Mapping[str, Any]:
    return {
        "id": new_id(), "workspace_id": row.workspace_id, "ticket_id": row.id, "what": history.MARK, "before": kind,
        "after": str(mark), "account_id": None, "why": "", "version": row.version, "at": now,
    }  # fmt: skip


def _sight(kind: str, row: Any, percent: int, people: audience.Audience, names: "mark_words.Names") -> Sight:
    level = LEVELS[percent]
    minutes = row.first_minutes if kind == FIRST else row.solve_minutes
    return Sight(
        row.workspace_id, row.id, level, cause=str(minutes), title=mark_words.title(kind, row, percent),
        text=mark_words.text(kind, row, percent, names), link=f"/care/{row.number}",
        to=people.to(row.team_id, row.assignee_id, level),
    )  # fmt: skip


def settle(session: Session, over: Sequence[Ended], now: int) -> Count:
    """End these alerts: with a word to those who were told where the deadline was met."""
    alerts.lock(session, {each.workspace for each in over})
    people = audience.of(session, {each.workspace for each in over}, now)
    levels = _levels(session, over)
    total = Count()
    for kind, rule in RULES.items():
        mine = [each for each in over if each.rule == rule and (each.workspace, each.ticket) in levels[rule]]
        gone: list[Key] = [(each.workspace, each.ticket) for each in mine if each.how == "gone"]
        tickets = {row.id: row for row in _met(session, [each.ticket for each in mine if each.how == "met"])}
        sights = [_end(kind, row, people[row.workspace_id], *levels[rule][row.workspace_id, row.id])
                  for row in tickets.values()]  # fmt: skip
        if sights or gone:
            total += alerts.settle(session, CARE, rule, sights, gone)
    return total


def _met(session: Session, ids: list[str]) -> list[Any]:
    wanted = (
        Ticket.id, Ticket.workspace_id, Ticket.number, Ticket.subject, Ticket.team_id, Ticket.assignee_id,
        Ticket.answered_at, Ticket.solve_taken,
    )  # fmt: skip
    asked = select(*wanted).where(Ticket.id.in_(ids))
    return [row for row in session.execute(asked) if row.answered_at is not None or row.solve_taken is not None]


def _levels(session: Session, over: Sequence[Ended]) -> dict[str, dict[Key, tuple[int, str]]]:
    """The level and cause of those that are still open."""
    found: dict[str, dict[Key, tuple[int, str]]] = {rule: {} for rule in RULES.values()}
    asked = select(Alert.rule, Alert.workspace_id, Alert.subject, Alert.level, Alert.cause)
    asked = asked.where(Alert.state.in_((PENDING, FIRING)), Alert.subject.in_([each.ticket for each in over]))
    for rule, place, subject, level, cause in session.execute(asked.where(Alert.rule.in_(found))):
        found[rule][place, subject] = (level, cause)
    return found


def _end(kind: str, row: Any, people: audience.Audience, level: int, cause: str) -> Sight:
    return Sight(
        row.workspace_id, row.id, 0, clear=True, cause=cause, end=mark_words.end(kind, row),
        to=people.to(row.team_id, row.assignee_id, level),
    )  # fmt: skip
