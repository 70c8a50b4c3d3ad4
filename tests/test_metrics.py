"""/metrics: figures that Prometheus reads, from the tables, for whoever has the token."""

import time
from collections.abc import Iterable

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Dialect, delete, event, insert, select, update
from sqlalchemy.orm import Session

from models import tally
from models.base import new_id
from models.delivery import Delivery
from models.run import Pulse, Run, RunEvent, Tally
from models.session import EVERYONE
from tests.conftest import Person, at_once
from workers import beat, dispatch
from workers.queues import QUEUES
from workers.runtime import Runtime

SECOND = 1000
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def now() -> int:
    return time.time_ns() // 1_000_000


def scrape(app: Flask, runtime: Runtime) -> Samples:
    """Every sample by its name and labels, as Prometheus reads them."""
    token = runtime.settings.secret("metrics_token")
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for each in families for one in each.samples}


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"nightshift_{name}", tuple(sorted(labels.items()))))


def ended(runtime: Runtime, person: Person, ago_s: float = 60, **more: object) -> str:
    """A run of "count" that took two seconds after it had waited for one, and ended so long ago."""
    end = now() - int(ago_s * SECOND)
    values = {
        "id": new_id(), "kind": "count", "queue": "default", "state": "succeeded", "params": {}, "attempt": 1,
        "finished_at": end, "started_at": end - 2 * SECOND, "due_at": end - 3 * SECOND,
    } | more  # fmt: skip
    with runtime.database.write(person.workspace_id) as session:
        session.add(Run(workspace_id=person.workspace_id, **values))
    return str(values["id"])


def roll_up(runtime: Runtime) -> bool:
    with runtime.database.write(EVERYONE) as session:
        return tally.roll_up(session)


def rewind(runtime: Runtime, seconds: float) -> None:
    """Let the watermark be so old, as if beat had slept."""
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Pulse).where(Pulse.name == tally.COUNTED).values(at=now() - int(seconds * SECOND)))


