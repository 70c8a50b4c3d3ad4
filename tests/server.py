"""One server process of the tests: started on a free port as nobody in particular, stopped, killed, paused."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar, Self

import psutil

from workers import broker

NOBODY = "nobody"  # who runs the servers when the tests run as root, which PostgreSQL refuses
STARTS_WITHIN = 60
# Ends a server whose tests were killed: the pipe to this shell closes with them.
WATCH = 'read _; kill -9 "$@" 2>/dev/null'


def found(*names: str) -> str | None:
    """The first of these programs, in PATH or where Debian keeps it."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/lib/rabbitmq/bin")]
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *map(str, folders)])
    return next((where for name in names if (where := shutil.which(name, path=path))), None)


def unprivileged() -> dict[str, Any]:
    """What makes a child process somebody else's, when we are root."""
    return {"user": NOBODY, "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def alive(process: psutil.Process) -> bool:
    """Whether it still runs. Where the machine's first process reaps nobody, an orphan that ended stays a zombie."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


class Server:
    """One server process with its data; a context manager that leaves nothing behind."""

    name: ClassVar[str]
    programs: ClassVar[tuple[tuple[str, ...], ...]] = ()  # of each tuple one must be installed
    package: ClassVar[str] = ""
    ends_by: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, durable: bool = False) -> None:
        """`durable`: what is acknowledged outlives a power cut, as in real use; tests are quicker without."""
        self.durable = durable
        self.folder = Path(tempfile.mkdtemp(prefix=f"nightshift-{self.name}-"))
        self.port, self.second_port, self.third_port = broker.free_ports(3)
        self.log = self.folder / "server.log"
        self.process: psutil.Popen | None = None
        self.helpers: list[psutil.Popen] = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, NOBODY, "nogroup")

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be started here; empty when it can."""
        absent = [names[0] for names in cls.programs if not found(*names)]
        return f"{', '.join(absent)} is not installed (Debian: apt install {cls.package})" if absent else ""

    @property
    def url(self) -> str:
        """How clients reach it."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Makes the data folder, once."""

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    def answers(self) -> bool:
        raise NotImplementedError

    def run(self, *command: str, check: bool = True) -> None:
        """A command of the server's own user, to its end."""
        with self.log.open("ab") as log:
            done = subprocess.run(command, check=False, timeout=STARTS_WITHIN, **self._as_its_user(log))
        assert not check or done.returncode == 0, f"{command[0]} failed with {done.returncode}:\n{self.said()}"

    def spawn(self, *command: str) -> psutil.Popen:
        with self.log.open("ab") as log:
            return psutil.Popen(command, start_new_session=True, **self._as_its_user(log))

    def _as_its_user(self, log: Any) -> dict[str, Any]:
        # A MariaDB that starts sweeps the temporary tables of every other one out of the folder that they share.
        own = {"HOME": str(self.folder), "TMPDIR": str(self.folder)}
        environment = {**os.environ, **own, **self.environment()}
        io = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "cwd": self.folder, "env": environment}
        return {**io, **unprivileged()}

    def start(self) -> None:
        """Starts it and waits until it answers."""
        assert self.process is None, f"{self.name} runs already"
        self.process = self.spawn(*self.command())
        self._watch(self.process.pid)
        end = time.monotonic() + STARTS_WITHIN
        while not self.answers():
            assert self.process.poll() is None, f"{self.name} ended:\n{self.said()}"
            assert time.monotonic() < end, f"{self.name} does not answer:\n{self.said()}"
            time.sleep(0.05)

    def _watch(self, *pids: int) -> None:
        words = ["sh", "-c", WATCH, "watch", *map(str, pids)]
        self.helpers.append(psutil.Popen(words, stdin=subprocess.PIPE, start_new_session=True))

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""

    def tree(self) -> list[psutil.Process]:
        """Its processes, the first one first."""
        if self.process is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            return [self.process, *self.process.children(recursive=True)]
        return []

    def stop(self, number: signal.Signals | None = None) -> None:
        """In order; what it had acknowledged is kept."""
        tree = self.tree()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number or self.ends_by)
        end = time.monotonic() + 30
        while any(map(alive, tree)) and time.monotonic() < end:
            time.sleep(0.02)
        self._over(tree)

    def kill(self) -> None:
        """kill -9 of all its processes."""
        self._over(self.tree())

    def _over(self, tree: list[psutil.Process]) -> None:
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        while any(map(alive, tree)):
            time.sleep(0.02)
        if self.process is not None:
            self.process.wait(10)  # reaped
        for helper in self.helpers:
            helper.kill()
            helper.communicate()
        self.helpers, self.process = [], None

    def restart(self) -> None:
        """At once, as after a crash: nobody is asked, connections break."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Half-open: the system still accepts connections, and nobody answers them."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process in self.tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.resume()
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
