"""What keeps processes alive, the broker it starts, the checks before, and the dead man's switch after."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from structlog.testing import capture_logs

from deploy import check, manager, processes
from deploy.manager import Manager, Service
from deploy.settings import Settings
from tests.listening import Silent, listening, of_handler
from workers import broker, deadman

PARENT = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def python(name: str, code: str, grace: float = 5) -> Service:
    return Service(name, [sys.executable, "-c", code], grace=grace)


def run(tmp_path: Path, story: Callable[[Manager, list[str]], Coroutine[Any, Any, None]]) -> None:
    """Plays a story with a manager and what it said; leaves nothing running."""

    async def play() -> None:
        said: list[str] = []
        kept = Manager(tmp_path, said.append)
        try:
            await asyncio.wait_for(story(kept, said), 20)
        finally:
            kept.kill()
            await kept.stop()

    asyncio.run(play())


async def until(true: Callable[[], Any], seconds: float = 10) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)
    return found


def gone(process: psutil.Process) -> bool:
    """Whether it ended; where the machine's first process reaps nobody, what is left is a zombie."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_what_dies_at_once_is_started_again_after_pauses_that_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager, "FIRST_PAUSE", 0.2)
    code = "import time; print(time.time()); raise SystemExit(3)"

    async def story(kept: Manager, said: list[str]) -> None:
        kept.start(python("crash", code))
        await until(lambda: len(said) == 4)
        await kept.stop("crash")
        pauses = [re.findall(r"crash ended by itself \(exit status 3\); again in ([\d.]+) s", line) for line in said]
        assert pauses == [["0.2"], ["0.4"], ["0.8"], ["1.6"]]

    run(tmp_path, story)
    starts = [float(line) for line in (tmp_path / "crash.log").read_text().split()]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert all(gap >= pause for gap, pause in zip(gaps, (0.2, 0.4, 0.8), strict=False))


def test_what_is_killed_comes_back_and_its_children_go_with_it(tmp_path: Path) -> None:
    async def story(kept: Manager, said: list[str]) -> None:
        kept.start(python("parent", PARENT))
        pid = await until(lambda: kept.pids.get("parent"))
        (child,) = await until(lambda: psutil.Process(pid).children())
        os.kill(pid, signal.SIGKILL)
        again = await until(lambda: kept.pids.get("parent", pid) != pid and kept.pids["parent"])
        assert said == [f"parent was ended by SIGKILL; again in 0.5 s (see {tmp_path}/parent.log)"]
        await until(lambda: gone(child), 1)
        (child,) = await until(lambda: psutil.Process(again).children())
        await kept.stop("parent")
        await until(lambda: gone(child), 1)

    run(tmp_path, story)


def test_what_does_not_listen_is_ended_after_its_time(tmp_path: Path) -> None:
    async def story(kept: Manager, said: list[str]) -> None:
        kept.start(python("stubborn", STUBBORN, grace=0.5))
        await until(lambda: kept.last_words("stubborn") == "deaf")
        began = time.monotonic()
        await kept.stop("stubborn")
        assert 0.4 < time.monotonic() - began < 3
        assert said == ["stubborn did not stop within 0.5 s and was ended"]

    run(tmp_path, story)


def test_what_is_ended_at_once_does_not_come_back(tmp_path: Path) -> None:
    async def story(kept: Manager, said: list[str]) -> None:
        kept.start(python("one", STUBBORN))
        kept.start(python("two", STUBBORN))
        await until(lambda: kept.last_words("one") == kept.last_words("two") == "deaf")
        kept.kill()
        await kept.stop()
        assert not kept.pids
        assert said == []

    run(tmp_path, story)


def test_what_pauses_between_two_starts_stops_at_once(tmp_path: Path) -> None:
    async def story(kept: Manager, said: list[str]) -> None:
        kept.start(python("crash", "raise SystemExit(1)"))
        await until(lambda: said)
        began = time.monotonic()
        await kept.stop("crash", "never started")
        assert time.monotonic() - began < 0.3

    run(tmp_path, story)


def test_what_is_started_while_the_manager_is_killed_ends_at_once() -> None:
    with pytest.raises(subprocess.CalledProcessError) as ended:
        subprocess.run(["true"], preexec_fn=partial(manager.die_with, 1 << 22), check=True)
    assert ended.value.returncode == 1
    subprocess.run(["true"], preexec_fn=partial(manager.die_with, os.getpid()), check=True)


def test_a_long_log_is_moved_aside_while_its_process_writes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "LOG_BYTES", 1000)
    with (tmp_path / "web.log").open("ab", buffering=0) as log:
        for letter in b"abcde":
            log.write(bytes([letter]) * 2000)
            Manager(tmp_path, print).rotate()
        log.write(b"on\n")
    assert (tmp_path / "web.log").read_bytes() == b"on\n"
    kept = {path.name: path.read_bytes()[:1] for path in tmp_path.glob("web.log.*")}
    assert kept == {"web.log.1": b"e", "web.log.2": b"d", "web.log.3": b"c"}


