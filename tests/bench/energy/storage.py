"""What readings take in the database: bytes each, beside a plain row for each, on SQLite and PostgreSQL.

Meters are made up as real ones are: whole watt-hours or impulses of a counter, with nights, mornings and chance. What
is measured is the database's own size, with its keys and indexes, after the readings went in by `readings.write`.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.orm import Session

from models.base import Base
from models.meter import COUNTER, INTERVAL, Meter, ReadingDay
from models.session import EVERYONE, Database
from models.workspace import Workspace
from tasks.metering import readings
from tasks.metering.usage import Readings
from tests.servers import PostgreSQL

DAY = 86_400
START = 19_000 * DAY
HUNDRED_MILLIONS = 100_000_000
PEER = MetaData()
ROWS = Table(  # the shortest usual table of readings: a number for the meter, and no id of its own
    "plain_reading", PEER,
    Column("meter", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip


@dataclass(frozen=True)
class Sort:
    """One sort of meter: how long its steps are, and what its values look like."""

    name: str
    step: int
    kind: str
    days: int  # written of one meter
    plain_days: int  # as plain rows, which take their time


SORTS = (
    Sort("quarter hours, whole Wh", 900, INTERVAL, 730, 180),
    Sort("hours, whole Wh", 3600, INTERVAL, 730, 365),
    Sort("quarter hours, a counter in 10 Wh", 900, COUNTER, 730, 180),
    Sort("minutes, a counter in Wh", 60, COUNTER, 120, 20),
)


def made(sort: Sort, days: int, seed: int) -> Readings:
    """A household of about 3,500 kWh a year."""
    times = START + np.arange(0, days * DAY, sort.step, dtype=np.int64)
    hour = times % DAY / 3600
    shape = 0.15 + 0.4 * np.exp(-0.5 * ((hour - 7.5) / 1.5) ** 2) + 0.8 * np.exp(-0.5 * ((hour - 19) / 2.5) ** 2)
    watts = 1000 * shape * np.random.default_rng(seed).lognormal(0, 0.5, len(times))
    hours = np.rint(watts * sort.step / 3600).astype(np.int64)
    if sort.kind == INTERVAL:
        return Readings(times, hours * 1000)
    unit = 10 if sort.step == 900 else 1
    return Readings(times, np.cumsum(hours) // unit * unit * 1000)


def measure(quick: bool) -> dict[str, Any]:
    """Everything, on each database that is here."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        found["sqlite"] = on(f"sqlite:///{folder}/bench.db", quick)
    if PostgreSQL.missing():
        print("PostgreSQL is not installed: its part is left out.")
        return found
    with PostgreSQL() as server:
        found["postgresql"] = on(server.url, quick)
    return found


def on(url: str, quick: bool) -> dict[str, Any]:
    """On one database."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    PEER.create_all(database.engine)
    try:
        with database.write(EVERYONE) as session:
            session.add(Workspace(id="w", name="Bench"))
        told = {sort.name: of_sort(database, sort, quick) for sort in SORTS}
        return told | {"month": month(database)}
    finally:
        database.close()


def of_sort(database: Database, sort: Sort, quick: bool) -> dict[str, Any]:
    """Bytes and time of one sort of meter."""
    meters = 2 if quick else 6
    count, seconds = 0, 0.0
    with grown(database, "reading_day") as bytes_of:
        for number in range(meters):
            given = made(sort, sort.days, number)
            began = time.perf_counter()
            with database.write(EVERYONE) as session:
                meter = Meter(name=f"{sort.name} {number}", kind=sort.kind, workspace_id="w")
                session.add(meter)
                session.flush()
                readings.write(session, meter, given)
            seconds += time.perf_counter() - began
            count += len(given.times)
        packed = bytes_of() / count
    plain, plain_seconds, plain_count = as_rows(database, sort, meters)
    return {
        "readings": count, "bytes": round(packed, 2), "plain_bytes": round(plain, 1),
        "gigabytes_for_100_million": round(packed * HUNDRED_MILLIONS / 1e9, 2),
        "a_second": round(count / seconds), "plain_a_second": round(plain_count / plain_seconds),
    }  # fmt: skip


def as_rows(database: Database, sort: Sort, meters: int) -> tuple[float, float, int]:
    """The same readings as a row each: bytes of one, seconds, how many."""
    seconds, count = 0.0, 0
    with grown(database, "plain_reading") as bytes_of:
        for number in range(meters):
            given = made(sort, sort.plain_days, number)
            meter = SORTS.index(sort) * 1000 + number
            rows = [
                {"meter": meter, "at": at, "value": value}
                for at, value in zip(given.times.tolist(), given.values.tolist(), strict=True)
            ]
            began = time.perf_counter()
            with database.begin() as connection:
                connection.execute(insert(ROWS), rows)
            seconds += time.perf_counter() - began
            count += len(rows)
        return bytes_of() / count, seconds, count


@contextmanager
def grown(database: Database, table: str) -> Iterator[Callable[[], int]]:
    """By how much a table grew, its indexes with it."""
    before = size(database, table)
    yield lambda: size(database, table) - before


def size(database: Database, table: str) -> int:
    """Bytes of a table: on SQLite of the whole file, in which nothing else grows meanwhile."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "sqlite":
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            return int(pages * connection.execute(text("PRAGMA page_size")).scalar_one())
        connection.execute(text(f"VACUUM ANALYZE {table}"))
        return int(connection.execute(text(f"SELECT pg_total_relation_size('{table}')")).scalar_one())


def month(database: Database) -> dict[str, Any]:
    """A month of quarter hours out of two years: how long, and by which index."""
    with database.read(EVERYONE) as session:
        meter = session.scalars(select(Meter).where(Meter.name == f"{SORTS[0].name} 1")).one()
        start = START + 400 * DAY
        took = []
        for _ in range(30):
            began = time.perf_counter()
            found = readings.read(session, meter.id, start, start + 30 * DAY)
            took.append(time.perf_counter() - began)
        return {"readings": len(found.times), "ms": round(sorted(took)[15] * 1000, 2), "plan": plan(session, meter.id)}


def plan(session: Session, meter_id: str) -> str:
    """What the database says how it would look for a month."""
    day = cast(Table, ReadingDay.__table__)
    asked = select(day.c.packed).where(day.c.meter_id == meter_id, day.c.day >= 19_400, day.c.day <= 19_429)
    compiled = asked.order_by(day.c.day).compile(session.connection(), compile_kwargs={"literal_binds": True})
    how = "EXPLAIN QUERY PLAN" if session.connection().dialect.name == "sqlite" else "EXPLAIN"
    lines = session.execute(text(f"{how} {compiled}")).all()
    return " ".join(next(str(row[-1]) for row in lines if "eading_day" in str(row[-1])).split())


def lines(figures: dict[str, Any]) -> list[str]:
    """The table."""
    told = ["Readings in the database: bytes each, as packed days and as plain rows (extrapolated to 100 million)"]
    for name in ("sqlite", "postgresql"):
        if not (found := figures.get(name)):
            continue
        told.append(f"  {name}")
        for sort in SORTS:
            one = found[sort.name]
            size = (
                f"{one['bytes']:5.2f} B (plain {one['plain_bytes']:5.1f}), {one['gigabytes_for_100_million']:5.2f} GB"
            )
            told.append(f"    {sort.name:36} {size}; {one['a_second']:,} written a second ({one['plain_a_second']:,})")
        told.append(f"    a month of quarter hours: {found['month']['ms']:.2f} ms; {found['month']['plan']}")
    return told
