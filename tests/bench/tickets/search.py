"""Lists and searches of a million tickets, on SQLite and PostgreSQL: as the queue asks for them, and as a whole page.

Each sort of question is asked many times with other words, agents and teams; what is told is the 95th percentile of
each sort. Aims: 100 ms on PostgreSQL, 300 ms on SQLite. Beside it stands what the question took of a core, here and
in PostgreSQL's process: about what it takes on a machine that does nothing else and has the tables in its memory.
PostgreSQL has a quarter of 8 GB as its cache (`shared_buffers`), as its manual advises; by itself it takes 128 MB.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import Base, clock
from models.session import Database
from tests.bench.figures import quantile
from tests.bench.scans_load import loading
from tests.bench.tickets import data
from tests.bench.tickets.data import Made
from tests.servers import PostgreSQL
from web import care_book, care_filter

COUNT, QUICK = 1_000_000, 100_000
ROUNDS = 40
AIMS = {"postgresql": 100, "sqlite": 300}
Ask = Callable[[int], dict[str, str]]


def kinds(made: Made) -> dict[str, tuple[str, Ask]]:
    """Sorts of questions: the view that each begins with, and what else the n-th of them asks."""
    rank = np.random.default_rng(data.SEED).permutation

    def one_of(first: int, last: int) -> list[int]:
        return [int(n) + first for n in rank(last - first)[:ROUNDS]] * (1 + ROUNDS // max(1, last - first))

    usual, medium, rare = one_of(0, 20), one_of(200, 2_000), one_of(15_000, 20_000)
    word = made.words
    return {
        "all, last changed first": ("all", lambda n: {}),
        "mine": ("mine", lambda n: {}),
        "my team’s, most urgent first": ("team", lambda n: {"sort": "priority"}),
        "nobody’s": ("nobody", lambda n: {}),
        "overdue": ("overdue", lambda n: {}),
        "closed, of one topic": ("all", lambda n: {"status": "closed", "topic": f"k{n % data.TOPICS:027x}"}),
        "of one customer": ("all", lambda n: {"customer": made.customers[n * 997 % data.CUSTOMERS]}),
        "a word in every third to tenth": ("all", lambda n: {"q": word[usual[n]]}),
        "a word in some hundred or thousand": ("all", lambda n: {"q": word[medium[n]]}),
        "a rare word": ("all", lambda n: {"q": word[rare[n]]}),
        "two words": ("all", lambda n: {"q": f"{word[medium[n]]} {word[usual[n]]}"}),
        "a phrase": ("all", lambda n: {"q": f'"{word[usual[n]]} {word[medium[n]]}"'}),
        "a phrase of two of the most usual words": ("all", lambda n: {"q": f'"{word[usual[n]]} {word[usual[n - 3]]}"'}),
        "the beginning of a word": ("all", lambda n: {"q": word[medium[n]][:5]}),
        "a number": ("all", lambda n: {"q": f"#{n * 4999 % made.count + 1}"}),
        "a usual word among the open": ("all", lambda n: {"q": word[usual[n]], "status": "open"}),
        "a rare word among mine": ("mine", lambda n: {"q": word[rare[n]]}),
        "a word found nowhere": ("all", lambda n: {"q": f"zzyx{n}"}),
    }  # fmt: skip


def measure(name: str, quick: bool) -> dict[str, Any]:
    """Everything, on one database."""
    with {"sqlite": sqlite, "postgresql": postgresql}[name]() as url:
        return on(url, QUICK if quick else COUNT)


class Roomy(PostgreSQL):
    """With a cache that fits so many tickets."""

    def command(self) -> list[str]:
        return [*super().command(), "--shared_buffers=2GB"]


@contextmanager
def sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        yield f"sqlite:///{folder}/bench.db"


@contextmanager
def postgresql() -> Iterator[str]:
    with Roomy() as server:
        yield server.url


def on(url: str, count: int) -> dict[str, Any]:
    """On one database: how long it took to fill, and each sort of question."""
    began = time.perf_counter()
    made = filled(url, count)
    seconds = time.perf_counter() - began
    print(f"  {count:,} tickets are there after {seconds:.0f} s", flush=True)
    database = Database(url)
    try:
        asked = {name: of_kind(database, made, view, ask) for name, (view, ask) in kinds(made).items()}
    finally:
        database.close()
    every = [ms for one in asked.values() for ms in one["ms"]]
    used = [ms for one in asked.values() for ms in one["cpu"]]
    told = {name: {**_quantiles(one["ms"], one["cpu"]), "rows": one["rows"]} for name, one in asked.items()}
    return {"tickets": count, "fill_seconds": round(seconds), **_quantiles(every, used),
            "load": round(os.getloadavg()[0], 1), "kinds": told}  # fmt: skip


def _quantiles(took: list[float], used: list[float]) -> dict[str, float]:
    return {
        "p50": round(quantile(took, 0.5), 1), "p95": round(quantile(took, 0.95), 1),
        "cpu50": round(quantile(used, 0.5), 1), "cpu95": round(quantile(used, 0.95), 1),
    }  # fmt: skip


def filled(url: str, count: int) -> Made:
    """A database with the desk; loaded by an engine of its own, without keys being looked up."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    with database.look() as connection:
        now = clock(connection)
    database.close()
    quick = Database(url)
    loading(quick.engine)
    try:
        return data.fill(quick.engine, count, now)
    finally:
        quick.close()


def of_kind(database: Database, made: Made, view: str, ask: Ask) -> dict[str, Any]:
    """Milliseconds of each question of a sort, after one to warm up, and the rows found."""
    took, used, rows = [], [], 0
    for number in range(-1, ROUNDS):
        me = made.agents[number % len(made.agents)]
        with database.read(data.PLACE) as session:
            server = _server(session)
            began, before = time.perf_counter(), _cpu(server)
            teams = care_book.my_teams(session, me)
            wanted, _wrong = care_filter.read({"view": view, **ask(max(number, 0))}, "UTC", me, teams)
            found, _mark = care_book.listed(session, wanted, None, made.now)
            if number >= 0:
                took.append((time.perf_counter() - began) * 1000)
                used.append((_cpu(server) - before) / 1e6)
                rows += len(found)
    return {"ms": took, "cpu": used, "rows": round(rows / ROUNDS, 1)}


def _server(session: Session) -> Path | None:
    """Where the system tells how long PostgreSQL's process of this session has run on a core; SQLite has none."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    return Path(f"/proc/{session.scalar(select(func.pg_backend_pid()))}/schedstat")


def _cpu(server: Path | None) -> int:
    """Nanoseconds of a core so far, of this thread and of the database's process."""
    return time.thread_time_ns() + (int(server.read_text().split()[0]) if server and server.exists() else 0)


def lines(name: str, found: dict[str, Any]) -> list[str]:
    """The table."""
    told = [
        f"Lists and searches on {name}, {found['tickets']:,} tickets: milliseconds, median and 95th percentile,",
        "  from question to answer, and of a core",
    ]
    for kind, one in found["kinds"].items():
        told.append(f"    {kind:40} {_row(one)}   {one['rows']:5.1f} rows")
    whole = f"    {'of all these questions':40} {_row(found)}"
    return [*told, f"{whole}   at most {AIMS[name]}; load average {found['load']}"]


def _row(one: dict[str, Any]) -> str:
    return f"{one['p50']:8.1f} {one['p95']:8.1f}   {one['cpu50']:8.1f} {one['cpu95']:8.1f}"
