"""Web and workers are changed for new containers under load: nobody is turned away, no run is lost, no try is spent."""

import time

from deploy.settings import ROOT
from tests.stack.compose import Stack, run
from tests.stack.kills import Hands
from tests.stack.load import Load, judge, settled
from tests.stack.report import Report

SERVICES = ("worker-ecg", "worker-energy", "worker-work", "worker-mail", "web")  # in the guide's order
LIMIT_S = 400


def roll(stack: Stack, hands: Hands, report: Report, quick: bool) -> None:
    """All of them, one after the other (`quick`: the front and one worker)."""
    services = ("worker-work", "web") if quick else SERVICES
    before = {each.id for each in stack.containers()}
    with Load(hands.front, hands.token, every=0.2, path="/sign-in") as load:
        time.sleep(3)
        for service in services:
            began = time.monotonic()
            run("sh", str(ROOT / "deploy" / "recreate.sh"), service, timeout=LIMIT_S, env=stack.environment)
            now = stack.containers(service)
            fresh = bool(now) and all(each.well and each.id not in before for each in now)
            report.holds(f"{service} in new containers", fresh, f"{len(now)} in {time.monotonic() - began:.1f} s")
        time.sleep(3)
    none_lost(stack, load, report)


def none_lost(stack: Stack, load: Load, report: Report) -> None:
    """Of requests, of runs, and of the runs' tries."""
    heard = load.heard
    report.none_of("requests that failed through nginx", len(heard.refused), heard.requests)
    for _, trouble in heard.refused[:5]:
        report.say(f"  {trouble}")
    found = settled(stack, load)
    judge(report, load, found)
    report.none_of("runs that had to begin again (tries spent)", sum(each.tries > 0 for each in found), len(found))
