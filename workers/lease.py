"""The heartbeat of running attempts: one thread for a process extends the leases of what it holds."""

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from models import lifecycle
from models.engine import again
from models.session import Database
from models.statements import Claim

log = structlog.get_logger()
PROGRESS_EVERY = 0.25  # seconds; more often nobody can read, and each is a commit
IDLE_ROUNDS = 12  # after so many beats without a run the thread ends; the next run starts another


class LeaseLost(Exception):
    """Another attempt has this run now; whatever this one found is not written."""


class Cancelled(Exception):
    """Somebody asked for the end of this run."""


class Heart:
    """Extends the leases of all runs that a process holds, four times in a lease's length.

    Args:
        database: the process's own.
        seconds: the lease's length.
    """

    def __init__(self, database: Database, seconds: float) -> None:
        self.database = database
        self.lease_ms = int(seconds * 1000)
        self._every = seconds / 4
        self._held: dict[str, Claim] = {}
        self._lost: set[str] = set()
        self._each_beat: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def hold(self, claims: Iterable[Claim], each_beat: Callable[[], None] | None = None) -> None:
        """From now on; a lease was just taken, so the next beat is soon enough. `each_beat` is called before it."""
        with self._lock:
            if each_beat:
                self._each_beat.append(each_beat)
            for claim in claims:
                self._held[claim.id] = claim
                self._lost.discard(claim.id)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
                self._thread.start()

    def let_go(self, claims: Iterable[Claim], each_beat: Callable[[], None] | None = None) -> None:
        """Their leases run out by themselves from now on. What was lost meanwhile is forgotten with the next `hold`."""
        with self._lock:
            if each_beat:
                self._each_beat.remove(each_beat)
            for claim in claims:
                self._held.pop(claim.id, None)

    def lost(self, claim: Claim) -> bool:
        """Whether a beat found that a run is another attempt's."""
        return claim.id in self._lost

    def _beat(self) -> None:
        idle = 0
        while idle < IDLE_ROUNDS or not self._end():
            time.sleep(self._every)
            self._call()
            held = list(self._held.values())
            idle = 0 if held else idle + 1
            if held:
                self._extend(held)

    def _call(self) -> None:
        for call in list(self._each_beat):
            try:
                call()
            except SQLAlchemyError as error:
                log.warning("lease.not_given_back", error=type(error).__name__)

    def _end(self) -> bool:
        with self._lock:
            if self._held:
                return False
            self._thread = None
            return True

    def _extend(self, held: list[Claim]) -> None:
        try:
            with self.database.begin() as connection:
                lost = [
                    claim for claim in held if not lifecycle.extend(connection, claim.id, claim.attempt, self.lease_ms)
                ]
        except SQLAlchemyError as error:  # the next beat may reach the database
            log.warning("lease.not_extended", runs=[claim.id for claim in held], error=type(error).__name__)
            return
        with self._lock:
            self._lost.update(claim.id for claim in lost if self._held.get(claim.id) is claim)


class Lease:
    """One attempt's hold on its run, and its progress; every write carries the attempt as its fence."""

    def __init__(self, heart: Heart, claim: Claim) -> None:
        self._heart = heart
        self._claim = claim
        self._said = 0.0

    def __enter__(self) -> "Lease":
        self._heart.hold([self._claim])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._heart.let_go([self._claim])

    def progress(self, share: float, message: str) -> None:
        """Write progress, at most four times a second.

        Raises:
            LeaseLost: the run is another attempt's.
            Cancelled: somebody asked for that.
        """
        if self._heart.lost(self._claim):
            raise LeaseLost
        now = time.monotonic()
        if now - self._said < PROGRESS_EVERY:
            return
        self._said = now
        mine, cancelled = self._report(share, message)
        if not mine:
            raise LeaseLost
        if cancelled:
            raise Cancelled

    @again
    def _report(self, share: float, message: str) -> tuple[bool, bool]:
        with self._heart.database.begin() as connection:
            mine = lifecycle.report(connection, self._claim.id, self._claim.attempt, share, message)
            return mine, lifecycle.wants_cancel(connection, self._claim.id)

    @again
    def checkpoint(self, kept: dict[str, Any]) -> None:
        """Keep how far the run is; the same errors as `progress`."""
        with self._heart.database.begin() as connection:
            if not lifecycle.keep_checkpoint(connection, self._claim.id, self._claim.attempt, kept):
                raise LeaseLost
