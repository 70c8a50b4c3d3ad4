"""A server of the standard library's kind, or werkzeug's, that answers in a thread of its own while a block lasts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any, TypeVar

S = TypeVar("S", bound=BaseServer)


class Silent(BaseHTTPRequestHandler):
    """A handler that writes no line for each request."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def listening(server: S) -> Iterator[S]:
    """The server, until the block ends; looks 50 times a second whether it has."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def of_handler(handler: type[BaseHTTPRequestHandler], address: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A server on a free port; a request that still runs at its end is left alone."""
    server = ThreadingHTTPServer((address, 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    return server
