"""Beat: a Celery scheduler whose schedule is the database. Any number of them may run; every move is conditional."""

import threading
import time
from typing import Any

import structlog
from celery.beat import Scheduler
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from beat_schedule import defaults, tick
from models.base import db_now
from models.lifecycle import changed, oldest_due
from models.run import Pulse
from models.schedule import Schedule
from models.session import EVERYONE
from tasks.handover import HandedOver
from tasks.job import Job
from workers import deadman, dispatch, publish
from workers.enqueue import submit
from workers.runtime import Runtime, runtime

log = structlog.get_logger()
EVERY = 1  # seconds between two rounds
PULSE_EVERY = 5.0
PING_EVERY = 60.0
TOO_LONG_MS = 10 * 60_000  # a run that waits for so long means that nobody works


class SqlScheduler(Scheduler):
    """Runs the tick, the reconciler and the dispatcher, once a second, inside beat and never as messages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.runtime: Runtime = runtime()
        self._pulsed = self._pinged = 0.0
        self._synced = False
        super().__init__(*args, **kwargs)
        self.max_interval = EVERY

    def setup_schedule(self) -> None:
        """Nothing to read from files."""

    def tick(self, *_: Any, **__: Any) -> float:
        """One round; a database that is away is waited for."""
        started = time.monotonic()
        try:
            self._round()
        except SQLAlchemyError as error:
            log.warning("beat.database_away", error=type(error).__name__)
        return max(0.05, EVERY - (time.monotonic() - started))

    def _round(self) -> None:
        if not self._synced:
            with self.runtime.database.write(EVERYONE) as session:
                defaults.sync(session, self.runtime.settings.schedules)
            self._synced = True
        due_runs(self.runtime)
        dispatch.everything(self.runtime)
        now = time.monotonic()
        if now - self._pulsed > PULSE_EVERY:
            self._pulsed = now
            pulse(self.runtime, "beat")
        if self.runtime.settings.dead_man_url and now - self._pinged > PING_EVERY:
            self._pinged = now
            if all_well(self.runtime):  # in a thread: a slow monitor must not hold the tick up
                threading.Thread(target=deadman.ping, args=(self.runtime.settings.dead_man_url,), daemon=True).start()


def due_runs(runtime: Runtime) -> list[str]:
    """Turn due slots into runs."""
    with runtime.database.read(EVERYONE) as session:
        if not tick.any_due(session):
            return []

    def insert(session: Session, schedule: Schedule, job: Job) -> str:
        params = job.params.model_validate(schedule.params)
        handed = HandedOver(params)
        run = submit(runtime, session, job, handed, schedule.workspace_id, account_id=schedule.account_id)
        run.schedule_id = schedule.id
        return run.id

    with runtime.database.write(EVERYONE) as session:
        return tick.tick(session, insert)


def pulse(runtime: Runtime, name: str) -> None:
    """Write a sign of life down."""
    with runtime.database.write(EVERYONE) as session:
        if not changed(session, update(Pulse).where(Pulse.name == name).values(at=db_now())):
            session.add(Pulse(name=name, at=db_now()))


def all_well(runtime: Runtime) -> bool:
    """Whether the outside monitor should hear from us: the broker answers, and no run waits for too long."""
    with runtime.database.read(EVERYONE) as session:
        now: int = session.scalar(select(db_now())) or 0
        oldest = oldest_due(session)
    return publish.length(runtime, "default") is not None and (oldest is None or now - oldest < TOO_LONG_MS)
