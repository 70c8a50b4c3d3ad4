"""Where a fault is played: servers, workers and beats of its own, what was accepted, and what became of it."""

import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from deploy.settings import Settings
from models.account import Account
from models.base import Base, db_now, new_id
from models.run import END_STATES, RUNNING, SUCCEEDED, Run
from models.session import EVERYONE
from models.workspace import SYSTEM, Membership, Workspace
from tasks.handover import HandedOver
from tasks.job import Job
from tests import server, servers
from tests.faults import jobs, worker
from tests.faults.processes import Beat, Process, Worker
from workers import publish
from workers.enqueue import submit
from workers.runtime import Runtime

TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB", "valkey": "Valkey",
          "redis": "Redis", "rabbitmq": "RabbitMQ"}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What a fault did. `lost` and `twice` count runs; recovered times are seconds from the fault to going again."""

    fault: int
    name: str
    on: str
    size: dict[str, int]
    seed: int
    accepted: int
    lost: int
    twice: int
    recovered_s_max: float | None
    recovered_s_median: float | None
    figures: dict[str, Any]
    ok: bool
    why: str
    seconds: float


@dataclass(frozen=True)
class Books:
    """What the tables say about the accepted runs."""

    accepted: int
    states: dict[str, int]
    missing: int  # accepted, and nowhere in the table
    without_effect: int  # succeeded, but the row that proves it is not there
    twice: int  # more than one effect
    stray: int  # an effect of a run that did not succeed
    expired: int  # running, with a lease that is over

    @property
    def lost(self) -> int:
        return self.missing + self.without_effect

    def complaints(self, settled: bool = True) -> list[str]:
        """Which invariants are broken, in words."""
        open_ = self.accepted - self.missing - sum(self.states.get(state, 0) for state in END_STATES)
        found = {
            f"{self.missing} accepted runs are gone": self.missing,
            f"{self.without_effect} runs succeeded without an effect": self.without_effect,
            f"{self.twice} runs had an effect more than once": self.twice,
            f"{self.stray} runs had an effect and did not succeed": self.stray,
            f"{self.expired} runs are running with an expired lease": self.expired if settled else 0,
            f"{open_} runs never ended": open_ if settled else 0,
        }
        return [words for words, count in found.items() if count]


@dataclass
class Stage:
    """One fault's own world. `scale` shrinks the stated sizes: 1.0 in `make faults`, 0.1 in `make test`."""

    seed: int
    scale: float
    database: str
    broker: str
    folder: Path
    rng: random.Random
    runtime: Runtime
    workspace: str
    account: str  # who owns the workspace; schedules run in somebody's name
    environment: dict[str, str]
    broker_server: server.Server
    database_server: servers.DatabaseServer | None
    accepted: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)
    processes: list[Process] = field(default_factory=list)

    @property
    def on(self) -> str:
        return titled(self.database, self.broker)

    @property
    def starts_file(self) -> Path:
        return self.folder / "starts.txt"

    def size(self, stated: int, least: int = 1) -> int:
        """A stated size at this stage's scale."""
        return max(least, round(stated * self.scale))

    # Processes ---------------------------------------------------------------------------------------------------

    def worker(
        self, name: str, processes: int = 2, queues: str = "default", more: Mapping[str, str] | None = None
    ) -> Worker:
        """Starts a worker; `until_ready()` waits for it."""
        started = Worker(name, processes, queues, {**self.environment, **(more or {})}, self.folder)
        self.processes.append(started)
        return started

    def workers(self, count: int, processes: int = 2, **more: Any) -> list[Worker]:
        """Several, when all of them are ready."""
        started = [self.worker(f"w{number}", processes, **more) for number in range(count)]
        for each in started:
            each.until_ready()
        return started

    def beat(self, name: str = "beat", more: Mapping[str, str] | None = None) -> Beat:
        """Starts a beat."""
        started = Beat(name, {**self.environment, **(more or {})}, self.folder)
        self.processes.append(started)
        return started

    # Submitting --------------------------------------------------------------------------------------------------

    def submit(self, count: int = 1, job: Job = jobs.JOB, batch: int = 1, **params: Any) -> list[str]:
        """Hands runs over as the web does, `batch` in one transaction. Accepted is what came back from the commit."""
        ids: list[str] = []
        while len(ids) < count:
            ids += self._submit_some([params] * min(batch, count - len(ids)), job)
        return ids

    def submit_each(self, many: list[dict[str, Any]], job: Job = jobs.JOB, batch: int = 1) -> list[str]:
        """The same, with params of each one's own."""
        return [one for start in range(0, len(many), batch) for one in self._submit_some(many[start:][:batch], job)]

    def _submit_some(self, many: list[dict[str, Any]], job: Job) -> list[str]:
        with self.runtime.database.write(self.workspace) as session:
            handed = [HandedOver(job.params(**params)) for params in many]
            ids = [submit(self.runtime, session, job, each, self.workspace).id for each in handed]
        self.accepted.update(ids)
        return ids

    # What became of it -------------------------------------------------------------------------------------------

    def states(self) -> Counter[str]:
        """How many runs are in which state; the machinery's own (canaries, mail) do not count."""
        with self.runtime.database.read(EVERYONE) as session:
            counted = select(Run.state, func.count()).where(Run.listed.is_(True)).group_by(Run.state)
            rows = session.execute(counted).all()
        return Counter({row[0]: row[1] for row in rows})

    def ended(self) -> int:
        found = self.states()
        return sum(found[state] for state in END_STATES)

    def starts_by(self) -> list[tuple[float, int]]:
        """When attempts started (epoch seconds), and in which process, as they said themselves."""
        lines = self.starts_file.read_text().splitlines() if self.starts_file.exists() else []
        return [(int(words[2]) / 1000, int(words[3])) for line in lines if len(words := line.split()) == 4]

    def starts(self) -> list[float]:
        return [at for at, _ in self.starts_by()]

    def settles(self, seconds: float) -> bool:
        """Waits until every run ended; whether they did so in time."""
        return self.until(lambda: sum(self.states().values()) == self.ended(), seconds, 0.25)

    def until(self, true: Callable[[], Any], seconds: float, every: float = 0.1) -> bool:
        """Waits for a condition; whether it came in time."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                return False
            time.sleep(every)
        return True

    def books(self) -> Books:
        """Compares what was accepted with what stands in the tables."""
        with self.runtime.database.read(EVERYONE) as session:
            rows = session.execute(select(Run.id, Run.state, Run.kind)).all()
            counted = session.execute(select(jobs.effects.c.run_id, func.count()).group_by(jobs.effects.c.run_id)).all()
            over = (Run.state == RUNNING, Run.lease_until < db_now())
            expired = session.scalar(select(func.count()).select_from(Run).where(*over)) or 0
        state_of = {row.id: row.state for row in rows if row.id in self.accepted}
        good = {row.id for row in rows if row.state == SUCCEEDED}
        ours = {row.id for row in rows if row.kind == jobs.JOB.kind} & good & self.accepted
        effects = {row[0]: row[1] for row in counted}
        return Books(
            accepted=len(self.accepted),
            states=dict(Counter(state_of.values())),
            missing=len(self.accepted) - len(state_of),
            without_effect=len(ours - effects.keys()),
            twice=sum(count > 1 for count in effects.values()),
            stray=len(effects.keys() - good),
            expired=expired,
        )

    def verdict(
        self,
        fault: int,
        name: str,
        size: dict[str, int],
        complaints: list[str],
        *,
        recovered: list[float] | None = None,
        figures: dict[str, Any] | None = None,
        settled: bool = True,
    ) -> Verdict:
        """The verdict: the invariants, and whatever else the fault has to complain of."""
        found = self.books()
        wrong = [*complaints, *found.complaints(settled)]
        return Verdict(
            fault=fault, name=name, on=self.on, size=size, seed=self.seed,
            accepted=found.accepted, lost=found.lost, twice=found.twice,
            recovered_s_max=round(max(recovered), 2) if recovered else None,
            recovered_s_median=round(statistics.median(recovered), 2) if recovered else None,
            figures={"states": found.states, **(figures or {})},
            ok=not wrong, why="; ".join(wrong), seconds=round(time.monotonic() - self.began, 1),
        )  # fmt: skip


def titled(database: str, broker: str) -> str:
    """How a pair of servers is called in the table."""
    return f"{TITLES[database]} + {TITLES[broker]}"


@contextmanager
def opened(
    seed: int, scale: float, database: str, broker: str, folder: Path, *, product: tuple[str, ...] = (), **settings: Any
) -> Iterator[Stage]:
    """A stage with servers that run; everything it started is gone afterwards.

    Args:
        database, broker: names of `TITLES`.
        product: jobs of the product that the stage's processes know beside the faults' own.
        settings: whatever else deploy.settings.Settings takes, for this process and all that the stage starts.
    """
    with ExitStack() as exits:
        folder.mkdir(parents=True, exist_ok=True)
        queue_server = exits.enter_context(servers.BROKERS[broker](durable=True))
        sql_server = None
        if database != "sqlite":
            sql_server = exits.enter_context(servers.DATABASES[database](durable=True))
        url = sql_server.url if sql_server else f"sqlite:///{folder / 'nightshift.db'}"
        chosen = {"var": str(folder), "database_url": url, "broker_url": queue_server.url, **settings}
        runtime = Runtime.from_settings(Settings.model_validate(chosen))
        exits.callback(runtime.database.close)
        exits.enter_context(jobs.known(jobs.with_product(*product)))
        workspace, account = _tables(runtime)
        environment = _environment(chosen, product, folder)
        while publish.breaker.open:  # of an earlier stage in this process
            time.sleep(0.1)
        stage = Stage(
            seed, scale, database, broker, folder, random.Random(seed), runtime, workspace, account, environment,
            queue_server, sql_server,
        )  # fmt: skip
        try:
            yield stage
        finally:
            for process in stage.processes:
                process.kill()


def _tables(runtime: Runtime) -> tuple[str, str]:
    """The schema, the system's workspace, and one for the runs with an owner; the ids of these two."""
    Base.metadata.create_all(runtime.database.engine)
    jobs.effects.metadata.create_all(runtime.database.engine)
    workspace, account = new_id(), new_id()
    with runtime.database.write(EVERYONE) as session:
        session.add_all([Workspace(id=SYSTEM, name="System"), Workspace(id=workspace, name="Faults")])
        session.add(Account(id=account, email="owner@example.org", name="Owner"))
        session.flush()
        session.add(Membership(workspace_id=workspace, account_id=account, role="owner"))
    return workspace, account


def _environment(settings: Mapping[str, Any], product: tuple[str, ...], folder: Path) -> dict[str, str]:
    """What the stage's processes find in their environment."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
    more = {"FAULTS_JOBS": " ".join(product)} if product else {}
    own = {worker.PROCESS: "1", jobs.STARTS: str(folder / "starts.txt"), "PYTHONUNBUFFERED": "1"}
    return {**{f"NIGHTSHIFT_{name.upper()}": text for name, text in texts.items()}, **own, **more}
