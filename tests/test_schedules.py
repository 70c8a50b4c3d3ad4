"""Schedules: each slot once, missed ones noted, defaults moved by a setting, daylight saving as people expect."""

from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from beat_schedule import defaults, times
from models.run import Run
from models.schedule import Schedule, Slot
from models.session import EVERYONE
from models.workspace import SYSTEM
from tests.conftest import at_once
from tests.jobs import install
from workers.runtime import Runtime
from workers.schedules import due_runs

HOUR = 3_600_000


def ms(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


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
