"""A client of one system, in a process of its own: `python -m tests.bench.peers.client MODULE WHAT ARGUMENTS…`.

Prints one line of JSON. All times are of the clock that the workers' records use.
"""

import importlib
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any


def enqueue(sender: Any, job: str, first: int, count: int) -> dict[str, Any]:
    """Hand over `count` jobs, one after the other, as fast as it goes."""
    sender.send(job, first)  # connections and compiled statements are made by the first
    took = []
    began = before = time.monotonic()
    for number in range(first + 1, first + count):
        sender.send(job, number)
        now = time.monotonic()
        took.append(now - before)
        before = now
    return {"seconds": before - began, "took": took}


def _begin(sender: Any, job: str) -> None:
    """Connections and compiled statements are made by the first, as in a web process that has served a request."""
    sender.send(job, -1)
    time.sleep(0.5)


def load(sender: Any, job: str, first: int, count: int, rate: float, seed: int) -> dict[str, Any]:
    """Hand jobs over at chance moments, `rate` a second, whatever the system does; tells when each was meant to go."""
    chance = random.Random(seed)
    _begin(sender, job)
    meant, late = time.monotonic() + 0.1, []
    for number in range(first, first + count):
        meant += chance.expovariate(rate)
        if (wait := meant - time.monotonic()) > 0:
            time.sleep(wait)
        sender.send(job, number)
        late.append(meant)
    return {"meant": late}


def evenly(sender: Any, job: str, first: int, count: int, gap: float, seed: int) -> dict[str, Any]:
    """One job at a time into an idle system, `gap` seconds and a little chance apart; tells when each was sent."""
    chance = random.Random(seed)
    _begin(sender, job)
    meant, took = [], []
    for number in range(first, first + count):
        time.sleep(gap * (0.5 + chance.random()))
        meant.append(time.monotonic())
        sender.send(job, number)
        took.append(time.monotonic() - meant[-1])
    return {"meant": meant, "took": took}


def fan_out(sender: Any, job: str, first: int, count: int) -> dict[str, Any]:
    """One call that stands for many jobs."""
    sender.send(job, first - 1)  # connections are made by the first
    began = time.monotonic()
    sender.group(job, first, count)
    return {"began": began}


DOES: dict[str, Callable[..., dict[str, Any]]] = {
    "enqueue": enqueue,
    "load": load,
    "evenly": evenly,
    "fan_out": fan_out,
}


def main() -> None:
    module, what, job, *numbers = sys.argv[1:]
    peer = importlib.import_module(f"tests.bench.peers.{module}")
    if what in DOES:
        values = [float(number) if "." in number else int(number) for number in numbers]
        told = DOES[what](peer.Sender(), job, *values)
    else:
        told = {what: getattr(peer, what)()}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
