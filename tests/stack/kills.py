"""kill -9 of each container's main process in turn, under load: how long until it is back, and until work is done."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.stack import AIM_BACK_S
from tests.stack.compose import Container, Stack, Trouble, docker
from tests.stack.load import CHEAP, Load, hand_over, judge, settled
from tests.stack.report import Report
from tests.stack.visitor import Catcher, Front, Person, Program, key

LIMIT_S = 150
EVERY_S = 0.25
QUICK = ("web", "worker-work", "redis", "postgres")


@dataclass(frozen=True)
class Hands:
    """Who tries whether work is done again."""

    front: Front
    person: Person
    token: str
    catcher: Catcher | None


def kill(container: Container) -> None:
    """kill -9 of the main process, as the kernel does to who eats too much memory.

    Not `docker kill`: the engine counts that as a stop by hand, after which `restart: unless-stopped` starts nothing.
    Nor from inside: a container's first process cannot be killed from within its own namespace.
    """
    with contextlib.suppress(OSError):
        if container.id in Path(f"/proc/{container.pid}/cgroup").read_text():
            os.kill(container.pid, signal.SIGKILL)
            return
    # The engine is in a virtual machine (Docker Desktop), or we are not root: a container that sees its processes.
    words = ("--rm", "--pid", "host", "--user", "0", "--network", "none", "--entrypoint", "sh", container.told["Image"])
    docker("run", *words, "-c", f"kill -9 {container.pid}")


def back(container: Container, stack: Stack) -> bool:
    """Whether the container that was killed runs again with a new process, and is healthy."""
    now = [each for each in stack.containers(container.service) if each.id == container.id]
    return bool(now) and now[0].well and now[0].pid not in (0, container.pid)


class Probe(threading.Thread):
    """Hands new work over until it is taken, and waits until it is done."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._work, self._began = work, time.monotonic()
        self.seconds: float | None = None
        self.trouble = ""

    def run(self) -> None:
        while self.seconds is None and time.monotonic() < self._began + LIMIT_S:
            try:
                self._work()
                self.seconds = time.monotonic() - self._began
            except (Trouble, requests.RequestException, ValueError) as error:
                self.trouble = str(error)[:200]
                time.sleep(EVERY_S)


def work_for(service: str, hands: Hands) -> Callable[[], None]:
    """What needs this container: a run of its own queue, a mail, Flower's page; else a cheap run."""
    kind = {"worker-ecg": "ecg", "worker-energy": "energy"}.get(service, CHEAP)
    if service in ("worker-mail", "mailpit") and hands.catcher:
        return _a_mail(hands, hands.catcher)
    if service == "flower":
        return lambda: _flower(hands.person)
    word, program = key(), Program(hands.front, hands.token)  # one key: said again it is the same run
    started: list[str] = []

    def work() -> None:
        if not started:
            started.append(hand_over(program, kind, word))
        program.succeeded(started[0], LIMIT_S)

    return work


def _a_mail(hands: Hands, catcher: Catcher) -> Callable[[], None]:
    """The mail that a run is done, found in the catcher by the run's own link."""
    program = Program(hands.front, hands.token)

    def work() -> None:  # a mail that a killed catcher had taken is gone with it: each try is a run of its own
        run = program.succeeded(program.start(CHEAP, key()), LIMIT_S)
        catcher.about(run["id"], 20)

    return work


def _flower(person: Person) -> None:
    person.get("/flower/")


def strike(stack: Stack, container: Container, hands: Hands, report: Report) -> bool:
    """One kill; whether all was back in time."""
    began = time.monotonic()
    kill(container)
    probe = Probe(work_for(container.service, hands))
    probe.start()
    while not (healthy := back(container, stack)) and time.monotonic() < began + LIMIT_S:
        time.sleep(EVERY_S)
    seconds = time.monotonic() - began
    probe.join(max(1.0, LIMIT_S - seconds))
    worked = probe.seconds
    told = f"healthy {seconds:.1f} s, work {worked:.1f} s" if worked else f"no work: {probe.trouble}"
    within = healthy and worked is not None and max(seconds, worked) <= AIM_BACK_S
    failed = not healthy or worked is None
    report.add(f"kill -9 of {container.name.removeprefix(stack.project + '-')}", told, f"<= {AIM_BACK_S} s",
               "FAILED" if failed else "ok" if within else "MISSED")  # fmt: skip
    return within


def run(stack: Stack, hands: Hands, report: Report, quick: bool) -> None:
    """All containers that go on running, one after the other (`quick`: four of them)."""
    victims = [each for each in stack.containers() if not each.once]
    if quick:
        victims = [next(each for each in victims if each.service == name) for name in QUICK]
    with Load(hands.front, hands.token) as load:
        time.sleep(3)
        in_time = [strike_and_wait(stack, each, hands, report) for each in victims]
    report.add("back in time", f"{sum(in_time)} of {len(in_time)}", "all", "ok" if all(in_time) else "MISSED")
    heard = load.heard
    report.add("requests that were refused or got no answer", f"{len(heard.refused)} of {heard.requests}")
    found = settled(stack, load)
    judge(report, load, found)
    again = sum(each.tries > 0 for each in found)
    report.add("runs that a kill hit, and that began again", f"{again} of {len(found)}")


def strike_and_wait(stack: Stack, container: Container, hands: Hands, report: Report) -> bool:
    """A kill; the next one comes when all is well again, so that each is told apart."""
    fine = strike(stack, container, hands, report)
    stack.wait(LIMIT_S)
    return fine
