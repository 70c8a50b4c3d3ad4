"""What this process of the front answered, and how quickly, for /metrics: the one thing that stands in no table.

Told by the part of the front (a blueprint's name: there are some sixty, and no request can make one up), never by
address or person. Each process counts for itself, so Prometheus adds those of several fronts up.
"""

import time

import prometheus_client
from flask import Flask, Response, g, request, request_finished, request_started
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Timings:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.answers = Counter(
            "nightshift_web_requests",
            "Requests answered by this process, by part of the front and class of status.",
            ("part", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "nightshift_web_request_seconds",
            "How long they took, until the answer began to be sent.",
            ("part",),
            buckets=BOUNDS_S,
            registry=self.registry,
        )
        # Memory, processor time and open files of this process; only Linux has them.
        ProcessCollector(namespace="nightshift_web", registry=self.registry)


def install(app: Flask) -> None:
    """Time every request from before its first check, so that those refused count too."""
    app.extensions["timings"] = Timings()
    request_started.connect(_begin, app)
    request_finished.connect(_end, app)


def _begin(_app: Flask) -> None:
    g.timing_began = time.perf_counter()


def _end(app: Flask, response: Response) -> None:
    timings: Timings = app.extensions["timings"]
    part = _part(request.endpoint)
    timings.answers.labels(part, f"{response.status_code // 100}xx").inc()
    if "timing_began" in g:
        timings.seconds.labels(part).observe(time.perf_counter() - g.timing_began)


def _part(endpoint: str | None) -> str:
    """The blueprint's name; of what has none (static files, /livez) the view's; of what nobody knows "unknown"."""
    return endpoint.rpartition(".")[0] or endpoint if endpoint else "unknown"
