"""A nursery of workers that die in the pop window: between the broker's answer to BRPOP and anything else.

`python -m tests.faults.pop_failpoint LIVES_FILE SEED`: one worker after the other is forked from a process that has
imported everything, so that each is there in a moment. A worker pops some messages, dies at the last of them, and its
whole tree with it; which run that message stood for is a line of the file.
"""

import contextlib
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from kombu.transport.redis import Transport

POPS_AT_MOST = 3


def arm(pops: int, lives: Path) -> None:
    """From now on the so-many-th message that comes from the broker ends this process before it is noted anywhere."""
    deliver, left = Transport._deliver, pops

    def dying(self: Transport, message: dict[str, Any], queue: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            with lives.open("a") as file:
                file.write(f"{message['headers']['id'].partition('.')[0]} {time.time():.3f}\n")
            os._exit(9)
        deliver(self, message, queue)

    setattr(Transport, "_deliver", dying)  # noqa: B010


def live(pops: int, lives: Path, name: str) -> None:
    """Be a worker, as `make run` starts it."""
    os.setsid()
    arm(pops, lives)
    from tests.faults.worker import app

    options = ["-n", name, "-Q", "default", "-c", "1", "-O", "fair", "--without-mingle", "--without-gossip"]
    app.worker_main(["worker", *options])
    os._exit(0)


def main() -> None:
    """Forks until it is killed."""
    import tests.faults.worker

    assert tests.faults.worker.app
    lives, chance = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
    while True:
        pops = chance.randint(1, POPS_AT_MOST)
        child = os.fork()
        if not child:
            live(pops, lives, f"pop{sys.argv[2]}@stage")
        os.waitpid(child, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # its pool


if __name__ == "__main__":
    main()
