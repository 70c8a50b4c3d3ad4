"""The tick: each slot once, missed ones noted, defaults moved by a setting, a broken schedule stopped alone."""

from functools import partial

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session

from beat_schedule import defaults, tick, times
from models.base import db_now
from models.run import Run
from models.schedule import Schedule, Slot
from models.session import EVERYONE
from models.workspace import SYSTEM
from tests.conftest import Person, at_once
from tests.jobs import install
from workers.runtime import Runtime
from workers.schedules import due_runs

HOUR = 3_600_000


def sync(runtime: Runtime, moved: dict[str, str] | None = None) -> dict[str, Schedule]:
    with runtime.database.write(EVERYONE) as session:
        defaults.sync(session, moved or {})
    with runtime.database.read(EVERYONE) as session:
        return {row.kind: row for row in session.scalars(select(Schedule))}


def overdue(runtime: Runtime, by: int) -> None:
    with runtime.database.write(EVERYONE) as session:
        session.execute(update(Schedule).where(Schedule.kind == "count").values(next_due=Schedule.next_due - by))


def test_a_job_s_default_becomes_a_schedule_that_a_setting_moves_or_stops(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, schedule="0 * * * *")
    assert sync(runtime)["count"].cron == "0 * * * *"
    assert sync(runtime, {"count": "30 6 * * *"})["count"].cron == "30 6 * * *"
    assert not sync(runtime, {"count": "off"})["count"].enabled
    assert sync(runtime)["count"].enabled
    assert "no such job" in (defaults.check({"nothing": "off"}) or "")
    assert "five fields" in (defaults.check({"count": "whenever"}) or "")


def test_five_beats_give_a_slot_one_run(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, schedule="0 * * * *")
    sync(runtime)
    overdue(runtime, HOUR)
    at_once(*[partial(due_runs, runtime)] * 5)
    with runtime.database.read(EVERYONE) as session:
        assert session.scalar(select(func.count()).select_from(Run).where(Run.kind == "count")) == 1
        assert session.scalar(select(func.count()).select_from(Slot)) == 1


def test_of_missed_slots_the_latest_runs_and_the_others_are_noted(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, schedule="0 * * * *")
    sync(runtime)
    overdue(runtime, 5 * HOUR)
    assert len(due_runs(runtime)) == 1
    assert due_runs(runtime) == []
    with runtime.database.read(EVERYONE) as session:
        slots = session.scalars(select(Slot).order_by(Slot.due)).all()
    assert [bool(slot.run_id) for slot in slots] == [False] * 4 + [True]
    assert all("missed" in slot.note for slot in slots[:-1])


def test_a_schedule_whose_job_is_gone_stops_and_holds_no_other_up(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, schedule="0 * * * *")
    sync(runtime)
    with runtime.database.write(EVERYONE) as session:
        session.add_all(
            Schedule(id=name, workspace_id=SYSTEM, kind=kind, params=params, cron="0 * * * *", next_due=1)
            for name, kind, params in (("gone", "no_such_job", {}), ("old", "count", {"until": "many"}))
        )
    overdue(runtime, 2 * HOUR)
    assert len(due_runs(runtime)) == 1
    with runtime.database.read(EVERYONE) as session:
        stopped = session.scalars(select(Schedule.id).where(Schedule.enabled.is_(False)).order_by(Schedule.id)).all()
    assert stopped == ["gone", "old"]


def people_s(runtime: Runtime, person: Person, count: int, **more: object) -> None:
    """So many schedules of a person that are due."""
    fields = {"kind": "count", "params": {}, "repeat": "minutes", "every_minutes": 1, **more}
    with runtime.database.write(EVERYONE) as session:
        now: int = session.scalar(select(db_now())) or 0
        session.add_all(
            Schedule(
                workspace_id=person.workspace_id,
                account_id=person.account_id,
                next_due=now // 60_000 * 60_000,
                **fields,
            )
            for _ in range(count)
        )


def test_a_hundred_that_are_due_at_once_cost_few_statements_and_fewer_commits(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    people_s(runtime, ada, 100)
    said: list[str] = []
    commits: list[object] = []
    event.listen(runtime.database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    event.listen(runtime.database.engine, "commit", commits.append)
    assert len(due_runs(runtime)) == 100
    assert len(said) < 100 * 17
    assert len(commits) < 20
    with runtime.database.read(EVERYONE) as session:
        assert len(set(session.scalars(select(Run.schedule_id)))) == 100


def test_one_whose_run_cannot_be_made_is_stopped_with_a_sentence_and_leaves_nothing(
    runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    people_s(runtime, ada, 1, id="breaks")
    people_s(runtime, ada, 2)
    real = tick.going_on

    def breaks(session: Session, schedule_id: str) -> bool:
        if schedule_id == "breaks":
            raise KeyError("a bug of ours")
        return real(session, schedule_id)

    monkeypatch.setattr(tick, "going_on", breaks)
    assert len(due_runs(runtime)) == 2
    with runtime.database.read(EVERYONE) as session:
        broken = session.get_one(Schedule, "breaks")
        assert (broken.enabled, broken.next_due, broken.stopped) == (False, None, tick.BROKE)
        notes = session.scalars(select(Slot.note).where(Slot.schedule_id == "breaks")).all()
    assert notes == ["not run: the schedule was stopped"]
    assert due_runs(runtime) == []


def test_an_idle_beat_only_reads(runtime: Runtime, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    people_s(runtime, ada, 3, enabled=False)
    said: list[str] = []
    event.listen(runtime.database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    assert due_runs(runtime) == []
    assert len(said) <= 2, said
    assert not [each for each in said if each.startswith(("UPDATE", "INSERT", "BEGIN IMMEDIATE"))]


def test_a_default_that_was_off_for_a_while_has_missed_nothing(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, schedule="* * * * *")
    sync(runtime)
    assert sync(runtime, {"count": "off"})["count"].next_due is None
    assert (sync(runtime)["count"].next_due or 0) > times.now() - 5_000
