"""Real workers and beats as processes of their own, each leading a group, as `make run` starts them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import psutil

from deploy.manager import die_with
from deploy.settings import ROOT

CELERY = (sys.executable, "-m", "celery", "-A", "tests.faults.worker")
STARTS_WITHIN = 60


class Process:
    """One process with its children."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=ROOT, env={**os.environ, **environment},
                start_new_session=True, preexec_fn=partial(die_with, os.getpid()),
            )  # fmt: skip
        self.pid = self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def kill(self) -> None:
        """kill -9 of the whole tree: nobody is left to say anything."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def send(self, number: signal.Signals) -> None:
        """A signal for the first process alone."""
        with contextlib.suppress(ProcessLookupError):
            self._popen.send_signal(number)

    def send_all(self, number: signal.Signals) -> None:
        """A signal for the whole tree, such as SIGSTOP."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within that."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(seconds)
        return not self.alive

    def children(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self.pid).children(recursive=True))
        return []

    def said(self) -> str:
        return self.log.read_text(errors="replace")


class Worker(Process):
    """A Celery worker with its pool, started with the product's own options (deploy/processes.py)."""

    def __init__(self, name: str, processes: int, queues: str, environment: Mapping[str, str], folder: Path) -> None:
        command = [*CELERY, "worker", "-n", f"{name}@stage", "-Q", queues, "-c", str(processes), "-O", "fair", "-E"]
        self.started = time.monotonic()
        log = folder / f"worker-{name}.log"
        self._seen = log.stat().st_size if log.exists() else 0  # a worker started again writes on
        super().__init__(name, [*command, "--without-mingle", "--without-gossip"], environment, log)

    @property
    def ready(self) -> bool:
        with self.log.open("rb") as file:
            file.seek(self._seen)
            return b" ready." in file.read()

    def claimed_as(self) -> str:
        """How the names begin under which it claims runs (workers.celery_app.worker_name)."""
        return f"{self.name}@stage:{self.pid}/"

    def until_ready(self) -> None:
        while not self.ready:
            late = time.monotonic() > self.started + STARTS_WITHIN
            if late or not self.alive:
                raise TimeoutError(f"the worker {self.name} is not ready:\n{self.said()[-2000:]}")
            time.sleep(0.05)


class Beat(Process):
    """One of any number of beats."""

    def __init__(self, name: str, environment: Mapping[str, str], folder: Path) -> None:
        command = [*CELERY, "beat", "-S", "workers.beat:SqlScheduler", "--pidfile="]
        super().__init__(name, command, environment, folder / f"beat-{name}.log")
