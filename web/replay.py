"""A request whose transaction the database rolled back, so that another one could go on, is done again.

Two agents at two tickets, or a page and a worker, may want the same rows in another order: MariaDB and PostgreSQL then
end one of them with a deadlock. SQLite's writers queue instead. All views go through here, because the whole request
is the unit of work. It is repeated only if nothing of it was committed, so that nothing is ever done twice; files that
the lost try had stored are swept away, as those of any request that breaks.
"""

import copy
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
from flask import g, has_request_context, request, session
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from models.engine import other_first

T = TypeVar("T")
LOOKING = ("GET", "HEAD", "OPTIONS")
TRIES = 3
LONGEST_SECONDS = 5  # whoever waited for longer is told to try again
log = structlog.get_logger()


def insist(view: Callable[[], T]) -> T:
    """What the view answers, at the latest from the last try. What only looks is not repeated: it locks nothing."""
    if request.method in LOOKING:
        return view()
    cookie, until = copy.deepcopy(dict(session)), time.monotonic() + LONGEST_SECONDS
    for tried in range(1, TRIES):
        try:
            return view()
        except DBAPIError as error:
            if not other_first(error) or g.get("committed") or time.monotonic() > until or not _as_it_came(cookie):
                raise
            log.warning("request.again", endpoint=request.endpoint, tried=tried)
            time.sleep(random.uniform(0, 0.03 * 2**tried))  # noqa: S311  # no secret
    return view()


@contextmanager
def twice_is_fine() -> Iterator[None]:
    """For a commit that may take place again, as of a count of tries."""
    before = g.get("committed", False)
    yield
    g.committed = before


@event.listens_for(Engine, "commit")
def _committed(_connection: Connection) -> None:
    if has_request_context():
        g.committed = True


def _as_it_came(cookie: dict[str, Any]) -> bool:
    """Give the request's files and cookie back as they were; False where a file cannot be read again."""
    try:
        for file in request.files.values():
            file.stream.seek(0)
    except ValueError:  # it was closed
        return False
    if dict(session) != cookie:
        session.clear()
        session.update(cookie)
    return True
