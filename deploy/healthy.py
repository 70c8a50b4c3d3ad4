"""Whether this container is well: exit status 0 or 1, and a word why. Imports nothing of ours: it is asked all day.

The front and Flower answer on their port; workers, beat and the MQTT listener touch a file every few seconds.
"""

import http.client
import os
import sys
import time
from pathlib import Path

ALIVE = Path(os.environ.get("NIGHTSHIFT_ALIVE") or "/tmp/alive")  # noqa: S108  # in a container, our own
ROLE = ALIVE.with_suffix(".role")
PAGES = {"web": "/livez", "flower": "/flower/healthcheck"}
SILENT = 60.0  # seconds


def problem() -> str:
    """What is wrong; empty when all is well."""
    try:
        role, port = ROLE.read_text().split()
    except OSError:
        return "not started yet"
    return _answers(int(port), PAGES[role]) if role in PAGES else _touched()


def _answers(port: int, path: str) -> str:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        asking.request("GET", path)
        status = asking.getresponse().status
    except OSError as error:
        return f"no answer on port {port}: {error}"
    finally:
        asking.close()
    return "" if status in (200, 401) else f"answers with {status}"  # 401: Flower asks for its password


def _touched() -> str:
    try:
        age = time.time() - ALIVE.stat().st_mtime
    except OSError:
        return "not ready yet"
    return f"its loop has stood still for {age:.0f} s" if age > SILENT else ""


if __name__ == "__main__":
    sys.exit(problem() or 0)
