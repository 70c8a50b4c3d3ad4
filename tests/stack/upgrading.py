"""From a release before to what lies here, while runs go on: by the commands of deploy/README.md, "Upgrading"."""

import subprocess
import time

from deploy.settings import ROOT
from tests.stack import KEPT
from tests.stack.compose import Stack, run
from tests.stack.kills import Hands
from tests.stack.load import Load
from tests.stack.report import Report
from tests.stack.rolling import SERVICES, none_lost

CHANGED = (*SERVICES, "beat", "flower")
FOLDER = KEPT / "upgraded"  # what the person who upgrades has: first the release before, then what lies here


def start_from(revision: str, stack: Stack, report: Report) -> None:
    """The release before, built and brought up."""
    _unpack(["git", "archive", revision])
    stack.environment |= {"COMPOSE_FILE": str(FOLDER / "docker-compose.yml"), "NIGHTSHIFT_TAG": "before"}
    stack.loudly("build", timeout=1200)
    stack.up()
    stack.wait()
    report.add(f"{revision} is up", f"{len(stack.containers())} containers")


def upgrade(stack: Stack, hands: Hands, report: Report) -> None:
    """By its one command: under load, and with runs that nobody has done yet."""
    _unpack(["sh", "-c", "git ls-files -z | tar --create --null --files-from -"])
    stack.environment["NIGHTSHIFT_TAG"] = "test"
    before = {each.id for each in stack.containers()}
    with Load(hands.front, hands.token, every=0.2, path="/sign-in") as load:
        time.sleep(3)
        began = time.monotonic()
        run("sh", str(FOLDER / "deploy" / "upgrade.sh"), timeout=1800, env=stack.environment)
        fresh = [each for name in CHANGED for each in stack.containers(name)]
        new = all(each.id not in before for each in fresh)
        report.holds(
            "fronts, workers, beats and Flower of the new release",
            new,
            f"{len(fresh)} in {time.monotonic() - began:.1f} s",
        )
        time.sleep(3)
    none_lost(stack, load, report)
    stack.wait()
    report.holds("all of it is well", True, f"{len(stack.containers())} containers")


def _unpack(command: list[str]) -> None:
    """The files of a release over those that are there, as `git checkout` puts them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "--extract", "--directory", str(FOLDER)], input=packed.stdout, check=True)
