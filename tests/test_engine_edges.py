"""Where two things happen to a run at once, and what a broker in trouble does to those who publish."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu import Connection
from pydantic import SecretStr
from sqlalchemy import update

from models import dispatching, lifecycle, statements
from models.run import Run
from models.session import EVERYONE
from tasks.context import Context
from tasks.errors import TryLater
from tests.conftest import Person
from tests.jobs import Count, Counted, install, submitted
from tests.test_engine import ME, expire, the_run
from workers import broker, dispatch, publish
from workers.enqueue import cancel, retry
from workers.execute import execute, hand_back
from workers.runtime import Runtime


def running(runtime: Runtime, person: Person, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run that a worker has claimed."""
    run_id = submitted(runtime, install(monkeypatch), person)
    with runtime.database.write(EVERYONE) as session:
        assert lifecycle.claim(session, run_id, ME, 60_000)
    return run_id


def ask_to_cancel(runtime: Runtime, person: Person, run_id: str) -> None:
    with runtime.database.write(person.workspace_id) as session:
        assert cancel(session, run_id)


def test_a_run_to_be_cancelled_ends_when_it_would_be_tried_again(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(params: Count, ctx: Context) -> Counted:
        ask_to_cancel(runtime, ada, run_id)
        raise TryLater("The server is away.")

    run_id = submitted(runtime, install(monkeypatch, away), ada)
    assert execute(runtime, run_id, ME) == "cancelled"
    assert the_run(runtime, run_id).state == "cancelled"


def test_a_run_to_be_cancelled_ends_when_its_worker_is_stopped_or_lost(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped, lost = running(runtime, ada, monkeypatch), running(runtime, ada, monkeypatch)
    ask_to_cancel(runtime, ada, lost)
    expire(runtime, lost)
    dispatch.reconcile(runtime)
    ask_to_cancel(runtime, ada, stopped)
    hand_back(runtime, "test@here:1")
    assert [the_run(runtime, each).state for each in (stopped, lost)] == ["cancelled"] * 2


def test_a_run_that_failed_before_its_cancel_was_seen_can_be_retried(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = running(runtime, ada, monkeypatch)
    ask_to_cancel(runtime, ada, run_id)
    with runtime.database.write(EVERYONE) as session:
        assert lifecycle.finish(session, run_id, 1, "failed", error="It broke.")
    with runtime.database.write(ada.workspace_id) as session:
        assert retry(session, run_id)
    assert execute(runtime, run_id, ME) == "succeeded"


def test_hand_back_takes_no_other_worker_s_runs(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = running(runtime, ada, monkeypatch)
    for other in ("test@here:11", "test@here", "te_t@here:1", "%"):
        hand_back(runtime, other)
    assert the_run(runtime, run_id).state == "running"


def test_a_child_that_dies_over_a_repeated_message_ends_no_other_s_lease(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = running(runtime, ada, monkeypatch)
    with runtime.database.write(EVERYONE) as session:
        assert not lifecycle.end_leases(session, "test@here:1/3")
        assert not lifecycle.end_leases(session, ME, "another run")
        assert lifecycle.end_leases(session, ME, run_id)


def test_a_worker_that_starts_ends_the_leases_of_those_who_bore_its_name_and_died(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = running(runtime, ada, monkeypatch)  # held by test@here:1/2
    with runtime.database.begin() as connection:
        for node, alive in (("test@here", {1}), ("test", set()), ("other@here", set()), ("te_t@here", set())):
            assert lifecycle.end_leases_of_the_dead(connection, node, alive.__contains__) == 0
        assert lifecycle.end_leases_of_the_dead(connection, "test@here", {2}.__contains__) == 1
    dispatch.reconcile(runtime)
    assert (the_run(runtime, run_id).state, the_run(runtime, run_id).tries) == ("queued", 1)


def test_the_window_counts_the_runs_of_all_workspaces(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch)
    ids = [submitted(runtime, job, person) for person in (ada, ada, grace)]
    with runtime.database.write(EVERYONE) as session:
        dispatching.mark_published(session, ids)
    with runtime.database.read(ada.workspace_id) as session:
        assert dispatching.published(session, "default") == 3


def test_what_is_submitted_while_the_broker_is_away_goes_out_as_soon_as_it_is_back(
    with_broker: tuple[Runtime, int], ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, _ = with_broker
    publish.breaker.trip()
    submitted(runtime, install(monkeypatch), ada)
    assert dispatch.dispatch(runtime, "default") == 0
    publish.breaker._until = 0.0
    assert dispatch.dispatch(runtime, "default") == 1


def test_messages_that_died_with_a_worker_keep_no_others_from_going_out(
    with_broker: tuple[Runtime, int], ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, _ = with_broker
    job = install(monkeypatch)
    lost = [submitted(runtime, job, ada) for _ in range(dispatching.AT_LEAST)]
    with Connection(runtime.settings.broker) as connection, connection.SimpleQueue("default") as queue:
        assert queue.clear() >= len(lost)
    other = submitted(runtime, job, ada)
    assert {the_run(runtime, run_id).published_at is None for run_id in lost} == {False}
    assert the_run(runtime, other).published_at is None, "by the table the window is full"
    assert dispatch.dispatch(runtime, "default") == 1
    assert the_run(runtime, other).published_at is not None


def test_runs_of_a_job_that_is_gone_end_and_do_not_fill_the_window(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = submitted(runtime, install(monkeypatch), ada)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).values(kind="gone", published_at=1))
    dispatch.everything(runtime)
    assert the_run(runtime, run_id).state == "queued", "a newer release may have that job"
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).values(created_at=1, published_at=1))
    dispatch.everything(runtime)
    assert the_run(runtime, run_id).state == "cancelled"


@pytest.fixture
def with_broker(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Runtime, int]]:
    """A runtime with a broker of its own, to which a connection stands; and the broker's process id."""
    (port,) = broker.free_ports(1)
    process = subprocess.Popen(broker.command(tmp_path / "broker", port, "secret"), stdout=subprocess.DEVNULL)
    url = broker.url(port, "secret")
    while not broker.answers(url):
        assert process.poll() is None
    monkeypatch.setattr(publish.breaker, "_until", 0.0)
    there = Runtime.from_settings(runtime.settings.model_copy(update={"broker_url": SecretStr(url)}))
    assert publish.publish(there, "count", "default", "warm")
    yield there, process.pid
    process.kill()
    process.wait()
    there.database.close()


@pytest.mark.parametrize("trouble", ["killed", "silent", "full"])
def test_a_broker_in_trouble_stops_nobody_who_publishes(
    with_broker: tuple[Runtime, int], ada: Person, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    runtime, process = with_broker
    if trouble == "full":
        with redis.Redis.from_url(runtime.settings.broker) as client:
            client.config_set("maxmemory", 1)
    else:
        os.kill(process, signal.SIGKILL if trouble == "killed" else signal.SIGSTOP)
    run_id = submitted(runtime, install(monkeypatch), ada)
    assert the_run(runtime, run_id).state == "queued"
    assert publish.breaker.open
    publish.breaker._until = 0.0
    assert publish.length(runtime, "default") == (1 if trouble == "full" else None)


def test_a_run_that_met_the_death_of_many_workers_goes_again_as_soon_as_any(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch, attempts=9)
    ids = [submitted(runtime, job, ada) for _ in range(12)]
    with runtime.database.begin() as connection:
        for run_id in ids:
            assert lifecycle.claim(connection, run_id, ME, 60_000)
        connection.execute(update(statements.run).values(tries=7, lease_until=1))
    assert dispatch.reconcile(runtime) == len(ids)
    now = int(time.time() * 1000)
    assert max(the_run(runtime, run_id).due_at for run_id in ids) <= now + lifecycle.RESCUE_CAP_MS + 1000
