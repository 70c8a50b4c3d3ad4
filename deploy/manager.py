"""Keeps processes alive: what dies is started again after a pause that grows, and all stop in order (decisions/0001).

Each process leads a group of its own: Ctrl-C reaches the manager alone, and a dead leader's children end with it.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
SETTLED = 20.0  # seconds after which a process counts as sound and its next death starts again at the first pause
LOG_BYTES, LOG_BACKUPS = 10_000_000, 3
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Service:
    """One process to keep: its command, what its environment has beyond ours, the seconds it may take to stop."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    grace: float = 10.0


class Manager:
    """Runs services and writes each one's output to `logs`/NAME.log."""

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        self.logs = logs
        self.say = say
        self.pids: dict[str, int] = {}
        self.deaths: dict[str, int] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._stopping: set[str] = set()
        self._graces: dict[str, float] = {}

    def start(self, service: Service) -> None:
        """Starts a service and keeps it alive until `stop`."""
        self._graces[service.name] = service.grace
        self._keepers[service.name] = asyncio.create_task(self._keep(service))

    async def stop(self, *names: str) -> None:
        """Stops these services (none named: all) side by side; returns when they and their children are gone."""
        await asyncio.gather(*(self._stop(name) for name in names or list(self._keepers) if name in self._keepers))

    def kill(self) -> None:
        """Ends everything at once, and starts nothing again."""
        self._stopping.update(self._keepers)
        for pid in self.pids.values():
            kill_group(pid)

    def last_words(self, name: str) -> str:
        """The last line of a service's log that says something, for the operator."""
        with contextlib.suppress(OSError), (self.logs / f"{name}.log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode(errors="replace").splitlines()
            return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
        return ""

    def rotate(self) -> None:
        """Moves logs that grew too long aside. Copy and truncate: the processes go on writing to the same open file."""
        for path in self.logs.glob("*.log"):
            if path.stat().st_size > LOG_BYTES:
                for number in range(LOG_BACKUPS - 1, 0, -1):
                    with contextlib.suppress(FileNotFoundError):
                        path.with_suffix(f".log.{number}").rename(path.with_suffix(f".log.{number + 1}"))
                path.with_suffix(".log.1").write_bytes(path.read_bytes())
                os.truncate(path, 0)

    async def _keep(self, service: Service) -> None:
        pause = FIRST_PAUSE
        while service.name not in self._stopping:
            started = time.monotonic()
            code = await self._run(service)
            if service.name in self._stopping:
                return
            self.deaths[service.name] = self.deaths.get(service.name, 0) + 1
            pause = FIRST_PAUSE if time.monotonic() - started > SETTLED else pause
            self.say(f"{service.name} {_ending(code)}; again in {pause:g} s (see {self.logs}/{service.name}.log)")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _run(self, service: Service) -> int:
        with (self.logs / f"{service.name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *service.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **service.environment},
                start_new_session=True,
                preexec_fn=partial(die_with, os.getpid()),
            )
        self.pids[service.name] = process.pid
        try:
            return await process.wait()
        finally:
            kill_group(process.pid)
            del self.pids[service.name]

    async def _stop(self, name: str) -> None:
        self._stopping.add(name)
        keeper = self._keepers.pop(name)
        if name in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pids[name], signal.SIGTERM)
        else:
            keeper.cancel()  # it sleeps between two starts
        _, late = await asyncio.wait([keeper], timeout=self._graces[name])
        if late:
            self.say(f"{name} did not stop within {self._graces[name]:g} s and was ended")
            kill_group(self.pids[name])
            await asyncio.wait([keeper])


def kill_group(pid: int) -> None:
    """Ends a process and what it left behind in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with(parent: int) -> None:
    """For a process just forked: whoever kills its parent with -9 ends it too (Linux alone knows how)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended by itself (exit status {code})"
