"""Fault 16, the model check: 10,000 steps of the machine in engine_machine.py, and no invariant broken."""

import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import hypothesis
from hypothesis.stateful import run_state_machine_as_test
from pydantic import SecretStr
from sqlalchemy import event

from deploy.settings import Settings
from models.base import Base
from models.run import SUCCEEDED
from models.session import EVERYONE
from models.workspace import SYSTEM, Workspace
from tests.faults.actors import CHILD, JOB, known_jobs, place_witness
from tests.faults.engine_invariants import Broken
from tests.faults.engine_machine import LATE, LEASE_S, WORKERS, Engine
from tests.faults.stage import Stage, Verdict
from workers import chunk, lease, publish
from workers.runtime import Runtime

FENCE = re.compile(r"((?:run\.)?attempt = (?:\?|%\(\w+\)s))")


def in_memory(settings: Settings) -> Runtime:
    """The same with kombu's broker in memory, which nobody outside the tests may set."""
    return Runtime.from_settings(
        settings.model_copy(update={"broker_url": SecretStr("memory://"), "lease_seconds": LEASE_S})
    )


@contextmanager
def machine(runtime: Runtime) -> Iterator[type[Engine]]:
    """The machine on this runtime's database, which becomes its own; the broker is kombu's own, in memory."""
    Base.metadata.create_all(runtime.database.engine)
    with runtime.database.engine.begin() as held:
        place_witness(held)
    each = {who: Runtime.from_settings(runtime.settings) for who in WORKERS}
    with known_jobs(JOB, CHILD) as patch:
        patch.setattr(lease, "PROGRESS_EVERY", -1.0)
        patch.setattr(chunk, "CHUNK_SECONDS", 1e9)
        patch.setattr(chunk, "FLUSH_SECONDS", -1.0)  # what depends on how quick the machine is stays out of this
        patch.setattr(publish.breaker, "_until", 0.0)
        with runtime.database.write(EVERYONE) as session:
            session.merge(Workspace(id=SYSTEM, name="System"))
        yield type("Engine", (Engine,), {"runtime": runtime, "each": each, "steps": 0})
    for own in each.values():
        own.database.close()


def examine(runtime: Runtime, steps: int, seed: int, an_example: int = 100, mutate: bool = False) -> int:
    """Let the machine take at least so many steps; how many it took. Raises what it found, with the way there."""
    chance = random.Random(seed)
    phases = [hypothesis.Phase.generate] if mutate else [hypothesis.Phase.generate, hypothesis.Phase.shrink]
    with machine(runtime) as engine, unfenced(engine) if mutate else nullcontext():
        engine.instead = LATE if mutate else {}
        while engine.steps < steps:
            hypothesis.seed(chance.getrandbits(32))(engine)
            chosen = hypothesis.settings(
                max_examples=min(10, max(1, (steps - engine.steps) // an_example)), stateful_step_count=an_example,
                deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck),
                print_blob=False, report_multiple_bugs=False, phases=phases,
            )  # fmt: skip
            run_state_machine_as_test(engine, settings=chosen)
        return engine.steps


@contextmanager
def unfenced(engine: type[Engine]) -> Iterator[list[str]]:
    """A mutation: the statement by which a run succeeds no longer asks for its attempt. Yields those it changed."""
    changed: list[str] = []

    def without(_c: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> tuple[str, Any]:
        given = values.values() if isinstance(values, dict) else values
        if not sql.startswith("UPDATE run SET state=") or SUCCEEDED not in given:
            return sql, values
        head, where, tail = sql.partition(" WHERE ")
        changed.append(sql)
        return head + where + FENCE.sub(r"(\1 OR 1 = 1)", tail), values

    engines = [runtime.database.engine for runtime in (engine.runtime, *engine.each.values())]
    for one in engines:
        event.listen(one, "before_cursor_execute", without, retval=True)
    yield changed
    for one in engines:
        event.remove(one, "before_cursor_execute", without)


def run(stage: Stage) -> Verdict:
    """10,000 steps on the stage's database; then the fence is taken out of the end of a run, which must be found."""
    wanted, complaints, steps = stage.size(10_000), [], 0
    runtime = in_memory(stage.runtime.settings)
    began = time.monotonic()
    try:
        steps = examine(runtime, wanted, stage.seed)
    except (Broken, hypothesis.errors.HypothesisException, ExceptionGroup) as error:
        complaints.append(f"broken: {error} {getattr(error, '__notes__', '')}")
    took = time.monotonic() - began
    found = finds_the_mutation(runtime, stage.seed)
    complaints += [] if found else ["the fence was taken out, and the machine did not find it"]
    runtime.database.close()
    figures = {"steps": steps, "mutation_found": found, "per_second": round(steps / took, 1)}
    return stage.verdict(16, "model check", {"steps": wanted}, complaints, figures=figures)


def finds_the_mutation(runtime: Runtime, seed: int, steps: int = 20_000) -> str:
    """What the machine says when the end of a run asks for no attempt; nothing if it finds nothing."""
    try:
        examine(runtime, steps, seed, mutate=True)
    except Broken as error:
        return str(error)
    except ExceptionGroup as several:
        broken, _ = several.split(Broken)
        return str(broken.exceptions[0]) if broken else ""
    return ""
