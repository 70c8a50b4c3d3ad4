"""Lists and searches of a million tickets, on SQLite and PostgreSQL: as the queue asks for them, and as a whole page.

Each sort of question is asked many times with other words, agents and teams; what is told is the 95th percentile of
each sort. Aims: 100 ms on PostgreSQL, 300 ms on SQLite.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

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


@contextmanager
def sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        yield f"sqlite:///{folder}/bench.db"


@contextmanager
def postgresql() -> Iterator[str]:
    with PostgreSQL() as server:
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
    told = {name: {"p50": round(quantile(one["ms"], 0.5), 1), "p95": round(quantile(one["ms"], 0.95), 1),
                   "rows": one["rows"]} for name, one in asked.items()}  # fmt: skip
    return {"tickets": count, "fill_seconds": round(seconds), "p50": round(quantile(every, 0.5), 1),
            "p95": round(quantile(every, 0.95), 1), "load": round(os.getloadavg()[0], 1), "kinds": told}  # fmt: skip


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
    took, rows = [], 0
    for number in range(-1, ROUNDS):
        me = made.agents[number % len(made.agents)]
        with database.read(data.PLACE) as session:
            began = time.perf_counter()
            teams = care_book.my_teams(session, me)
            wanted, _wrong = care_filter.read({"view": view, **ask(max(number, 0))}, "UTC", me, teams)
            found, _mark = care_book.listed(session, wanted, None, made.now)
            if number >= 0:
                took.append((time.perf_counter() - began) * 1000)
                rows += len(found)
    return {"ms": took, "rows": round(rows / ROUNDS, 1)}


def lines(name: str, found: dict[str, Any]) -> list[str]:
    """The table."""
    told = [f"Lists and searches on {name}, {found['tickets']:,} tickets: milliseconds, median and 95th percentile"]
    for kind, one in found["kinds"].items():
        told.append(f"    {kind:40} {one['p50']:8.1f} {one['p95']:8.1f}   {one['rows']:5.1f} rows")
    whole = f"    {'of all these questions':40} {found['p50']:8.1f} {found['p95']:8.1f}"
    return [*told, f"{whole}   at most {AIMS[name]}; load average {found['load']}"]
