"""Fault 5: the broker is out of memory and refuses to write. Submits are accepted all the same, and drained later."""

import time

import redis

from tests.bench.figures import quantile
from tests.faults.stage import Stage, Verdict

FULL_S = 15.0


def run(stage: Stage) -> Verdict:
    """Half of the runs come while the broker is full."""
    count = stage.size(2_000)
    stage.beat()
    stage.workers(2)
    stage.submit(count // 2, batch=20, milliseconds=5)
    with redis.Redis.from_url(stage.broker_server.url) as client:
        client.config_set("maxmemory", 1_000_000)  # less than it holds empty
        complaints = [] if _refuses(client) else ["the broker was never full"]
        began = time.monotonic()
        took = [_timed(stage) for _ in range(count - count // 2)]
        time.sleep(max(0.0, FULL_S - (time.monotonic() - began)))
        done, waiting = stage.ended(), len(stage.accepted)
        client.config_set("maxmemory", 0)
    room = time.monotonic()
    if not stage.until(lambda: stage.ended() > done or stage.ended() == waiting, 60):
        complaints.append("nothing moved within 60 s after there was room again")
    recovered = [time.monotonic() - room]
    complaints += [] if stage.settles(120) else ["it did not settle within 120 s"]
    figures = {"submit_p99_full_s": round(quantile(took, 0.99), 3), "ended_while_full": done}
    size = {"jobs": count, "submitted_while_full": len(took)}
    return stage.verdict(5, "broker out of memory", size, complaints, recovered=recovered, figures=figures)


def _timed(stage: Stage) -> float:
    began = time.monotonic()
    stage.submit(1, milliseconds=5)
    return time.monotonic() - began


def _refuses(client: redis.Redis) -> bool:
    try:
        client.set("full", "x" * 1000)
    except redis.OutOfMemoryError:
        return True
    return False
