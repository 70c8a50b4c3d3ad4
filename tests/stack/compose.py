"""One stack of containers, by the very commands that people type: `docker compose` on a project of its own."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.settings import ROOT
from tests.stack import KEPT
from workers.broker import free_ports

FILE = ROOT / "docker-compose.yml"
LABEL = "com.docker.compose"
# Whatever compose file is tested says itself which variables are ports on this machine.
PORT = re.compile(r"\$\{((?!NIGHTSHIFT_)[A-Z0-9_]*PORT)[:}?-]")
COMMAND_S = 120
MOST_RESTARTS = 6
# No `.env` and no settings of whoever runs this have a say; images of its own name leave those of another stack alone.
OURS = {"COMPOSE_FILE": str(FILE), "COMPOSE_ENV_FILES": os.devnull, "NIGHTSHIFT_TAG": "test"}


class Trouble(Exception):
    """Something that was promised does not hold; the text says what."""


@dataclass(frozen=True)
class Container:
    """A container as the engine tells of it."""

    id: str
    name: str
    service: str
    once: bool  # it does its work and ends: setup, migrate
    told: dict[str, Any]

    @property
    def state(self) -> dict[str, Any]:
        return dict(self.told["State"])

    @property
    def pid(self) -> int:
        """Of its main process, as the engine's host counts; 0 while it does not run."""
        return int(self.state["Pid"])

    @property
    def well(self) -> bool:
        """Running and healthy; done without a fault, where it is to end."""
        if not self.state["Running"]:
            return self.once and self.state["Status"] == "exited" and self.state["ExitCode"] == 0
        return self.state.get("Health", {}).get("Status", "healthy") == "healthy" and not self.state["Restarting"]

    @property
    def broken(self) -> bool:
        """It was to do its work once, and did not, however often it was started again."""
        return self.once and int(self.told["RestartCount"]) > MOST_RESTARTS

    def word(self) -> str:
        """Its condition in a word or two."""
        health = self.state.get("Health", {}).get("Status", "")
        return f"{self.name} {self.state['Status']} {health}".strip()


