"""Waits until the named workers answer over the broker: `python -m deploy.ready NAME@HOST …`; exit status 0: all did.

A process of its own, so that the manager need not import Celery and keep its memory for good.
"""

import sys
import time

from celery import Celery
from kombu.exceptions import OperationalError

from deploy.settings import settings

WAIT = 300.0


def answering(app: Celery) -> set[str]:
    """Names of the workers that answer a ping at once; there may be others than ours."""
    try:
        return {name for each in app.control.ping(timeout=0.5) or () for name in each}
    except (OperationalError, OSError):
        return set()


def main(names: set[str]) -> int:
    """Waits for all of them, at most five minutes."""
    app = Celery(broker=settings().broker)  # pings need no tasks, and so not our own app with all its imports
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if names <= answering(app):
            return 0
        time.sleep(0.1)
    return 1


if __name__ == "__main__":
    sys.exit(main(set(sys.argv[1:])))
