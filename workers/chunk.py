"""Runs of one job that a worker claimed together: begun one after the other, finished some at a time."""

import threading
import time
from collections import deque
from collections.abc import Callable

from sqlalchemy import Connection

from models import lifecycle
from models.chunks import unclaim
from models.engine import again
from models.run import CANCELLED
from models.statements import Claim, Done
from workers.runtime import Runtime

FLUSH_SECONDS = 0.25  # results are kept at least so often: what a lost worker did not keep is computed again
CHUNK_SECONDS = 5.0  # after so long what was claimed and not begun goes back, for workers that are free


class Chunk:
    """One worker's runs, until all are begun or given back.

    Only one that was begun can lose a try: it is marked before its work, unless it follows within `FLUSH_SECONDS`.
    """

    def __init__(self, runtime: Runtime, claims: list[Claim], worker: str) -> None:
        self._runtime = runtime
        self._claims = claims
        self._worker = worker
        self._waiting = deque(claims)
        self._turn = threading.Lock()  # of the two who take from what waits: this thread and the heart's
        self._since = time.monotonic()
        self._done: list[Done] = []

    def each(self, attempt: "Callable[[Claim, Chunk], str | None]") -> str | None:
        """Attempt all of them. Returns the state the first was left in."""
        states: list[str | None] = []
        flushed = self._since
        self._runtime.heart.hold(self._claims, self.give_back_late)
        try:
            while claim := self._next():
                if states and time.monotonic() - flushed > FLUSH_SECONDS:
                    self._flush(claim)
                    flushed = time.monotonic()
                states.append(attempt(claim, self))
                self.give_back_late()
        finally:
            self._flush(None)
            self._runtime.heart.let_go(self._claims, self.give_back_late)
        return states[0]

    def keep(self, done: Done) -> None:
        """A run succeeded and left nothing but its result, which is written with others."""
        self._done.append(done)

    def give_back_late(self) -> None:
        """The heart asks too, while a run takes unexpectedly long: the others need not wait for its end."""
        if time.monotonic() - self._since < CHUNK_SECONDS:
            return
        with self._turn:
            late = list(self._waiting)
            self._waiting.clear()
        if late:
            self._give_back(late)

    def _next(self) -> Claim | None:
        with self._turn:
            return self._waiting.popleft() if self._waiting else None

    def _flush(self, following: Claim | None) -> None:
        done, self._done = self._done, []
        self._write(done, following)

    @again
    def _write(self, done: list[Done], following: Claim | None) -> None:
        if not done and not following:
            return
        with self._runtime.database.begin() as connection:
            if done and lifecycle.succeed(connection, done) < len(done):
                self._cancel_where_asked(connection, done)
            if following:
                lifecycle.begin(connection, following)

    def _cancel_where_asked(self, connection: Connection, done: list[Done]) -> None:
        for claim in (one.claim for one in done):  # the others are another attempt's, and finish refuses them
            if lifecycle.wants_cancel(connection, claim.id):
                lifecycle.finish(connection, claim.id, claim.attempt, CANCELLED)

    @again
    def _give_back(self, claims: list[Claim]) -> None:
        self._runtime.heart.let_go(claims)
        with self._runtime.database.begin() as connection:
            unclaim(connection, [claim.id for claim in claims], self._worker)
