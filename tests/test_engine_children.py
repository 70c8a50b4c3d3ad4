"""Runs that wait for others: dependents, and fan-outs whose children are claimed and finished together."""

import time
from typing import Any

import pytest
from sqlalchemy import func, select, update

import tasks
from models import chunks, dispatching, lifecycle, statements
from models.run import BLOCKED, QUEUED, SUCCEEDED, Run
from models.session import EVERYONE
from tasks.context import Context
from tasks.errors import JobError, TryLater
from tasks.job import Job
from tests.conftest import Person
from tests.jobs import Body, Count, Counted, submitted
from tests.test_engine import ME, expire, make_due, the_run, timeline
from workers import dispatch
from workers.enqueue import cancel, retry
from workers.execute import execute, hand_back
from workers.runtime import Runtime


def part(params: Count, ctx: Context) -> Counted:
    return Counted(total=params.until)


def whole(params: Count, ctx: Context) -> Counted:
    """Fans out into one child for each number up to `until`, then adds up what they counted."""
    found = ctx.children
    if found is None:
        ctx.fan_out("part", [Count(until=number) for number in range(1, params.until + 1)])
    return Counted(total=sum((child.result or {}).get("total", 0) for child in found))


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a job "count" that fans out and the job "part" of its children into the registry."""

    def put(run: Body = part, **more: Any) -> Job:
        shared: dict[str, Any] = {"title": "Count", "summary": "Counts.", "params": Count, "result": Counted}
        found = {
            "count": Job(kind="count", run=whole, **shared),
            "part": Job(kind="part", run=run, audience="machinery", **shared, **more),
        }
        known = {**tasks.discover(), **found}
        for module in ("workers.execute", "workers.enqueue", "workers.dispatch"):
            monkeypatch.setattr(f"{module}.discover", lambda: known)
        return found["count"]

    return put


def family(runtime: Runtime, parent: str) -> list[Run]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Run).where(Run.parent_id == parent).order_by(Run.id)))


def work(runtime: Runtime, *ids: str) -> list[str | None]:
    return [execute(runtime, run_id, ME) for run_id in ids]


def test_a_parent_waits_for_its_children_and_then_adds_them_up(runtime: Runtime, ada: Person, jobs: Any) -> None:
    parent = submitted(runtime, jobs(), ada)
    assert work(runtime, parent) == [BLOCKED]
    born = family(runtime, parent)
    assert [child.params["until"] for child in born] == [1, 2, 3]
    assert {(child.workspace_id, child.lane, child.listed) for child in born} == {
        (ada.workspace_id, ada.account_id, False)
    }
    assert work(runtime, *[child.id for child in born[:2]]) == [SUCCEEDED] * 2
    assert the_run(runtime, parent).state == BLOCKED, "one child goes on"
    assert work(runtime, born[2].id) == [SUCCEEDED]
    assert the_run(runtime, parent).state == QUEUED
    assert work(runtime, parent) == [SUCCEEDED]
    assert the_run(runtime, parent).result == {"total": 6}


def test_children_are_claimed_and_finished_together(runtime: Runtime, ada: Person, jobs: Any) -> None:
    parent = submitted(runtime, jobs(chunk=2), ada)
    work(runtime, parent)
    first, second, third = (child.id for child in family(runtime, parent))
    assert work(runtime, first) == [SUCCEEDED]
    assert [child.state for child in family(runtime, parent)] == [SUCCEEDED, SUCCEEDED, QUEUED]
    assert work(runtime, second, third) == [None, SUCCEEDED]
    assert work(runtime, parent) == [SUCCEEDED]
    assert the_run(runtime, parent).result == {"total": 6}


def test_one_message_wakes_a_worker_for_a_whole_chunk(
    runtime: Runtime, ada: Person, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = submitted(runtime, jobs(chunk=2), ada)
    work(runtime, parent)
    ids = [child.id for child in family(runtime, parent)]
    with runtime.database.begin() as connection:
        chosen = dispatching.next_to_publish(connection, "default", 10)
    assert [run_id for run_id, *_ in chosen] == ids
    assert [run_id for run_id, _ in dispatch._messages(chosen)] == [ids[0], ids[2]]


def test_in_a_chunk_only_a_child_that_was_begun_spends_a_try_and_then_each_is_tried_alone(
    runtime: Runtime, ada: Person, jobs: Any
) -> None:
    parent = submitted(runtime, jobs(chunk=3), ada)
    work(runtime, parent)
    ids = [child.id for child in family(runtime, parent)]
    with runtime.database.begin() as connection:
        claim = lifecycle.claim(connection, ids[0], ME, 60_000)
        assert claim
        assert len(chunks.claim_siblings(connection, claim, ME, 60_000, 2)) == 2
    for run_id in ids:
        expire(runtime, run_id)
    assert dispatch.reconcile(runtime) == 3
    assert [(child.state, child.tries) for child in family(runtime, parent)] == [
        ("queued", 1),
        ("queued", 0),
        ("queued", 0),
    ]
    assert {child.priority for child in family(runtime, parent)} == {lifecycle.RESCUED}, "all of them waited already"
    for run_id in ids:
        make_due(runtime, run_id)
    assert work(runtime, ids[0]) == [SUCCEEDED]
    assert [child.state for child in family(runtime, parent)] == ["succeeded", "queued", "queued"]


def test_children_that_fail_or_wait_do_so_alone(runtime: Runtime, ada: Person, jobs: Any) -> None:
    def picky(params: Count, ctx: Context) -> Counted:
        if params.until == 1:
            raise TryLater("The shelf is locked.", seconds=60)
        if params.until == 2:
            raise JobError("Two is not for counting.")
        return Counted(total=params.until)

    parent = submitted(runtime, jobs(picky, chunk=50), ada)
    work(runtime, parent)
    first = family(runtime, parent)[0].id
    work(runtime, first)
    later, failed, done = family(runtime, parent)
    assert (later.state, later.tries, failed.state, failed.error, done.state) == (
        "queued", 1, "failed", "Two is not for counting.", "succeeded",
    )  # fmt: skip
    make_due(runtime, first)
    for _ in range(2):
        work(runtime, first)
        make_due(runtime, first)
    assert work(runtime, parent) == [SUCCEEDED], "what becomes of failed children is for the parent's job to say"
    assert the_run(runtime, parent).result == {"total": 3}


def test_a_slow_chunk_gives_back_what_it_did_not_begin(
    runtime: Runtime, ada: Person, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(params: Count, ctx: Context) -> Counted:
        time.sleep(0.01)
        return part(params, ctx)

    monkeypatch.setattr("workers.chunk.CHUNK_SECONDS", 0.0)
    parent = submitted(runtime, jobs(slow, chunk=50), ada)
    work(runtime, parent)
    ids = [child.id for child in family(runtime, parent)]
    work(runtime, ids[0])
    assert [(child.state, child.tries) for child in family(runtime, parent)][1:] == [("queued", 0)] * 2


def test_cancelling_a_parent_cancels_its_children(runtime: Runtime, ada: Person, jobs: Any) -> None:
    parent = submitted(runtime, jobs(), ada)
    work(runtime, parent)
    running = family(runtime, parent)[0].id
    with runtime.database.begin() as connection:
        lifecycle.claim(connection, running, ME, 60_000)
    with runtime.database.write(ada.workspace_id) as session:
        assert cancel(session, parent)
    assert the_run(runtime, parent).state == "cancelled"
    first, *others = family(runtime, parent)
    assert first.cancel_at is not None
    assert {child.state for child in others} == {"cancelled"}
    hand_back(runtime, "test@here:1")
    assert the_run(runtime, running).state == "cancelled"


def test_a_child_cancelled_within_a_chunk_never_succeeds(runtime: Runtime, ada: Person, jobs: Any) -> None:
    def cancels_the_next(params: Count, ctx: Context) -> Counted:
        if params.until == 1:
            with runtime.database.begin() as connection:
                assert lifecycle.cancel(connection, ids[1])
        return Counted(total=params.until)

    parent = submitted(runtime, jobs(cancels_the_next, chunk=50), ada)
    work(runtime, parent)
    ids = [child.id for child in family(runtime, parent)]
    work(runtime, ids[0])
    assert [child.state for child in family(runtime, parent)] == ["succeeded", "cancelled", "succeeded"]
    assert the_run(runtime, parent).state == QUEUED


def test_a_run_starts_when_what_it_waits_for_has_succeeded(runtime: Runtime, ada: Person, jobs: Any) -> None:
    job = jobs()
    needs = [submitted(runtime, job, ada) for _ in range(2)]
    waits = submitted(runtime, job, ada, after=needs)
    dispatch.reconcile(runtime)
    assert (the_run(runtime, waits).state, work(runtime, waits)) == (BLOCKED, [None])
    with runtime.database.begin() as connection:
        connection.execute(update(statements.run).where(statements.c.id.in_(needs)).values(state=SUCCEEDED))
    dispatch.reconcile(runtime)
    assert the_run(runtime, waits).state == QUEUED


def test_a_run_fails_when_what_it_waits_for_fails_and_can_be_retried_after_that(
    runtime: Runtime, ada: Person, jobs: Any
) -> None:
    job = jobs()
    need = submitted(runtime, job, ada)
    waits = submitted(runtime, job, ada, after=[need])
    last = submitted(runtime, job, ada, after=[waits])
    with runtime.database.begin() as connection:
        lifecycle.claim(connection, need, ME, 1000)
        lifecycle.finish(connection, need, 1, "failed", error="It broke.")
    for _ in range(2):
        dispatch.reconcile(runtime)
    assert [the_run(runtime, each).state for each in (waits, last)] == ["failed", "failed"]
    assert timeline(runtime, waits) == ["failed"]
    with runtime.database.write(ada.workspace_id) as session:
        assert retry(session, need)
        assert retry(session, waits)
    assert [the_run(runtime, each).state for each in (need, waits)] == [QUEUED, BLOCKED]


def test_retrying_a_parent_retries_its_failed_children_first(runtime: Runtime, ada: Person, jobs: Any) -> None:
    parent = submitted(runtime, jobs(), ada)
    work(runtime, parent)
    first, *others = (child.id for child in family(runtime, parent))
    with runtime.database.begin() as connection:
        lifecycle.claim(connection, first, ME, 1000)
        lifecycle.finish(connection, first, 1, "failed", error="It broke.")
    work(runtime, *others)
    with runtime.database.begin() as connection:
        lifecycle.claim(connection, parent, ME, 1000)
        lifecycle.finish(connection, parent, 2, "failed", error="A child failed.")
    with runtime.database.write(ada.workspace_id) as session:
        assert retry(session, parent)
    assert (the_run(runtime, parent).state, the_run(runtime, first).state) == (BLOCKED, QUEUED)
    assert work(runtime, first, parent) == [SUCCEEDED] * 2


def test_many_children_are_inserted_quickly_and_go_on_in_order(runtime: Runtime, ada: Person, jobs: Any) -> None:
    jobs(chunk=50)
    with runtime.database.begin() as connection:
        from workers.children import insert_children

        parent = submitted_claim(runtime, ada)
        insert_children(connection, parent, tasks.discover()["upkeep"], [{"number": n} for n in range(2500)])
    with runtime.database.read(EVERYONE) as session:
        rows = session.scalars(select(Run.params).where(Run.parent_id == parent.id).order_by(Run.id)).all()
        assert session.scalar(select(func.count(Run.id.distinct())).where(Run.parent_id == parent.id)) == 2500
    assert [row["number"] for row in rows] == list(range(2500))


def submitted_claim(runtime: Runtime, person: Person) -> Any:
    """What a worker holds of a parent that is about to fan out."""
    from models.statements import Claim

    return Claim("p" * 28, 1, "count", person.workspace_id, None, {})
