"""/metrics for Prometheus: what the tables say, so that every process of the front says the same.

Counters come from the table of tallies and never fall; gauges are asked for at each scrape. How quick the front itself
is stands in no table: that each process says of itself (web/timings.py).
"""

import platform
import secrets
import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate

from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from deploy.settings import ROOT
from models import tally, vitals
from models.base import clock
from models.delivery import Delivery
from models.session import EVERYONE
from tasks.storage import Storage
from web import timings
from web.current import public, runtime
from workers import publish
from workers.queues import QUEUES
from workers.runtime import Runtime

bp = Blueprint("metrics", __name__)
Counted = tuple[dict[str, str], float]
Tallies = dict[str, list[Counted]]
Row = tuple[tuple[str, ...], float]

# Counters: name of the tally, name and help of the metric, its labels.
COUNTERS = (
    ("runs_ended", "nightshift_runs_ended", "Runs that ended, by job and outcome.", ("job", "outcome")),
    ("run_events", "nightshift_run_events", "What was unusual in runs: tries again, handed back …", ("job", "event")),
    ("taken_back", "nightshift_runs_taken_back", "Runs taken back from lost workers, by their new state.", ("state",)),
    ("lease_lost", "nightshift_leases_lost", "Attempts that found their run in another's hands.", ("job",)),
    ("mqtt_messages", "nightshift_mqtt_messages", "Messages by MQTT, by what became of them.", ("outcome",)),
    ("republished", "nightshift_messages_published_again", "Messages that got lost, and were sent again.", ("queue",)),
)
HISTOGRAMS = (
    ("run_duration", "How long a run took, its last attempt.", "job", tally.DURATION_S),
    ("run_wait", "How long a run that was due waited for a worker.", "queue", tally.WAIT_S),
)


def install(app: Flask) -> None:
    """Make the token at the start: Prometheus reads it from its file before it ever asks."""
    app.extensions["nightshift"].settings.secret("metrics_token")
    timings.install(app)


@bp.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """For whoever has the token; everybody else learns nothing."""
    wanted = f"Bearer {runtime().settings.secret('metrics_token')}"
    given = request.headers.get("Authorization", "")
    if not secrets.compare_digest(given.encode(), wanted.encode()):
        return Response("This needs the token of /metrics.\n", 401, {"WWW-Authenticate": "Bearer"}, "text/plain")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Machinery(runtime()))
    registry.register(current_app.extensions["timings"].registry)
    encode, kind = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=kind)


class Machinery(Collector):
    """All metrics, read in one short transaction."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: the registry would collect all to learn the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield _build()
        yield from _disk(self._runtime.storage)
        broker = publish.length(self._runtime, "default") is not None
        yield GaugeMetricFamily("nightshift_broker_up", "1 while the broker answers.", value=float(broker))
        try:
            with self._runtime.database.read(EVERYONE) as session:
                found = [
                    *_queues(session, self._runtime.storage),
                    *_signs(session),
                    *_deliveries(session),
                    *_counters(tally.read(session)),
                ]
        except SQLAlchemyError:
            found = None
        yield GaugeMetricFamily("nightshift_database_up", "1 while the database answers.", value=float(bool(found)))
        yield from found or ()


def _build() -> Metric:
    info = GaugeMetricFamily("nightshift_build_info", "Always 1; says what runs.", labels=("version", "python"))
    info.add_metric((version(), platform.python_version()), 1)
    return info


@lru_cache(maxsize=1)
def version() -> str:
    """Which Nightshift this is."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def _disk(storage: Storage) -> Iterator[Metric]:
    if room := storage.room():
        for name, help_text, size in zip(("free", "size"), ("Free", "In all,"), room, strict=True):
            yield _gauge(f"disk_{name}_bytes", f"{help_text} where the files stand.", (), [((), float(size))])


def _gauge(name: str, help_text: str, labels: tuple[str, ...], rows: Iterable[Row]) -> Metric:
    gauge = GaugeMetricFamily(f"nightshift_{name}", help_text, labels=labels)
    for values, value in rows:
        gauge.add_metric(values, value)
    return gauge


def _queues(session: Session, storage: Storage) -> Iterator[Metric]:
    queues = vitals.queue_figures(session, QUEUES)
    states = [
        ((one.name, state), float(count))
        for one in queues
        for state, count in (
            ("waiting", one.waiting), ("published", one.published), ("running", one.running), ("blocked", one.blocked),
        )
    ]  # fmt: skip
    yield _gauge("queue_runs", "Runs that have not ended, by queue and state.", ("queue", "state"), states)
    oldest = [((one.name,), one.oldest_s or 0.0) for one in queues]
    yield _gauge("queue_oldest_waiting_seconds", "How long the first of the due runs waits.", ("queue",), oldest)
    canaries = [((one.name,), one.silent_s) for one in queues if one.silent_s is not None]
    yield _gauge("queue_canary_age_seconds", "Since a canary last ran in the queue.", ("queue",), canaries)
    paused = [((one.name,), float(one.paused)) for one in queues]
    yield _gauge("queue_paused", "1 while the queue is paused.", ("queue",), paused)
    alarms = vitals.alarms(session, queues, storage.room())
    ringing = [((name,), float(sum(alarm.name == name for alarm in alarms))) for name in vitals.ALARMS]
    yield _gauge("alarms", "Alarms that stand now; each has a page in the runbook.", ("alarm",), ringing)


def _signs(session: Session) -> Iterator[Metric]:
    alive = vitals.pulses(session, clock(session))
    signs = [((name,), age) for name, age in alive.items() if name in (vitals.BEAT, vitals.BROKER)]
    yield _gauge("pulse_age_seconds", "Since this part of the machinery last gave a sign of life.", ("part",), signs)
    left = vitals.certificate_ends_s(session)
    ends = [] if left is None else [((), left)]
    yield _gauge("certificate_ends_seconds", "Until the certificate ends that browsers are shown.", (), ends)
    beat = [((), alive[vitals.BEAT])] if vitals.BEAT in alive else []
    yield _gauge("beat_age_seconds", "Since beat last gave a sign of life.", (), beat)


def _deliveries(session: Session) -> Iterator[Metric]:
    states = session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
    yield _gauge(
        "mail_deliveries", "Mails that are kept, by state.", ("state",), [((state,), n) for state, n in states]
    )
    oldest = [((), vitals.mail_waits_s(session))]
    yield _gauge("mail_oldest_waiting_seconds", "How long the first of the mails to be sent waits.", (), oldest)


def _counters(tallies: Tallies) -> Iterator[Metric]:
    for name, metric, help_text, labels in COUNTERS:
        counter = CounterMetricFamily(metric, help_text, labels=labels)
        for values, value in tallies.get(name, []):
            counter.add_metric([values[label] for label in labels], value)
        yield counter
    for name, help_text, label, bounds in HISTOGRAMS:
        histogram = HistogramMetricFamily(f"nightshift_{name}_seconds", help_text, labels=(label,))
        kept = {(of[label], of["le"]): count for of, count in tallies.get(f"{name}_bucket", [])}
        for of, total in tallies.get(f"{name}_seconds", []):
            histogram.add_metric([of[label]], _buckets(kept, of[label], bounds), total)
        yield histogram


def _buckets(kept: dict[tuple[str, str], float], of: str, bounds: Iterable[float]) -> list[tuple[str, float]]:
    """Each bucket is kept without those below it, and an empty one not at all; Prometheus wants all, added up."""
    names = [*map(str, bounds), tally.INF]
    return list(zip(names, accumulate(kept.get((of, name), 0.0) for name in names), strict=True))
