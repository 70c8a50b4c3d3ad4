"""Engines: what each database needs to be safe and quick with several processes, threads and machines."""

import contextlib
import logging
import os
import random
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, DisconnectionError, OperationalError

from models import turns

T = TypeVar("T")
P = ParamSpec("P")
TRIES = 6
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 60  # nothing of ours takes so long; a server that is half-open would otherwise hold us for ever
LOCK_SECONDS = 10
IDLE_SECONDS = 1.0  # a connection that lay for longer is asked whether it still lives, see `_lives`
OTHER_FIRST = {"40001", "40P01", 1205, 1213}  # PostgreSQL: serialization, deadlock; MariaDB: lock wait, deadlock
POSTGRESQL = {
    "connect_timeout": CONNECT_SECONDS,
    "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s "
    f"-c idle_in_transaction_session_timeout={STATEMENT_SECONDS}s",
    # A server that is gone without a word: noticed within half a minute, not after two hours.
    "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000,
}  # fmt: skip
MARIADB = {
    "connect_timeout": CONNECT_SECONDS,
    "read_timeout": STATEMENT_SECONDS,
    "write_timeout": STATEMENT_SECONDS,
    "charset": "utf8mb4",
    "sql_mode": "TRADITIONAL",  # what does not fit is an error, never cut off
    "init_command": f"SET SESSION innodb_lock_wait_timeout={LOCK_SECONDS}",
}
SERVERS: dict[str, dict[str, Any]] = {"postgresql": POSTGRESQL, "mysql": MARIADB, "mariadb": MARIADB}


def make_engine(url: str) -> Engine:
    """An engine with what its database needs; what stands in the URL itself goes first."""
    logging.getLogger("ibm_db_sa").disabled = True  # it prints statements and their values
    name = make_url(url).get_backend_name()
    if name == "sqlite":
        engine = create_engine(url, hide_parameters=True)  # errors are logged: without anyone's values
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", partial(_sqlite_begin, engine.url.database or ":memory:"))
        event.listen(engine, "checkin", lambda _connection, record: turns.give(record.info))
        event.listen(engine, "close", lambda _connection, record: turns.close(record.info))
        return engine
    arguments = {key: value for key, value in SERVERS.get(name, {}).items() if key not in make_url(url).query}
    options: dict[str, Any] = {"pool_size": 10, "max_overflow": 10, "pool_timeout": 10, "pool_recycle": 3600}
    options |= {"isolation_level": "READ COMMITTED"} if name in SERVERS else {}
    engine = create_engine(url, hide_parameters=True, connect_args=arguments, **options)
    event.listen(engine, "checkin", _laid_down)
    event.listen(engine, "checkout", partial(_lives, engine.dialect))
    return engine


def again(work: Callable[P, T]) -> Callable[P, T]:
    """For a whole unit of work: it is done again where the database rolled it back so that another could go on.

    Safe for whatever opens its transaction itself and changes nothing else before the commit: nothing of it is left.
    An error of the connection is not repeated: whether the commit took place is not known then.
    """

    @wraps(work)
    def insist(*args: P.args, **kw: P.kwargs) -> T:
        for tried in range(1, TRIES):
            try:
                return work(*args, **kw)
            except DBAPIError as error:
                if not other_first(error):
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**tried))  # noqa: S311  # no secret
        return work(*args, **kw)

    return insist


def other_first(error: DBAPIError) -> bool:
    """Whether the database broke a deadlock, or two transactions that cannot both be.

    In a savepoint MariaDB's deadlock takes that away as well, and what is raised is that there is none to go back to.
    """
    met: BaseException | None = error
    while met is not None:
        orig = getattr(met, "orig", None)
        code = getattr(orig, "sqlstate", None) or (orig.args[0] if orig and orig.args else None)
        if code in OTHER_FIRST:
            return True
        met = met.__context__
    return False


def of_data(error: DBAPIError) -> bool:
    """Whether the rows are at fault (what they add up to is too large), and not the database: it will be no other."""
    if isinstance(error, OperationalError):  # as SQLite and MariaDB say it, which call an absent database the same
        return any(words in str(error.orig) for words in ("integer overflow", "out of range"))
    return isinstance(error, DataError)


def _laid_down(_connection: Any, record: Any) -> None:
    record.info["laid_down"] = time.monotonic()


def _lives(dialect: Dialect, connection: Any, record: Any, _proxy: Any) -> None:
    """A ping for what lay idle. One for each transaction (pool_pre_ping) costs 0.1 to 0.4 ms of every 0.3 to 0.8.

    A server that restarted meanwhile is so noticed before anything is written; the pool drops all its connections.
    """
    if time.monotonic() - record.info.get("laid_down", time.monotonic()) < IDLE_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:  # each driver has its own
        raise DisconnectionError(type(error).__name__) from None


@event.listens_for(Engine, "do_connect")  # also of the engine that migrates, which makes the file
def _sqlite_private(dialect: Any, _record: Any, arguments: Any, _options: Any) -> None:
    """A new database is its owner's alone to read, whatever the folder; SQLite gives its log the same mode."""
    if dialect.name == "sqlite" and not arguments[0].startswith((":memory:", "file:")):
        with contextlib.suppress(OSError):  # SQLite says better what is wrong
            os.close(os.open(arguments[0], os.O_CREAT, 0o600))


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, see below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(path: str, connection: Connection) -> None:
    """Writers queue for the lock at BEGIN: one that reads, then writes beside another writer, fails at once."""
    if connection.get_execution_options().get("reading"):
        connection.exec_driver_sql("BEGIN")
        return
    if not path.startswith((":memory:", "file:")):
        turns.take(connection.info, path)
    connection.exec_driver_sql("BEGIN IMMEDIATE")
