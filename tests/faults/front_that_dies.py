"""A web process that dies at a chosen point of a submit: `python -m tests.faults.front_that_dies TOKEN`.

It reads lines "POINT KEY" and answers each with the HTTP status and the run's id, or "died". Every request is served
by a process of its own, forked from one that has imported everything, through the product's own application.
"""

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

import tasks
from models.session import Database
from tests.faults import jobs

DIED = 9


def die(*_: Any, **__: Any) -> None:
    os._exit(DIED)


def arm(point: str, database: Database) -> None:
    """From now on this process dies there."""
    if point.endswith("publish"):
        _arm_connection(point)
        return
    engine, seen = database.engine, {"run": False}

    def at_statement(when: str, _c: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if sql.lstrip().upper().startswith("INSERT INTO RUN "):
            seen["run"] = True
            if point == f"{when} insert":
                die()

    def at_commit(when: str, *_: Any) -> None:
        if seen["run"] and point == f"{when} commit":
            die()

    event.listen(engine, "before_cursor_execute", partial(at_statement, "before"))
    event.listen(engine, "after_cursor_execute", partial(at_statement, "after"))
    event.listen(engine, "commit", partial(at_commit, "before"))
    event.listen(Session, "after_commit", partial(at_commit, "after"))


def _arm_connection(point: str) -> None:
    """Where the message's bytes leave this process, whatever part of it sends them."""
    from redis.connection import AbstractConnection

    send: Callable[..., Any] = AbstractConnection.send_packed_command

    def sending(self: Any, command: Any, check_health: bool = True) -> None:
        pushes = b"LPUSH" in (command.encode() if isinstance(command, str) else b"".join(command))
        if pushes and point == "before publish":
            die()
        send(self, command, check_health)
        if pushes:
            die()

    setattr(AbstractConnection, "send_packed_command", sending)  # noqa: B010


def serve(app: Flask, point: str, key: str, token: str, out: int) -> None:
    """One request, in a process of its own."""
    database: Database = app.extensions["nightshift"].database
    if point != "nowhere":
        arm(point, database)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    with app.test_client(use_cookies=False) as client:
        answer = client.post("/api/v1/jobs/work/runs", json={"milliseconds": 1}, headers=headers)
    run_id = json.loads(answer.data).get("id", "") if answer.status_code == 202 else answer.text[:200]
    os.write(out, f"{answer.status_code} {run_id}\n".encode())
    os._exit(0)


def say(word: str) -> None:
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


def main() -> None:
    """Serves until its input ends."""
    setattr(tasks, "discover", lambda: jobs.JOBS)  # noqa: B010  # before anybody imports it from there
    from tests.faults import wide_window
    from web import create_app

    assert wide_window

    app = create_app()
    for line in sys.stdin:
        point, _, key = line.strip().rpartition(" ")
        child = os.fork()
        if not child:
            serve(app, point, key, sys.argv[1], sys.stdout.fileno())
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == DIED:
            say("died")
        elif status:
            say(f"broke {status}")


if __name__ == "__main__":
    main()
