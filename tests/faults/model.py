"""Fault 16, the model check: hypothesis drives the real engine with three workers that hang, die and come too late.

Each step is one thing that may happen to the system; after each, what must always hold is looked at. In the end of
every example the workers are dead, the time has passed, and all that was accepted must come to an end.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import hypothesis.strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete, func, select, update

from models import lifecycle
from models.base import Base
from models.run import END_STATES, MOVES, RUNNING, SUCCEEDED, Dependency, Idempotency, Queue, Run, RunEvent
from models.session import EVERYONE
from models.workspace import SYSTEM, Workspace
from tasks.handover import HandedOver
from tasks.job import Params
from tests.faults.actors import EFFECT, JOB, MOVE, Attempt, Ended, Working, known_jobs, may_claim, place_witness
from workers import dispatch, lease, publish
from workers.enqueue import submit
from workers.execute import hand_back
from workers.publish import connection
from workers.runtime import Runtime

WORKERS = ("one@here:1", "two@here:2", "three@here:3")
LEASE_S = 600.0  # nothing expires by itself: time passes when the model says so
MOMENTS = (1_000, 16_000, 700_000)  # ms: a little, until a message counts as lost, and beyond every lease and backoff
ORDERS = ("progress", "succeed", "fail", "try later", "crash")
EMPTIED = (RunEvent, Idempotency, Dependency, Queue, Run)
one_of = some.integers(0, 999)


class Broken(AssertionError):
    """The engine did what it must never do."""


class Engine(RuleBasedStateMachine):
    """Runs, three workers and a broker that loses, repeats and reorders; `runtime` is set by `machine`."""

    runtime: Runtime
    steps: int

    def __init__(self) -> None:
        super().__init__()
        self.attempts: dict[str, Attempt] = {}
        self.runs: list[str] = []
        self.keys: dict[str, str] = {}
        self.to_cancel: set[str] = set()
        self.held: set[tuple[str, int]] = set()
        self.delivered: list[str] = []
        self.broken = False
        self._empty()

    def _empty(self) -> None:
        with self.runtime.database.write(EVERYONE) as session:
            for table in (EFFECT, MOVE, *EMPTIED):
                session.connection().execute(delete(table))
        while self._pop() is not None:
            pass

    def must(self, holds: object, what: str) -> None:
        if not holds:
            self.broken = True
            raise Broken(what)

    # What people do

    @rule(priority=some.sampled_from((-1, 0, 1)), attempts=some.sampled_from((1, 3)))
    def submit(self, priority: int, attempts: int) -> None:
        with self.runtime.database.write(SYSTEM) as session:
            run = submit(self.runtime, session, JOB, HandedOver(Params()), SYSTEM)
            run.attempts, run.priority = attempts, priority
            self.runs.append(run.id)

    @rule(key=some.sampled_from(("a", "b")))
    def submit_with_a_key(self, key: str) -> None:
        with self.runtime.database.write(SYSTEM) as session:
            run = submit(self.runtime, session, JOB, HandedOver(Params()), SYSTEM, key=key)
        self.must(self.keys.setdefault(key, run.id) == run.id, "one key gave two runs")
        if run.id not in self.runs:
            self.runs.append(run.id)

    @precondition(lambda self: self.runs)
    @rule(which=one_of)
    def cancel(self, which: int) -> None:
        run_id = self.runs[which % len(self.runs)]
        with self.runtime.database.write(EVERYONE) as session:
            if lifecycle.cancel(session, run_id):
                self.to_cancel.add(run_id)

    @precondition(lambda self: self.runs)
    @rule(which=one_of)
    def retry(self, which: int) -> None:
        run_id = self.runs[which % len(self.runs)]
        with self.runtime.database.write(EVERYONE) as session:
            if lifecycle.retry(session, run_id):
                self.to_cancel.discard(run_id)

    @rule(paused=some.booleans())
    def pause_or_resume(self, paused: bool) -> None:
        self._pause(paused)

    def _pause(self, paused: bool) -> None:
        with self.runtime.database.write(EVERYONE) as session:
            session.merge(Queue(name=JOB.queue, paused_at=1 if paused else None))

    # What the broker does

    def _pop(self) -> str | None:
        with connection(self.runtime.settings.broker).channel() as channel:
            message = Bound(JOB.queue)(channel).get(no_ack=True)
        return str(message.decode()[0][0]) if message else None

    @rule(who=some.sampled_from(WORKERS))
    def deliver(self, who: str) -> None:
        if who not in self.attempts and (run_id := self._pop()):
            self.delivered.append(run_id)
            self._start(who, run_id)

    @precondition(lambda self: self.delivered)
    @rule(who=some.sampled_from(WORKERS), which=one_of)
    def deliver_an_old_message_again(self, who: str, which: int) -> None:
        if who not in self.attempts:
            self._start(who, self.delivered[which % len(self.delivered)])

    @rule()
    def lose_a_message(self) -> None:
        self._pop()

    # What workers do

    def _start(self, who: str, run_id: str) -> None:
        attempt = Attempt(self.runtime, run_id, f"{who}/{len(self.held)}")
        self.attempts[who] = attempt
        self._look_at(who, attempt.stands)

    def _look_at(self, who: str, stands: Working | Ended) -> None:
        if isinstance(stands, Ended):
            del self.attempts[who]
            self.must(not isinstance(stands.outcome, Exception), f"execute raised {stands.outcome!r}")
        else:
            self.must((stands.run_id, stands.attempt) not in self.held, "two workers hold one attempt")
            self.held.add((stands.run_id, stands.attempt))

    @precondition(lambda self: self.attempts)
    @rule(which=one_of, order=some.sampled_from(ORDERS))
    def work(self, which: int, order: str) -> None:
        who = sorted(self.attempts)[which % len(self.attempts)]
        at = self.attempts[who].stands
        assert isinstance(at, Working)
        fenced = self._current(at)
        stands = self.attempts[who].do(order)
        if stands == at:
            self.must(fenced, "an attempt that lost its lease went on after its progress")
        else:
            self._look_at(who, stands)
            wrote = isinstance(stands, Ended) and isinstance(stands.outcome, str)
            self.must(fenced or not wrote, "an attempt that lost its lease ended the run")

    def _current(self, at: Working) -> bool:
        mine = select(Run.id).where(Run.id == at.run_id, Run.state == RUNNING, Run.attempt == at.attempt)
        with self.runtime.database.read(EVERYONE) as session:
            return session.scalar(mine) is not None

    @precondition(lambda self: self.attempts)
    @rule(which=one_of)
    def heartbeat(self, which: int) -> None:
        who = sorted(self.attempts)[which % len(self.attempts)]
        at = self.attempts[who].stands
        assert isinstance(at, Working)
        fenced = self._current(at)
        with self.runtime.database.write(EVERYONE) as session:
            held = lifecycle.extend(session, at.run_id, at.attempt, int(LEASE_S * 1000))
        self.must(held == fenced, "a heartbeat extended what is not this attempt's")

    @precondition(lambda self: self.attempts)
    @rule(which=one_of, seen=some.booleans())
    def die(self, which: int, seen: bool) -> None:
        who = sorted(self.attempts)[which % len(self.attempts)]
        attempt = self.attempts.pop(who)
        at = attempt.stands
        attempt.do("die")
        if seen and isinstance(at, Working):
            with self.runtime.database.write(EVERYONE) as session:
                lifecycle.end_lease(session, at.run_id, attempt.worker)

    @rule(who=some.sampled_from(WORKERS))
    def stop_in_order(self, who: str) -> None:
        """The parent hands back; its child may go on for a moment, and what it does then is too late."""
        hand_back(self.runtime, who)

    # What beat and the clock do

    @rule()
    def reconcile(self) -> None:
        dispatch.reconcile(self.runtime)

    @rule()
    def dispatch_queue(self) -> None:
        dispatch.dispatch(self.runtime, JOB.queue)

    @rule()
    def republish(self) -> None:
        dispatch.republish(self.runtime, JOB.queue)

    @rule(moment=some.sampled_from(MOMENTS))
    def time_passes(self, moment: int) -> None:
        self._pass(moment)

    def _pass(self, moment: int) -> None:
        columns: tuple[Any, ...] = (Run.due_at, Run.lease_until, Run.published_at)
        with self.runtime.database.write(EVERYONE) as session:
            session.execute(update(Run).values({column.key: column - moment for column in columns}))

    # What must always hold

    @invariant()
    def holds(self) -> None:
        type(self).steps += 1
        with self.runtime.database.read(EVERYONE) as session:
            moves = session.execute(select(MOVE)).all()
            runs = {row.id: row for row in session.execute(select(Run.__table__))}
            effects = {row.run_id: row.attempt for row in session.execute(select(EFFECT))}
            count = session.scalar(select(func.count()).select_from(EFFECT))
        for move in moves:
            self.must(move.a == move.b or (move.a, move.b) in MOVES, f"no such move: {move.a} to {move.b}")
            self.must(may_claim(move.a, move.b, move.attempt_a, move.attempt_b), f"the fence moved oddly: {move}")
        self.must(len(effects) == count, "an effect twice")
        self.must(sorted(runs) == sorted(self.runs), "a run is not there any more, or nobody submitted it")
        for run in runs.values():
            self.must((run.state == SUCCEEDED) == (run.id in effects), f"{run.state}, and its effect says otherwise")
            self.must(effects.get(run.id, run.attempt) == run.attempt, "an attempt without the fence wrote")
            self.must(run.tries <= run.attempts and run.tries <= run.attempt, "more tries than it is allowed")
            self.must(run.state != SUCCEEDED or run.id not in self.to_cancel, "cancelled, and succeeded afterwards")
            self.must((run.state == RUNNING) == (run.lease_until is not None), f"{run.state} with a wrong lease")

    def teardown(self) -> None:
        for attempt in self.attempts.values():
            attempt.do("die")
        if not self.broken:
            self._settle()

    def _settle(self) -> None:
        """Everybody is dead; with new workers and some time, everything comes to an end."""
        self._pause(False)
        for _ in range(60):
            self._pass(MOMENTS[-1])
            dispatch.everything(self.runtime)
            while run_id := self._pop():
                attempt = Attempt(self.runtime, run_id, "last@here:4/1")
                while isinstance(attempt.stands, Working):
                    attempt.do("succeed")
            with self.runtime.database.read(EVERYONE) as session:
                if not session.scalar(select(func.count()).where(Run.state.not_in(END_STATES))):
                    break
        with self.runtime.database.read(EVERYONE) as session:
            left = session.scalars(select(Run.state).where(Run.state.not_in(END_STATES))).all()
        self.must(not left, f"runs that never end: {left}")
        self.holds()


@contextmanager
def machine(runtime: Runtime) -> Iterator[type[Engine]]:
    """The machine on this runtime's database, which becomes its own; the broker is kombu's own, in memory."""
    with known_jobs(JOB) as patch, runtime.database.engine.begin() as held:
        Base.metadata.create_all(held)
        place_witness(held)
    with known_jobs(JOB) as patch:
        patch.setattr(lease, "PROGRESS_EVERY", -1.0)
        patch.setattr(publish.breaker, "_until", 0.0)
        with runtime.database.write(EVERYONE) as session:
            session.merge(Workspace(id=SYSTEM, name="System"))
        yield type("Engine", (Engine,), {"runtime": runtime, "steps": 0})


def examine(runtime: Runtime, steps: int, seed: int, an_example: int = 100) -> int:
    """Let the machine take at least so many steps; how many it took. Raises what it found, with the way there."""
    chance = random.Random(seed)
    with machine(runtime) as engine:
        while engine.steps < steps:
            hypothesis.seed(chance.getrandbits(32))(engine)
            examples = max(1, (steps - engine.steps) // an_example + 1)
            chosen = hypothesis.settings(
                max_examples=examples, stateful_step_count=an_example, deadline=None, database=None,
                suppress_health_check=list(hypothesis.HealthCheck), print_blob=False,
            )  # fmt: skip
            run_state_machine_as_test(engine, settings=chosen)
        return engine.steps