@contextmanager
def started_broker(folder: Path) -> Iterator[redis.Redis]:
    (port,) = broker.free_ports(1)
    process = subprocess.Popen(broker.command(folder, port, "secret"), stdout=subprocess.DEVNULL)
    try:
        address = broker.url(port, "secret")
        end = time.monotonic() + 10
        while not broker.answers(address):
            assert time.monotonic() < end
            time.sleep(0.02)
        with redis.Redis.from_url(address) as client:
            yield client
    finally:
        process.terminate()
        process.wait(10)


def test_the_embedded_broker_keeps_its_data_even_with_a_torn_file(tmp_path: Path) -> None:
    with started_broker(tmp_path / "bröker") as client:
        for number in range(100):
            client.lpush("scans", number)
    (file,) = (tmp_path / "bröker" / "appendonlydir").glob("*.incr.aof")
    os.truncate(file, file.stat().st_size - 5)
    with started_broker(tmp_path / "bröker") as client:
        assert client.llen("scans") == 99
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}


def test_the_embedded_broker_wants_its_password_and_hides_it(tmp_path: Path) -> None:
    with started_broker(tmp_path) as client:
        port = client.connection_pool.connection_kwargs["port"]
        assert not broker.answers(f"redis://127.0.0.1:{port}/0")
        assert not broker.answers(broker.url(port, "wrong"))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), 1)  # bound to one address alone
    assert (tmp_path / "valkey.conf").stat().st_mode & 0o777 == 0o600
    assert not any("secret" in word for word in broker.command(tmp_path, 1, "secret"))


def test_a_taken_port_is_named_with_its_taker(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taker:
        port = taker.getsockname()[1]
        (found,) = check.port_problems(Settings.model_validate({"var": tmp_path, "PORT": port}))
        assert found.startswith(f"Port {port} is taken by process {os.getpid()} (")
        assert f"PORT={port + 1} make run" in found
    assert check.port_problems(Settings.model_validate({"var": tmp_path, "PORT": port})) == []


def test_a_folder_that_cannot_be_written_and_a_full_disk_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (port,) = broker.free_ports(1)
    (found,) = check.problems(Settings.model_validate({"var": tmp_path / "file" / "var", "PORT": port}))
    assert "cannot be written to" in found
    monkeypatch.setattr(check, "LEAST_FREE_MB", 10**9)
    (found,) = check.problems(Settings.model_validate({"var": tmp_path, "PORT": port}))
    assert "MB free" in found
    assert "NIGHTSHIFT_VAR=/path" in found


@pytest.mark.parametrize("damage", [b"\xff" * 8192, b"SQLite format 3\0" + b"\xff" * 8192])
def test_a_damaged_database_is_said_in_a_sentence(
    tmp_path: Path, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "nightshift.db").write_bytes(damage)
    monkeypatch.setenv("NIGHTSHIFT_VAR", str(tmp_path))
    with pytest.raises(SystemExit, match="not a database") as stopped:
        processes.migrate(Settings.model_validate({"var": tmp_path}))
    assert "Traceback" not in str(stopped.value)
    assert "put a backup in its place" in str(stopped.value)


def test_a_foreign_python_is_told_which_to_take(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(check, "PYTHONS", ((2, 6), (2, 7)))
    (port,) = broker.free_ports(1)
    (found,) = check.problems(Settings.model_validate({"var": tmp_path, "PORT": port}))
    assert "make run PYTHON=" in found


@contextmanager
def monitor(status: int, delay: float = 0) -> Iterator[tuple[str, list[str]]]:
    """An outside monitor: its URL, and what was asked of it."""
    asked: list[str] = []

    class Handler(Silent):
        def do_GET(self) -> None:
            asked.append(self.path)
            time.sleep(delay)
            self.send_response(status)
            self.end_headers()

    with listening(of_handler(Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}/ping/token", asked


def test_the_dead_mans_switch_tells_the_monitor() -> None:
    with monitor(200) as (url, asked):
        assert deadman.ping(url)
    assert asked == ["/ping/token"]
    assert not deadman.ping("")


@pytest.mark.parametrize(("status", "delay", "reason"), [(500, 0, "status 500"), (200, 0.5, "ReadTimeout")])
def test_a_monitor_that_does_not_answer_well_is_noted_without_its_address(
    monkeypatch: pytest.MonkeyPatch, status: int, delay: float, reason: str
) -> None:
    monkeypatch.setattr(deadman, "TIMEOUT", 0.2)
    with monitor(status, delay) as (url, _), capture_logs() as lines:
        assert not deadman.ping(url)
    assert [line["reason"] for line in lines] == [reason]
    assert "token" not in str(lines)


def test_no_monitor_at_all_raises_nothing() -> None:
    (port,) = broker.free_ports(1)
    for url in (f"http://127.0.0.1:{port}/", "http://[broken", "no url"):
        assert not deadman.ping(url)
