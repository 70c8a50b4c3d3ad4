"""The kill loop of fault 1 on Celery alone: same broker, same lengths, same number of kills. What does it lose?"""

import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import redis
from celery import Celery

from tests import servers
from tests.faults import kill
from tests.faults.processes import Process

KINDS = {"Celery, defaults": "", "Celery, acks late": "1"}
STILL_S = 45.0  # nothing moved for so long: what has no effect by now waits for the visibility timeout of an hour
TIMEOUT_S = 600


def run(seed: int, scale: float) -> list[dict[str, Any]]:
    """Both sorts beside each other: they mostly wait."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda name: _loop(name, seed, scale), KINDS))


def _loop(name: str, seed: int, scale: float) -> dict[str, Any]:
    total, kills = max(1, round(20_000 * scale)), max(1, round(100 * scale))
    with servers.Valkey(durable=True) as broker, tempfile.TemporaryDirectory(prefix="nightshift-plain-") as folder:
        loop = Loop(broker.url, KINDS[name], Path(folder), random.Random(seed))
        try:
            return {"name": name, "size": {"jobs": total, "kills": kills}, "seed": seed, **loop.play(total, kills)}
        finally:
            loop.end()


class Loop:
    """One kill loop."""

    def __init__(self, url: str, safe: str, folder: Path, rng: random.Random) -> None:
        self._folder, self._rng = folder, rng
        self._effects = folder / "effects.txt"
        self._environment = {"PLAIN_BROKER": url, "PLAIN_SAFE": safe, "PLAIN_EFFECTS": str(self._effects)}
        self._client, self._app = redis.Redis.from_url(url), Celery(broker=url)
        self._trees = [self._tree(number) for number in range(kill.TREES)]

    def _tree(self, number: int) -> Process:
        words = [
            "-n",
            f"p{number}@plain",
            "-c",
            str(kill.PROCESSES),
            "--without-mingle",
            "--without-gossip",
            "-l",
            "INFO",
        ]
        log = self._folder / f"p{number}.log"
        log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "celery", "-A", "tests.faults.plain_app", "worker", "-l", "INFO", *words]
        return Process(f"p{number}", command, self._environment, log)

    def end(self) -> None:
        for tree in self._trees:
            tree.kill()
        self._client.close()
        self._app.close()

    def play(self, total: int, kills: int) -> dict[str, Any]:
        """Feeds and kills in step, as fault 1 does; then waits until nothing moves any more."""
        weights = [weight for weight, *_ in kill.LENGTHS]
        todo = self._rng.choices(kill.LENGTHS, weights, k=total)
        began, given, done, last = time.monotonic(), 0, 0, 0.0
        while (given < total or done < kills) and time.monotonic() < began + TIMEOUT_S:
            waiting = int(self._client.llen("celery"))
            for number in range(given, min(total, given + kill.AHEAD - waiting)):
                self._app.send_task("work", (number, todo[number][1], todo[number][2]), retry=False)
                given = number + 1
            if given - waiting >= done * total / kills and done < kills and time.monotonic() - last > kill.PAUSE_S:
                done, last = done + self._kill_one(), time.monotonic()
            time.sleep(0.1)
        found = self._until_still(total)
        lost, parked = total - len(found), int(self._client.hlen("unacked"))
        twice = sum(count > 1 for count in found.values())
        seconds = round(time.monotonic() - began, 1)
        return {"killed": done, "lost": lost, "of_these_parked_for_an_hour": parked, "twice": twice, "seconds": seconds}

    def _kill_one(self) -> bool:
        ready = [number for number, tree in enumerate(self._trees) if " ready." in tree.said()]
        if not ready:
            return False
        number = self._rng.choice(ready)
        self._trees[number].kill()
        self._trees[number] = self._tree(number)
        return True

    def _until_still(self, total: int) -> Counter[str]:
        found, since = self._read(), time.monotonic()
        while len(found) < total and time.monotonic() < since + STILL_S:
            time.sleep(0.5)
            if (now := self._read()) != found:
                found, since = now, time.monotonic()
        return found

    def _read(self) -> Counter[str]:
        return Counter(self._effects.read_text().split() if self._effects.exists() else [])
