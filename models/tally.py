"""Counters that only grow, for /metrics: kept in a table, so that they outlive processes and the rows they counted.

Whoever does something rare adds it in its own transaction. What happens all the time (runs that end) is counted by
beat afterwards, from the runs, up to a watermark that one conditional UPDATE moves: many beats count each run once.
"""

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, case, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base import clock
from models.run import END_STATES, FAILED, SUCCEEDED, Pulse, Run, RunEvent, Tally
from models.statements import Executor, changed

COUNTED = "counted"  # the pulse whose time is the watermark
LAG_MS = 10_000  # a transaction writes its time down before it commits; one that takes longer is not counted
DURATION_S = (0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 86400)
WAIT_S = (0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)
INF = "+Inf"
run, event = cast(Table, Run.__table__), cast(Table, RunEvent.__table__)


def labelled(**labels: str) -> str:
    """Labels as one key; read back by `labels_of`. Values are names of ours, in which no comma stands."""
    return ",".join(f"{name}={value}" for name, value in labels.items())


def labels_of(key: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in key.split(",")) if key else {}


def add(session: Executor, name: str, labels: str = "", amount: float = 1) -> None:
    """Let a counter grow, in the caller's transaction."""
    grow = update(Tally).where(Tally.name == name, Tally.labels == labels).values(value=Tally.value + amount)
    grow = grow.execution_options(synchronize_session=False)
    if changed(session, grow):
        return
    try:
        with session.begin_nested():
            session.execute(insert(Tally).values(name=name, labels=labels, value=amount))
    except IntegrityError:  # somebody else was first
        session.execute(grow)


def read(session: Session) -> dict[str, list[tuple[dict[str, str], float]]]:
    """All counters by name, each with its labels and value."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for row in session.execute(select(Tally.name, Tally.labels, Tally.value).order_by(Tally.name, Tally.labels)):
        found.setdefault(row.name, []).append((labels_of(row.labels), row.value))
    return found


def roll_up(session: Session) -> bool:
    """Count what ended since the last time; False when another beat did, or it is too early."""
    now = clock(session)
    since = session.scalar(select(Pulse.at).where(Pulse.name == COUNTED))
    until = now - LAG_MS
    if since is None:
        since = _first(session)
    if since is None or 0 <= until - since < 1000:
        return False
    mine = update(Pulse).where(Pulse.name == COUNTED, Pulse.at == since).values(at=until)
    if not changed(session, mine.execution_options(synchronize_session=False)):
        return False
    if since < until:  # else the clock was set back
        _count_runs(session, since, until)
        _count_events(session, since, until)
    return True


def _first(session: Session) -> int | None:
    try:
        with session.begin_nested():
            session.execute(insert(Pulse).values(name=COUNTED, at=0))
    except IntegrityError:
        return None
    return 0


def _count_runs(session: Session, since: int, until: int) -> None:
    took = run.c.finished_at - run.c.started_at
    waited = case((run.c.started_at > run.c.due_at, run.c.started_at - run.c.due_at), else_=0)
    worked = run.c.started_at.is_not(None)
    timed = worked & run.c.state.in_((SUCCEEDED, FAILED))
    columns = [*_histogram("took", took, timed, DURATION_S), *_histogram("waited", waited, worked, WAIT_S)]
    ended = (run.c.state.in_(END_STATES), run.c.finished_at > since, run.c.finished_at <= until)
    keys = (run.c.kind, run.c.queue, run.c.state)
    for row in session.execute(select(*keys, func.count().label("runs"), *columns).where(*ended).group_by(*keys)):
        add(session, "runs_ended", labelled(job=row.kind, outcome=row.state), row.runs)
        _add_histogram(session, "run_duration", "job", row.kind, row._mapping, "took", DURATION_S)
        _add_histogram(session, "run_wait", "queue", row.queue, row._mapping, "waited", WAIT_S)


def _histogram(
    name: str, value: ColumnElement[Any], counts: ColumnElement[bool], bounds: Iterable[float]
) -> list[ColumnElement[Any]]:
    """Columns: how many are within each bound, how many in all, and their sum in milliseconds."""
    within = [
        func.sum(case((counts & (value <= int(bound * 1000)), 1), else_=0)).label(f"{name}_{bound}") for bound in bounds
    ]
    all_of_them = func.sum(case((counts, 1), else_=0)).label(f"{name}_{INF}")
    return [*within, all_of_them, func.sum(case((counts, value), else_=0)).label(f"{name}_ms")]


def _add_histogram(
    session: Session, name: str, label: str, of: str, row: Any, column: str, bounds: Iterable[float]
) -> None:
    """Each bucket is kept by itself, without those below it, so that one run grows one row."""
    below = 0
    for bound in (*bounds, INF):
        count = int(row[f"{column}_{bound}"])
        if count > below:
            add(session, f"{name}_bucket", labelled(**{label: of, "le": str(bound)}), count - below)
        below = count
    add(session, f"{name}_seconds", labelled(**{label: of}), int(row[f"{column}_ms"]) / 1000)


def _count_events(session: Session, since: int, until: int) -> None:
    """What is unusual: tries again, handed back, retried … An event's id begins with its time, in microseconds."""
    later, sooner = (f"{moment * 1000:014x}" for moment in (since, until))
    told = select(run.c.kind, event.c.what, func.count().label("events")).join(run, run.c.id == event.c.run_id)
    told = told.where(event.c.id >= later, event.c.id < sooner).group_by(run.c.kind, event.c.what)
    for row in session.execute(told):
        add(session, "run_events", labelled(job=row.kind, event=row.what.replace(" ", "_")), row.events)
