"""One at a time on a data folder: its manager, or a restore into it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def only_one(var: Path) -> Iterator[None]:
    """Holds the lock on a data folder; a second manager on it would start a second broker on the same files."""
    with (var / "nightshift.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SystemExit(
                f"Nightshift already runs on {var} (process {lock.read().strip()}). Stop it with Ctrl-C or "
                "`kill` there, or run a second one on its own folder: NIGHTSHIFT_VAR=/path PORT=5002 make run"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
