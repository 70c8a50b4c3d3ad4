"""What must hold after each step of the model check, whatever happened."""

from collections.abc import Sequence
from typing import Any

from hypothesis.stateful import invariant
from sqlalchemy import func, select

from models.run import BLOCKED, END_STATES, FAILED, MOVES, QUEUED, RUNNING, SUCCEEDED, Run
from models.session import EVERYONE
from tests.faults.actors import EFFECT, MOVE, may_claim
from workers.runtime import Runtime


class Broken(AssertionError):
    """The engine did what it must never do."""


class Invariants:
    """The model's side of the machine: what was accepted, asked for and limited; what it finds in the tables."""

    runtime: Runtime
    steps: int
    runs: list[str]
    to_cancel: set[str]
    limit: int | None
    within: set[tuple[str, int]]
    open: int
    broken: bool

    def must(self, holds: object, what: str) -> None:
        if not holds:
            self.broken = True
            raise Broken(what)

    @invariant()
    def holds(self) -> None:
        type(self).steps += 1
        with self.runtime.database.read(EVERYONE) as session:
            moves = session.execute(select(MOVE).order_by(MOVE.c.id)).all()
            runs = session.execute(select(Run.__table__)).all()
            effects = {row.run_id: row.attempt for row in session.execute(select(EFFECT))}
            count = session.scalar(select(func.count()).select_from(EFFECT))
        self._look_at_moves(moves)
        self.must(len(effects) == count, "an effect twice")
        self.open = sum(run.state not in END_STATES for run in runs)
        top = [run.id for run in runs if run.parent_id is None]
        self.must(sorted(top) == sorted(self.runs), "a run is not there any more, or nobody submitted it")
        for run in runs:
            if run.parent_id is None:
                self.must((run.state == SUCCEEDED) == (run.id in effects), f"{run.state}, its effect says otherwise")
                self.must(run.children in (0, sum(child.parent_id == run.id for child in runs)), "children are missing")
            self._look_at_run(run, effects.get(run.id, run.attempt))
        if self.limit is not None:
            now = {(run.id, run.attempt) for run in runs if run.state == RUNNING}
            self.must(len(now & self.within) <= self.limit, "more at once than the limit allows")

    def _look_at_run(self, run: Any, effect_of: int) -> None:
        self.must(effect_of == run.attempt, "an attempt without the fence wrote")
        self.must((run.result or {}).get("attempt", run.attempt) == run.attempt, "a result without the fence")
        self.must(run.tries <= run.attempts and run.tries <= run.attempt, "more tries than it is allowed")
        self.must(run.state != SUCCEEDED or run.id not in self.to_cancel, "cancelled, and succeeded afterwards")
        self.must((run.state == RUNNING) == (run.lease_until is not None), f"{run.state} with a wrong lease")

    def _look_at_moves(self, moves: Sequence[Any]) -> None:
        before: dict[str, tuple[str, str]] = {}
        for move in moves:
            a, b = move.a, move.b
            if (a, b) == (QUEUED, BLOCKED) and before.get(move.run_id) == (FAILED, QUEUED):
                a = FAILED  # one transaction, in two statements
            self.must(a == b or (a, b) in MOVES, f"no such move: {a} to {b}")
            self.must(may_claim(a, b, move.attempt_a, move.attempt_b), f"the fence moved oddly: {move}")
            before[move.run_id] = (a, b)
