"""Fault 3: the broker is killed and started again ten times while runs come in, and once forgets every message."""

import threading
import time
from dataclasses import dataclass, field

import redis
from kombu import Connection

from tests.bench.figures import quantile
from tests.faults import kill
from tests.faults.stage import Stage, Verdict
from workers.queues import QUEUES

UP_S, DOWN_S = 5.0, 3.0  # how long the broker works and stays away, each time
SUBMIT_P99_S = 1.0


@dataclass
class Submitter:
    """Hands runs over at an even pace, in a thread, as people at the web front do; one transaction each."""

    stage: Stage
    count: int
    every: float
    calls: list[tuple[float, float]] = field(default_factory=list)  # (began, seconds)

    def __post_init__(self) -> None:
        self.todo = kill.lengths(self.stage, self.count)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        start = time.monotonic()
        for number, params in enumerate(self.todo):
            time.sleep(max(0.0, start + number * self.every - time.monotonic()))
            began = time.monotonic()
            self.stage.submit(1, **params)
            self.calls.append((began, time.monotonic() - began))

    def during(self, times: list[tuple[float, float]]) -> list[float]:
        """How long the calls took that began in one of these times."""
        return [took for began, took in self.calls if any(first <= began <= last for first, last in times)]


def run(stage: Stage) -> Verdict:
    """5,000 runs come in; the broker dies ten times; in the middle it is emptied."""
    count, deaths = stage.size(5_000), stage.size(10)
    stage.beat()
    stage.workers(2)
    submitter = Submitter(stage, count, deaths * (UP_S + DOWN_S) / count)
    down, back = _deaths(stage, deaths)
    submitter.thread.join()
    complaints = [] if stage.settles(120) else ["it did not settle within 120 s of the last restart"]
    slow = submitter.during(down)
    p99 = quantile(slow, 0.99)
    if p99 > SUBMIT_P99_S:
        complaints.append(f"with the broker down a submit took {p99:.2f} s at p99")
    figures = {"submits_while_down": len(slow), "submit_p99_down_s": round(p99, 3), "submit_max_s": round(max(slow), 3)}
    size = {"jobs": count, "broker_deaths": deaths, "flushes": 1}
    recovered = [again - at for at in back if (again := _next_start(stage, at))]
    return stage.verdict(3, "broker killed and flushed", size, complaints, recovered=recovered, figures=figures)


def _deaths(stage: Stage, deaths: int) -> tuple[list[tuple[float, float]], list[float]]:
    """When the broker was away (monotonic), and when it was back (epoch)."""
    down: list[tuple[float, float]] = []
    back: list[float] = []
    for number in range(deaths):
        time.sleep(UP_S)
        if number == deaths // 2:
            forget(stage)
        began = time.monotonic()
        stage.broker_server.kill()
        time.sleep(DOWN_S)
        stage.broker_server.start()
        down.append((began, time.monotonic()))
        back.append(time.time())
    return down, back


def forget(stage: Stage) -> None:
    """The broker loses every message: FLUSHALL on Valkey, a purge of the queues on RabbitMQ."""
    if stage.broker != "rabbitmq":
        with redis.Redis.from_url(stage.broker_server.url) as client:
            client.flushall()
        return
    with Connection(stage.broker_server.url) as held:
        for queue in QUEUES:
            held.channel().queue_purge(queue)  # type: ignore[attr-defined]


def _next_start(stage: Stage, after: float) -> float | None:
    """When the first run started after a moment; epoch seconds."""
    return min((at for at in stage.starts() if at >= after), default=None)
