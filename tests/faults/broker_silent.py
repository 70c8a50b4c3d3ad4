"""Fault 4: the broker is half-open for 90 s: it accepts connections and answers nobody. No worker is restarted."""

import time

from tests.bench.figures import quantile
from tests.faults.processes import Worker
from tests.faults.stage import Stage, Verdict

SILENT_S, AGAIN_WITHIN_S, SUBMIT_P99_S = 90, 60, 1.0
BEFORE = 200


def run(stage: Stage) -> Verdict:
    """Work, 90 s of silence in which runs still come in, and work again, by the same processes."""
    silent = stage.size(SILENT_S, least=15)
    stage.beat()
    trees = stage.workers(2)
    stage.submit(BEFORE, milliseconds=5)
    stage.until(lambda: stage.ended() > BEFORE / 2, 30)
    took = _silence(stage, silent)
    resumed = time.time()
    recovered = [again - resumed for tree in trees if (again := _works_again(stage, tree, resumed))]
    complaints = [f"{tree.name} ended by itself" for tree in trees if not tree.alive]
    if len(recovered) < len(trees):
        complaints.append(f"{len(trees) - len(recovered)} workers did not consume within {AGAIN_WITHIN_S} s")
    if (p99 := quantile(took, 0.99)) > SUBMIT_P99_S:
        complaints.append(f"with the broker silent a submit took {p99:.2f} s at p99")
    complaints += [] if stage.settles(60) else ["it did not settle within 60 s"]
    size = {"silent_s": silent, "jobs": len(stage.accepted)}
    figures = {"submit_p99_silent_s": round(p99, 3)}
    return stage.verdict(4, "broker half-open", size, complaints, recovered=recovered, figures=figures)


def _silence(stage: Stage, seconds: int) -> list[float]:
    """Stops the broker's processes and submits meanwhile; how long each submit took."""
    stage.broker_server.pause()
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        stage.submit(1)
        took.append(time.monotonic() - began)
        time.sleep(max(0.0, 0.5 - took[-1]))
    stage.broker_server.resume()
    return took


def _works_again(stage: Stage, tree: Worker, since: float) -> float | None:
    """When this worker started a run after the silence; there is always something to do. None: not in time."""
    while time.time() < since + AGAIN_WITHIN_S:
        children = {child.pid for child in tree.children()}
        found = [at for at, pid in stage.starts_by() if pid in children and at >= since]
        if found:
            return min(found)
        stage.submit(10, milliseconds=20, batch=10)
        time.sleep(0.5)
    return None
