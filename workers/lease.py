"""The heartbeat of a running attempt: one thread that extends the lease while the job works."""

import threading
import time
from types import TracebackType

import structlog
from sqlalchemy.exc import SQLAlchemyError

from models import lifecycle
from models.session import EVERYONE, Database

log = structlog.get_logger()
PROGRESS_EVERY = 0.25  # seconds; more often nobody can read, and each is a commit


class LeaseLost(Exception):
    """Another attempt has this run now; whatever this one found is not written."""


class Cancelled(Exception):
    """Somebody asked for the end of this run."""


class Lease:
    """Holds a claimed run and writes its progress; every write carries the attempt as its fence.

    Args:
        database: a process's own.
        claim: what was claimed.
        seconds: the lease's length; it is extended four times in that.
    """

    def __init__(self, database: Database, claim: lifecycle.Claim, seconds: float) -> None:
        self._database = database
        self._claim = claim
        self._ms = int(seconds * 1000)
        self._every = seconds / 4
        self._done = threading.Event()
        self._lost = False
        self._said = 0.0
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)

    def __enter__(self) -> "Lease":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()

    def progress(self, share: float, message: str) -> None:
        """Write progress, at most four times a second.

        Raises:
            LeaseLost: the run is another attempt's.
            Cancelled: somebody asked for that.
        """
        if self._lost:
            raise LeaseLost
        now = time.monotonic()
        if now - self._said < PROGRESS_EVERY:
            return
        self._said = now
        with self._database.write(EVERYONE) as session:
            mine = lifecycle.report(session, self._claim.id, self._claim.attempt, share, message)
            cancelled = lifecycle.wants_cancel(session, self._claim.id)
        if not mine:
            raise LeaseLost
        if cancelled:
            raise Cancelled

    def _beat(self) -> None:
        while not self._done.wait(self._every):
            try:
                with self._database.write(EVERYONE) as session:
                    if not lifecycle.extend(session, self._claim.id, self._claim.attempt, self._ms):
                        self._lost = True
                        return
            except SQLAlchemyError:
                log.warning(
                    "lease.not_extended", run=self._claim.id, job=self._claim.kind
                )  # the next beat may reach the database
