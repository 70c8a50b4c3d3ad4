"""What the model check may do: hypothesis drives the real engine with three workers that hang, die and come too late.

Each step is one thing that may happen to the system; after each, what must always hold is looked at. In the end of
every example the workers are dead, the time has passed, and all that was accepted must come to an end.
"""

from typing import Any, ClassVar

import hypothesis.strategies as some
from hypothesis.stateful import RuleBasedStateMachine, rule
from kombu import Queue as BrokerQueue
from sqlalchemy import delete, func, select, update

from models import lifecycle
from models.limits import set_limit
from models.run import (
    END_STATES,
    RUNNING,
    Dependency,
    Idempotency,
    Limit,
    Permit,
    Queue,
    Rate,
    Run,
    RunEvent,
)  # fmt: skip
from models.session import EVERYONE
from models.workspace import SYSTEM
from tasks.handover import HandedOver
from tasks.job import Params
from tests.faults.actors import EFFECT, JOB, MOVE, Attempt, Ended, Working
from tests.faults.engine_invariants import Invariants
from workers import dispatch
from workers.enqueue import submit
from workers.execute import hand_back
from workers.publish import connection
from workers.runtime import Runtime

WORKERS = ("one@here:1", "two@here:2", "three@here:3")
LEASE_S = 600.0  # nothing expires by itself: time passes when the model says so
MOMENTS = (700_000, 1_000, 16_000)  # ms: beyond every lease and backoff; a little; until a message counts as lost
ORDERS = ("progress", "succeed", "succeed", "fail", "try later", "crash", "split")
EMPTIED = (RunEvent, Idempotency, Dependency, Queue, Limit, Permit, Rate, Run)
ENOUGH = 4  # runs that are open at a time: few, so that much happens to each
# What may happen, and how often of a hundred and some: what drives runs on more than what disturbs them.
SHARES = {
    "submit": 14, "submit_with_a_key": 2, "submit_after_another": 2, "cancel": 2, "retry": 3, "set_a_limit": 2,
    "pause_or_resume": 2, "deliver": 22, "deliver_an_old_message_again": 4, "lose_a_message": 2, "work": 22,
    "heartbeat": 2, "die": 3, "stop_in_order": 2, "beat": 5, "time_passes": 6, "leases_run_out": 6,
}  # fmt: skip
OFTEN = [name for name, share in SHARES.items() for _ in range(share)]
# For a machine that does little else than to come too late.
LATE = dict.fromkeys(("cancel", "retry", "set_a_limit", "pause_or_resume", "submit_after_another"), "leases_run_out")
LATE |= dict.fromkeys(("lose_a_message", "stop_in_order", "die", "heartbeat", "beat"), "deliver")
one_of = some.integers(0, 999)


