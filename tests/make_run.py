"""A real `make run` for tests: started on a folder and a port of its own, looked at, killed, stopped."""

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from workers.broker import free_ports

MARKS = {"broker": "valkey-server", "web": "gunicorn", "beat": "beat", "flower": "flower"}
MARKS |= {group: f"{group}@" for group in ("ecg", "energy", "work", "mail")}


NUMBERS = count()


class Nightshift:
    """One `make run` on a folder and a port of its own."""

    def __init__(self, var: Path, port: int) -> None:
        self.var, self.url = var, f"http://127.0.0.1:{port}"
        self.output = var.with_suffix(f".{next(NUMBERS)}.out")
        environment = {**os.environ, "NIGHTSHIFT_VAR": str(var), "PORT": str(port)}
        with self.output.open("wb") as out:
            self.manager = psutil.Popen(
                [sys.executable, "-m", "deploy.processes"], env=environment, stdout=out, stderr=out
            )

    def said(self) -> str:
        return self.output.read_text()

    def ready(self) -> float:
        """Waits for the line that says so; the seconds it names."""
        found = until(lambda: re.search(r"Ready after ([\d.]+) s", self.said()) or self.manager.poll() is not None, 60)
        assert not isinstance(found, bool), self.said()
        return float(found[1])

    def services(self) -> dict[str, psutil.Process]:
        found: dict[str, psutil.Process] = {}
        for process in self.manager.children():
            words = " ".join(command_line(process))
            found |= {name: process for name, mark in MARKS.items() if mark in words and "deploy.ready" not in words}
        return found

    def everything(self) -> list[psutil.Process]:
        return [self.manager, *self.manager.children(recursive=True)]

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.manager.send_signal(number)
        return int(self.manager.wait(60))


def command_line(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def until(true: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
    return found


def gone(process: psutil.Process) -> bool:
    """Whether it ended; where the machine's first process reaps nobody, what is left is a zombie."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nightshift]:
    """One that is ready, for the tests of a module, and is stopped afterwards."""
    (port,) = free_ports(1)
    started = Nightshift(tmp_path_factory.mktemp("system") / "var", port)
    started.ready()
    yield started
    started.stop()
