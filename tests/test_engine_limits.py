"""Limits at the claim, fair turns at the dispatch, checkpoints, and the soft end of what never listens."""

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy import select, update

from models import dispatching, lifecycle, limits, statements
from models.engine import again
from models.run import Permit, Run
from models.session import EVERYONE
from tasks.context import Context
from tests.conftest import Person, at_once
from tests.jobs import Count, Counted, install, submitted
from tests.test_engine import ME, expire, make_due, the_run
from workers import dispatch
from workers.enqueue import cancel
from workers.execute import execute, hand_back
from workers.runtime import Runtime


def bound(runtime: Runtime, scope: str, running: int | None = None, per_minute: int | None = None) -> None:
    with runtime.database.begin() as connection:
        limits.set_limit(connection, scope, running, per_minute)
    runtime.limits.forget()


def permits(runtime: Runtime) -> set[str]:
    with runtime.database.read(EVERYONE) as session:
        return set(session.scalars(select(Permit.run_id).where(Permit.run_id.is_not(None))))


def test_a_queue_s_limit_holds_and_frees_itself(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[object] = []

    def run(params: Count, ctx: Context) -> Counted:
        if not found:  # while the first runs, the second may not, whoever asks
            found.extend([execute(runtime, second, "other@here:3/4"), the_run(runtime, second).state])
            found.append(permits(runtime))
        return Counted(total=1)

    bound(runtime, "queue:default", running=1)
    job = install(monkeypatch, run)
    first, second = submitted(runtime, job, ada), submitted(runtime, job, ada)
    assert execute(runtime, first, ME) == "succeeded"
    assert found == [None, "queued", {first}]
    assert permits(runtime) == set()
    assert the_run(runtime, second).published_at is None
    make_due(runtime, second)
    assert execute(runtime, second, ME) == "succeeded"


def test_a_second_delivery_takes_no_permit_from_the_run_that_runs(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def run(params: Count, ctx: Context) -> Counted:
        seen.extend([execute(runtime, run_id, "other@here:3/4"), permits(runtime) == {run_id}])
        return Counted(total=1)

    bound(runtime, "queue:default", running=1)
    run_id = submitted(runtime, install(monkeypatch, run), ada)
    assert execute(runtime, run_id, ME) == "succeeded"
    assert seen == [None, True]


def test_of_many_workers_no_more_than_the_limit_begin(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound(runtime, "queue:default", running=3)
    ids = [submitted(runtime, install(monkeypatch), ada) for _ in range(8)]
    known = runtime.limits.now()
    begun: list[str] = []

    @again
    def claim(run_id: str) -> None:
        try:
            with runtime.database.begin() as connection:
                limits.admit(connection, known, run_id)
                if lifecycle.claim(connection, run_id, ME, 60_000):
                    begun.append(run_id)
        except limits.NotNow:
            pass

    at_once(*[lambda run_id=run_id: claim(run_id) for run_id in ids])
    assert len(begun) == 3
    assert permits(runtime) == set(begun)


def test_the_permit_of_a_lost_or_stopped_worker_comes_back(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound(runtime, "queue:default", running=2)
    job = install(monkeypatch)
    lost, stopped = submitted(runtime, job, ada), submitted(runtime, job, ada)
    for run_id in (lost, stopped):
        with runtime.database.begin() as connection:
            limits.admit(connection, runtime.limits.now(), run_id)
            assert lifecycle.claim(connection, run_id, ME, 60_000)
    expire(runtime, lost)
    dispatch.reconcile(runtime)
    assert permits(runtime) == {stopped}
    hand_back(runtime, "test@here:1")
    dispatch.reconcile(runtime)
    assert permits(runtime) == set()


def test_a_person_s_limit_counts_that_person_alone(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound(runtime, "person:*", running=1)
    job = install(monkeypatch)
    hers, hers_too, other = (submitted(runtime, job, person) for person in (ada, ada, grace))
    known = runtime.limits.now()
    with runtime.database.begin() as connection:
        limits.admit(connection, known, hers)
        lifecycle.claim(connection, hers, ME, 60_000)
    with pytest.raises(limits.NotNow), runtime.database.begin() as connection:
        limits.admit(connection, known, hers_too)
    with runtime.database.begin() as connection:
        limits.admit(connection, known, other)
    bound(runtime, f"person:{ada.account_id}", running=2)
    with runtime.database.begin() as connection:
        limits.admit(connection, runtime.limits.now(), hers_too)


def test_a_rate_spreads_the_starts(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    bound(runtime, "queue:default", per_minute=6)
    job = install(monkeypatch)
    first, second = submitted(runtime, job, ada), submitted(runtime, job, ada)
    assert execute(runtime, first, ME) == "succeeded"
    before = the_run(runtime, second).due_at
    assert execute(runtime, second, ME) is None
    assert 5_000 < the_run(runtime, second).due_at - before <= 11_000
    bound(runtime, "queue:default")
    make_due(runtime, second)
    assert execute(runtime, second, ME) == "succeeded"


def test_a_fast_rate_lets_one_second_s_worth_start_at_once(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound(runtime, "queue:default", per_minute=600)
    job = install(monkeypatch)
    ids = [submitted(runtime, job, ada) for _ in range(60)]
    let_in = 0
    with pytest.raises(limits.NotNow) as refused, runtime.database.begin() as connection:
        for run_id in ids:  # sixty in one go would have to take five seconds to be let in, all of them
            limits.admit(connection, runtime.limits.now(), run_id)
            let_in += 1
    assert 10 <= let_in < 60
    assert refused.value.wait <= 100


def test_a_limit_of_none_at_once_stops_a_queue(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    bound(runtime, "queue:default", running=0)
    run_id = submitted(runtime, install(monkeypatch), ada)
    assert execute(runtime, run_id, ME) is None
    assert the_run(runtime, run_id).state == "queued"


def test_one_person_s_thousand_runs_do_not_stand_before_another_s_one(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch)
    for _ in range(100):
        submitted(runtime, job, ada)
    hers = submitted(runtime, job, grace)
    with runtime.database.begin() as connection:
        connection.execute(update(statements.run).values(published_at=None))
        chosen = [run_id for run_id, *_ in dispatching.next_to_publish(connection, "default", 10)]
        assert hers in chosen[:2]
        dispatching.mark_published(connection, [each for each in chosen if each != hers])
        assert dispatching.next_to_publish(connection, "default", 1)[0][0] == hers, "she has nothing out yet"


def test_priority_goes_before_turns_and_a_person_s_limit_before_priority(
    runtime: Runtime, ada: Person, grace: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch)
    low = submitted(runtime, job, ada, priority=-1)
    normal = [submitted(runtime, job, ada) for _ in range(3)]
    high = [submitted(runtime, job, grace, priority=1) for _ in range(3)]
    with runtime.database.begin() as connection:
        connection.execute(update(statements.run).values(published_at=None))
        order = [run_id for run_id, *_ in dispatching.next_to_publish(connection, "default", 6)]
        assert order == [*high, *normal]
        everyone = [run_id for run_id, *_ in dispatching.next_to_publish(connection, "default", 7)]
        assert everyone == [*high, *normal, low]
        few = dispatching.next_to_publish(connection, "default", 7, {"*": 1})
    assert [run_id for run_id, *_ in few] == [high[0], normal[0]]


def test_a_run_goes_on_from_its_checkpoint_however_often_it_is_handed_back(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def run(params: Count, ctx: Context) -> Counted:
        step = (ctx.checkpoint or {"step": 0})["step"]
        seen.append(step)
        if step < 4:
            ctx.save_checkpoint({"step": step + 1})
            hand_back(runtime, "test@here:1")  # a deploy
            ctx.progress(0.5, "another has it now")
        return Counted(total=step)

    run_id = submitted(runtime, install(monkeypatch, run, attempts=2), ada)
    for _ in range(4):
        execute(runtime, run_id, ME)
    assert execute(runtime, run_id, ME) == "succeeded"
    assert seen == [0, 1, 2, 3, 4]
    assert (the_run(runtime, run_id).tries, the_run(runtime, run_id).checkpoint) == (0, None)


def test_an_attempt_that_lost_its_lease_keeps_no_checkpoint(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(params: Count, ctx: Context) -> Counted:
        hand_back(runtime, "test@here:1")
        ctx.save_checkpoint({"step": 9})
        raise AssertionError("it should have heard that it lost its lease")

    run_id = submitted(runtime, install(monkeypatch, run), ada)
    assert execute(runtime, run_id, ME) is None
    assert the_run(runtime, run_id).checkpoint is None


def test_a_run_that_never_listens_is_cancelled_by_its_time_limit(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(params: Count, ctx: Context) -> Counted:
        with runtime.database.write(ada.workspace_id) as session:
            cancel(session, run_id)
        raise SoftTimeLimitExceeded

    run_id = submitted(runtime, install(monkeypatch, deaf), ada)
    assert execute(runtime, run_id, ME) == "cancelled"


@pytest.mark.sqlite
def test_ten_thousand_waiting_runs_are_looked_at_through_the_index(runtime: Runtime, ada: Person) -> None:
    """Every question of the dispatcher is a search; a scan would read all that wait, several times a second."""
    with runtime.database.look() as connection:
        seen: list[tuple[str, object]] = []
        questions = [
            select(statements.c.id).where(
                dispatching.waiting("default"), statements.c.priority == 0, statements.c.lane > "a"
            ),
            select(Run.id).where(lifecycle.LOST),
        ]
        for statement in questions:
            text = str(statement.compile(connection.engine, compile_kwargs={"literal_binds": True}))
            seen += [tuple(row)[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert all(str(plan).startswith("SEARCH run USING") for plan in seen), seen


def test_quick_runs_of_many_people_are_chosen_in_turn(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = install(monkeypatch)
    ids = [submitted(runtime, job, ada) for _ in range(20)]
    with runtime.database.begin() as connection:
        for number, run_id in enumerate(ids):  # five people with four runs each
            its = update(statements.run).where(statements.c.id == run_id)
            connection.execute(its.values(published_at=None, lane=f"person{number % 5}"))
    served: list[str] = []
    for _ in range(10):
        with runtime.database.begin() as connection:
            for run_id, *_ in dispatching.next_to_publish(connection, "default", 2):
                mine = statements.c.id == run_id
                served.append(connection.execute(select(statements.c.lane).where(mine)).scalar_one())
                connection.execute(update(statements.run).where(mine).values(state="succeeded"))
    assert [len(set(served[at : at + 5])) for at in range(0, 20, 5)] == [5] * 4, served
