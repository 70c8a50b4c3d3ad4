"""A mail server that keeps nothing but the bytes: aiosmtpd in a process of its own, `… scans_sink PORT FILE`.

Each mail is appended to the file, with the recipient before it, so that a bare loop can send the same bytes again.
"""

import asyncio
import json
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from workers.broker import free_ports


class Sink:
    def __init__(self, file: Path) -> None:
        self._out = file.open("ab", buffering=1 << 20)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        head = json.dumps([envelope.rcpt_tos, len(envelope.content)]).encode()
        self._out.write(head + b"\n" + envelope.content)
        self._out.flush()
        return "250 OK"


def read(file: Path) -> list[tuple[list[str], bytes]]:
    """The mails that came, as (recipients, bytes)."""
    found = []
    with file.open("rb") as stream:
        while head := stream.readline():
            to, size = json.loads(head)
            found.append((to, stream.read(size)))
    return found


def bare_loop(port: int, mails: list[tuple[list[str], bytes]]) -> float:
    """Seconds that smtplib takes for these bytes on one connection: what a script of five lines does."""
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for to, content in mails:
            server.sendmail("nightshift@localhost", to, content)
    return time.perf_counter() - began


@contextmanager
def sink(file: Path) -> Iterator[int]:
    """The port it listens on."""
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.scans_sink", str(port), str(file)])
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with suppress(OSError), smtplib.SMTP("127.0.0.1", port, timeout=2):
                break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def serve(port: int, file: Path) -> None:
    handler, loop = Sink(file), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
