"""Where the engine and its peers are measured: one broker, one folder, workers that are started, held, killed."""

import contextlib
import importlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import redis

from tests.bench.peers import work
from tests.servers import PostgreSQL, Valkey

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class System:
    """A way to run jobs.

    Attributes:
        name: what the table calls it.
        module: its module in tests/bench/peers.
        package: whose version is told.
        prefetch: messages a process holds; None is the system's own default.
        database: "sqlite", "postgresql", or nothing.
        environment: what its module reads beside the usual.
        share: how many of the usual jobs a round has, for systems that are slow by design.
    """

    name: str
    module: str
    package: str
    prefetch: int | None = None
    database: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    share: float = 1.0


class Stage:
    """A broker with an append-only file (everysec), a PostgreSQL that syncs, and a folder."""

    def __init__(self, folder: Path, valkey: Valkey, postgresql: PostgreSQL) -> None:
        self.folder, self.valkey, self.postgresql = folder, valkey, postgresql
        self.client = redis.Redis.from_url(valkey.url)
        self._count = 0

    def fresh(self, system: System, **environment: str) -> "Cast":
        """An empty broker, an empty database, no records."""
        self.client.flushall()
        self._count += 1
        folder = self.folder / f"{self._count}-{system.module}"
        folder.mkdir()
        return Cast(self, system, folder, environment)


class Cast:
    """One system on stage: its workers and clients, and what its jobs left."""

    def __init__(self, stage: Stage, system: System, folder: Path, environment: dict[str, str]) -> None:
        self.stage, self.system, self.folder = stage, system, folder
        self.records = folder / "records"
        self.commits = folder / "commits"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ, "BENCH_BROKER": stage.valkey.url, "BENCH_RECORDS": str(self.records),
            "BENCH_COMMITS": str(self.commits), "PYTHONPATH": str(ROOT),
            "RQ_REDIS_URL": stage.valkey.url,
            "NIGHTSHIFT_VAR": str(folder), "NIGHTSHIFT_BROKER_URL": stage.valkey.url,
            **system.environment, **environment,
        }  # fmt: skip
        if system.database == "postgresql":
            self.environment["BENCH_DATABASE"] = self.environment["NIGHTSHIFT_DATABASE_URL"] = self._database()
        if hasattr(module_of(system), "prepare"):
            self.client("prepare", "")

    def _database(self) -> str:
        return self.stage.postgresql.fresh(f"bench_{secrets.token_hex(4)}")

    def client(self, what: str, job: str, *numbers: float) -> dict[str, Any]:
        """Let a client do something, and tell what it told."""
        words = ["-m", "tests.bench.peers.client", self.system.module, what, job, *map(str, numbers)]
        with (self.folder / "client.log").open("ab") as log:
            done = subprocess.run(
                [sys.executable, *words], env=self.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        if done.returncode:
            raise SystemExit(
                f"{self.system.name}: the client failed; {(self.folder / 'client.log').read_text()[-2000:]}"
            )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    def start(self) -> None:
        """Start its processes, each with a group of its own, so that a kill meets the whole tree."""
        with (self.folder / "workers.log").open("ab") as log:
            self.processes = [
                subprocess.Popen(
                    command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
                )
                for command in module_of(self.system).commands(self.system.prefetch)
            ]

    def signal(self, number: signal.Signals) -> None:
        """To every process of its trees, also to those in sessions of their own."""
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                family = psutil.Process(process.pid)
                for member in [family, *family.children(recursive=True)]:
                    with contextlib.suppress(psutil.Error):
                        member.send_signal(number)

    def kill(self) -> None:
        """`kill -9` of the whole trees."""
        self.signal(signal.SIGSTOP)  # nobody starts a new process while the others are killed
        self.signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()

    def stop(self) -> None:
        """End in order, or else by force."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(8)
        self.kill()

    def ran(self) -> list[tuple[int, float, float]]:
        return work.read(self.records)

    def until(self, count: int, seconds: float) -> bool:
        """Wait for so many records; False when nothing more came for `seconds`."""
        size, last, wanted = -1, time.monotonic(), count * work.RECORD.size
        while True:
            now = self.records.stat().st_size if self.records.exists() else 0
            if now >= wanted:
                return True
            if now != size:
                size, last = now, time.monotonic()
            elif time.monotonic() - last > seconds:
                return False
            time.sleep(0.02)

    def until_ran(self, count: int, seconds: float) -> bool:
        """Wait until so many different jobs ran, for so long at most."""
        end = time.monotonic() + seconds
        while not (all_ran := len({number for number, *_ in self.ran() if number >= 0}) >= count):
            if time.monotonic() > end:
                break
            time.sleep(0.5)
        return all_ran

    def warm(self, count: int = 20) -> None:
        """Everything is up once some jobs ran; numbers below zero are not counted."""
        self.client("enqueue", "noop", -count, count)
        if not self.until(len(self.ran()) + count - sum(number < 0 for number, *_ in self.ran()), 40):
            raise SystemExit(f"{self.system.name} does not start; {(self.folder / 'workers.log').read_text()[-3000:]}")

    def memory(self) -> int:
        """Proportional set size of all its processes, in bytes."""
        return sum(self.family_memory(process.pid) for process in self.processes)

    def family_memory(self, pid: int) -> int:
        """Of one process and its children."""
        family = psutil.Process(pid)
        return sum(pss(member.pid) for member in [family, *family.children(recursive=True)])


def pss(pid: int) -> int:
    """What a process holds of the memory, shared pages counted by their shares; nothing once it ended."""
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def module_of(system: System) -> Any:
    """A module's file is read for its commands alone: its environment is the workers', not ours."""
    return importlib.import_module(f"tests.bench.peers.{system.module}")


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Servers up, and everything gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="nightshift-bench-"))
    try:
        with contextlib.ExitStack() as servers:
            valkey = servers.enter_context(Valkey(durable=True))
            postgresql = servers.enter_context(PostgreSQL(durable=True))
            yield Stage(folder, valkey, postgresql)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
