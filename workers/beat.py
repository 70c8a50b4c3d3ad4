"""Beat: a Celery scheduler whose schedule is the database. Any number of them may run; every move is conditional."""

import threading
import time
from contextlib import suppress
from typing import Any

import structlog
from celery.beat import Scheduler
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from beat_schedule import defaults
from models import tally, vitals
from models.base import db_now
from models.run import Pulse
from models.session import EVERYONE
from models.statements import changed
from tasks.storage import answers
from workers import canaries, certificate, deadman, dispatch, publish
from workers.alive import sign
from workers.runtime import Runtime, runtime
from workers.schedules import due_runs

log = structlog.get_logger()
EVERY = 1  # seconds between two rounds
PULSE_EVERY = 5.0
PING_EVERY = 60.0


class SqlScheduler(Scheduler):
    """Runs the tick, the reconciler and the dispatcher, once a second, inside beat and never as messages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.runtime: Runtime = runtime()
        self._pulsed = self._pinged = self._looked = self._asked = 0.0
        self._synced = False
        super().__init__(*args, **kwargs)
        self.max_interval = EVERY

    def setup_schedule(self) -> None:
        """Nothing to read from files."""

    def tick(self, *_: Any, **__: Any) -> float:
        """One round; a database that is away is waited for."""
        started = time.monotonic()
        sign(self.runtime.settings)
        try:
            self._round()
        except SQLAlchemyError as error:
            log.warning("beat.database_away", error=type(error).__name__)
        return max(0.05, EVERY - (time.monotonic() - started))

    def _round(self) -> None:
        if not self._synced:
            with self.runtime.database.write(EVERYONE) as session:
                defaults.sync(session, self.runtime.settings.schedules)
                canaries.forget_queues_that_are_gone(session)
                if not self.runtime.settings.certificate_url:
                    certificate.forget(session)
                watch_files(session, bool(self.runtime.settings.files_url))
            self._synced = True
        due_runs(self.runtime)
        dispatch.everything(self.runtime)
        now = time.monotonic()
        if now - self._pulsed > PULSE_EVERY:
            self._pulsed = now
            give_signs(self.runtime)
        if self.runtime.settings.dead_man_url and now - self._pinged > PING_EVERY:
            self._pinged = now
            if all_well(self.runtime):  # in a thread: a slow monitor must not hold the tick up
                threading.Thread(target=deadman.ping, args=(self.runtime.settings.dead_man_url,), daemon=True).start()
        if self.runtime.settings.files_url and now - self._asked > PING_EVERY:
            self._asked = now
            threading.Thread(target=ask_for_files, args=(self.runtime,), daemon=True).start()
        if self.runtime.settings.certificate_url and now - self._looked > PING_EVERY:
            self._looked = now
            threading.Thread(target=certificate.look, args=(self.runtime,), daemon=True).start()


def pulse(runtime: Runtime, name: str) -> None:
    """Write a sign of life down."""
    with runtime.database.write(EVERYONE) as session:
        if not changed(session, update(Pulse).where(Pulse.name == name).values(at=db_now())):
            session.add(Pulse(name=name, at=db_now()))


def watch_files(session: Session, wanted: bool) -> None:
    """A bucket that never answered since the first start is silent, too; a folder gives no signs."""
    known = session.scalar(select(Pulse).where(Pulse.name == vitals.FILES))
    if known and not wanted:
        session.delete(known)
    elif wanted and not known:
        session.add(Pulse(name=vitals.FILES, at=db_now()))


def ask_for_files(runtime: Runtime) -> None:
    """A sign of life of the bucket. Never raises; one that does not answer gives none."""
    if answers(runtime.storage):
        with suppress(SQLAlchemyError):
            pulse(runtime, vitals.FILES)


def give_signs(runtime: Runtime) -> None:
    """What others see that all is well by: pulses, counters, a canary into each queue."""
    pulse(runtime, vitals.BEAT)
    if publish.length(runtime, "default") is not None:
        pulse(runtime, vitals.BROKER)
    with runtime.database.write(EVERYONE) as session:
        tally.roll_up(session)
    canaries.send_all(runtime)


def all_well(runtime: Runtime) -> bool:
    """Whether the outside monitor should hear from us: the broker answers, and no part of the machinery is silent."""
    with runtime.database.read(EVERYONE) as session:
        silent = vitals.silences(session)
    for alarm in silent:
        log.warning("alarm", alarm=alarm.name, queue=alarm.queue)
    return not silent and publish.length(runtime, "default") is not None
