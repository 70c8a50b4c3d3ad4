"""What goes beside age: the oldest ended runs beyond what a workspace keeps, and the oldest slots of a schedule."""

import time

import pytest
from sqlalchemy import event, select, text, update

from models.artifact import Artifact
from models.base import db_now, new_id
from models.run import Dependency, Run
from models.schedule import Schedule, Slot
from models.session import EVERYONE
from tasks.upkeep import job as upkeep
from tests.conftest import Person
from tests.jobs import install
from tests.test_upkeep import clear_away, ended, handed, left, stored
from workers.runtime import Runtime

LONG_AGO = 1 / 12  # of a day: two hours, and no age at which runs go


def keep(runtime: Runtime, runs: int) -> None:
    object.__setattr__(runtime, "settings", runtime.settings.model_copy(update={"keep_runs": runs}))


def some(runtime: Runtime, person: Person, count: int, **more: object) -> list[str]:
    """So many ended runs, the oldest first, of all three ends."""
    return [
        ended(runtime, person, ("succeeded", "failed", "cancelled")[number % 3], LONG_AGO, **more)
        for number in range(count)
    ]


def test_the_oldest_ended_runs_beyond_the_bound_go_in_each_workspace_by_itself(
    runtime: Runtime, ada: Person, grace: Person
) -> None:
    keep(runtime, 4)
    waits = ended(runtime, ada, "queued", 0)
    hers, many = some(runtime, grace, 4), some(runtime, ada, 9)
    assert clear_away(runtime)["runs"] == 5
    assert left(runtime) == {*hers, *many[5:], waits}
    assert clear_away(runtime)["runs"] == 0


def test_nought_keeps_all(runtime: Runtime, ada: Person) -> None:
    keep(runtime, 0)
    many = some(runtime, ada, 5)
    assert clear_away(runtime)["runs"] == 0
    assert left(runtime) == set(many)


def test_the_surplus_goes_in_portions_and_one_upkeep_takes_only_so_much(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "AT_ONCE", 2)
    monkeypatch.setattr(upkeep, "MOST_SURPLUS", 7)
    keep(runtime, 3)
    many = some(runtime, ada, 12)
    assert clear_away(runtime)["runs"] == 7
    assert left(runtime) == set(many[7:])
    assert clear_away(runtime)["runs"] == 2
    assert left(runtime) == set(many[9:])


def test_what_others_wait_for_and_what_has_just_ended_stays(runtime: Runtime, ada: Person) -> None:
    keep(runtime, 1)
    parent = ended(runtime, ada, "blocked", 0, children=1)
    child, needed = ended(runtime, ada, "succeeded", LONG_AGO, parent_id=parent), some(runtime, ada, 1)[0]
    waits = ended(runtime, ada, "blocked", 0)
    with runtime.database.write(EVERYONE) as session:
        session.add(Dependency(run_id=waits, needs_id=needed))
    fresh = ended(runtime, ada, "succeeded", 0)
    old, newest = some(runtime, ada, 2)
    assert clear_away(runtime)["runs"] == 1
    assert left(runtime) == {parent, child, needed, waits, fresh, newest}
    assert old not in left(runtime)


def test_their_files_go_along(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(runtime, 1)
    job = install(monkeypatch)
    keys = [stored(runtime, 0.1) for _ in range(3)]
    runs = [handed(runtime, ada, job, key) for key in keys]
    drawing = stored(runtime, 0.1)
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Run).values(state="succeeded", finished_at=db_now() - 2 * upkeep.HOUR_MS))
        session.add(
            Artifact(
                workspace_id=ada.workspace_id,
                run_id=runs[0],
                key=drawing,
                name="a.png",
                title="A",
                media_type="image/png",
                attempt=1,
                size=5,
            )
        )
    assert clear_away(runtime)["runs"] == 2
    assert left(runtime) == {runs[2]}
    assert [key for key, _ in runtime.storage.listed()] == [keys[2]]


def minutes(runtime: Runtime, person: Person, count: int) -> tuple[str, list[int]]:
    """A schedule with so many slots, one a minute up to now, the oldest first."""
    now, schedule = int(time.time() * 1000), new_id()
    dues = [now - 60_000 * ago for ago in reversed(range(count))]
    with runtime.database.write(person.workspace_id) as session:
        session.add(Schedule(id=schedule, workspace_id=person.workspace_id, kind="count", params={}, enabled=False))
        session.flush()
        session.add_all(Slot(schedule_id=schedule, due=due) for due in dues)
    return schedule, dues


def slots(runtime: Runtime, schedule: str) -> list[int]:
    with runtime.database.read(EVERYONE) as session:
        return list(session.scalars(select(Slot.due).where(Slot.schedule_id == schedule).order_by(Slot.due)))


def test_a_schedule_keeps_its_newest_slots_and_those_whose_runs_go_on(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "AT_ONCE", 3)
    monkeypatch.setattr(upkeep, "SLOTS_KEPT", 5)
    (schedule, dues), (other, its) = minutes(runtime, ada, 15), minutes(runtime, ada, 5)
    at_work, done = ended(runtime, ada, "running", 0), ended(runtime, ada, "succeeded", LONG_AGO)
    with runtime.database.write(EVERYONE) as session:
        for due, run_id in ((dues[2], at_work), (dues[4], done)):
            session.execute(update(Slot).where(Slot.due == due, Slot.schedule_id == schedule).values(run_id=run_id))
    clear_away(runtime)
    assert slots(runtime, schedule) == [dues[2], *dues[10:]]
    assert slots(runtime, other) == its


@pytest.mark.sqlite
def test_who_has_too_many_and_which_they_are_is_read_from_an_index_alone(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    keep(runtime, 1)
    some(runtime, ada, 3)
    event.listen(runtime.database.engine, "before_cursor_execute", lambda *what: asked.append(what[2]))
    clear_away(runtime)
    counted = next(sql for sql in asked if "HAVING" in sql and "FROM run" in sql)
    found = next(sql for sql in asked if "ORDER BY run.id" in sql and "OFFSET" in sql)
    with runtime.database.read(EVERYONE) as session:
        for sql in (counted, found):
            plan = " ".join(str(row) for row in session.execute(text(f"EXPLAIN QUERY PLAN {_literal(sql)}")))
            assert "COVERING INDEX ix_run_state" in plan


def _literal(sql: str) -> str:
    """Any value will do for a plan."""
    return sql.replace("LIMIT ? OFFSET ?", "LIMIT 1 OFFSET 1").replace("?", "'1'")
