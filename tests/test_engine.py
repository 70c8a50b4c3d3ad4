"""The engine's rules 1 to 5: submit, claim, lease, finish, reconcile."""

import time
from typing import Any

import pytest
from sqlalchemy import event, select, update

from models import dispatching, lifecycle
from models.artifact import Artifact
from models.delivery import Delivery
from models.run import MOVES, QUEUED, RUNNING, STATES, Run, RunEvent
from models.session import EVERYONE
from tasks.context import Context
from tasks.errors import JobError, TryLater
from tests.conftest import Person, at_once
from tests.jobs import Count, Counted, install, submitted
from workers import dispatch, publish
from workers.enqueue import KeyConflict, cancel, retry, submit
from workers.execute import execute, hand_back
from workers.runtime import Runtime

ME = "test@here:1/2"


def the_run(runtime: Runtime, run_id: str) -> Run:
    with runtime.database.read(EVERYONE) as session:
        return session.scalars(select(Run).where(Run.id == run_id)).one()


def timeline(runtime: Runtime, run_id: str) -> list[str]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(RunEvent.what).where(RunEvent.run_id == run_id).order_by(RunEvent.id)))


def expire(runtime: Runtime, run_id: str) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).where(Run.id == run_id).values(lease_until=0))


def make_due(runtime: Runtime, run_id: str) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).where(Run.id == run_id).values(due_at=0))