@pytest.mark.parametrize("header", [None, "", "Bearer ", "Bearer wrong", "Basic wrong", "Bearer ü"])
def test_without_the_token_nobody_learns_anything(app: Flask, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = app.test_client().get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "nightshift_" not in answer.text


def test_each_metric_has_a_help_line_and_its_unit_in_its_name(app: Flask, runtime: Runtime, ada: Person) -> None:
    ended(runtime, ada)
    roll_up(runtime)
    token = runtime.settings.secret("metrics_token")
    headers = {"Authorization": f"Bearer {token}"}
    families = list(text_string_to_metric_families(app.test_client().get("/metrics", headers=headers).text))
    assert len({family.name for family in families}) == len(families) > 12
    for family in families:
        assert family.name.startswith("nightshift_")
        assert family.documentation.endswith((".", "…")), family.name
        assert {sample.name.endswith("_total") for sample in family.samples} <= {family.type == "counter"}
    assert {family.type for family in families} == {"counter", "gauge", "histogram"}
    accept = {**headers, "Accept": "application/openmetrics-text; version=1.0.0"}
    assert app.test_client().get("/metrics", headers=accept).text.rstrip().endswith("# EOF")


def test_queues_and_signs_of_life_are_told(app: Flask, runtime: Runtime, ada: Person) -> None:
    for state, more in (("queued", {}), ("queued", {"published_at": now()}), ("running", {}), ("blocked", {})):
        ended(runtime, ada, queue="ecg", finished_at=None, state=state, due_at=now() - 90 * SECOND, **more)
    ended(runtime, ada, queue="ecg", finished_at=None, state="queued", due_at=now() + 90 * SECOND)
    beat.pulse(runtime, "beat")
    found = scrape(app, runtime)
    depths = {state: value(found, "queue_runs", queue="ecg", state=state) for state in ("waiting", "published")}
    assert depths == {"waiting": 2, "published": 1}
    assert value(found, "queue_runs", queue="ecg", state="running") == 1
    assert value(found, "queue_runs", queue="ecg", state="blocked") == 1
    assert 89 < (value(found, "queue_oldest_waiting_seconds", queue="ecg") or 0) < 120
    assert {queue: value(found, "queue_oldest_waiting_seconds", queue=queue) for queue in QUEUES if queue != "ecg"} == {
        queue: 0 for queue in QUEUES if queue != "ecg"
    }
    assert (value(found, "beat_age_seconds") or 0) < 30
    assert (value(found, "database_up"), value(found, "broker_up")) == (1, 0)
    assert value(found, "alarms", alarm="beat-silent") == 0


def test_runs_are_counted_once_and_stay_counted_when_their_rows_are_gone(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    ended(runtime, ada)
    ended(runtime, ada, state="failed")
    ended(runtime, ada, state="cancelled", started_at=None, attempt=0)
    ended(runtime, ada, ago_s=1)  # too young: its like may still be on their way
    assert roll_up(runtime)
    rewind(runtime, 15)  # nothing ended since then
    assert roll_up(runtime)
    with runtime.database.write(EVERYONE) as session:
        session.execute(delete(Run))
    found = scrape(app, runtime)
    counts = {state: value(found, "runs_ended_total", job="count", outcome=state) for state in ("succeeded", "failed")}
    assert counts == {"succeeded": 1, "failed": 1}
    assert value(found, "runs_ended_total", job="count", outcome="cancelled") == 1
    assert value(found, "run_duration_seconds_count", job="count") == 2, "one that never began took no time"
    assert value(found, "run_duration_seconds_sum", job="count") == 4
    buckets = [value(found, "run_duration_seconds_bucket", job="count", le=bound) for bound in ("1", "5", "+Inf")]
    assert buckets == [0, 2, 2]
    assert value(found, "run_wait_seconds_sum", queue="default") == 2


def test_five_beats_at_once_count_each_run_once(app: Flask, runtime: Runtime, ada: Person) -> None:
    roll_up(runtime)
    for _ in range(20):
        ended(runtime, ada, ago_s=12)
    rewind(runtime, 60)
    at_once(*[lambda: roll_up(runtime) for _ in range(5)])
    assert value(scrape(app, runtime), "runs_ended_total", job="count", outcome="succeeded") == 20


def test_a_clock_that_was_set_back_stops_the_counting_for_no_longer_than_it_must(
    app: Flask, runtime: Runtime, ada: Person
) -> None:
    roll_up(runtime)
    rewind(runtime, -3600)
    assert roll_up(runtime)
    ended(runtime, ada, ago_s=12)
    rewind(runtime, 15)
    assert roll_up(runtime)
    assert value(scrape(app, runtime), "runs_ended_total", job="count", outcome="succeeded") == 1


def test_what_is_unusual_in_runs_is_counted_by_what_it_was(app: Flask, runtime: Runtime, ada: Person) -> None:
    run_id = ended(runtime, ada)
    with runtime.database.write(ada.workspace_id) as session:
        for ago, what in ((60, "tries again"), (60, "tries again"), (50, "handed back"), (1, "retried")):
            old = f"{(now() - ago * SECOND) * 1000:014x}{new_id()[14:]}"
            session.add(RunEvent(id=old, workspace_id=ada.workspace_id, run_id=run_id, what=what))
    roll_up(runtime)
    found = scrape(app, runtime)
    assert value(found, "run_events_total", job="count", event="tries_again") == 2
    assert value(found, "run_events_total", job="count", event="handed_back") == 1
    assert value(found, "run_events_total", job="count", event="retried") is None


def test_runs_taken_back_from_a_lost_worker_are_counted(app: Flask, runtime: Runtime, ada: Person) -> None:
    ended(runtime, ada, finished_at=None, state="running", lease_until=1)
    dispatch.reconcile(runtime)
    assert value(scrape(app, runtime), "runs_taken_back_total", state="queued") == 1


def test_two_writers_of_one_counter_lose_nothing(runtime: Runtime) -> None:
    def add() -> None:
        with runtime.database.write(EVERYONE) as session:
            tally.add(session, "lease_lost", tally.labelled(job="count"))

    at_once(*[add] * 8)
    with runtime.database.read(EVERYONE) as session:
        assert session.scalars(select(Tally.value)).all() == [8]


def test_a_database_that_is_away_is_told_and_not_a_fault(app: Flask, runtime: Runtime) -> None:
    def away(dialect: Dialect, *_: object) -> None:
        assert dialect.dbapi is not None
        raise dialect.dbapi.OperationalError

    engine = app.extensions["nightshift"].database.engine
    event.listen(engine, "do_connect", away)
    engine.dispose()
    found = scrape(app, runtime)
    assert value(found, "database_up") == 0
    assert value(found, "queue_runs", queue="ecg", state="running") is None


def test_a_scrape_with_100_000_waiting_runs_is_quick(app: Flask, runtime: Runtime, ada: Person) -> None:
    fill(runtime, ada, 100_000)
    scrape(app, runtime)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        found = scrape(app, runtime)
        took.append(time.perf_counter() - began)
    assert value(found, "queue_runs", queue="default", state="waiting") == 100_000
    print(f"scrape with 100,000 waiting runs: {sorted(took)[2] * 1000:.0f} ms")  # noqa: T201
    assert min(took) < 0.5, "generous for a busy machine; 50 ms is what we claim"


def fill(runtime: Runtime, person: Person, count: int) -> None:
    row = {"workspace_id": person.workspace_id, "kind": "count", "queue": "default", "params": {}, "state": "queued"}

    def insert_some(session: Session, ids: Iterable[str]) -> None:
        session.execute(insert(Run), [{**row, "id": run_id, "due_at": now() - 5 * SECOND} for run_id in ids])

    with runtime.database.write(EVERYONE) as session:
        for _ in range(count // 10_000):
            insert_some(session, [new_id() for _ in range(10_000)])


def test_the_front_tells_how_many_requests_it_answered_and_how_quickly(app: Flask, runtime: Runtime) -> None:
    there = app.test_client()
    there.get("/livez")
    there.get("/nowhere-at-all")
    there.get("/another/invented/address")
    there.get("/readyz", query_string={"bytes": "%00"})
    there.get("/readyz?bytes=%00")  # refused before its view, and timed all the same
    found = scrape(app, runtime)
    assert value(found, "web_requests_total", part="livez", status="2xx") == 1
    assert value(found, "web_requests_total", part="unknown", status="4xx") == 2, "invented addresses make no labels"
    assert value(found, "web_requests_total", part="health", status="4xx") == 1
    assert value(found, "web_request_seconds_count", part="health") == 2
    assert value(found, "web_request_seconds_bucket", part="livez", le="30.0") == 1


def test_the_disk_and_the_mail_that_waits_the_longest_are_told(app: Flask, runtime: Runtime, ada: Person) -> None:
    assert value(scrape(app, runtime), "mail_oldest_waiting_seconds") == 0
    with runtime.database.write(ada.workspace_id) as session:
        mail = {"to": "ada@example.org", "subject": "News", "text": "Hello", "account_id": ada.account_id}
        session.add(Delivery(**mail, workspace_id=ada.workspace_id, created_at=now() - 90 * SECOND))
        session.add(Delivery(**mail, workspace_id=ada.workspace_id, created_at=1, state="sent"))
    found = scrape(app, runtime)
    assert 89 < (value(found, "mail_oldest_waiting_seconds") or 0) < 120
    assert 0 < (value(found, "disk_free_bytes") or 0) < (value(found, "disk_size_bytes") or 0)
