"""gunicorn's settings: `gunicorn -c python:deploy.front web.wsgi:app`."""

import select
import socket
import struct
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from deploy import garbage
from deploy.logs import configure
from deploy.manager import die_with
from deploy.settings import settings

SILENCE = 20  # seconds
_settings = settings()
_host = f"[{_settings.host}]" if ":" in _settings.host else _settings.host


class WebLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines through our logs; its access log stays off in favour of `deploy.logs.log_requests`."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn in the arbiter and again in each of its processes."""
        super().setup(cfg)
        configure(_settings.log_level)
        self.error_log.handlers[:] = []
        self.error_log.propagate = True


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads, which at their end answer everybody who is connected first.

    gunicorn leaves those who wait at the door there until it is done with the others, then slams it: by then they have
    sent their request, and of a POST nobody knows whether it arrived. Here all are let in and the door closes at once:
    who comes later is refused, and nginx turns to another front.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        """Called with False when there are too many connections, and once more when the process ends."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                if listener.sock is not None:  # closed already
                    self._let_all_in(listener)
                    listener.close()

    def _let_all_in(self, listener: Any) -> None:
        listener.setblocking(False)
        while select.select([listener.fileno()], [], [], 0)[0]:
            self.accept(listener)


def when_ready(server: Any) -> None:
    """Called by gunicorn before the first connection: who falls silent within a request gives its thread back.

    Connections inherit this from the socket they come in at; gunicorn itself waits for ever.
    """
    silence = struct.pack("ll", SILENCE, 0)
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, silence)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, silence)


def post_fork(_server: Any, worker: Any) -> None:
    """Called by gunicorn in each process it forks, which notices its parent's death late by itself."""
    die_with(worker.ppid)


def post_worker_init(_worker: Any) -> None:
    """Called by gunicorn in each process once the application is loaded."""
    garbage.settle()


bind = f"{_host}:{_settings.port}"
worker_class = Worker
workers = 1
threads = 8
timeout = 60
graceful_timeout = 30  # a download may take so long; below the 40 s that a container has
keepalive = 5
# The heartbeat file must not wait for a slow disk: gunicorn would take the worker for dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
logger_class = WebLogger
accesslog = None
control_socket_disable = True
forwarded_allow_ips = ""  # which forwarded headers count is decided in the app, by TRUSTED_HOPS
