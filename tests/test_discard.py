"""Discarding runs: what ended goes with its files, what goes on or is waited for stays."""

import io
import time

from sqlalchemy import func, insert, select, update

from models.artifact import Artifact, Upload
from models.base import new_id
from models.run import Dependency, Idempotency, Run, RunEvent
from models.session import EVERYONE
from tasks.discard import discard
from tests.conftest import Person
from workers.runtime import Runtime

END = 1_700_000_000_000


def made(runtime: Runtime, person: Person, state: str = "succeeded", **more: object) -> str:
    """A run as it stands in that state."""
    run = Run(
        id=new_id(), workspace_id=person.workspace_id, kind="count", queue="default", params={}, state=state,
        finished_at=END if state in ("succeeded", "failed", "cancelled") else None, **more,
    )  # fmt: skip
    with runtime.database.write(person.workspace_id) as session:
        session.add(run)
    return run.id


def with_files(runtime: Runtime, person: Person, run_id: str) -> None:
    """Give a run what hangs on runs: an event, an upload, an artifact and a key."""
    keys = [runtime.storage.put(io.BytesIO(b"bytes"))[0] for _ in range(2)]
    about = {"id": new_id(), "workspace_id": person.workspace_id, "run_id": run_id, "media_type": "image/png"}
    with runtime.database.write(person.workspace_id) as session:
        session.add(Upload(**about, field="files", name="a.png", size=5, sha256="", key=keys[0]))
        session.add(Artifact(**about, attempt=1, name="a.png", title="A", size=5, key=keys[1]))
        session.add(RunEvent(workspace_id=person.workspace_id, run_id=run_id, what="failed"))
        session.add(Idempotency(workspace_id=person.workspace_id, key=run_id, params_hash="", run_id=run_id))


def left(runtime: Runtime, table: type = Run) -> int:
    with runtime.database.read(EVERYONE) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_an_ended_run_goes_with_all_that_hangs_on_it(runtime: Runtime, ada: Person) -> None:
    gone, kept = made(runtime, ada), made(runtime, ada, "failed")
    for run_id in (gone, kept):
        with_files(runtime, ada, run_id)
    with runtime.database.write(ada.workspace_id) as session:
        assert discard(session, runtime.storage, [gone, new_id()]) == 1
        assert len(list(runtime.storage.listed())) == 4, "the files stay until the rows are gone for certain"
    assert {left(runtime, table) for table in (Run, Upload, Artifact, RunEvent, Idempotency)} == {1}
    assert len(list(runtime.storage.listed())) == 2


def test_what_rolls_back_keeps_its_files(runtime: Runtime, ada: Person) -> None:
    run_id = made(runtime, ada)
    with_files(runtime, ada, run_id)
    try:
        with runtime.database.write(ada.workspace_id) as session:
            discard(session, runtime.storage, [run_id])
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert (left(runtime), len(list(runtime.storage.listed()))) == (1, 2)


def test_nothing_that_waits_or_runs_is_discarded(runtime: Runtime, ada: Person) -> None:
    ids = [made(runtime, ada, state) for state in ("blocked", "queued", "running")]
    with runtime.database.write(EVERYONE) as session:
        assert discard(session, runtime.storage, ids) == 0
    assert left(runtime) == 3


def test_a_run_that_another_waits_for_stays_until_that_one_ended(runtime: Runtime, ada: Person) -> None:
    first, second = made(runtime, ada), made(runtime, ada, "blocked")
    with runtime.database.write(EVERYONE) as session:
        session.add(Dependency(run_id=second, needs_id=first))
    for state, gone in (("blocked", 0), ("succeeded", 1)):
        with runtime.database.write(EVERYONE) as session:
            session.execute(update(Run).where(Run.id == second).values(state=state))
            assert discard(session, runtime.storage, [first]) == gone


def test_a_parent_takes_its_children_and_theirs_along(runtime: Runtime, ada: Person) -> None:
    parent = made(runtime, ada, children=2)
    child = made(runtime, ada, parent_id=parent, children=1)
    made(runtime, ada, parent_id=parent)
    with_files(runtime, ada, made(runtime, ada, parent_id=child))
    with runtime.database.write(EVERYONE) as session:
        assert discard(session, runtime.storage, [parent]) == 4
    assert (left(runtime), list(runtime.storage.listed())) == (0, [])


def test_a_family_in_which_somebody_works_stays_whole(runtime: Runtime, ada: Person) -> None:
    parent = made(runtime, ada, "cancelled", children=1)
    child = made(runtime, ada, parent_id=parent, children=1)
    made(runtime, ada, "running", parent_id=child)
    waiting = made(runtime, ada, "blocked", children=1)
    done = made(runtime, ada, parent_id=waiting)
    with runtime.database.write(EVERYONE) as session:
        assert discard(session, runtime.storage, [parent, done]) == 0


def test_another_workspace_s_runs_are_out_of_reach(runtime: Runtime, ada: Person, grace: Person) -> None:
    hers = made(runtime, ada)
    with_files(runtime, ada, hers)
    with runtime.database.write(grace.workspace_id) as session:
        assert discard(session, runtime.storage, [hers]) == 0
    assert (left(runtime), left(runtime, Idempotency)) == (1, 1)


def test_ten_thousand_runs_go_in_a_few_seconds(runtime: Runtime, ada: Person) -> None:
    ids = [new_id() for _ in range(10_000)]
    row = {"workspace_id": ada.workspace_id, "kind": "count", "queue": "default", "params": {}, "state": "succeeded"}
    with runtime.database.write(EVERYONE) as session:
        session.execute(insert(Run), [{**row, "id": run_id, "finished_at": END} for run_id in ids])
    started = time.monotonic()
    with runtime.database.write(ada.workspace_id) as session:
        assert discard(session, runtime.storage, ids) == len(ids)
    assert time.monotonic() - started < 20
    assert left(runtime) == 0
