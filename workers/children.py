"""The children of a fan-out, inserted many in a statement."""

from typing import Any

from sqlalchemy import Connection, insert

from models.base import new_id
from models.run import QUEUED
from models.statements import Claim, run
from tasks.job import Job

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
        # An id sorts by time; here by the child's number, so that a chunk (models/chunks.py) is a stretch of them.
        rows = [
            {**shared, "id": f"{start[:20]}{number:08x}", "params": one, "summary": f"{number + 1} of {len(params)}"}
            for number, one in some
        ]
        connection.execute(insert(run), rows)