def test_a_run_is_executed_and_its_result_kept(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    job = install(monkeypatch, headline=lambda result: f"counted to {result.total}")
    run_id = submitted(runtime, job, ada)
    assert execute(runtime, run_id, ME) == "succeeded"
    run = the_run(runtime, run_id)
    assert run.result == {"total": 3}
    assert (run.headline, run.attempt, run.tries, run.lease_until, run.progress) == ("counted to 3", 1, 0, None, 1.0)
    assert timeline(runtime, run_id) == [], "what is usual stands in the run's own columns"


def test_a_second_delivery_does_nothing(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = submitted(runtime, install(monkeypatch), ada)
    outcomes = [execute(runtime, run_id, ME) for _ in range(5)]
    assert outcomes == ["succeeded", None, None, None, None]


def test_of_many_workers_exactly_one_claims(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = submitted(runtime, install(monkeypatch), ada)
    claims: list[Any] = []

    def claim() -> None:
        with runtime.database.write(EVERYONE) as session:
            claims.append(lifecycle.claim(session, run_id, ME, 1000))

    at_once(*[claim] * 8)
    assert sum(found is not None for found in claims) == 1


def test_a_lost_worker_s_run_goes_on_with_another_and_the_lost_one_writes_nothing(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[str | None] = []

    def run(params: Count, ctx: Context) -> Counted:
        if ctx.attempt == 1:  # while the first attempt works, its lease runs out and a second one does everything
            expire(runtime, run_id)
            assert dispatch.reconcile(runtime) == 1
            make_due(runtime, run_id)
            ends.append(execute(runtime, run_id, "other@here:3/4"))
            ctx.artifact("late.txt", "Late", "text/plain", b"late")
        return Counted(total=ctx.attempt)

    run_id = submitted(runtime, install(monkeypatch, run), ada)
    assert execute(runtime, run_id, ME) is None
    assert ends == ["succeeded"]
    run = the_run(runtime, run_id)  # type: ignore[assignment]
    assert (run.result, run.tries) == ({"total": 2}, 1)  # type: ignore[attr-defined]
    with runtime.database.read(ada.workspace_id) as session:
        assert session.scalars(select(Artifact)).all() == []
    assert list(runtime.storage.listed()) == [], "the file of the attempt that lost its lease is gone"


def test_the_lease_is_extended_while_the_job_works(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(params: Count, ctx: Context) -> Counted:
        before = the_run(runtime, run_id).lease_until or 0
        time.sleep(0.8)
        return Counted(total=(the_run(runtime, run_id).lease_until or 0) - before)

    run_id = submitted(runtime, install(monkeypatch, run), ada)
    assert execute(runtime, run_id, ME) == "succeeded"
    assert (the_run(runtime, run_id).result or {})["total"] > 300  # type: ignore[operator]


def test_a_poison_run_ends_as_failed(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = submitted(runtime, install(monkeypatch, attempts=3), ada)
    for _ in range(3):
        with runtime.database.write(EVERYONE) as session:
            assert lifecycle.claim(session, run_id, ME, 1000)
        expire(runtime, run_id)
        dispatch.reconcile(runtime)
        make_due(runtime, run_id)
    run = the_run(runtime, run_id)
    assert (run.state, run.tries) == ("failed", 3)
    assert "lost" in (run.error or "")
    assert execute(runtime, run_id, ME) is None


def test_the_user_s_error_fails_once_and_a_passing_one_is_tried_again(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(params: Count, ctx: Context) -> Counted:
        raise JobError("Count to less than that.")

    def away(params: Count, ctx: Context) -> Counted:
        raise TryLater("The server is away.", seconds=60)

    run_id = submitted(runtime, install(monkeypatch, wrong), ada)
    assert execute(runtime, run_id, ME) == "failed"
    assert the_run(runtime, run_id).error == "Count to less than that."
    job = install(monkeypatch, away, attempts=2)
    run_id = submitted(runtime, job, ada)
    assert execute(runtime, run_id, ME) == "queued"
    assert execute(runtime, run_id, ME) is None, "it is not due yet"
    make_due(runtime, run_id)
    assert execute(runtime, run_id, ME) == "failed"
    with runtime.database.write(ada.workspace_id) as session:
        assert retry(session, run_id)
    assert the_run(runtime, run_id).state == QUEUED


def test_a_crash_of_ours_is_told_without_its_details(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(params: Count, ctx: Context) -> Counted:
        raise KeyError("secret detail")

    run_id = submitted(runtime, install(monkeypatch, broken), ada)
    assert execute(runtime, run_id, ME) == "failed"
    assert "secret" not in (the_run(runtime, run_id).error or "")


def test_cancelling_reaches_a_waiting_and_a_running_run(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(params: Count, ctx: Context) -> Counted:
        with runtime.database.write(ada.workspace_id) as session:
            assert cancel(session, running)
        ctx.progress(0.5, "half")
        raise AssertionError("the progress call should have ended this")

    def never_asks(params: Count, ctx: Context) -> Counted:
        with runtime.database.write(ada.workspace_id) as session:
            assert cancel(session, silent)
        return Counted(total=1)

    job = install(monkeypatch, run)
    waiting, running = submitted(runtime, job, ada), submitted(runtime, job, ada)
    with runtime.database.write(ada.workspace_id) as session:
        assert cancel(session, waiting)
    assert execute(runtime, waiting, ME) is None
    assert execute(runtime, running, ME) == "cancelled"
    silent = submitted(runtime, install(monkeypatch, never_asks), ada)
    assert execute(runtime, silent, ME) == "cancelled", "a cancelled run never ends as succeeded"


def test_a_worker_that_stops_in_order_hands_back_and_spends_no_try(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = submitted(runtime, install(monkeypatch), ada)
    with runtime.database.write(EVERYONE) as session:
        lifecycle.claim(session, run_id, ME, 60_000)
    hand_back(runtime, "test@here:1")
    run = the_run(runtime, run_id)
    assert (run.state, run.tries) == (QUEUED, 0)
    assert execute(runtime, run_id, "next@here:5/6") == "succeeded"
    assert the_run(runtime, run_id).attempt == 2


def test_the_same_idempotency_key_gives_the_same_run_and_another_workspace_s_key_is_its_own(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch)
    first, second = submitted(runtime, job, ada, key="k"), submitted(runtime, job, ada, key="k")
    assert first == second
    assert submitted(runtime, job, grace, key="k") != first
    from tasks.handover import HandedOver

    with pytest.raises(KeyConflict), runtime.database.write(ada.workspace_id) as session:
        submit(runtime, session, job, HandedOver(Count(until=9)), ada.workspace_id, key="k")
    with pytest.raises(KeyConflict):
        submitted(runtime, job, ada, key="k", priority=-1)


def test_progress_after_a_write_is_an_error(runtime: Runtime, ada: Person) -> None:
    with Context(runtime.database, runtime.storage, ada.workspace_id) as ctx:
        ctx.session.add(Delivery(to="a@example.org", subject="s", text="t"))
        with pytest.raises(RuntimeError, match="writes last"):
            ctx.progress(0.5, "")


def test_rescued_runs_go_first_and_workspaces_take_turns(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch)
    mine = [submitted(runtime, job, ada) for _ in range(5)]
    hers = submitted(runtime, job, grace)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).values(published_at=None))
        session.execute(update(Run).where(Run.id == mine[4]).values(priority=lifecycle.RESCUED))
        order = [run_id for run_id, *_ in dispatching.next_to_publish(session, "default", 5)]
    assert order[0] == mine[4]
    assert order.index(hers) <= 2
    assert set(order) < {*mine, hers}
    assert len(order) == 5


@pytest.mark.sqlite
def test_every_move_that_the_statements_make_is_in_the_table_of_moves(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine's moves are watched while the ones above happen once more, through a trigger of the database."""
    with runtime.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE seen (a TEXT, b TEXT)")
        connection.exec_driver_sql(
            "CREATE TRIGGER watch AFTER UPDATE OF state ON run WHEN old.state <> new.state "
            "BEGIN INSERT INTO seen VALUES (old.state, new.state); END"
        )
    test_a_run_is_executed_and_its_result_kept(runtime, ada, monkeypatch)
    test_a_poison_run_ends_as_failed(runtime, ada, monkeypatch)
    test_cancelling_reaches_a_waiting_and_a_running_run(runtime, ada, monkeypatch)
    test_the_user_s_error_fails_once_and_a_passing_one_is_tried_again(runtime, ada, monkeypatch)
    with runtime.database.engine.connect() as connection:
        seen = {(a, b) for a, b in connection.exec_driver_sql("SELECT DISTINCT a, b FROM seen")}
    assert seen <= set(MOVES)
    assert len(seen) >= 7
    assert {state for move in MOVES for state in move} == set(STATES)


def test_a_failed_publish_is_no_error_and_the_run_is_published_again(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish.breaker, "_until", 0.0)
    run_id = submitted(runtime, install(monkeypatch), ada)  # the broker is not there
    assert the_run(runtime, run_id).state == QUEUED
    with runtime.database.read(EVERYONE) as session:
        assert [found for found, *_ in dispatching.published_long_ago(session, "default", -1000, 10)] == [run_id]


def test_an_idle_round_of_beat_writes_nothing(runtime: Runtime) -> None:
    begun: list[str] = []
    event.listen(runtime.database.engine, "before_cursor_execute", lambda c, cur, sql, *rest: begun.append(sql))
    dispatch.everything(runtime)
    assert begun
    assert not [sql for sql in begun if sql.startswith(("UPDATE", "INSERT", "DELETE"))]


def test_a_running_run_keeps_its_state_when_somebody_else_s_attempt_reports(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = submitted(runtime, install(monkeypatch), ada)
    with runtime.database.write(EVERYONE) as session:
        lifecycle.claim(session, run_id, ME, 60_000)
        assert not lifecycle.report(session, run_id, 7, 0.9, "stale")
        assert not lifecycle.extend(session, run_id, 7, 1000)
        assert not lifecycle.finish(session, run_id, 7, "failed", error="stale")
    assert the_run(runtime, run_id).state == RUNNING
