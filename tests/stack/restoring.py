"""A backup of the running stack, and its restore into one that has nothing: by the commands that the guide names."""

import time
from pathlib import Path

from tests.stack.compose import Stack, run
from tests.stack.report import Report

LIMIT_S = 180


def save(stack: Stack, archive: Path, report: Report) -> None:
    """`make compose-backup`, while the stack goes on working."""
    archive.unlink(missing_ok=True)
    began = time.monotonic()
    run("make", "-s", "compose-backup", f"FILE={archive}", timeout=LIMIT_S, env=stack.environment)
    report.holds("a backup of the running stack", archive.stat().st_size > 0, _told(began, archive))


def restore_into_nothing(stack: Stack, archive: Path, report: Report) -> None:
    """`docker compose down -v`, then `make compose-restore`, then all of it is up again."""
    stack.compose("down", "-v", "--remove-orphans", timeout=LIMIT_S)
    began = time.monotonic()
    run("make", "-s", "compose-restore", f"FILE={archive}", timeout=LIMIT_S, env=stack.environment)
    stack.up()
    stack.wait()
    report.holds("restored into an empty stack", True, _told(began, archive))


def _told(began: float, archive: Path) -> str:
    return f"{time.monotonic() - began:.1f} s, {archive.stat().st_size / 1e6:.1f} MB"
