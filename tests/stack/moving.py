"""All that `make run` holds, moved into an empty stack by the one command that the guide names."""

import os
import shutil
import sys
import time

from tests.make_run import Nightshift, until
from tests.stack import KEPT, content
from tests.stack.compose import Stack, Trouble, run
from tests.stack.report import Report
from workers.broker import free_ports

LIMIT_S = 240
VAR = KEPT / "embedded"


def embedded() -> tuple[content.Rows, str]:
    """The demo in a `make run` that has done its work and was stopped; its rows, and the demo's password."""
    shutil.rmtree(VAR, ignore_errors=True)
    VAR.mkdir(parents=True)
    here = {**os.environ, "NIGHTSHIFT_VAR": str(VAR)}
    system = Nightshift(VAR, *free_ports(1))
    try:
        system.ready()
        run(sys.executable, "-m", "web", "demo", env=here)
        until(lambda: content.here(here)["artifact"], 90)
    finally:
        if system.stop():
            raise Trouble(f"`make run` did not stop in order: {system.said()[-500:]}")
    return content.here(here), (VAR / "secrets" / "demo_password").read_text().strip()


def move(stack: Stack, report: Report) -> str:
    """`docker compose down -v`, then `make compose-move`; the demo's password."""
    before, password = embedded()
    stack.compose("down", "-v", "--remove-orphans", timeout=LIMIT_S)
    began = time.monotonic()
    there = {**stack.environment, "NIGHTSHIFT_VAR": str(VAR), "FILE": str(VAR / "moved.tar")}
    run("make", "-s", "compose-move", timeout=LIMIT_S, env=there)
    stack.wait()
    report.holds("moved from `make run` into an empty stack", True, f"{time.monotonic() - began:.1f} s")
    lost = content.Content(before, {}).missing_in(content.Content(content.rows(stack), {}))
    report.none_of("rows not as before", len(lost), sum(map(len, before.values())))
    for each in lost[:10]:
        report.say(f"  {each}")
    shutil.rmtree(VAR)
    return password
