"""The scan of 100,000 open tickets beside the query that one would write by hand and the reckoning of business time.

Two cases: all 100,000 have a mark behind them, as after a long night, so that each is reckoned; and one in a hundred
has, as in a usual minute. By hand is one query with a cursor of the driver's own, plus two due times for each row at
200,000 a second. The scan is the look for their ids, and of each portion the rows and how they stand: which marks they
reached, and when the next ones come. It may take 1.5 times that. What it then writes (marks, history, alerts, notices)
has no counterpart by hand and is left out, as is the lock of the rows.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import text

from models.base import Base, clock
from models.session import EVERYONE, Database
from tasks.alerting.open_alerts import some_of
from tasks.care import clocks, marks
from tests.bench.scans_load import loading
from tests.bench.tickets import data, search
from tests.servers import PostgreSQL

COUNT, QUICK, ROUNDS = 100_000, 10_000, 5
A_SECOND = 200_000
MOST = 1.5
BY_HAND = (
    "SELECT id, workspace_id, team_id, topic_id, priority, policy_id, first_minutes, solve_minutes, spent, clock_at,"
    " first_mark, solve_mark, next_mark_at, answered_at, version FROM ticket"
    " WHERE next_mark_at <= {now} AND status IN ('new', 'open', 'reopened') ORDER BY next_mark_at"
)
ARMED = text(
    "UPDATE ticket SET first_minutes = 240, solve_minutes = 2400, spent = 0, first_mark = 0, solve_mark = 0,"
    " clock_at = :now - (number % 40) * 3600000,"
    " next_mark_at = CASE WHEN number % :every = 0 THEN :now - number ELSE :now + 60000 + number END"
)
T = TypeVar("T")
CASES = {"all of them due": 1, "one in a hundred due": 100}


def measure(quick: bool) -> dict[str, Any]:
    """On each database that is here."""
    found: dict[str, Any] = {}
    for name, server in (("sqlite", search.sqlite), ("postgresql", search.postgresql)):
        if name == "postgresql" and PostgreSQL.missing():
            print("PostgreSQL is not installed: its part is left out.")
            continue
        with server() as url:
            found[name] = on(url, QUICK if quick else COUNT)
    return found


def on(url: str, count: int) -> dict[str, Any]:
    """On one database, case by case."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    with database.look() as connection:
        now = clock(connection)
    database.close()
    quick = Database(url)
    loading(quick.engine)
    data.fill(quick.engine, count, now, {"open": 0.8, "new": 0.15, "reopened": 0.05}, words=False)
    quick.close()
    database = Database(url)
    try:
        return {name: of_case(database, now, every) for name, every in CASES.items()}
    finally:
        database.close()


def of_case(database: Database, now: int, every: int) -> dict[str, Any]:
    """The query by hand and the scan's look with its reckoning, in turns; the medians."""
    with database.begin() as connection:
        connection.execute(ARMED, {"now": now, "every": every})
    hand, look, whole = list[Taken](), list[Taken](), list[Taken]()
    rows = reached = 0
    for _ in range(ROUNDS):
        took, rows = _timed(lambda: _by_hand(database, now))
        hand.append(took)
        took, ids = _timed(lambda: _look(database, now))
        look.append(took)
        more, reached = _timed(partial(_reckoned, database, ids, now))
        whole.append(Taken(took.wall + more.wall, took.processor + more.processor))
    found: dict[str, Any] = {"rows": rows, "reached": reached}
    for clock_, place in (("", 0), ("processor_", 1)):
        query, looked, scan = (sorted(one[place] for one in each)[ROUNDS // 2] for each in (hand, look, whole))
        found |= {
            f"{clock_}{name}": round(value * 1000, 1)
            for name, value in (("query_ms", query), ("look_ms", looked), ("scan_ms", scan))
        }
        found[f"{clock_}ratio"] = round(scan / (query + 2 * rows / A_SECOND), 2)
    return found


class Taken(NamedTuple):
    """Seconds: on the wall's clock, and of our own process's work, which a busy machine does not lengthen."""

    wall: float
    processor: float


def _timed(work: Callable[[], T]) -> tuple[Taken, T]:
    began, worked = time.perf_counter(), time.process_time()
    found = work()
    return Taken(time.perf_counter() - began, time.process_time() - worked), found


def _look(database: Database, now: int) -> list[str]:
    with database.read(EVERYONE) as session:
        return marks.look(session, now)


def _reckoned(database: Database, ids: list[str], now: int) -> int:
    """What the scan does with them, portion by portion, but for locks and what it writes; how many reached a mark."""
    count, rules = 0, clocks.Known()
    for some in some_of(ids):
        with database.read(EVERYONE) as session:
            found = clocks.standings(session, marks.rows(session, some), now, rules)
            count += sum(max(each.first, each.solve) > 0 for each in found)
    return count


def _by_hand(database: Database, now: int) -> int:
    raw = database.engine.raw_connection()
    try:
        cursor: Any = raw.cursor()
        cursor.execute(BY_HAND.format(now=now))
        return len(cursor.fetchall())
    finally:
        raw.rollback()
        raw.close()


def lines(figures: dict[str, Any]) -> list[str]:
    """The table."""
    told = [f"The scan of open tickets beside the query by hand and the reckoning at {A_SECOND:,} due times a second"]
    for name in ("sqlite", "postgresql"):
        for case, one in figures.get(name, {}).items():
            told.append(
                f"    {name:10} {case:20} {one['rows']:7,} rows: query {one['query_ms']:8.1f} ms, look"
                f" {one['look_ms']:8.1f} ms, with reckoning {one['scan_ms']:8.1f} ms;"
                f" {one['ratio']:.2f} times query and reckoning by hand (at most {MOST})"
            )
            if name == "sqlite":  # which works in our own process
                told.append(f"{'':32} by the processor's time alone: {one['processor_ratio']:.2f} times")
    return told
