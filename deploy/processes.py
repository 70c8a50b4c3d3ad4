"""`make run`: checks, migrates, starts everything under one manager and says where to go.

Start: the broker, then the rest side by side. Stop: web, beat, Flower, workers, broker: nobody loses what it stands on.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial

from deploy import check, commands
from deploy.lock import only_one
from deploy.manager import Manager, Service, die_with
from deploy.settings import ROOT, Settings
from workers import broker
from workers.queues import GROUPS

STOP_ORDER = (("web",), ("mqtt",), ("beat",), ("flower",), tuple(GROUPS), ("broker",))
WORKER_GRACE = 40.0


@dataclass(frozen=True)
class Plan:
    """What to start, stage by stage, and how to see that it is up."""

    broker: Service | None
    broker_url: str
    services: list[Service]
    flower: Service
    workers: list[str]


def say(text: str) -> None:
    """A line for the operator."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {text}\n")
    sys.stdout.flush()


def plan(settings: Settings) -> Plan:
    """Every process with its command and environment. Secrets travel in the latter: `ps` shows commands to everyone."""
    broker_port, flower_port = broker.free_ports(2)
    environment = {"PYTHONUNBUFFERED": "1", "NIGHTSHIFT_FLOWER_URL": f"http://127.0.0.1:{flower_port}/flower"}
    embedded, url = None, settings.broker_url.get_secret_value()
    if not url:
        password = settings.secret("broker_password")
        url = environment["NIGHTSHIFT_BROKER_URL"] = broker.url(broker_port, password)
        embedded = Service("broker", broker.command(settings.var / "broker", broker_port, password))
    services = [
        Service("web", commands.WEB, environment, grace=34),
        *(Service(group, commands.worker(group, settings), environment, WORKER_GRACE) for group in GROUPS),
        *([Service("mqtt", commands.MQTT, environment)] if settings.mqtt_url.get_secret_value() else []),
        Service("beat", commands.BEAT, environment),
    ]
    names = [f"{group}@{settings.node}" for group in GROUPS]
    watched = {**environment, **commands.flower_environment(settings, "127.0.0.1", flower_port)}
    return Plan(embedded, url, services, Service("flower", commands.FLOWER, watched), names)


def migrate(settings: Settings) -> None:
    """Brings the database up to date, in a process of its own whose memory goes again."""
    code = "from deploy.settings import settings; from models.migrate import upgrade; upgrade(settings().database)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        (settings.var / "logs" / "migrate.log").write_text(done.stderr)
        why = [line.partition("Error: ")[2] for line in done.stderr.splitlines() if "Error: " in line] or [""]
        raise SystemExit(
            f"The database could not be brought up to date: {why[-1]} (see {settings.var}/logs/migrate.log). "
            "If it is damaged, put a backup in its place; if a newer Nightshift wrote it, run that one."
        )


async def first_code() -> str:
    """The code for making the first administrator; empty once there is an account."""
    asking = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "web",
        "code",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=partial(die_with, os.getpid()),
    )
    said, _ = await asking.communicate()
    return said.decode().strip()


async def serve(settings: Settings, began: float) -> None:
    """Starts everything, says when it is ready, and keeps it alive until a signal asks to stop."""
    manager = Manager(settings.var / "logs", say)
    stop = asyncio.Event()
    _on_signals(stop, manager)
    keeping = asyncio.create_task(_start(settings, manager, began))
    await asyncio.wait([keeping, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    keeping.cancel()
    say("Stopping: web, beat, Flower, workers (a run gets up to 40 s), broker. Ctrl-C again ends them at once.")
    for names in STOP_ORDER:
        await manager.stop(*names)
    if keeping.done() and not keeping.cancelled() and keeping.exception():
        raise SystemExit(str(keeping.exception()))
    say("All stopped.")


def _on_signals(stop: asyncio.Event, manager: Manager) -> None:
    def asked() -> None:
        if stop.is_set():
            manager.kill()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, asked)


async def _start(settings: Settings, manager: Manager, began: float) -> None:
    todo = plan(settings)
    reminder = asyncio.create_task(_remind(manager))
    if todo.broker:
        manager.start(todo.broker)
        while not broker.answers(todo.broker_url):
            await asyncio.sleep(0.05)
    for service in todo.services:
        manager.start(service)
    await asyncio.gather(_web_answers(settings), _workers_answer(todo))
    reminder.cancel()
    manager.start(todo.flower)  # last: it asks the workers once for their queues
    say(f"Ready after {time.monotonic() - began:.1f} s: {settings.origin}   (data and logs: {settings.var})")
    if code := await first_code():
        say(f"No account yet. Make the first administrator's at {settings.origin} with the code {code}")
    while True:
        await asyncio.sleep(60)
        manager.rotate()


async def _remind(manager: Manager) -> None:
    while True:
        await asyncio.sleep(20)
        for name, count in manager.deaths.items():
            say(f"Not ready yet: {name} died {count} times; its last words: {manager.last_words(name)}")
        say(f"Still starting (logs: {manager.logs})")


async def _web_answers(settings: Settings) -> None:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    while not await _livez(host, settings.port):
        await asyncio.sleep(0.1)


async def _livez(host: str, port: int) -> bool:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"GET /livez HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode())
        status = await reader.readline()
        writer.close()
        return b" 200 " in status
    return False


async def _workers_answer(todo: Plan) -> None:
    environment = todo.services[0].environment
    waiting = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy.ready",
        *todo.workers,
        cwd=ROOT,
        env={**os.environ, **environment},
        preexec_fn=partial(die_with, os.getpid()),
    )
    try:
        while await waiting.wait():
            say("The workers do not answer; waiting on.")
    finally:
        if waiting.returncode is None:
            waiting.kill()


def _stop_for(found: list[str]) -> None:
    if found:
        raise SystemExit("\n".join(found))


def main() -> None:
    """The entry point."""
    began = time.monotonic()
    os.umask(0o077)  # what any of the processes writes is its owner's alone
    os.chdir(ROOT)
    settings = check.read_settings()
    _stop_for([*check.problems(settings), *check.energy_problems(settings)])
    (settings.var / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
    with only_one(settings.var):
        _stop_for(check.port_problems(settings))
        migrate(settings)
        asyncio.run(serve(settings, began))


if __name__ == "__main__":
    main()
