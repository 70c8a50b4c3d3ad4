"""Procrastinate on PostgreSQL: two worker processes that are told of new jobs by LISTEN and NOTIFY."""

import sys
from contextlib import ExitStack

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

from tests.bench.peers import work

URL = work.DATABASE.replace("+psycopg", "")
app = App(connector=PsycopgConnector(conninfo=URL))
for _name, _body in work.JOBS.items():
    app.task(name=_name)(_body)


def commands(prefetch: int | None) -> list[list[str]]:
    words = ["-m", "procrastinate", "--app", f"{__name__}.app", "worker", "--concurrency", "1"]
    return [[sys.executable, *words]] * 2


def prepare() -> None:
    with app.replace_connector(SyncPsycopgConnector(conninfo=URL)) as synchronous, synchronous.open():
        synchronous.schema_manager.apply_schema()


class Sender:
    def __init__(self) -> None:
        self.exits = ExitStack()
        synchronous = self.exits.enter_context(app.replace_connector(SyncPsycopgConnector(conninfo=URL)))
        self.exits.enter_context(synchronous.open())

    def send(self, job: str, number: int) -> None:
        app.tasks[job].defer(number=number)
