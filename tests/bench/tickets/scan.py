"""The scan of 100,000 open tickets beside the query that one would write by hand and the reckoning of business time.

Two cases: all 100,000 have a mark behind them, as after a long night, so that each is reckoned; and one in a hundred
has, as in a usual minute. By hand is one query with a cursor of the driver's own, plus two due times for each row at
200,000 a second. The scan's look may take 1.5 times that.
"""

import time
from typing import Any

from sqlalchemy import text

from models.base import Base, clock
from models.session import EVERYONE, Database
from tasks.care import marks
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
    """The query by hand and the scan's look in turns; the medians."""
    with database.begin() as connection:
        connection.execute(ARMED, {"now": now, "every": every})
    hand, look = [], []
    rows = seen = 0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        rows = _by_hand(database, now)
        hand.append(time.perf_counter() - began)
        began = time.perf_counter()
        with database.read(EVERYONE) as session:
            seen = len(marks.look(session, now))
        look.append(time.perf_counter() - began)
    query, took = sorted(hand)[ROUNDS // 2], sorted(look)[ROUNDS // 2]
    allowed = query + 2 * rows / A_SECOND
    return {
        "rows": rows, "seen": seen, "query_ms": round(query * 1000, 1), "look_ms": round(took * 1000, 1),
        "allowed_ms": round(allowed * 1000, 1), "ratio": round(took / allowed, 2),
    }  # fmt: skip


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
    told = [f"The scan of open tickets: its look beside the query by hand and the reckoning at {A_SECOND:,} a second"]
    for name in ("sqlite", "postgresql"):
        for case, one in figures.get(name, {}).items():
            told.append(
                f"    {name:10} {case:20} {one['rows']:7,} rows: query {one['query_ms']:8.1f} ms, look"
                f" {one['look_ms']:8.1f} ms; {one['ratio']:.2f} times query and reckoning (at most {MOST})"
            )
    return told
