"""Tries the whole stack and prints what it took: `python -m tests.stack [--quick] [--only up,tour] [--keep]`.

Steps: build, up, tour, kills, rolling, backup, move, down. With `--from REVISION`: upgrade (from that revision), tour,
down. Figures go to var/stack/report.json, pictures to var/stack/shots, logs of what failed to var/stack/logs. The exit
status is 1 when a promise does not hold; a figure that misses its aim is told, and is no failure.
"""

import argparse
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import requests

from tests.stack import KEPT, steps
from tests.stack.compose import Stack, Trouble, missing
from tests.stack.report import Report

# Name: what is done, and the seconds that it may take.
STEPS: dict[str, tuple[Callable[["steps.Course"], None], int]] = {
    "build": (steps.build, 1200),
    "up": (steps.up, 420),
    "upgrade": (steps.upgrade, 2400),
    "tour": (steps.tour, 240),
    "kills": (steps.kills, 1500),
    "rolling": (steps.rolling, 900),
    "backup": (steps.backup, 420),
    "move": (steps.move, 420),
    "down": (steps.down, 240),
}
UPGRADE = ["upgrade", "tour", "down"]
TROUBLES = (Trouble, OSError, subprocess.SubprocessError, requests.RequestException, ValueError, KeyError)


class Late(Trouble):
    """A step took longer than it may."""


def main() -> int:
    """The entry point."""
    asked = _arguments()
    if why := missing():
        print(why)
        return 1
    project = asked.project or f"nightshift-test-{secrets.token_hex(2)}"
    if not asked.project:
        shutil.rmtree(KEPT / "logs", ignore_errors=True)
    report = Report(project)
    stack = Stack(project, report.say)
    report.say(f"Stack {project}")
    course = steps.Course(stack, report, asked.quick, asked.before)
    usual = UPGRADE if asked.before else [name for name in STEPS if name not in ("upgrade", asked.quick and "move")]
    chosen = asked.only.split(",") if asked.only else usual
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("It was told to end."))
    try:
        _go(course, chosen)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # it is being taken down: whoever is impatient waits that long
        _leave(stack, report, asked.keep)
        report.write()
    return 1 if report.failed else 0


def _go(course: "steps.Course", chosen: list[str]) -> None:
    """The steps in turn. Where one breaks off, those that need it would too: only what is left is looked at."""
    for name in (each for each in STEPS if each in chosen):
        do, limit = STEPS[name]
        course.report.step, began = name, time.monotonic()
        _limit(limit)
        try:
            do(course)
        except TROUBLES as error:
            course.report.holds(f"{name} broke off", False, f"{type(error).__name__}: {str(error)[:1500]}")
            return
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            course.report.add(f"{name} took", f"{time.monotonic() - began:.1f} s")


def _limit(seconds: int) -> None:
    """From then on whatever the step waits for is over."""

    def late(*_: Any) -> None:
        raise Late(f"it took longer than {seconds} s")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _leave(stack: Stack, report: Report, keep: bool) -> None:
    """Logs of what failed are kept; then all of it goes, but where it is to stay."""
    if report.failed:
        report.say(f"Logs of all containers: {stack.keep_logs()}")
    if keep:
        report.say(f"The stack stays. Go on with --project {stack.project}; end it with --only down.")
    elif stack.containers() or any(stack.left().values()):
        stack.down()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.stack", description=__doc__)
    parser.add_argument("--only", default="", help=f"some of the steps: {','.join(STEPS)}")
    parser.add_argument("--quick", action="store_true", help="fewer kills and changes, nothing moved: for CI")
    parser.add_argument("--from", dest="before", default="", help="a revision of git: start there, upgrade to this one")
    parser.add_argument("--keep", action="store_true", help="leave the stack standing")
    parser.add_argument("--project", default="", help="go on with a stack that --keep left")
    asked = parser.parse_args()
    if unknown := set(filter(None, asked.only.split(","))) - set(STEPS):
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
