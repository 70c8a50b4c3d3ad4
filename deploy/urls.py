"""URLs as people write them, made into what SQLAlchemy and Kombu want; anything else is refused in a sentence."""

import re
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

DATABASES = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mariadb+pymysql": "mariadb+pymysql",
    "db2": "ibm_db_sa",
    "ibm_db_sa": "ibm_db_sa",
    "db2+ibm_db": "ibm_db_sa",
}
BROKERS = {
    "redis": "redis",
    "rediss": "rediss",
    "valkey": "redis",
    "valkeys": "rediss",
    "amqp": "amqp",
    "amqps": "amqps",
    "pyamqp": "amqp",
}
BUCKET = re.compile(r"s3://(?P<name>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(/[A-Za-z0-9_.-]{0,60}){0,5})")


def database_url(text: str) -> str:
    """The SQLAlchemy URL.

    Raises:
        ValueError: it is none, or of a database that Nightshift does not know; the sentence holds no password.
    """
    scheme, _, rest = text.partition("://")
    driver = DATABASES.get(scheme.lower())
    if driver is None:
        raise ValueError(
            f"{_named(scheme, rest)}. Nightshift works on SQLite (sqlite:////path/to/file), "
            "PostgreSQL (postgresql://user:password@host/name) and MariaDB or MySQL (mariadb://user:password@host/name)"
        )
    try:
        url = make_url(f"{driver}://{rest}")
    except (ArgumentError, ValueError):
        raise ValueError(
            "this is no URL. Write postgresql://user:password@host:port/name; in a user's name or password, "
            "write @ as %40, : as %3A and / as %2F"
        ) from None
    if driver != "sqlite" and not url.database:
        raise ValueError(f"the URL names no database. Put its name at the end: {scheme}://user:password@host/name")
    return url.render_as_string(hide_password=False)


def broker_url(text: str) -> str:
    """The broker's URL for Kombu.

    Raises:
        ValueError: it is of a broker that Nightshift does not know.
    """
    scheme, _, rest = text.partition("://")
    transport = BROKERS.get(scheme.lower())
    if transport is None or not rest:
        raise ValueError(
            f"{_named(scheme, rest)}. Nightshift works with Redis and Valkey (redis://:password@host:6379/0; rediss:// "
            "with TLS) and RabbitMQ (amqp://user:password@host:5672/vhost; amqps:// with TLS)"
        )
    return f"{transport}://{rest}"


def mqtt_url(text: str) -> str:
    """The URL of an MQTT broker, as it is.

    Raises:
        ValueError: it is none; the sentence holds no password.
    """
    scheme, _, rest = text.partition("://")
    if scheme not in ("mqtt", "mqtts") or not rest:
        raise ValueError(
            f"{_named(scheme, rest)}. Write mqtt://user:password@host:1883, or mqtts://user:password@host:8883 with TLS"
        )
    try:
        read = urlsplit(text)
        whole = read.hostname and read.port != 0 and not read.path.strip("/") and not read.query
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(
            "this is no URL. Write mqtt://user:password@host:1883; in a user's name or password, "
            "write @ as %40, : as %3A and / as %2F"
        )
    return text


def bucket(text: str) -> tuple[str, str]:
    """The bucket's name and the prefix of what stands in it, which ends with a slash unless it is empty.

    Raises:
        ValueError: it is none; the sentence holds nothing that was given.
    """
    found = BUCKET.fullmatch(text.strip())
    if not found:
        raise ValueError(
            "this names no bucket. Write s3://BUCKET/PREFIX in small letters, digits, dots and hyphens; its server "
            "belongs into NIGHTSHIFT_S3_ENDPOINT, its key into NIGHTSHIFT_S3_KEY_ID and NIGHTSHIFT_S3_SECRET"
        )
    prefix = (found["prefix"] or "").strip("/")
    return found["name"], f"{prefix}/" if prefix else ""


def _named(scheme: str, rest: str) -> str:
    """Says what was given, but never something that could hold a password."""
    return f"{scheme}:// is not supported" if rest and scheme.isascii() else "this is no URL"