def _bare() -> dict[str, str]:
    settings = ("NIGHTSHIFT_", "COMPOSE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(settings)}


def docker(*words: str, timeout: float = COMMAND_S, check: bool = True, env: Mapping[str, str] | None = None) -> str:
    """A command of Docker; what it printed."""
    return run("docker", *words, timeout=timeout, check=check, env=env)


def run(
    *words: str,
    timeout: float = COMMAND_S,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    given: str | None = None,
) -> str:
    """A command to its end. In a session of its own: Ctrl-C is for us, and what takes a stack down goes on."""
    done = subprocess.run(
        words, cwd=ROOT, env=env, input=given, timeout=timeout, capture_output=True, text=True, check=False,
        start_new_session=True,
    )  # fmt: skip
    if check and done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise Trouble(f"`{' '.join(words)[:200]}` ended with {done.returncode}: {said}")
    return done.stdout


class Stack:
    """A stack of its own: other projects on this host, and other ports, are left alone."""

    def __init__(self, project: str, say: Callable[[str], None]) -> None:
        self.project, self.say = project, say
        self.environment = {**_bare(), **self._ports(), **OURS, "COMPOSE_PROJECT_NAME": project}

    def _ports(self) -> dict[str, str]:
        """Free ones. They are kept in a file, so that `--project` comes back to a stack that was left standing."""
        kept = KEPT / f"{self.project}.json"
        if kept.exists():
            return dict(json.loads(kept.read_text()))
        names = sorted(set(PORT.findall(FILE.read_text("utf-8"))))
        found = dict(zip(names, map(str, free_ports(len(names))), strict=True))
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found))
        return found

    def compose(self, *words: str, timeout: float = COMMAND_S, given: str | None = None) -> str:
        """`docker compose …` of this project."""
        return run("docker", "compose", *words, timeout=timeout, env=self.environment, given=given)

    def loudly(self, *words: str, timeout: float, meanwhile: Callable[[], object] = bool) -> None:
        """The same, with what it says going to a log under var/stack, which is shown when it fails.

        `meanwhile` is called every second, and ends it by raising.
        """
        log, end = KEPT / "logs" / f"{words[0]}.log", time.monotonic() + timeout
        log.parent.mkdir(parents=True, exist_ok=True)
        command = ["docker", "compose", "--progress", "plain", *words]
        with log.open("ab") as out, _ended(command, cwd=ROOT, env=self.environment, stdout=out, stderr=out) as process:
            while process.poll() is None:
                meanwhile()
                if time.monotonic() > end:
                    raise Trouble(f"`docker compose {words[0]}` took longer than {timeout:.0f} s: see {log}")
                time.sleep(1)
        if process.returncode:
            raise Trouble(f"`docker compose {words[0]}` ended with {process.returncode}; {log} ends so:\n{_tail(log)}")

    def config(self) -> dict[str, Any]:
        """The compose file as Compose itself understands it."""
        return dict(json.loads(self.compose("config", "--format", "json")))

    def containers(self, service: str = "") -> list[Container]:
        """All of the project's, those that ended too; without those that a command was run in and left."""
        ids = docker("ps", "-aq", "--no-trunc", "--filter", f"label={LABEL}.project={self.project}").split()
        found = json.loads(docker("inspect", *ids, check=False) or "[]") if ids else []
        mine = [self._container(each) for each in found if each["Config"]["Labels"].get(f"{LABEL}.oneoff") != "True"]
        return sorted((each for each in mine if service in ("", each.service)), key=lambda each: each.name)

    def _container(self, told: dict[str, Any]) -> Container:
        labels = told["Config"]["Labels"]
        once = told["HostConfig"]["RestartPolicy"]["Name"] in ("no", "", "on-failure")
        return Container(told["Id"], told["Name"].lstrip("/"), labels[f"{LABEL}.service"], once, told)

    def one(self, service: str) -> Container:
        """The first container of a service."""
        found = self.containers(service)
        if not found:
            raise Trouble(f"There is no container of {service}")
        return found[0]

    def up(self, *words: str, timeout: float = 300) -> None:
        """Brings it up in the background. Not by `--wait`: that takes a service that did its work for a failure."""
        self.loudly("up", "-d", "--no-build", *words, timeout=timeout, meanwhile=self.look)

    def wait(self, limit: float = 180) -> None:
        """Until all of it is well."""
        end = time.monotonic() + limit
        while not (found := self.look()) or not all(each.well for each in found):
            if time.monotonic() > end:
                raise Trouble("Not well: " + ", ".join(each.word() for each in found if not each.well))
            time.sleep(0.5)

    def look(self) -> list[Container]:
        """All containers; trouble when one of them will not do what it is there for. Compose would wait for ever."""
        found = self.containers()
        if broken := [each.name for each in found if each.broken]:
            raise Trouble(f"{', '.join(broken)} did not do its work: {self.said(broken[0])}")
        return found

    def port(self, service: str, inside: str = "") -> int:
        """The host's port that leads to a service (to its port `inside`, or to one that ends so)."""
        for bound, hosts in self.one(service).told["NetworkSettings"]["Ports"].items():
            if hosts and bound.partition("/")[0].endswith(inside):
                return int(hosts[0]["HostPort"])
        raise Trouble(f"No port of this host leads to {service} {inside}")

    def inside(self, service: str, *words: str, given: str | None = None, timeout: float = COMMAND_S) -> str:
        """A command in a running container."""
        return self.compose("exec", "-T", service, *words, given=given, timeout=timeout)

    def said(self, name: str) -> str:
        """The end of a container's log."""
        words = ["docker", "logs", "--tail", "5", name]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=COMMAND_S, check=False)
        return done.stdout.decode(errors="replace").strip()[-1000:]

    def keep_logs(self) -> Path:
        """All containers' logs, and what the engine knows of them, into var/stack/logs."""
        folder = KEPT / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        for each in self.containers():
            with (folder / f"{each.name}.log").open("wb") as log:
                subprocess.run(["docker", "logs", "-t", each.id], stdout=log, stderr=log, timeout=60, check=False)
            (folder / f"{each.name}.json").write_text(json.dumps(each.told, indent=1))
        return folder

    def down(self) -> None:
        """All of it goes, the data too."""
        self.compose("--profile", "*", "down", "-v", "--remove-orphans", timeout=180)
        (KEPT / f"{self.project}.json").unlink(missing_ok=True)

    def left(self) -> dict[str, list[str]]:
        """What the host still has of the project."""
        mark = ("--filter", f"label={LABEL}.project={self.project}")
        asked = {"containers": ("ps", "-aq"), "volumes": ("volume", "ls", "-q"), "networks": ("network", "ls", "-q")}
        return {what: docker(*words, *mark).split() for what, words in asked.items()}


@contextmanager
def _ended(command: list[str], **given: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that goes with us, whatever breaks off."""
    process = subprocess.Popen(command, start_new_session=True, **given)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def missing() -> str:
    """Why there can be no stack on this machine; empty when there can."""
    if not shutil.which("docker"):
        return "Docker is not installed: install Docker Engine or Docker Desktop with Compose v2."
    try:
        docker("compose", "version", timeout=20)
        docker("info", timeout=20)
    except (Trouble, subprocess.TimeoutExpired) as error:
        return f"Docker does not answer ({error}). Start it, or name it by DOCKER_HOST."
    return ""


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-40:])
