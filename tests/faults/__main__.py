"""Plays the faults and prints the table: `python -m tests.faults [--seed N] [--only 1,3] [--scale 0.1] [--on a+b,…]`.

Each fault is played in a process of its own, which is ended when it takes longer than it may. The table also goes to
var/bench/faults.json; what a failed one left (logs, the database) stays in var/faults/.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.settings import ROOT
from tests.faults import FAULTS, Fault, plain_celery, table
from tests.faults.processes import Process
from tests.faults.stage import Verdict, opened, titled

KEPT = ROOT / "var" / "faults"
PLAIN_SHARE = 0.25  # of our kill loop, for Celery alone: what it loses needs no more to be seen
Play = tuple[int, str]  # a fault's number, and on what: "sqlite+valkey"


class Troupe:
    """Plays faults lane by lane; what mostly waits runs beside the rest, what measures times runs alone."""

    def __init__(self, seed: int, scale: float) -> None:
        self.seed, self.scale = seed, scale
        self.verdicts: list[Verdict] = []
        self.beside: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def perform(self, plays: list[Play]) -> None:
        """All of them."""
        lanes = {lane: [play for play in plays if FAULTS[play[0]].lane == lane] for lane in ("main", "side", "alone")}
        beside = threading.Thread(target=self._in_turn, args=(lanes["side"],))
        beside.start()
        self._in_turn(lanes["main"])
        if any(number == 1 for number, _ in plays):
            self.beside = plain_celery.run(self.seed, self.scale * PLAIN_SHARE)
            say("\n".join(map(table.plain_row, self.beside)))
        beside.join()
        self._in_turn(lanes["alone"])

    def write(self) -> float:
        """What stands so far, into var/bench/faults.json; seconds since the beginning."""
        took = time.monotonic() - self._began
        table.write(self.verdicts, self.beside, self.seed, self.scale, took)
        return took

    def _in_turn(self, plays: list[Play]) -> None:
        for number, on in plays:
            verdict = self._play(number, on)
            with self._lock:
                self.verdicts.append(verdict)
                say(table.row(verdict))
                self.write()

    def _play(self, number: int, on: str) -> Verdict:
        """One fault in a process of its own."""
        folder = Path(tempfile.mkdtemp(prefix=f"nightshift-fault-{number}-"))
        said, began = folder / "verdict.json", time.monotonic()
        words = ["--play", str(number), "--on", on, "--seed", str(self.seed), "--scale", str(self.scale)]
        command = [sys.executable, "-m", "tests.faults", *words, "--into", str(said)]
        process = Process(f"fault {number}", command, {}, folder / "play.log")
        limit = FAULTS[number].limit_s
        in_time = process.wait(limit)
        process.kill()
        seconds = round(time.monotonic() - began, 1)
        if said.exists():
            verdict = Verdict(**json.loads(said.read_text()))
        else:
            why = f"it broke off: see {KEPT}" if in_time else f"it took longer than {limit} s"
            verdict = _no_verdict(number, on, self.seed, why, seconds)
        if not verdict.ok:
            shutil.copytree(
                folder, KEPT / f"{number}-{on}", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock")
            )
        shutil.rmtree(folder, ignore_errors=True)
        return verdict


def _no_verdict(number: int, on: str, seed: int, why: str, seconds: float) -> Verdict:
    return Verdict(
        number, FAULTS[number].module, titled(*on.split("+")), {}, seed, 0, 0, 0, None, None, {}, False, why, seconds
    )


def play(number: int, on: str, seed: int, scale: float, folder: Path) -> Verdict:
    """One fault on one pair of servers, in this process."""
    database, broker = on.split("+")
    fault = FAULTS[number]
    with opened(seed, scale, database, broker, folder, **fault.stage) as stage:
        found: Verdict = fault.run(stage)
        return found


def say(text: str) -> None:
    print(text, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 10_000), help="what chance does (default: new)")
    parser.add_argument("--only", default="", help="numbers of faults, such as 1,3")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the stated sizes")
    parser.add_argument("--on", default="", help="pairs of servers, such as sqlite+valkey,mariadb+valkey")
    parser.add_argument("--play", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _plays(only: str, on: str) -> list[Play]:
    numbers = [int(number) for number in only.split(",") if number] or sorted(FAULTS)
    chosen = on.split(",") if on else None
    return [(number, pair) for number in numbers for pair in _pairs(FAULTS[number], chosen)]


def _pairs(fault: Fault, chosen: list[str] | None) -> list[str]:
    return [pair for pair in chosen or fault.on if pair in fault.on or not fault.only]


def main() -> int:
    """The entry point; the exit status is 1 when a fault failed."""
    asked = _arguments()
    if asked.play:
        verdict = play(asked.play, asked.on, asked.seed, asked.scale, asked.into.parent / "stage")
        asked.into.write_text(json.dumps(asdict(verdict)))
        return 0
    os.environ.pop("NIGHTSHIFT_VAR", None)
    say(f"Seed {asked.seed}, scale {asked.scale:g}\n{table.line(table.HEAD)}")
    troupe = Troupe(asked.seed, asked.scale)
    troupe.perform(_plays(asked.only, asked.on))
    took = troupe.write()
    count, passed = len(troupe.verdicts), sum(each.ok for each in troupe.verdicts)
    say(f"{passed} of {count} passed in {took / 60:.1f} min, seed {asked.seed}")
    return 0 if passed == count else 1


if __name__ == "__main__":
    sys.exit(main())
