"""Attempts that wait for orders: the engine's real `execute`, in a thread that stops wherever the model wants it to.

A thread that hears nothing is a worker that hangs; one that is told to die ends without a word to the database.
"""

import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, inspect
from sqlalchemy.engine import Connection

import tasks
from models.run import QUEUED, RUNNING
from tasks.context import Context
from tasks.errors import JobError, TryLater
from tasks.job import Job, Params, Result
from workers.execute import execute
from workers.runtime import Runtime

PATIENCE = 60.0  # seconds; an order is carried out in milliseconds, a machine may be busy
OURS = ("tasks", "workers", "beat_schedule", "web")
WITNESS = MetaData()
EFFECT = Table("effect", WITNESS, Column("run_id", String(28)), Column("attempt", Integer))
MOVE = Table(
    "witnessed", WITNESS, Column("id", Integer, primary_key=True), Column("run_id", String(28)),
    Column("a", String(12)), Column("b", String(12)), Column("attempt_a", Integer), Column("attempt_b", Integer),
)  # fmt: skip
NOTED = (
    "INSERT INTO witnessed (run_id, a, b, attempt_a, attempt_b) "
    "VALUES (new.id, old.state, new.state, old.attempt, new.attempt)"
)
CHANGED = "old.state <> new.state OR old.attempt <> new.attempt"
TRIGGERS = {
    "sqlite": [f"CREATE TRIGGER witness AFTER UPDATE ON run WHEN {CHANGED} BEGIN {NOTED}; END"],
    "postgresql": [
        f"CREATE FUNCTION witness() RETURNS trigger AS $$ BEGIN {NOTED}; RETURN new; END $$ LANGUAGE plpgsql",
        f"CREATE TRIGGER witness AFTER UPDATE ON run FOR EACH ROW WHEN ({CHANGED}) EXECUTE FUNCTION witness()",
    ],
    "mysql": [f"CREATE TRIGGER witness AFTER UPDATE ON run FOR EACH ROW BEGIN IF {CHANGED} THEN {NOTED}; END IF; END"],
}


class Killed(BaseException):
    """The process of this attempt is gone: nothing of ours catches it."""


class Acted(Result):
    attempt: int


@dataclass(frozen=True)
class Working:
    """An attempt stands inside its job."""

    run_id: str
    attempt: int
    alone: bool  # not one of several children that a worker claimed together


@dataclass(frozen=True)
class Ended:
    """The attempt's `execute` returned, or its process died."""

    outcome: str | BaseException | None


class Attempt(threading.Thread):
    """One call of `execute` in a thread of its own; after each order it is waited for until it stands again."""

    def __init__(self, runtime: Runtime, run_id: str, worker: str) -> None:
        super().__init__(name=worker, daemon=True)
        self._runtime, self._run_id, self.worker = runtime, run_id, worker
        self.orders: queue.Queue[str] = queue.Queue()
        self.told: queue.Queue[Working | Ended] = queue.Queue()
        self.start()
        self.stands: Working | Ended = self.told.get(timeout=PATIENCE)

    def run(self) -> None:
        try:
            outcome: str | BaseException | None = execute(self._runtime, self._run_id, self.worker)
        except BaseException as error:  # noqa: BLE001  # told to the thread that waits for it
            outcome = error
        self.told.put(Ended(outcome))

    def do(self, order: str) -> "Working | Ended":
        """Give an order and wait for what it leads to."""
        self.orders.put(order)
        self.stands = self.told.get(timeout=PATIENCE)
        if isinstance(self.stands, Ended):
            self.join(PATIENCE)
        return self.stands


def _ordered(ctx: Context, alone: bool) -> None:
    """Do what this thread is ordered to, until it may succeed."""
    me, here = threading.current_thread(), Working(ctx.run_id, ctx.attempt, alone)
    assert isinstance(me, Attempt)
    me.told.put(here)
    while (order := me.orders.get()) == "progress":
        ctx.progress(0.5, "half")
        me.told.put(here)
    if order == "split" and alone and ctx.children is None:
        ctx.fan_out("child", [Params()] * CHILDREN)
    if order in ERRORS:
        raise ERRORS[order]


def act(params: Params, ctx: Context) -> Acted:
    """A job that does what it is told; success leaves one row, in the run's own transaction."""
    _ordered(ctx, True)
    ctx.session.connection().execute(insert(EFFECT).values(run_id=ctx.run_id, attempt=ctx.attempt))
    return Acted(attempt=ctx.attempt)


def act_as_child(params: Params, ctx: Context) -> Acted:
    """The same of a child, which leaves nothing but its result: several are claimed and ended together."""
    _ordered(ctx, False)
    return Acted(attempt=ctx.attempt)


CHILDREN = 4
ERRORS: dict[str, BaseException] = {
    "fail": JobError("This cannot be done. Choose something else."),
    "try later": TryLater("The server is away."),
    "crash": KeyError("something of ours"),
    "die": Killed(),
}
JOB = Job(kind="act", title="Act", summary="Acts.", params=Params, result=Acted, run=act, attempts=3)
CHILD = Job(
    kind="child", title="Act", summary="Acts.", params=Params, result=Acted, run=act_as_child, attempts=3, chunk=3
)


@contextmanager
def known_jobs(*jobs: Job) -> Iterator[pytest.MonkeyPatch]:
    """These jobs are the registry, wherever in this process it is read."""
    known, original = {job.kind: job for job in jobs}, tasks.discover
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith(OURS) and getattr(module, "discover", None) is original:
                patch.setattr(module, "discover", lambda: known)
        yield patch


def place_witness(connection: Connection) -> None:
    """A table for effects that takes doubles, and a trigger that notes every change of a run's state or attempt."""
    if inspect(connection).has_table(MOVE.name):
        return
    WITNESS.create_all(connection)
    for statement in TRIGGERS[{"mariadb": "mysql"}.get(connection.dialect.name, connection.dialect.name)]:
        connection.exec_driver_sql(statement)


def may_claim(a: str, b: str, attempt_a: int, attempt_b: int) -> bool:
    """Whether the attempt moved as a fence must: by one with each claim, and with nothing else."""
    return attempt_b - attempt_a == (1 if (a, b) == (QUEUED, RUNNING) else 0)
