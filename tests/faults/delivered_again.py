"""Fault 8: every message is delivered five times, and old ones come once more: no effect happens twice."""

from celery import Celery

from tests.faults import jobs
from tests.faults.stage import Stage, Verdict
from workers import publish

TIMES = 5
LENGTHS_MS = (0, 5, 20, 100)  # the longer ones are at work while their messages come again


def run(stage: Stage) -> Verdict:
    """1,000 runs of mixed lengths, five messages for each and one more when all is done."""
    count, kind, queue = stage.size(1_000), jobs.JOB.kind, jobs.JOB.queue
    stage.beat()
    stage.workers(2)
    sent = 0
    for start in range(0, count, 50):
        todo = [{"milliseconds": stage.rng.choice(LENGTHS_MS)} for _ in range(min(50, count - start))]
        ids = stage.submit_each(todo, batch=10)
        again = [(one, kind) for one in ids] * (TIMES - 1)  # the first is the engine's own
        stage.rng.shuffle(again)
        sent += publish.publish_many(stage.runtime, queue, again)
    complaints = [] if stage.settles(120) else ["it did not settle within 120 s"]
    old = [(one, kind) for one in stage.rng.choices(sorted(stage.accepted), k=count)]
    replayed = publish.publish_many(stage.runtime, queue, old)
    complaints += [] if sent == count * (TIMES - 1) else [f"only {sent} messages could be sent again"]
    complaints += [] if replayed == count else [f"only {replayed} old messages could be sent"]
    wanted = sent + replayed  # and the engine's own, of those that did not start by one of these
    if not stage.until(lambda: _empty(stage, queue) and _received(stage) >= wanted, 120, 0.5):
        complaints.append("the messages were not taken within 120 s")
    received = _received(stage)
    complaints += [] if received >= wanted else [f"only {received} of {wanted} messages were delivered"]
    starts = len(stage.starts())
    complaints += [] if starts == count else [f"{starts} attempts of {count} runs started"]
    size = {"jobs": count, "times": TIMES, "replayed": replayed}
    return stage.verdict(8, "messages delivered again", size, complaints, figures={"deliveries": received})


def _empty(stage: Stage, queue: str) -> bool:
    return publish.length(stage.runtime, queue) == 0


def _received(stage: Stage) -> int:
    """How many messages the workers took, as they count them themselves."""
    with Celery(broker=stage.broker_server.url) as app:
        answers = app.control.inspect(timeout=2).stats() or {}
    return sum(each["total"].get(jobs.JOB.kind, 0) for each in answers.values())