class Engine(Invariants, RuleBasedStateMachine):
    """Runs, three workers and a broker that loses, repeats and reorders; `runtime` is set by `machine`."""

    each: dict[str, Runtime]  # a process of its own for each worker
    instead: ClassVar[dict[str, str]] = {}  # what happens in place of something, see LATE

    def __init__(self) -> None:
        super().__init__()
        self.attempts: dict[str, Attempt] = {}
        self.runs: list[str] = []
        self.keys: dict[str, str] = {}
        self.to_cancel: set[str] = set()
        self.held: set[tuple[str, int]] = set()
        self.limit: int | None = None
        self.within: set[tuple[str, int]] = set()  # attempts that began under the limit of now
        self.delivered: list[str] = []
        self.broken = False
        self.open = 0
        self._empty()
        self._forget_limits()

    def _empty(self) -> None:
        with self.runtime.database.write(EVERYONE) as session:
            for table in (EFFECT, MOVE, *EMPTIED):
                session.connection().execute(delete(table))
        while self._pop() is not None:
            pass

    @rule(what=some.sampled_from(OFTEN), which=one_of, more=one_of)
    def happens(self, what: str, which: int, more: int) -> None:
        """One thing of many; what is drawn depends on nothing that the database says, so that it can be drawn again."""
        getattr(self, self.instead.get(what, what))(which, more)

    # What people do

    def submit(self, which: int, more: int) -> None:
        if self.open >= ENOUGH:
            return
        with self.runtime.database.write(SYSTEM) as session:
            run = submit(self.runtime, session, JOB, HandedOver(Params()), SYSTEM)
            run.attempts, run.priority = (3, 3, 1)[which % 3], (-1, 0, 1)[more % 3]
            self.runs.append(run.id)

    def submit_with_a_key(self, which: int, more: int) -> None:
        if self.open >= ENOUGH:
            return
        key = ("a", "b")[which % 2]
        with self.runtime.database.write(SYSTEM) as session:
            run = submit(self.runtime, session, JOB, HandedOver(Params()), SYSTEM, key=key)
        self.must(self.keys.setdefault(key, run.id) == run.id, "one key gave two runs")
        if run.id not in self.runs:
            self.runs.append(run.id)

    def submit_after_another(self, which: int, more: int) -> None:
        if not (self.runs and self.open < ENOUGH):
            return
        needed = self.runs[which % len(self.runs)]
        with self.runtime.database.write(SYSTEM) as session:
            self.runs.append(submit(self.runtime, session, JOB, HandedOver(Params()), SYSTEM, after=[needed]).id)

    def cancel(self, which: int, more: int) -> None:
        if not self.runs:
            return
        with self.runtime.database.write(EVERYONE) as session:
            everyone = session.scalars(select(Run.id).order_by(Run.id)).all()
            run_id = everyone[which % len(everyone)]
            if lifecycle.cancel(session, run_id):
                self.to_cancel.add(run_id)

    def retry(self, which: int, more: int) -> None:
        if not self.runs:
            return
        run_id = self.runs[which % len(self.runs)]
        with self.runtime.database.write(EVERYONE) as session:
            if lifecycle.retry(session, run_id):
                theirs = session.scalars(select(Run.id).where(Run.parent_id == run_id)).all()
                self.to_cancel -= {run_id, *theirs}

    def set_a_limit(self, which: int, more: int) -> None:
        self._limit((None, None, 1, 2)[which % 4], (None, None, None, 60)[more % 4])

    def _limit(self, running: int | None, per_minute: int | None) -> None:
        with self.runtime.database.write(EVERYONE) as session:
            set_limit(session, f"queue:{JOB.queue}", running, per_minute)
        self.limit, self.within = running, set()
        self._forget_limits()

    def _forget_limits(self) -> None:
        for runtime in (self.runtime, *self.each.values()):
            runtime.limits.forget()

    def pause_or_resume(self, which: int, more: int) -> None:
        self._pause(which % 4 == 3)

    def _pause(self, paused: bool) -> None:
        with self.runtime.database.write(EVERYONE) as session:
            session.merge(Queue(name=JOB.queue, paused_at=1 if paused else None))

    # What the broker does

    def _pop(self) -> str | None:
        with connection(self.runtime.settings.broker).channel() as channel:
            message = BrokerQueue(JOB.queue)(channel).get(no_ack=True)
        return str(message.decode()[0][0]) if message else None

    def deliver(self, which: int, more: int) -> None:
        """Beat has had its second, and whoever has nothing to do takes what is there."""
        if not (self.open and len(self.attempts) < len(WORKERS)):
            return
        dispatch.everything(self.runtime)
        idle = [who for who in WORKERS if who not in self.attempts]
        if run_id := self._pop():
            self.delivered.append(run_id)
            self._start(idle[which % len(idle)], run_id)

    def deliver_an_old_message_again(self, which: int, more: int) -> None:
        who = WORKERS[more % len(WORKERS)]
        if self.delivered and who not in self.attempts:
            self._start(who, self.delivered[which % len(self.delivered)])

    def lose_a_message(self, which: int, more: int) -> None:
        self._pop()

    # What workers do

    def _start(self, who: str, run_id: str) -> None:
        self._forget_limits()  # nobody hears of one later than within a second, and that has passed
        attempt = Attempt(self.each[who], run_id, f"{who}/{len(self.held)}")
        self.attempts[who] = attempt
        self._look_at(who, attempt.stands)

    def _look_at(self, who: str, stands: Working | Ended) -> None:
        if isinstance(stands, Ended):
            del self.attempts[who]
            self.must(not isinstance(stands.outcome, Exception), f"execute raised {stands.outcome!r}")
        else:
            self.must((stands.run_id, stands.attempt) not in self.held, "two workers hold one attempt")
            self.held.add((stands.run_id, stands.attempt))
            self.within.add((stands.run_id, stands.attempt))

    def work(self, which: int, more: int) -> None:
        if not self.attempts:
            return
        who = sorted(self.attempts)[which % len(self.attempts)]
        at = self.attempts[who].stands
        assert isinstance(at, Working)
        fenced = self._current(at)
        stands = self.attempts[who].do(ORDERS[more % len(ORDERS)])
        if stands == at:
            self.must(fenced, "an attempt that lost its lease went on after its progress")
        else:
            self._look_at(who, stands)
            wrote = at.alone and isinstance(stands, Ended) and isinstance(stands.outcome, str)
            self.must(fenced or not wrote, "an attempt that lost its lease ended the run")

    def _current(self, at: Working) -> bool:
        mine = select(Run.id).where(Run.id == at.run_id, Run.state == RUNNING, Run.attempt == at.attempt)
        with self.runtime.database.read(EVERYONE) as session:
            return session.scalar(mine) is not None

    def heartbeat(self, which: int, more: int) -> None:
        if not self.attempts:
            return
        who = sorted(self.attempts)[which % len(self.attempts)]
        at = self.attempts[who].stands
        assert isinstance(at, Working)
        fenced = self._current(at)
        with self.runtime.database.write(EVERYONE) as session:
            held = lifecycle.extend(session, at.run_id, at.attempt, int(LEASE_S * 1000))
        self.must(held == fenced, "a heartbeat extended what is not this attempt's")

    def die(self, which: int, more: int) -> None:
        if not self.attempts:
            return
        who = sorted(self.attempts)[which % len(self.attempts)]
        attempt = self.attempts.pop(who)
        attempt.do("die")
        if more % 2:  # its parent saw it
            with self.runtime.database.write(EVERYONE) as session:
                lifecycle.end_leases(session, attempt.worker)

    def stop_in_order(self, which: int, more: int) -> None:
        """The parent hands back; its child may go on for a moment, and what it does then is too late."""
        hand_back(self.runtime, WORKERS[which % len(WORKERS)])

    # What beat and the clock do

    def beat(self, which: int, more: int) -> None:
        dispatch.everything(self.runtime)

    def time_passes(self, which: int, more: int) -> None:
        self._pass(MOMENTS[which % len(MOMENTS)])

    def leases_run_out(self, which: int, more: int) -> None:
        """Whoever holds a run hangs for so long that it goes to another; what the first one does then is too late."""
        self._pass(MOMENTS[0])
        dispatch.reconcile(self.runtime)
        self._pass(MOMENTS[0])

    def _pass(self, moment: int) -> None:
        columns: tuple[Any, ...] = (Run.due_at, Run.lease_until, Run.published_at)
        with self.runtime.database.write(EVERYONE) as session:
            session.execute(update(Run).values({column.key: column - moment for column in columns}))
            session.execute(update(Rate).values(next_at=Rate.next_at - moment))

    def teardown(self) -> None:
        for attempt in self.attempts.values():
            attempt.do("die")
        if not self.broken:
            self._settle()

    def _settle(self) -> None:
        """Everybody is dead; with new workers and some time, everything comes to an end."""
        self._pause(False)
        self._limit(self.limit, None)
        for _ in range(60):
            self._pass(MOMENTS[0])
            dispatch.everything(self.runtime)
            while run_id := self._pop():
                attempt = Attempt(self.runtime, run_id, "last@here:4/1")
                while isinstance(attempt.stands, Working):
                    attempt.do("succeed")
            with self.runtime.database.read(EVERYONE) as session:
                if not session.scalar(select(func.count()).where(Run.state.not_in(END_STATES))):
                    break
        dispatch.reconcile(self.runtime)
        with self.runtime.database.read(EVERYONE) as session:
            taken = session.scalar(select(func.count()).where(Permit.run_id.is_not(None)))
            left = session.scalars(select(Run.state).where(Run.state.not_in(END_STATES))).all()
        self.must(not left, f"runs that never end: {left}")
        self.must(not taken or self.limit is None, "a permit that nobody gave back")
        self.holds()
