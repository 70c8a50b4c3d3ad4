"""What must be right before anything starts; each finding is a sentence that says what to do."""

import contextlib
import errno
import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import AliasChoices, ValidationError

from deploy.settings import Settings, read

LEAST_FREE_MB = 200
PYTHONS = ((3, 11), (3, 13))


def read_settings() -> Settings:
    """The settings, or an exit with a sentence for each that is wrong."""
    try:
        return read()
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise SystemExit("\n".join(_plain(each["loc"], each["msg"]) for each in found)) from None


def problems(settings: Settings) -> list[str]:
    """Everything that stands in the way of a start, but for the port; an empty list means go."""
    return [*_python(), *_unknown_names(), *_folder(settings.var)]


def port_problems(settings: Settings) -> list[str]:
    """What is wrong with the port; asked once it is known that no Nightshift of this folder has it."""
    return list(_port(settings.host, settings.port))


def energy_problems(settings: Settings) -> list[str]:
    """What is missing where the worker for the energy queue runs."""
    if not settings.tableau or importlib.util.find_spec("pantab"):
        return []
    return [
        "NIGHTSHIFT_TABLEAU is on, and the library that writes Tableau extracts is not installed. Install "
        "requirements/hyper.txt (as an image: WORKER_FOR=hyper), or take NIGHTSHIFT_TABLEAU away."
    ]


def _plain(where: tuple[int | str, ...], message: str) -> str:
    name = str(where[0]) if where else ""
    variable = name if name.isupper() or not name else f"NIGHTSHIFT_{name.upper()}"
    return f"{variable}: {message}".removeprefix(": ")


def _python() -> Iterator[str]:
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        have = ".".join(map(str, sys.version_info[:3]))
        yield f"This is Python {have}; Nightshift runs on 3.11 to 3.13. Name one: make run PYTHON=/path/to/python3.11"


def known_names() -> set[str]:
    """Every environment variable that is a setting."""
    names: set[str] = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names |= (
            {str(each) for each in alias.choices} if isinstance(alias, AliasChoices) else {f"NIGHTSHIFT_{name.upper()}"}
        )
    return names


def _unknown_names() -> Iterator[str]:
    for name in sorted(set(os.environ) - known_names()):
        if name.startswith("NIGHTSHIFT_"):
            yield f"{name} is no setting of Nightshift. Unset it, or look its name up in the README's table."


def _folder(var: Path) -> Iterator[str]:
    try:
        var.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = var / ".write-test"
        probe.write_bytes(b"0" * 4096)
        probe.unlink()
    except OSError as error:
        yield f"{var} cannot be written to ({error.strerror}). Name a folder that can: NIGHTSHIFT_VAR=/path make run"
        return
    free = shutil.disk_usage(var).free // 1_000_000
    if free < LEAST_FREE_MB:
        yield (
            f"The disk that holds {var} has {free} MB free; Nightshift wants {LEAST_FREE_MB}. "
            "Make room, or name a folder on another disk: NIGHTSHIFT_VAR=/path make run"
        )


def _port(host: str, port: int) -> Iterator[str]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except PermissionError:
        yield f"Port {port} is kept for root. Take one above 1023: PORT=5002 make run"
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            yield f"Nobody can listen on {host}:{port} here ({error.strerror}). Set NIGHTSHIFT_HOST right."
            return
        taken = f"Port {port} is taken by {listener(port) or 'another program'}."
        yield f"{taken} Stop that, or take another port: PORT={port + 1} make run"


def listener(port: int) -> str:
    """Who listens on a TCP port, as 'process 123 (python3)'; empty when the system does not tell."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    for link in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        with contextlib.suppress(OSError):
            if os.readlink(link) in inodes:
                process = link.parts[2]
                return f"process {process} ({Path('/proc', process, 'comm').read_text().strip()})"
    return ""


def _listening(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == "0A" and int(columns[1].rsplit(":", 1)[1], 16) == port:  # 0A: LISTEN
                    yield columns[9]
