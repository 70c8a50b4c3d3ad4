"""A made-up desk: a workspace with teams, agents, customers and very many tickets, their words as usual as real ones.

Words are drawn by Zipf's law out of 20,000, so that some stand in a third of all tickets and most in a few. Nine in ten
tickets are closed, as after years. All of it is drawn from one seed.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from models import full_text
from models.account import Account
from models.desk import Desk, Policy, Team, TeamMember, Topic
from models.ticket import ANSWER, QUESTION, Customer, Ticket, TicketEvent, TicketMessage, TicketWords
from models.workspace import Membership, Workspace
from tests.bench.scans_data import ids
from tests.bench.scans_load import bulk, load

SEED = 6
PLACE = "w" * 28
HOUR, DAY = 3_600_000, 86_400_000
STATUSES = {"closed": 0.9, "solved": 0.03, "open": 0.03, "new": 0.01, "waiting": 0.02, "hold": 0.008, "reopened": 0.002}
AT_WORK = ("new", "open", "reopened")
VOCABULARY, WORDS = 20_000, 25  # words in all, and in a ticket
CUSTOMERS, TEAMS, AGENTS, TOPICS = 50_000, 10, 50, 30
PART = 100_000  # tickets made at once
SYLLABLES = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su", "ta", "ve", "wi", "xo",
    "zu", "bra", "cle", "dri", "flo", "gru",
]  # fmt: skip
POSTGRESQL = ("SET maintenance_work_mem = '512MB'", full_text.POSTGRESQL[1])
SQLITE = (  # what the triggers do, for all rows at once
    f"INSERT INTO {full_text.PLACES}(ticket_id) SELECT ticket_id FROM ticket_words ORDER BY ticket_id",
    f"INSERT INTO {full_text.FTS}(rowid, workspace, words) SELECT p.place, w.workspace_id, w.words"
    f" FROM {full_text.PLACES} p JOIN ticket_words w ON w.ticket_id = p.ticket_id ORDER BY p.place",
    *full_text.SQLITE[2:],
)
WEEK = {"week": [[[540, 720], [780, 1080]]] * 5 + [[]] * 2}


@dataclass(frozen=True)
class Made:
    """What questions are asked of it: words from the most usual to the rarest, agents, teams, customers' addresses."""

    words: list[str]
    agents: list[str]
    teams: list[str]
    customers: list[str]
    count: int
    now: int


def vocabulary() -> list[str]:
    """Words that are told apart, the most usual first; shorter than a name and longer than a sign."""
    size = len(SYLLABLES)
    found = []
    for number in range(VOCABULARY):
        first, rest = divmod(number, size)
        second, third = divmod(first, size)
        found.append(SYLLABLES[rest] + SYLLABLES[second % size] + SYLLABLES[third % size] + SYLLABLES[number % 7])
    return _unique(found)


def _unique(words: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    told = []
    for word in words:
        seen[word] = seen.get(word, -1) + 1
        told.append(word if not seen[word] else word + SYLLABLES[seen[word] % len(SYLLABLES)] * seen[word])
    return told


def fill(engine: Engine, count: int, now: int, share: dict[str, float] | None = None, words: bool = True) -> Made:
    """Make the desk and `count` tickets, oldest first, over four years until `now`."""
    chance = np.random.default_rng(SEED)
    made = Made(vocabulary(), ids("a", AGENTS), ids("t", TEAMS), [f"c{n}@example.org" for n in range(CUSTOMERS)],
                count, now)  # fmt: skip
    _desk(engine, made)
    with bulk(engine, Customer, Ticket, TicketWords), _without_full_text(engine):
        load(engine, Customer, CUSTOMERS, id=ids("c", CUSTOMERS), workspace_id=PLACE, email=made.customers,
             name=[f"Customer {n}" for n in range(CUSTOMERS)])  # fmt: skip
        for first in range(0, count, PART):
            _tickets(engine, made, chance, first, min(PART, count - first), share or STATUSES, words)
    return made


def talk(engine: Engine, made: Made) -> None:
    """What was said and done: of each ticket a question, two answers and four events."""
    tickets, at = ids("i", made.count), made.now - 30 * DAY
    with bulk(engine, TicketMessage, TicketEvent):
        for number, kind in enumerate((QUESTION, ANSWER, ANSWER)):
            load(engine, TicketMessage, made.count, id=ids(f"m{number}", made.count), workspace_id=PLACE, kind=kind,
                 ticket_id=tickets, text="It does not work any more. " * 8, source="mail", at=at + number * HOUR,
                 account_id=None if kind == QUESTION else made.agents[0])  # fmt: skip
        for number, what in enumerate(("opened", "status", "team", "priority")):
            load(engine, TicketEvent, made.count, id=ids(f"e{number}", made.count), workspace_id=PLACE, what=what,
                 ticket_id=tickets, before="new", after="open", at=at + number * HOUR)  # fmt: skip


def _desk(engine: Engine, made: Made) -> None:
    load(engine, Workspace, 1, id=PLACE, name="Bench", time_zone="Europe/Berlin", currency="EUR")
    load(engine, Desk, 1, workspace_id=PLACE, name="Bench", slug="bench", next_number=made.count + 1)
    load(engine, Team, TEAMS, id=made.teams, workspace_id=PLACE, name=[f"Team {n}" for n in range(TEAMS)],
         time_zone="Europe/Berlin", hours=_json(WEEK), holidays="DE-BY")  # fmt: skip
    load(engine, Topic, TOPICS, id=ids("k", TOPICS), workspace_id=PLACE, name=[f"Topic {n}" for n in range(TOPICS)])
    load(engine, Policy, 4, id=ids("p", 4), workspace_id=PLACE, name=[f"Priority {n}" for n in range(1, 5)],
         position=list(range(4)), priority=[1, 2, 3, 4], first_minutes=[30, 60, 240, 480],
         solve_minutes=[240, 480, 1440, 2400])  # fmt: skip
    load(engine, Account, AGENTS, id=made.agents, email=[f"agent{n}@example.org" for n in range(AGENTS)],
         name=[f"Agent {n}" for n in range(AGENTS)], time_zone="Europe/Berlin", confirmed_at=1)  # fmt: skip
    load(engine, Membership, AGENTS, workspace_id=PLACE, account_id=made.agents, role="lead")
    load(engine, TeamMember, AGENTS, workspace_id=PLACE, account_id=made.agents,
         team_id=[made.teams[n % TEAMS] for n in range(AGENTS)], lead=[n < TEAMS for n in range(AGENTS)])  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value)


