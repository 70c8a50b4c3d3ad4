"""The schedules that come with the jobs, as rows of the system's workspace; a setting may move or stop each."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from beat_schedule import times
from beat_schedule.times import Rule
from models.base import clock
from models.schedule import Schedule
from models.workspace import SYSTEM, Workspace
from tasks import discover

OFF = "off"


def check(moved: Mapping[str, str]) -> str | None:
    """What is wrong with the setting, in a sentence; None when it is right."""
    for kind, cron in moved.items():
        if kind not in discover():
            return f"NIGHTSHIFT_SCHEDULES names {kind!r}, and there is no such job."
        if cron != OFF and (wrong := times.check(cron)):
            return f"NIGHTSHIFT_SCHEDULES, {kind!r}: {wrong}"
    return None


def sync(session: Session, moved: Mapping[str, str]) -> None:
    """Bring the default schedules' rows in line with the jobs and the setting. Safe on any number of beats."""
    if session.get(Workspace, SYSTEM) is None:
        session.add(Workspace(id=SYSTEM, name="System"))
    now = clock(session)
    wanted = {kind: moved.get(kind, job.schedule) for kind, job in discover().items() if job.schedule or kind in moved}
    for kind, cron in wanted.items():
        _sync_one(session, kind, cron or OFF, now)
    for row in session.scalars(select(Schedule).where(Schedule.id.like("default-%"))):
        if row.kind not in wanted:
            session.delete(row)


def _sync_one(session: Session, kind: str, cron: str, now: int) -> None:
    row = session.get(Schedule, f"default-{kind}")
    if row is None:
        row = Schedule(
            id=f"default-{kind}", workspace_id=SYSTEM, kind=kind, params={}, repeat="cron", cron="", enabled=True
        )
        session.add(row)
    wanted = cron != OFF
    if wanted and (row.cron != cron or not row.enabled):  # what was off for a while has missed nothing
        row.cron, row.stopped, row.next_due = cron, "", times.after(Rule(cron=cron, zone=row.time_zone or "UTC"), now)
    row.enabled = wanted
    if not wanted:
        row.next_due = None
