"""The children of a fan-out: inserted many in a statement, claimed and finished many in a transaction."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, insert

from models import lifecycle
from models.base import new_id
from models.children import unclaim
from models.engine import again
from models.run import CANCELLED, QUEUED
from models.statements import Claim, run
from tasks.job import Job
from workers.runtime import Runtime

Done = tuple[Claim, dict[str, Any], str]
FLUSH_SECONDS = 0.25  # results are kept at least so often: a lost worker's children are computed again
CHUNK_SECONDS = 5.0  # after so long what was claimed and not begun goes back, for workers that are free
ROWS = 1000  # of one INSERT


def insert_children(connection: Connection, parent: Claim, job: Job, params: list[dict[str, Any]]) -> None:
    """One run for each of `params`; they are dispatched in the order given."""
    shared = {
        "workspace_id": parent.workspace_id, "account_id": parent.account_id, "parent_id": parent.id,
        "lane": parent.account_id or parent.workspace_id, "kind": job.kind, "queue": job.queue,
        "attempts": job.attempts, "state": QUEUED, "listed": False,
    }  # fmt: skip
    start = new_id()
    for first in range(0, len(params), ROWS):
        some = enumerate(params[first : first + ROWS], first)
        # An id sorts by time; here by the child's number, so that a chunk is a stretch of them.
        rows = [
            {**shared, "id": f"{start[:20]}{number:08x}", "params": one, "summary": f"{number + 1} of {len(params)}"}
            for number, one in some
        ]
        connection.execute(insert(run), rows)


class Chunk:
    """Children that one worker claimed together: begun one after the other, finished some at a time.

    Only one that was begun can lose a try: it is marked before its work, unless it follows within `FLUSH_SECONDS`.
    """

    def __init__(self, runtime: Runtime, claims: list[Claim], worker: str) -> None:
        self._runtime = runtime
        self._claims = claims
        self._worker = worker
        self._done: list[Done] = []

    def each(self, attempt: "Callable[[Claim, Chunk], str | None]") -> str | None:
        """Attempt all of them. Returns the state the first was left in."""
        states: list[str | None] = []
        began = flushed = time.monotonic()
        self._runtime.heart.hold(self._claims)
        try:
            for number, claim in enumerate(self._claims):
                now = time.monotonic()
                if number and now - began > CHUNK_SECONDS:
                    self._give_back(self._claims[number:])
                    break
                if number and now - flushed > FLUSH_SECONDS:
                    self._flush(claim)
                    flushed = now
                states.append(attempt(claim, self))
        finally:
            self._flush(None)
            self._runtime.heart.let_go(self._claims)
        return states[0]

    def keep(self, done: Done) -> None:
        """A child succeeded and left nothing but its result, which is written with others."""
        self._done.append(done)

    def _flush(self, following: Claim | None) -> None:
        done, self._done = self._done, []
        self._write(done, following)

    @again
    def _write(self, done: list[Done], following: Claim | None) -> None:
        with self._runtime.database.begin() as connection:
            if done and lifecycle.succeed(connection, done) < len(done):
                self._cancel_where_asked(connection, done)
            if following:
                lifecycle.begin(connection, following)

    def _cancel_where_asked(self, connection: Connection, done: list[Done]) -> None:
        for claim, _, _ in done:  # the others are another attempt's, and finish refuses them
            if lifecycle.wants_cancel(connection, claim.id):
                lifecycle.finish(connection, claim.id, claim.attempt, CANCELLED)

    @again
    def _give_back(self, claims: list[Claim]) -> None:
        with self._runtime.database.begin() as connection:
            unclaim(connection, [claim.id for claim in claims], self._worker)