def _without_full_text(engine: Engine) -> Any:
    """As the other indexes: made once all rows stand."""

    @contextmanager
    def held() -> Iterator[None]:
        postgresql = engine.dialect.name == "postgresql"
        triggers = [f"DROP TRIGGER {full_text.FTS}_{name}" for name in ("in", "of", "out")]
        with engine.begin() as connection:
            for statement in [f"DROP INDEX {full_text.INDEX}"] if postgresql else triggers:
                connection.exec_driver_sql(statement)
        yield
        with engine.begin() as connection:
            for statement in POSTGRESQL if postgresql else SQLITE:
                connection.exec_driver_sql(statement)

    return held()


def _tickets(
    engine: Engine,
    made: Made,
    chance: np.random.Generator,
    first: int,
    count: int,
    share: dict[str, float],
    words: bool,
) -> None:
    numbers = np.arange(first, first + count)
    created = made.now - 4 * 365 * DAY + (numbers * (4 * 365 * DAY / made.count)).astype(np.int64)
    status = chance.choice(list(share), count, p=list(share.values())).tolist()
    changed = np.minimum(created + chance.integers(0, 20 * DAY, count), made.now)
    runs = [each in AT_WORK for each in status]
    done = [each in ("closed", "solved") for each in status]
    due = made.now + chance.integers(-2 * HOUR, 5 * DAY, count)
    named = ids("i", made.count)[first : first + count] if first + count <= made.count else []
    load(
        engine, Ticket, count, id=named, workspace_id=PLACE, number=(numbers + 1).tolist(),
        subject=[f"Ticket {n}" for n in numbers.tolist()], source="mail", version=1, links_version=1,
        customer_id=[f"c{n:027x}" for n in chance.integers(0, CUSTOMERS, count).tolist()],
        topic_id=[f"k{n:027x}" for n in chance.integers(0, TOPICS, count).tolist()],
        priority=chance.choice([1, 2, 3, 4], count, p=[0.05, 0.15, 0.6, 0.2]).tolist(), status=status,
        team_id=[made.teams[n] for n in chance.integers(0, TEAMS, count).tolist()],
        assignee_id=[made.agents[n] if n < AGENTS else None for n in chance.integers(0, AGENTS + 5, count).tolist()],
        created_at=created.tolist(), changed_at=changed.tolist(), heard_at=created.tolist(),
        clock_at=[at if each else None for at, each in zip(created.tolist(), runs, strict=True)],
        answered_at=[at if each else None for at, each in zip((created + HOUR).tolist(), done, strict=True)],
        solved_at=[at if each else None for at, each in zip(changed.tolist(), done, strict=True)],
        solve_due_at=[at if each else None for at, each in zip(due.tolist(), runs, strict=True)],
        first_due_at=[at if each else None for at, each in zip((due - HOUR).tolist(), runs, strict=True)],
        next_mark_at=[at if each else None for at, each in zip((made.now + due % DAY).tolist(), runs, strict=True)],
    )  # fmt: skip
    if not words:
        return
    said = [f" {' '.join(row)} " for row in _words(made.words, chance, count)]
    load(engine, TicketWords, count, ticket_id=named, workspace_id=PLACE, words=said)


def _words(vocabulary: list[str], chance: np.random.Generator, count: int) -> Iterator[list[str]]:
    """The words of tickets: of rank r about as often as 1 / r."""
    chances = 1 / (np.arange(VOCABULARY) + 3.0)
    upto: NDArray[np.float64] = np.cumsum(chances / chances.sum())
    drawn = np.searchsorted(upto, chance.random((count, WORDS)))
    known = np.array(vocabulary, dtype=object)
    for row in known[np.minimum(drawn, VOCABULARY - 1)]:
        yield row.tolist()
