"""Our own figures: how submits, claims, dispatch, reconcile and the list of runs stand a broker that is down and
100,000 waiting runs. `python -m tests.bench.engine_depth submits|waiting …` in an environment of its own prints JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import insert, select, update

from tests.bench.figures import quantile
from tests.bench.peers import nightshift
from workers import dispatch, publish
from workers.runtime import Runtime, runtime

LANES = 20  # people who wait
TIMES = 40


def submits(count: int) -> dict[str, float]:
    """Milliseconds that a submit takes; some a second, so that the breaker closes and meets the broker again."""
    sender, took = nightshift.Sender(), []
    for number in range(count):
        began = time.perf_counter()
        sender.send("noop", number)
        took.append(1000 * (time.perf_counter() - began))
        time.sleep(0.05)
    return {"p50_ms": quantile(took, 0.5), "p99_ms": quantile(took, 0.99), "most_ms": max(took), "count": count}


def waiting(depths: list[int]) -> dict[str, dict[str, float]]:
    """Milliseconds (median) of each thing that happens all the time, while so many runs wait."""
    from tests.conftest import new_person

    made = runtime()
    person = new_person(made, "bench")
    page = _list_page(made, person)
    found, there = {}, 0
    for depth in depths:
        _wait(made, person.workspace_id, depth - there)
        there = depth
        found[str(depth)] = {
            "claim": _median(_claims(made)), "dispatch": _median(_dispatches(made)),
            "reconcile": _median([_timed(lambda: dispatch.reconcile(made)) for _ in range(TIMES)]),
            "list_page": _median([_timed(page) for _ in range(TIMES)]),
        }  # fmt: skip
    return found


def _list_page(made: Runtime, person: Any) -> Callable[[], object]:
    """The page of all runs, as a browser that is signed in asks for it."""
    from tests.front import browser_of
    from web import create_app

    app = create_app(made.settings)
    app.testing = True
    browser = browser_of(app, made, person)

    def get() -> object:
        answer = browser.get("/runs")
        if answer.status_code != 200:
            raise SystemExit(f"the list of runs was answered with {answer.status_code}")
        return answer

    return get


def _wait(made: Runtime, workspace: str, count: int) -> None:
    """Insert waiting runs of many people, as submit does while the window is full."""
    from models.base import new_id
    from models.run import Run

    rows = [
        {
            "id": new_id(), "workspace_id": workspace, "kind": "noop", "queue": "default", "params": {"number": 0},
            "summary": "", "state": "queued", "lane": f"lane-{number % LANES}",
        }
        for number in range(count)
    ]  # fmt: skip
    with made.database.begin() as connection:
        connection.execute(insert(Run), rows)
        if connection.dialect.name == "postgresql":  # which does this by itself within a minute
            connection.exec_driver_sql("ANALYZE")


def _claims(made: Runtime) -> list[float]:
    """Claim one run and put it back."""
    from models import lifecycle
    from models.statements import run

    with made.database.look() as connection:
        ids = list(connection.execute(select(run.c.id).where(run.c.state == "queued").limit(TIMES)).scalars())
    took = []
    for run_id in ids:

        def claim(run_id: str = run_id) -> None:
            with made.database.begin() as connection:
                lifecycle.claim(connection, run_id, "bench:1/1", 20_000)

        took.append(_timed(claim))
        with made.database.begin() as connection:
            lifecycle.hand_back(connection, "bench:1")
    return took


def _dispatches(made: Runtime) -> list[float]:
    """Fill the empty window."""
    from models.statements import run

    took = []
    for _ in range(TIMES):
        with made.database.begin() as connection:
            connection.execute(update(run).where(run.c.published_at.is_not(None)).values(published_at=None))
        took.append(_timed(lambda: dispatch.dispatch(made, "default")))
    if publish.breaker.open:
        raise SystemExit("the broker does not answer")
    return took


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


def _median(took: list[float]) -> float:
    return quantile(took, 0.5)


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    told: Any = submits(int(numbers[0])) if what == "submits" else waiting([int(number) for number in numbers])
    sys.stdout.write(json.dumps(told) + "\n")
